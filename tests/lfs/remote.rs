//! `git slsart verify --remote`: what a remote really has.

use std::fs;

use crate::read::interrupted;
use crate::sandbox::Sandbox;
use crate::server::{Remote, file_remote, push};
use crate::{comes_back, links, objects, package, recorded, store};

/// Fails unless `verify --remote` ends with `code` and says `what`.
#[track_caller]
fn verified(sandbox: &Sandbox, code: i32, what: &str) {
    let outcome = sandbox.slsart("verify --remote -q");
    assert_eq!(outcome.code, code, "{outcome}");
    assert!(outcome.to_string().contains(what), "{outcome}");
    assert_eq!(
        fs::read_dir(sandbox.path(".git/slsart/tmp")).into_iter().flatten().count(),
        0,
        "scratch is left"
    );
}

#[test]
fn a_server_that_lost_an_object_is_found() {
    let sandbox = recorded();
    let remote = Remote::http(&sandbox, "lost");
    verified(&sandbox, 1, "1 of 1 package is not on origin\nhint: push it: git lfs push origin refs/slsart");
    assert_eq!(links(&sandbox).len(), 1);
    push(&sandbox);
    verified(&sandbox, 0, "us-east-1  on origin\n");
    assert!(links(&sandbox).is_empty(), "a remote has it");
    remote.lose();
    verified(&sandbox, 4, "origin does not have the LFS object of 'orders.zip'");
    // As the hint says.
    sandbox.git(&format!("lfs push origin {}", package(&sandbox)));
    verified(&sandbox, 0, "on origin");
    remote.trouble("other");
    verified(&sandbox, 4, "origin does not have the LFS object of 'orders.zip'");
    remote.trouble("cut");
    verified(&sandbox, 3, "unexpected EOF");
    remote.well_again();
    let truncated = remote.objects().remove(0);
    fs::write(&truncated, "short").unwrap();
    verified(&sandbox, 4, "origin does not have the LFS object of 'orders.zip'");
}

#[test]
fn the_same_over_file() {
    let sandbox = recorded();
    let directory = file_remote(&sandbox);
    verified(&sandbox, 1, "1 of 1 package is not on origin");
    push(&sandbox);
    verified(&sandbox, 0, "on origin");
    // The local store has it all along.
    assert_eq!(store(&sandbox).len(), 1);
    for path in objects(&directory) {
        fs::remove_file(path).unwrap();
    }
    verified(&sandbox, 4, "origin does not have the LFS object of 'orders.zip'");
    comes_back(&sandbox);
}

#[test]
fn an_upload_that_is_refused_loses_nothing() {
    let sandbox = recorded();
    let remote = Remote::http(&sandbox, "full");
    remote.trouble("refuse");
    let name = package(&sandbox);
    assert_ne!(sandbox.run("git", ["lfs", "push", "origin", &name]).code, 0);
    assert!(remote.objects().is_empty() && links(&sandbox).len() == 1);
    comes_back(&sandbox);
    remote.well_again();
    push(&sandbox);
    verified(&sandbox, 0, "on origin");
}

#[test]
fn an_interrupted_or_killed_check_leaves_nothing_for_long() {
    let sandbox = recorded();
    let remote = Remote::http(&sandbox, "checked");
    push(&sandbox);
    let left = sandbox.path(".git/slsart/tmp/scratch-killed");
    fs::create_dir_all(left.join("objects")).unwrap();
    fs::write(left.join("lock"), "").unwrap();
    let earlier = std::time::SystemTime::now() - std::time::Duration::from_mins(2);
    fs::File::open(&left).unwrap().set_modified(earlier).unwrap();
    remote.trouble("hang");
    let outcome = interrupted(&sandbox, &remote, "verify --remote -q");
    assert_eq!(outcome.code, 130, "{outcome}");
    assert_eq!(links(&sandbox).len(), 1);
    remote.well_again();
    verified(&sandbox, 0, "on origin");
}

#[test]
fn a_repository_behind_a_link_is_the_same() {
    let sandbox = recorded();
    let _remote = Remote::http(&sandbox, "behind");
    push(&sandbox);
    std::os::unix::fs::symlink(sandbox.path(""), sandbox.beside("a [link]")).unwrap();
    sandbox.slsart("-C '../a [link]' verify --remote -q").succeeded();
}

#[test]
fn json_says_the_same_and_a_remote_can_be_named() {
    let sandbox = recorded();
    file_remote(&sandbox);
    push(&sandbox);
    sandbox.git("remote add empty ../empty.git");
    sandbox.git("init --quiet --bare ../empty.git");
    let remote = |line: &str| {
        let outcome = sandbox.slsart(line);
        let report: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        (outcome.code, report["packages"][0]["remote"].clone())
    };
    let name = package(&sandbox);
    let expected =
        |remote: &str, has: &str| serde_json::json!({"name": remote, "has": has, "damages": [], "ref": name});
    assert_eq!(remote("verify --remote --json"), (0, expected("origin", "same")));
    assert_eq!(remote("verify --remote=empty --json"), (1, expected("empty", "absent")));
    assert_eq!(remote("verify --json"), (0, serde_json::Value::Null));
    sandbox.slsart("migrate --to git -q").succeeded();
    assert_eq!(remote("verify --remote --json"), (1, expected("origin", "other-form")));
}

#[test]
fn with_git_lfs_own_hook_a_push_sends_the_objects() {
    let sandbox = recorded();
    let remote = Remote::http(&sandbox, "hook");
    sandbox.git("lfs install --local");
    sandbox.git("push --quiet origin main 'refs/slsart/*' refs/notes/slsart");
    assert_eq!(remote.objects().len(), 1);
    verified(&sandbox, 0, "on origin");
    // After a change of form, a push must say that it means it.
    sandbox.slsart("migrate --to git -q").succeeded();
    assert_ne!(sandbox.run("git", ["push", "--quiet", "origin", "refs/slsart/packages/*"]).code, 0);
    sandbox.git("push --quiet origin '+refs/slsart/packages/*'");
    verified(&sandbox, 0, "on origin");
}

#[test]
fn a_clone_that_borrows_objects_is_no_judge() {
    let sandbox = recorded();
    let remote = Remote::http(&sandbox, "borrowed");
    push(&sandbox);
    remote.lose();
    let url = sandbox.git("config remote.origin.lfsurl");
    sandbox.git("clone --quiet --shared . ../borrower");
    sandbox.git("-C ../borrower remote set-url origin ../server.git");
    sandbox.git(&format!("-C ../borrower config remote.origin.lfsurl {url}"));
    sandbox.git("-C ../borrower fetch --quiet origin '+refs/slsart/*:refs/slsart/*' refs/notes/slsart:refs/notes/slsart");
    let outcome = sandbox.slsart("-C ../borrower verify --remote -q");
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(outcome.stderr.contains("borrows LFS objects from"), "{outcome}");
}

#[test]
fn a_remote_that_is_none_is_refused() {
    let sandbox = recorded();
    sandbox.slsart("verify --remote -q").is("── stderr ──\nerror: there is no remote 'origin'\nhint: add one: git remote add origin URL\n── exit 1 ──\n");
    file_remote(&sandbox);
    sandbox
        .slsart("verify --remote=there -q")
        .is("── stderr ──\nerror: there is no remote 'there'\nhint: known remotes: origin\n── exit 1 ──\n");
}
