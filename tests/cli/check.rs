//! `git slsart check`: every line, as it is well and as it fails.

use std::fs;

use snapbox::str;

use crate::sandbox::{Sandbox, matches, zip_of};

/// A commit that is packaged in place, as it must be for all lines to be well.
fn packaged() -> Sandbox {
    let sandbox = Sandbox::installed();
    sandbox.slsart("package --in-place -s prod -q").succeeded();
    sandbox
}

/// The lines that are not as they should be.
fn failing(sandbox: &Sandbox) -> String {
    remarks(sandbox, 1)
}

/// The same, with this exit status.
fn remarks(sandbox: &Sandbox, code: i32) -> String {
    let outcome = sandbox.slsart("check -s prod");
    assert_eq!(outcome.code, code, "{outcome}");
    let lines = outcome.stdout.lines().filter(|line| !line.starts_with('✓'));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn all_is_well() {
    let sandbox = packaged();
    sandbox.slsart("check -s prod").is_all(str![[r#"
✓ clean      the working tree has no changes
✓ package    packaged for orders · prod · us-east-1 (d00594d6)
✓ lockfile   package-lock.json is as recorded
✓ plugins    as recorded (serverless-hello 1.2.0, ./plugins/trace)
✓ framework  osls 4.3.1, as recorded
✓ intact     3 files are what was recorded
✓ target     made for orders · prod · us-east-1
✓ runtimes   Lambda accepts nodejs22.x
✓ limits     1 resource, template 349 B, largest function 35 B unzipped
! aws        SLSART_OFFLINE is set: AWS is not asked
✓ toolchain  npm will install the plugins from package-lock.json: there is no toolchain here
✓ node       [NODE], as recorded
✓ variables  as when packaging (DB_URL)

"#]]);
    sandbox.slsart("check -s prod --json").is_all(str![[r#"
{
  "ok": true,
  "checks": [
    {
      "name": "clean",
      "verdict": "ok",
      "message": "the working tree has no changes"
    },
    {
      "name": "package",
      "verdict": "ok",
      "message": "packaged for orders · prod · us-east-1 (d00594d6)"
    },
    {
      "name": "lockfile",
      "verdict": "ok",
      "message": "package-lock.json is as recorded"
    },
    {
      "name": "plugins",
      "verdict": "ok",
      "message": "as recorded (serverless-hello 1.2.0, ./plugins/trace)"
    },
    {
      "name": "framework",
      "verdict": "ok",
      "message": "osls 4.3.1, as recorded"
    },
    {
      "name": "intact",
      "verdict": "ok",
      "message": "3 files are what was recorded"
    },
    {
      "name": "target",
      "verdict": "ok",
      "message": "made for orders · prod · us-east-1"
    },
    {
      "name": "runtimes",
      "verdict": "ok",
      "message": "Lambda accepts nodejs22.x"
    },
    {
      "name": "limits",
      "verdict": "ok",
      "message": "1 resource, template 349 B, largest function 35 B unzipped"
    },
    {
      "name": "aws",
      "verdict": "warning",
      "message": "SLSART_OFFLINE is set: AWS is not asked"
    },
    {
      "name": "toolchain",
      "verdict": "ok",
      "message": "npm will install the plugins from package-lock.json: there is no toolchain here"
    },
    {
      "name": "node",
      "verdict": "ok",
      "message": "[NODE], as recorded"
    },
    {
      "name": "variables",
      "verdict": "ok",
      "message": "as when packaging (DB_URL)"
    }
  ]
}

"#]]);
}

#[test]
fn changes_fail_and_what_packaging_leaves_does_not() {
    let sandbox = packaged();
    sandbox.write(".gitignore", "node_modules/\n");
    sandbox.commit("Ignore less");
    sandbox.slsart("package --in-place -s prod -q").succeeded();
    sandbox.slsart("check -s prod -q").succeeded();
    sandbox.write("handler.js", "changed");
    sandbox.write("new.js", "");
    matches(
        failing(&sandbox),
        str![[r#"
✗ clean      the working tree has changes: handler.js and 1 more
  hint:     commit them, or put them aside: git stash --include-untracked
! aws        SLSART_OFFLINE is set: AWS is not asked
"#]],
    );
}

#[test]
fn a_commit_that_is_not_packaged_fails() {
    let sandbox = packaged();
    sandbox.slsart("check -s dev").is(str![[r#"
✗ package    nothing was packaged or deployed for the stage 'dev'
  hint:     git slsart package -s dev
── stderr ──
error: 1 of 2 checks failed
── exit 1 ──

"#]]);
    sandbox.change("Answer two");
    matches(
        failing(&sandbox),
        str![[r#"
✗ package    commit 35040f8 has no package for stage prod
  hint:     git slsart package -s prod
"#]],
    );
}

#[test]
fn a_package_with_changes_is_not_the_commits() {
    let sandbox = Sandbox::installed();
    sandbox.write("handler.js", "exports.hello = async () => 'local';\n");
    sandbox.slsart("package --in-place --allow-dirty -s prod -q").succeeded();
    sandbox.git("checkout --quiet handler.js");
    matches(
        failing(&sandbox),
        str![[r#"
✗ package    HEAD's only package was made with uncommitted changes
  hint:     git slsart package -s prod
! aws        SLSART_OFFLINE is set: AWS is not asked
"#]],
    );
}

#[test]
fn damage_fails() {
    let sandbox = packaged();
    sandbox.unpack();
    let blob = sandbox
        .shell("git rev-parse $(git for-each-ref --format='%(refname)' refs/slsart):files/orders.zip/tree/handler.js")
        .stdout;
    let (folder, file) = blob.trim().split_at(2);
    fs::remove_file(sandbox.path(&format!(".git/objects/{folder}/{file}"))).unwrap();
    matches(
        failing(&sandbox),
        str![[r#"
✗ intact     the object 540530e335ac2c00b3db0b8d2866b975f94c936e is missing from the object store
  hint:     another copy of this repository may have it whole: compare with `git slsart verify --all` there
"#]],
    );
}

#[test]
fn plugins_that_differ_fail_and_missing_ones_are_a_warning() {
    let sandbox = packaged();
    let json = sandbox.read("tools/serverless-hello/package.json").replace("1.2.0", "1.3.0");
    fs::remove_file(sandbox.path("node_modules/serverless-hello")).unwrap();
    matches(
        remarks(&sandbox, 0),
        str![[r#"
! plugins    serverless-hello 1.2.0 is not installed
  hint:     a deployment restores this in its own worktree; to install it here: npm ci
! aws        SLSART_OFFLINE is set: AWS is not asked
"#]],
    );
    sandbox.write("node_modules/serverless-hello/package.json", json);
    matches(
        failing(&sandbox),
        str![[r#"
✗ plugins    serverless-hello is 1.3.0 and was 1.2.0 when packaging
  hint:     to install what the lockfile has: npm ci
! aws        SLSART_OFFLINE is set: AWS is not asked
"#]],
    );
}

#[test]
fn a_plugin_with_other_files_fails_and_names_them_where_they_are_known() {
    // Not what the commit has in tools/: of that, git would have the files.
    const OWN: &str = "module.exports = class Hello { own() {} };\n";
    const OTHER: &str = "module.exports = class Hello { other() {} };\n";
    let sandbox = Sandbox::installed();
    fs::remove_file(sandbox.path("node_modules/serverless-hello")).unwrap();
    sandbox.write(
        "node_modules/serverless-hello/package.json",
        sandbox.read("tools/serverless-hello/package.json"),
    );
    sandbox.write("node_modules/serverless-hello/index.js", OWN);
    sandbox.slsart("package --in-place -s prod -q").succeeded();
    let recorded =
        sandbox.slsart("show --plugins --json").json()["plugins"][0]["tree"].as_str().unwrap().to_owned();
    sandbox.write("node_modules/serverless-hello/index.js", OTHER);
    matches(
        failing(&sandbox),
        str![[r#"
✗ plugins    serverless-hello has the recorded version, but its files differ
  hint:     to install what the lockfile has: npm ci
! aws        SLSART_OFFLINE is set: AWS is not asked
"#]],
    );
    // The recorded files, as a snapshot of the installation has them.
    sandbox.write("node_modules/serverless-hello/index.js", OWN);
    let written = sandbox.shell(
        "export GIT_DIR=$PWD/.git GIT_INDEX_FILE=$PWD/../index GIT_WORK_TREE=$PWD/node_modules/serverless-hello
         cd node_modules/serverless-hello && git add --all --force . && git write-tree",
    );
    assert_eq!(written.stdout.trim(), recorded);
    sandbox.write("node_modules/serverless-hello/index.js", OTHER);
    sandbox.write("node_modules/serverless-hello/new.js", "");
    matches(
        failing(&sandbox),
        str![[r#"
✗ plugins    serverless-hello has the recorded version, but its files differ: index.js, new.js
  hint:     to install what the lockfile has: npm ci
! aws        SLSART_OFFLINE is set: AWS is not asked
"#]],
    );
}

#[test]
fn another_framework_fails_and_none_is_a_warning() {
    let sandbox = packaged();
    fs::remove_file(sandbox.path("node_modules/osls")).unwrap();
    matches(
        remarks(&sandbox, 0),
        str![[r#"
! framework  the Serverless Framework is not installed for the service '.'
  hint:     a deployment restores this in its own worktree; to install it here: npm ci
! aws        SLSART_OFFLINE is set: AWS is not asked
"#]],
    );
    sandbox.write("node_modules/osls/package.json", r#"{"name": "osls", "version": "4.2.0"}"#);
    sandbox.write("node_modules/osls/osls.js", "");
    matches(
        failing(&sandbox),
        str![[r#"
✗ framework  osls 4.2.0 is installed and osls 4.3.1 made the package
  hint:     to install what the lockfile has: npm ci
! aws        SLSART_OFFLINE is set: AWS is not asked
"#]],
    );
}

#[test]
fn another_node_is_told_and_one_that_the_framework_refuses_fails() {
    let sandbox = packaged();
    let node = sandbox.run("node", ["--version"]).stdout;
    let major = node.trim_start_matches('v').split('.').next().unwrap().to_owned();
    let with_node = |version: &str| {
        fs::create_dir_all(sandbox.beside("bin")).unwrap();
        sandbox.write_program("../bin/node", &format!("#!/bin/sh\necho v{version}\n"));
        let path = format!("{}:/usr/bin:/bin", sandbox.beside("bin").display());
        sandbox.slsart_with("check -s prod", &[("PATH", &path)])
    };
    let other = with_node("1.2.3");
    assert_eq!(other.code, 1, "{other}");
    assert!(other.stdout.contains("✗ node       osls 4.3.1 runs on node >=18, and 1.2.3 is here"), "{other}");
    let other = with_node("999.0.0");
    assert_eq!(other.code, 0, "{other}");
    assert!(other.stdout.contains("! node       999.0.0 is here and"), "{other}");
    let near = with_node(&format!("{major}.999.0"));
    assert_eq!(near.code, 0, "{near}");
    assert!(near.stdout.contains(&format!("✓ node       {major}.999.0; ")), "{near}");
    let without = sandbox.beside("without").to_str().unwrap().to_owned();
    fs::create_dir(&without).unwrap();
    std::os::unix::fs::symlink(sandbox.shell("command -v git").stdout.trim(), format!("{without}/git"))
        .unwrap();
    sandbox.slsart_with("check -s prod", &[("PATH", &without)]).is(str![[r#"
✓ package    packaged for orders · prod · us-east-1 (d00594d6)
✗ toolchain  there is no toolchain that fits, and npm, which would install the plugins, is not here
  hint:     install npm, or add its directory to PATH
✗ node       cannot run node
  hint:     install node.js, or add its directory to PATH
── stderr ──
error: 2 of 13 checks failed
── exit 1 ──

"#]]);
}

#[test]
fn a_package_made_elsewhere_is_not_held_against_a_node_or_variables() {
    let sandbox = Sandbox::installed();
    sandbox.record("prod");
    let checked = sandbox.slsart("check -s prod --json").succeeded().json();
    let names = checked["checks"].as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap());
    assert_eq!(
        names.collect::<Vec<_>>(),
        [
            "clean",
            "package",
            "lockfile",
            "plugins",
            "framework",
            "intact",
            "target",
            "runtimes",
            "limits",
            "aws",
            "toolchain"
        ]
    );
}

#[test]
fn a_package_with_another_lockfile_fails() {
    let sandbox = Sandbox::installed();
    sandbox.write("package-lock.json", format!("{}\n", sandbox.read("package-lock.json")));
    sandbox.slsart("package --in-place --allow-dirty -s prod -q").succeeded();
    sandbox.git("checkout --quiet package-lock.json");
    matches(
        failing(&sandbox),
        str![[r#"
✗ package    HEAD's only package was made with uncommitted changes
  hint:     git slsart package -s prod
✗ lockfile   package-lock.json differs from the one that made the package
  hint:     package the commit again: git slsart package --again -s prod
! aws        SLSART_OFFLINE is set: AWS is not asked
"#]],
    );
}

#[test]
fn settings_in_the_zip_are_a_warning() {
    let sandbox = Sandbox::installed();
    let directory = sandbox.build("dist", "prod");
    let files: [(&str, &[u8]); 2] = [("handler.js", b""), ("slsart.toml", b"")];
    fs::write(directory.join("orders.zip"), zip_of(&files)).unwrap();
    sandbox.slsart("record ../dist -q").succeeded();
    let checked = sandbox.slsart("check -s prod").succeeded().stdout;
    let lines = "! settings   slsart.toml is in orders.zip: each change to it changes the code of the functions\n  \
                 hint:     add '!slsart.toml' to `patterns` under `package` in serverless.yml\n";
    assert!(checked.contains(lines), "{checked}");
    let inner: [(&str, &[u8]); 1] = [("docs/slsart.toml", b"")];
    fs::write(directory.join("orders.zip"), zip_of(&inner)).unwrap();
    sandbox.slsart("record ../dist -q").succeeded();
    assert!(!sandbox.slsart("check -s prod").stdout.contains("settings"));
}
