//! Real hook managers, told as `hooks install --print` says: git slsart runs from their hooks, with all that git tells a hook.
//! Needs neither AWS nor the framework.

use std::path::{Path, PathBuf};

use crate::sandbox::Sandbox;

/// What the bed has of hook managers.
fn bed() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bed");
    let bed = std::env::var_os("SLSART_BED").map_or_else(own, PathBuf::from);
    for part in ["flavours/hooks/node_modules", "python/hooks/bin/pre-commit"] {
        assert!(bed.join(part).exists(), "no {part} in {}: run `make setup`", bed.display());
    }
    bed
}

/// A package for HEAD, a remote, and the hook managers' programs first in PATH.
fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::recorded();
    let bed = bed();
    let own = Path::new(env!("CARGO_BIN_EXE_git-slsart")).parent().unwrap();
    let [node, python] = ["flavours/hooks/node_modules/.bin", "python/hooks/bin"].map(|part| bed.join(part));
    let path = std::env::var_os("PATH").unwrap();
    let paths = [own.to_owned(), node, python].into_iter().chain(std::env::split_paths(&path));
    let path = std::env::join_paths(paths).unwrap().into_string().unwrap();
    sandbox.variables.push(("PATH", path));
    sandbox.git("init --quiet --bare ../origin.git");
    sandbox.git("remote add origin ../origin.git");
    sandbox
}

/// Writes what is to be written for a manager.
fn told(sandbox: &Sandbox, manager: &str) -> String {
    sandbox.slsart(&format!("hooks install --print {manager}")).succeeded().stdout
}

/// The managers' hook runs ours: all of them are installed, a package follows an amended commit, and a push is looked at.
#[track_caller]
fn all_run(sandbox: &Sandbox, subject: &str) {
    let status = sandbox.slsart("hooks").succeeded();
    assert_eq!(status.stdout.matches("\ninstalled").count(), 3, "{status}");
    sandbox.run("git", ["commit", "--quiet", "--amend", "-m", subject]).succeeded();
    let log = sandbox.slsart("log").stdout;
    assert!(log.contains(subject), "{log}");
    sandbox.change("Without a package");
    let pushed = sandbox.run("git", ["push", "origin", "main"]).succeeded();
    let all = format!("{}{}", pushed.stdout, pushed.stderr);
    assert!(all.contains("main has no package"), "{pushed}");
}

#[test]
fn husky() {
    let sandbox = sandbox();
    sandbox.run("husky", [".husky"]).succeeded();
    for part in told(&sandbox, "husky").split("# .husky/").skip(1) {
        let (name, text) = part.split_once('\n').unwrap();
        sandbox.write(&format!(".husky/{name}"), text);
    }
    all_run(&sandbox, "Reworded");
    // Without the program nothing is said, and nothing fails.
    sandbox.shell("PATH=/usr/bin:/bin HOME=/nowhere git commit --quiet --amend -m Again").is("");
}

#[test]
fn lefthook() {
    let sandbox = sandbox();
    // Ours is there first: lefthook puts it aside, and `hooks` says so.
    sandbox.slsart("hooks install -q").succeeded();
    sandbox.write("lefthook.yml", "post-commit:\n  jobs:\n    - run: 'true'\n");
    sandbox.run("lefthook", ["install"]).succeeded();
    let status = sandbox.slsart("hooks").succeeded().stdout;
    assert!(status.contains("post-commit.old, which git does not run"), "{status}");
    sandbox.slsart("hooks uninstall -q").succeeded();

    sandbox.write("lefthook.yml", told(&sandbox, "lefthook"));
    sandbox.run("lefthook", ["install"]).succeeded();
    all_run(&sandbox, "Reworded");
}

#[test]
fn pre_commit() {
    let sandbox = sandbox();
    // Ours is there first: pre-commit puts it aside and runs it, without the input of post-rewrite.
    sandbox.slsart("hooks install -q").succeeded();
    let types = "[pre-push, post-rewrite, post-commit]";
    sandbox.write(".pre-commit-config.yaml", format!("default_install_hook_types: {types}\nrepos: []\n"));
    sandbox.run("pre-commit", ["install"]).succeeded();
    all_run(&sandbox, "Reworded");
    let steps = sandbox.slsart("hooks uninstall").succeeded().stdout;
    assert_eq!(steps.matches(".legacy)").count(), 3, "{steps}");

    sandbox.write(".pre-commit-config.yaml", told(&sandbox, "pre-commit"));
    sandbox.run("pre-commit", ["install"]).succeeded();
    sandbox.run("git", ["reset", "--quiet", "--hard", "HEAD~"]).succeeded();
    sandbox.git("config --unset-all remote.origin.url");
    sandbox.git("init --quiet --bare ../other.git");
    sandbox.git("config remote.origin.url ../other.git");
    sandbox.write(".pre-commit-config.yaml", told(&sandbox, "pre-commit"));
    all_run(&sandbox, "Told");
}
