//! In git's hooks, where git has set variables that lead everything else astray.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::bed::wait_until;
use crate::project::Project;

#[test]
fn a_commit_is_packaged_in_the_background() {
    let project = Project::new("osls4/individually", "behind-the-scenes");
    project.slsart("init").succeeds();
    fs::write(project.top().join("slsart.toml"), "[hooks]\npost-commit = \"package\"\nstages = [\"prod\"]\n")
        .unwrap();
    project.commit("v1");
    let recorded = || project.slsart("log --json").succeeds().json()["packages"].clone();
    wait_until("the commit is packaged", || recorded().as_array().is_some_and(|all| all.len() == 1));
    wait_until("the job has ended", || project.leftovers().is_empty());
    assert_eq!(recorded()[0]["subject"], "v1");
    assert_eq!(recorded()[0]["dirty"], false);

    // A deploy in the very middle of a commit: the index is locked, and GIT_INDEX_FILE names the lock.
    let hook = project.top().join(".git/hooks/pre-commit");
    let log = project.beside("pre-commit.log");
    let lines = "env | grep ^GIT_ && git slsart deploy v1 -s prod --yes";
    fs::write(&hook, format!("#!/bin/sh\nexec >'{}' 2>&1\n{lines}\n", log.display())).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(project.top().join("slsart.toml"), "[hooks]\npost-commit = \"off\"\n").unwrap();
    project.write("src/hello.js", "exports.handler = () => 2;\n");
    project.git("commit --quiet --all --message v2");

    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("GIT_INDEX_FILE="), "git should set it: {log}");
    let live = project.live();
    let v1 = project.recorded("v1");
    assert_eq!(live["hello"].code_sha256, v1.code_sha256("hello.zip"), "{log}");
    assert_eq!(project.history(), ["deploy v1 succeeded (live)"]);
    assert_eq!(project.git("diff --name-only v1 HEAD"), "slsart.toml\nsrc/hello.js\n");
    assert_eq!(project.git("status --porcelain"), "");
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());
}

#[test]
fn a_package_made_before_the_commit_becomes_its_package() {
    let project = Project::installed("osls4/individually", "made-before");
    project.slsart("init").succeeds();
    project.commit("v1");

    // An archive of the developer's own, that git ignores.
    project.zip("dist/own.zip", "src/hello.js", "exports.handler = () => 2;\n");
    let own = fs::read(project.top().join("dist/own.zip")).unwrap();
    project.edit(".gitignore", ".serverless/", ".serverless/\ndist/");
    project.edit("serverless.yml", "      patterns: [src/hello.js]", "      artifact: dist/own.zip");

    project.slsart("package -s prod --in-place").fails_with(1);
    let package = project.slsart("package -s prod --in-place --allow-dirty --json").succeeds().json();
    assert_eq!(package["packages"][0]["dirty"], true, "{package:#}");
    project.commit("v2");
    let attached = project.slsart("show v2 -s prod --json").succeeds().json();
    assert_eq!(attached["package"], package["packages"][0]["package"], "{attached:#}");
    assert_eq!(attached["dirty"], false, "{attached:#}");
    assert_eq!(attached["commit"], project.git("rev-parse v2").trim());

    // It is all that a deploy needs: not what it was made from.
    let v2 = project.recorded("v2");
    assert_eq!(v2.read("own.zip"), own);
    for file in ["serverless-state.json", "bye.zip"] {
        assert_eq!(v2.read(file), fs::read(project.top().join(".serverless").join(file)).unwrap(), "{file}");
    }
    for gone in ["dist", ".serverless", "node_modules"] {
        fs::remove_dir_all(project.top().join(gone)).unwrap();
    }
    project.slsart("deploy -s prod --yes").succeeds();
    assert_eq!(project.live()["hello"].code_sha256, v2.code_sha256("own.zip"));
    assert_eq!(project.live()["bye"].code_sha256, v2.code_sha256("bye.zip"));
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());
}
