//! The pre-push hook.

use snapbox::str;

use crate::sandbox::Sandbox;

/// A repository with hooks and a remote.
fn hooked() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.git("init --quiet --bare ../origin.git");
    sandbox.git("remote add origin ../origin.git");
    sandbox.slsart("hooks install -q").succeeded();
    sandbox
}

#[test]
fn a_release_without_a_package_is_told_and_pushed() {
    let sandbox = hooked();
    sandbox.git("tag v1");
    sandbox.git("tag -a -m annotated v2");
    sandbox.run("git", ["push", "--quiet", "origin", "main", "v1", "v2"]).is(str![[r#"
── stderr ──
warning: main, v1, v2 have no packages; to make one: git slsart package 12a1bee

"#]]);
    assert_eq!(sandbox.git("ls-remote --tags --heads origin").lines().count(), 4);
    // No branch that is protected, nothing new, something removed.
    sandbox.git("branch topic");
    for line in ["origin topic", "origin main", "origin :v1", "../origin.git topic:other"] {
        let words = ["push", "--quiet"].into_iter().chain(line.split(' '));
        sandbox.run("git", words).is(str![]);
    }
    sandbox.change("Two");
    sandbox.write("slsart.toml", "[hooks]\nprotected = [\"release/*\"]\n");
    sandbox.run("git", ["push", "--quiet", "origin", "main", "HEAD:refs/heads/release/7"]).is(str![[r#"
── stderr ──
warning: release/7 has no package; to make it: git slsart package e7fe4ee

"#]]);
    sandbox.record("prod");
    sandbox.run("git", ["push", "--quiet", "origin", "HEAD:refs/heads/release/8"]).is(str![]);
}

#[test]
fn a_package_that_the_remote_is_known_to_have_is_not_missed() {
    let sandbox = hooked();
    sandbox.record("prod");
    sandbox.git("update-ref refs/notes/remotes/origin/slsart refs/notes/slsart");
    sandbox.git("update-ref -d refs/notes/slsart");
    sandbox.run("git", ["push", "--quiet", "origin", "main"]).is(str![]);
}

#[test]
fn what_is_no_service_needs_no_package() {
    let sandbox = hooked();
    sandbox.git("rm --quiet serverless.yml");
    sandbox.commit("No service");
    sandbox.run("git", ["push", "--quiet", "origin", "main"]).is(str![]);
}

#[test]
fn what_goes_wrong_never_fails_the_push() {
    let sandbox = hooked();
    sandbox.record("prod");
    let tip = sandbox.git("rev-parse refs/notes/slsart");
    std::fs::write(sandbox.path(".git/refs/notes/slsart"), format!("{}\n", "1".repeat(40))).unwrap();
    let outcome = sandbox.run("git", ["push", "--quiet", "origin", "main"]).succeeded();
    assert!(outcome.stderr.starts_with("warning: ") && outcome.stderr.lines().count() == 1, "{outcome}");
    assert_eq!(sandbox.git("ls-remote --heads origin").lines().count(), 1, "{tip}");
}

#[test]
fn as_pre_commit_tells_it() {
    let sandbox = hooked();
    let told = [
        ("PRE_COMMIT_REMOTE_NAME", "origin"),
        ("PRE_COMMIT_LOCAL_BRANCH", "HEAD"),
        ("PRE_COMMIT_REMOTE_BRANCH", "refs/heads/main"),
    ];
    sandbox.slsart_with("hook pre-push", &told).is(str![[r#"
── stderr ──
warning: main has no package; to make it: git slsart package 12a1bee

"#]]);
}

#[test]
fn packages_go_along_with_their_commits() {
    let sandbox = hooked();
    sandbox.write("slsart.toml", "[push]\npackages = \"with-commits\"\n");
    sandbox.commit("Send packages along");
    sandbox.record("prod");
    sandbox.git("checkout --quiet -b other");
    sandbox.change("Not pushed");
    sandbox.record("prod");
    let packages = || sandbox.git("ls-remote origin 'refs/slsart/packages/*'").lines().count();
    sandbox.run("git", ["push", "--quiet", "origin", "main"]).is(str![""]);
    assert_eq!(packages(), 1);
    assert!(sandbox.git("ls-remote origin").contains("refs/notes/slsart"));
    // A remote that takes no packages takes the commits all the same.
    sandbox.git("-C ../origin.git config receive.hideRefs refs/slsart");
    let outcome = sandbox.run("git", ["push", "--quiet", "origin", "other"]).succeeded();
    assert!(outcome.stderr.contains("deny updating a hidden ref"), "{outcome}");
    assert!(sandbox.git("ls-remote --heads origin").contains("refs/heads/other"));
    assert_eq!(packages(), 1);
}
