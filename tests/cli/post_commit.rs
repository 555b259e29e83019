//! The post-commit hook.

use std::fs;

use snapbox::str;

use crate::sandbox::{Sandbox, wait_until};

/// A service that is set up, its hook in place, a `slsart.toml` committed: of one text, so that no commit's id is another
/// when `init` explains something better.
fn set_up() -> Sandbox {
    let sandbox = Sandbox::installed();
    sandbox.slsart("init -q").succeeded();
    sandbox.write("slsart.toml", "[hooks]\npost-commit = \"attach\"\n");
    sandbox.git("add --all");
    sandbox.git("commit --quiet -m 'Set up'");
    sandbox
}

#[test]
fn a_package_of_what_is_then_committed_becomes_the_commits() {
    let sandbox = set_up();
    sandbox.write("handler.js", "exports.hello = async () => 'two';\n");
    sandbox.write("new file.js", "");
    sandbox.slsart("package --in-place --allow-dirty -s prod -q").succeeded();
    sandbox.git("add --all");
    sandbox.run("git", ["commit", "-m", "Answer two"]).is(str![[r#"
[main e827e9b] Answer two
 2 files changed, 1 insertion(+), 1 deletion(-)
 create mode 100644 new file.js

"#]]);
    sandbox.slsart("log").is(str![[r#"
e827e9b  4f298d0f  orders · prod · us-east-1  1.8 kB  3 minutes ago  Answer two
8145a15  4f298d0f  orders · prod · us-east-1  1.8 kB  3 minutes ago  Set up dirty

"#]]);
    sandbox.slsart("show").is(str![[r#"
Package   4f298d0fe278af4f65384bad29faaf4e9e1ff2ef579e722b17b88d96c1e96a76
Target    orders · prod · us-east-1  in .
Commit    e827e9b5d5b3b5c207b360173b2c2167b912293c  Answer two
Made      in place  recorded 4 minutes ago, 2026-01-05T09:08:00Z
With      osls 4.3.1 · node [NODE] · [SYSTEM]
Lockfile  package-lock.json  of npm, 068606cbf3326fb5993…
Plugins   serverless-hello 1.2.0  tools/serverless-hello
          ./plugins/trace  plugins/trace.js 0ba985d1a4fbf02a195…
Variables DB_URL
Files     cloudformation-template-update-stack.json  493 B  d52a9dd7f404192955b…
          orders.zip  153 B  57d7efee90628996f5c…
          serverless-state.json  1.1 kB  5e7cfa0319a0f255c3f…

"#]]);
    sandbox.slsart("verify -q").is(str![[r#"
✓ intact   e827e9b  4f298d0f  orders · prod · us-east-1

"#]]);
    sandbox.slsart("check -s prod").is(str![[r#"
✓ package    packaged for orders · prod · us-east-1 (4f298d0f)

"#]]);
    // The source of the package is the commit itself now.
    let refs = sandbox
        .shell("git for-each-ref --format='%(parent)' refs/slsart/packages/$(git rev-parse HEAD)")
        .stdout;
    assert_eq!(refs.trim(), sandbox.git("rev-parse HEAD"));
}

#[test]
fn what_is_committed_otherwise_gets_no_package() {
    let sandbox = set_up();
    sandbox.write("handler.js", "exports.hello = async () => 'two';\n");
    sandbox.slsart("package --in-place --allow-dirty -s prod -q").succeeded();
    sandbox.write("handler.js", "exports.hello = async () => 'three';\n");
    sandbox.git("commit --quiet -am 'Answer three'");
    sandbox.slsart("show -s prod").is(str![[r#"
── stderr ──
error: commit cbccb0d has no package for stage prod
hint: the nearest commits that have one: 8145a15 Set up
hint: to make a package: git slsart package -s prod
── exit 5 ──

"#]]);
    let before = sandbox.fingerprint();
    sandbox.slsart("hook post-commit").is(str![]);
    sandbox.is_as_before(&before);
}

#[test]
fn an_amended_commit_takes_the_package_of_its_tree() {
    let sandbox = set_up();
    sandbox.git("commit --quiet --allow-empty -m 'Answer two'");
    sandbox.write("handler.js", "exports.hello = async () => 'two';\n");
    sandbox.slsart("package --in-place --allow-dirty -s prod -q").succeeded();
    sandbox.git("commit --quiet -a --amend --no-edit");
    sandbox.slsart("show -s prod --json").succeeded();
    sandbox.slsart("log").is(str![[r#"
5ae74d5  39955da6  orders · prod · us-east-1  1.8 kB  3 minutes ago  Answer two

"#]]);
}

#[test]
fn in_the_middle_of_a_rebase_nothing_happens() {
    let sandbox = set_up();
    sandbox.write("handler.js", "exports.hello = async () => 'two';\n");
    sandbox.git("commit --quiet -am 'Answer two'");
    sandbox.write("other.js", "");
    sandbox.slsart("package --in-place --allow-dirty -s prod -q").succeeded();
    sandbox.git("stash --quiet --include-untracked");
    // In a step of the rebase, the very tree is committed that the package was made from.
    let step = "git stash pop --quiet && git add --all && git commit --quiet -m other";
    sandbox.run("git", ["rebase", "--quiet", "--exec", step, "HEAD~"]).succeeded();
    let packaged = || sandbox.git("notes --ref=slsart list").lines().count();
    assert_eq!(packaged(), 1);
    sandbox.slsart("hook post-commit").succeeded();
    assert_eq!(packaged(), 2);
}

#[test]
fn switched_off_it_does_nothing() {
    let sandbox = set_up();
    sandbox.write("slsart.toml", "[hooks]\npost-commit = \"off\"\n");
    sandbox.slsart("package --in-place --allow-dirty -s prod -q").succeeded();
    sandbox.git("add --all");
    sandbox.run("git", ["commit", "-qm", "Switch it off"]).is(str![]);
    assert_eq!(sandbox.git("notes --ref=slsart list").lines().count(), 1);
}

#[test]
fn a_program_that_is_not_there_never_fails_a_commit() {
    let sandbox = set_up();
    fs::create_dir(sandbox.beside("bin")).unwrap();
    for name in ["git", "sh"] {
        let program = sandbox.shell(&format!("command -v {name}")).stdout;
        std::os::unix::fs::symlink(program.trim(), sandbox.beside("bin").join(name)).unwrap();
    }
    let mut command = sandbox.command("git");
    command.args(["commit", "--allow-empty", "-qm", "Without it"]).env("PATH", sandbox.beside("bin"));
    sandbox.outcome(&mut command).is(str![]);
}

#[test]
fn a_broken_configuration_is_told_and_never_fails_a_commit() {
    let sandbox = set_up();
    sandbox.write("slsart.toml", "nonsense");
    sandbox.git("add --all");
    sandbox.run("git", ["commit", "-qm", "Break the configuration"]).is(str![[r#"
── stderr ──
warning: slsart.toml:1 can't be read; key with no value, expected `=`; `git slsart init --print` shows the default file with every key explained

"#]]);
}

#[test]
fn a_foreign_hook_runs_as_before() {
    let sandbox = Sandbox::installed();
    sandbox.write_program(".git/hooks/post-commit", "#!/bin/sh\necho mine >&2\nexit 3\n");
    sandbox.slsart("init -q").succeeded();
    sandbox.git("add --all");
    sandbox.run("git", ["commit", "-qm", "Set up"]).is(str![[r#"
── stderr ──
mine

"#]]);
}

#[test]
fn asked_to_it_packages_in_the_background() {
    let sandbox = set_up();
    sandbox.write("slsart.toml", "[hooks]\npost-commit = \"package\"\nstages = [\"dev\", \"prod\"]\n");
    sandbox.git("add --all");
    sandbox.run("git", ["commit", "-qm", "Package every commit"]).is(str![]);
    let packaged = || sandbox.slsart("show -s prod").code == 0;
    wait_until("both stages are packaged", packaged);
    sandbox.slsart("show -s dev").succeeded();
    let commit = sandbox.git("rev-parse HEAD");
    let log = fs::read_to_string(sandbox.path(&format!(".git/slsart/jobs/{}.log", &commit[..12]))).unwrap();
    assert!(log.contains("recorded"), "{log}");
    // The job ends on its own; its worktree goes with it.
    wait_until("the job has ended", || sandbox.worktrees() == 1);
}
