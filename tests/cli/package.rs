//! `git slsart package`: in a clean worktree with a real `npm ci`, and in place.

use std::fs;

use snapbox::str;

use crate::sandbox::{Sandbox, matches};

#[test]
fn a_commit_is_packaged_once_in_a_worktree_of_its_own() {
    let sandbox = Sandbox::new();
    // Neither the packaged commit nor what is not committed matters to each other.
    sandbox.write("handler.js", "broken");
    sandbox.slsart("package -s prod").is(str![[r#"
Recorded  orders · prod · us-east-1  package d00594d6 · 3 files · 1.8 kB
Commit    12a1bee  Add the service
── stderr ──
Checking out the commit
Installing plugins (npm)
Packaging (osls 4.3.1)
Packaging "orders" for stage "prod" (us-east-1)
Recording the package
Removing the worktree

"#]]);
    sandbox.slsart("package -s prod").is(str![[r#"
Already   orders · prod · us-east-1  package d00594d6 · 3 files · 1.8 kB
Commit    12a1bee  Add the service
nothing was done; to package it again: git slsart package --again -s prod

"#]]);
    assert_eq!(sandbox.worktrees(), 1);
    assert_eq!(sandbox.read("handler.js"), "broken");
    // Nothing of git's own variables, and not in the working tree.
    matches(
        sandbox.runs(),
        str![[r#"
{"words":["package","--stage","prod","--region","us-east-1"],"directory":"[WORKTREE]","git":[]}

"#]],
    );
    sandbox.slsart("package -s prod --again").prints(str![[r#"
Recorded  orders · prod · us-east-1  package b446d85c · 3 files · 1.8 kB
Commit    12a1bee  Add the service

"#]]);
    sandbox.slsart("log").is(str![[r#"
12a1bee  b446d85c  orders · prod · us-east-1  1.8 kB  1 minute ago   Add the service
12a1bee  d00594d6  orders · prod · us-east-1  1.8 kB  4 minutes ago  Add the service

"#]]);
}

#[test]
fn json_is_one_object_and_the_stage_comes_from_the_configuration() {
    let sandbox = Sandbox::new();
    sandbox.write("slsart.toml", "[defaults]\nstage = \"qa\"\nregion = \"eu-west-3\"\n");
    sandbox.slsart("package --json").is(str![[r#"
{
  "packages": [
    {
      "commit": "12a1bee131fc490e459a58c4a125a830181e8d22",
      "subject": "Add the service",
      "target": {
        "service": "orders",
        "path": ".",
        "stage": "qa",
        "region": "eu-west-3"
      },
      "package": "c3eef6f69ec41e0a27a82cfb46407be70a3082ff1b438b45ea5c4caaff1b2723",
      "size": 1776,
      "file_count": 3,
      "recorded": "2026-01-05T09:05:00Z",
      "dirty": false,
      "already": false,
      "left_out": []
    }
  ]
}

"#]]);
}

#[test]
fn carried_files_come_from_the_working_tree() {
    let sandbox = Sandbox::new();
    sandbox.write(".env", "DB_URL=carried");
    sandbox.slsart("package").is(str![[r#"
Recorded  orders · dev · us-east-1  package 548567d6 · 3 files · 1.8 kB
Commit    12a1bee  Add the service
── stderr ──
Checking out the commit
carried from the working tree: .env
Installing plugins (npm)
Packaging (osls 4.3.1)
Packaging "orders" for stage "dev" (us-east-1)
Recording the package
Removing the worktree

"#]]);
    assert!(sandbox.runs().contains(r#""dotenv":"DB_URL=carried""#), "{}", sandbox.runs());
}

#[test]
fn in_place_is_refused_with_changes_unless_they_are_allowed() {
    let sandbox = Sandbox::installed();
    sandbox.slsart("package --in-place -s prod").prints(str![[r#"
Recorded  orders · prod · us-east-1  package d00594d6 · 3 files · 1.8 kB
Commit    12a1bee  Add the service

"#]]);
    sandbox.write("handler.js", "exports.hello = async () => 'local';\n");
    sandbox.write("new.js", "");
    sandbox.slsart("package --in-place -s prod").is(str![[r#"
── stderr ──
error: the working tree has changes: handler.js, new.js
hint: commit them first, or leave out --in-place to package the commit as it is
hint: --allow-dirty packages the changes too, and marks the package
── exit 1 ──

"#]]);
    sandbox.slsart("package --in-place --allow-dirty -s prod").prints(str![[r#"
Recorded  orders · prod · us-east-1  package 32b37c59 · 3 files · 1.8 kB
Commit    12a1bee  Add the service  with uncommitted changes

"#]]);
    sandbox.slsart("log").is(str![[r#"
12a1bee  32b37c59  orders · prod · us-east-1  1.8 kB  1 minute ago   Add the service dirty
12a1bee  d00594d6  orders · prod · us-east-1  1.8 kB  3 minutes ago  Add the service

"#]]);
    sandbox.slsart("package --allow-dirty").is(str![[r#"
── stderr ──
error: the following required arguments were not provided:
  --in-place

Usage: git slsart package --in-place --allow-dirty [COMMIT]...

For more information, try '-h'.
── exit 2 ──

"#]]);
    sandbox.slsart("package HEAD --in-place --allow-dirty -s prod").prints(str![[r#"
Recorded  orders · prod · us-east-1  package ee9a2661 · 3 files · 1.8 kB
Commit    12a1bee  Add the service  with uncommitted changes

"#]]);
}

#[test]
fn in_place_packages_only_head() {
    let sandbox = Sandbox::installed();
    sandbox.change("Answer two");
    sandbox.slsart("package HEAD~ --in-place").is(str![[r#"
── stderr ──
error: --in-place packages the working tree, and HEAD is at another commit
hint: leave out --in-place to package that commit in a worktree of its own
── exit 1 ──

"#]]);
}

#[test]
fn every_service_of_a_repository_can_be_packaged_at_once() {
    let sandbox = Sandbox::new();
    let text = sandbox.read("serverless.yml").replace("service: orders", "service: billing");
    sandbox.write("services/order desk/serverless.yml", text);
    sandbox.write("services/order desk/handler.js", "exports.hello = 1;\n");
    sandbox.commit("Add a second service");
    sandbox.slsart("package").is(str![[r#"
Recorded  orders · dev · us-east-1  package c190edce · 3 files · 1.8 kB
Commit    d7d4a4a  Add a second service
── stderr ──
Checking out the commit
Installing plugins (npm)
Packaging (osls 4.3.1)
Packaging "orders" for stage "dev" (us-east-1)
Recording the package
Removing the worktree

"#]]);
    sandbox.slsart("package --all -s prod").prints(str![[r#"
Recorded  orders · prod · us-east-1  package 2cb6c45f · 3 files · 1.8 kB
Commit    d7d4a4a  Add a second service
Recorded  billing · prod · us-east-1  package 2cd4c73e · 3 files · 1.8 kB
Commit    d7d4a4a  Add a second service

"#]]);
    sandbox.slsart("package --service billing --all").is(str![[r#"
── stderr ──
error: the argument '--service <PATH|NAME>' cannot be used with '--all'

Usage: git slsart package --service <PATH|NAME> [COMMIT]...

For more information, try '-h'.
── exit 2 ──

"#]]);
    sandbox.slsart("show --service billing -s prod --json -q").json()["target"]["path"]
        .as_str()
        .map(|path| assert_eq!(path, "services/order desk"))
        .unwrap();
    sandbox.slsart("show").is(str![[r#"
── stderr ──
error: that commit has packages for several targets
hint: for orders · dev · us-east-1: git slsart show -s dev
hint: for orders · prod · us-east-1: git slsart show -s prod
── exit 1 ──

"#]]);
    sandbox.slsart("check -s prod").is(str![[r#"
✓ package    packaged for orders · prod · us-east-1 (2cb6c45f)
! plugins    serverless-hello 1.2.0 is not installed
  hint:     a deployment restores this in its own worktree; to install it here: npm ci
! framework  the Serverless Framework is not installed for the service '.'
  hint:     a deployment restores this in its own worktree; to install it here: npm ci

"#]]);
}

#[test]
fn a_service_can_be_named_by_its_path_or_be_the_one_around() {
    let sandbox = Sandbox::new();
    sandbox.write("a/serverless.yml", "service: aa\nprovider: aws\n");
    sandbox.write("a/handler.js", "");
    sandbox.commit("Add another service");
    sandbox.slsart("package --service ./b").is(str![[r#"
── stderr ──
error: there is no service 'b' in this commit
hint: this commit has: . (orders), a (aa)
── exit 1 ──

"#]]);
    sandbox.slsart("-C a package").is(str![[r#"
Recorded  aa · dev · us-east-1  package aec47489 · 3 files · 1.7 kB
Commit    3de4381  Add another service
── stderr ──
Checking out the commit
Installing plugins (npm)
Packaging (osls 4.3.1)
Packaging "aa" for stage "dev" (us-east-1)
Recording the package
Removing the worktree

"#]]);
}

#[test]
fn without_a_lockfile_nobody_knows_the_plugins() {
    let sandbox = Sandbox::new();
    fs::remove_file(sandbox.path("package-lock.json")).unwrap();
    sandbox.commit("Remove the lockfile");
    sandbox.slsart("package").is(str![[r#"
── stderr ──
Checking out the commit
error: the commit has no lockfile for the service '.'
hint: commit the lockfile of your package manager, such as package-lock.json: without it the plugins of this commit are unknown
hint: a package that is made elsewhere can still be recorded: git slsart record DIR
── exit 1 ──

"#]]);
    assert_eq!(sandbox.worktrees(), 1);
}

#[test]
fn without_a_framework_in_the_lockfile_there_is_nothing_to_run() {
    let sandbox = Sandbox::new();
    sandbox.write("package.json", r#"{"name": "orders", "version": "1.0.0"}"#);
    sandbox.write(
        "package-lock.json",
        r#"{"name": "orders", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "orders", "version": "1.0.0"}}}"#,
    );
    sandbox.commit("Remove the framework");
    sandbox.slsart("package").is(str![[r#"
── stderr ──
Checking out the commit
Installing plugins (npm)
error: the Serverless Framework is not installed for the service '.'
hint: install it for the service: npm install --save-dev osls (or serverless), and commit the lockfile
hint: a globally installed framework is never used: its version may not be the commit's
── exit 1 ──

"#]]);
    sandbox.slsart("package --in-place").is(str![[r#"
── stderr ──
error: the Serverless Framework is not installed for the service '.'
hint: install it for the service: npm install --save-dev osls (or serverless), and commit the lockfile
hint: a globally installed framework is never used: its version may not be the commit's
── exit 1 ──

"#]]);
    assert_eq!(sandbox.worktrees(), 1);
}

#[test]
fn a_package_that_the_registry_does_not_give_is_npms_failure() {
    let sandbox = Sandbox::new();
    let lock = sandbox.read("package-lock.json").replace("osls", "left-pad-gone");
    sandbox.write("package-lock.json", lock);
    sandbox.commit("Break the lockfile");
    let outcome = sandbox.slsart("package --json");
    let error: serde_json::Value = serde_json::from_str(&outcome.stderr).unwrap();
    assert_eq!((outcome.code, &error["error"]["kind"]), (3, &"child".into()), "{outcome}");
    assert_eq!(sandbox.worktrees(), 1);
}

#[test]
fn without_node_nothing_runs() {
    let sandbox = Sandbox::installed();
    fs::create_dir(sandbox.beside("bin")).unwrap();
    let git = sandbox.shell("command -v git").stdout;
    std::os::unix::fs::symlink(git.trim(), sandbox.beside("bin/git")).unwrap();
    let path = sandbox.beside("bin").to_str().unwrap().to_owned();
    sandbox.slsart_with("package", &[("PATH", &path)]).is(str![[r#"
── stderr ──
Checking out the commit
Installing plugins (npm)
error: cannot start 'npm'
  No such file or directory (os error 2)
hint: install npm, or add its directory to PATH
hint: npm comes with node.js: nodejs.org, or your version manager
── exit 1 ──

"#]]);
    sandbox.slsart_with("package --in-place", &[("PATH", &path)]).is(str![[r#"
── stderr ──
error: cannot run node
hint: install node.js, or add its directory to PATH: the Serverless Framework runs on it
── exit 1 ──

"#]]);
    assert_eq!(sandbox.git("for-each-ref refs/slsart refs/notes"), "");
}

#[test]
fn a_framework_that_fails_is_shown_with_its_code() {
    let sandbox = Sandbox::installed();
    sandbox.slsart_with("package --in-place", &[("STAND_IN", "fail")]).is(str![[r#"
── stderr ──
Packaging (osls 4.3.1)
Stack UPDATE_ROLLBACK_COMPLETE
✖ Error: Handler is bad
error: osls failed with exit code 9
hint: to try it by hand: (cd [ROOT]/repo/ && [ROOT]/repo/node_modules/.bin/osls package --stage dev --region us-east-1)
── exit 3 ──

"#]]);
    sandbox.slsart_with("package --in-place -q", &[("STAND_IN", "fail")]).is(str![[r#"
── stderr ──
error: osls failed with exit code 9
  Stack UPDATE_ROLLBACK_COMPLETE
  ✖ Error: Handler is bad
hint: to try it by hand: (cd [ROOT]/repo/ && [ROOT]/repo/node_modules/.bin/osls package --stage dev --region us-east-1)
── exit 3 ──

"#]]);
    sandbox.slsart_with("package --in-place --json -q", &[("STAND_IN", "fail")]).is(str![[r#"
── stderr ──
{
  "error": {
    "kind": "child",
    "message": "osls failed with exit code 9",
    "causes": [
      "Stack UPDATE_ROLLBACK_COMPLETE\n✖ Error: Handler is bad"
    ],
    "hints": [
      "to try it by hand: (cd [ROOT]/repo/ && [ROOT]/repo/node_modules/.bin/osls package --stage dev --region us-east-1)"
    ],
    "exit_code": 3,
    "program_exit_code": 9
  }
}
── exit 3 ──

"#]]);
}

#[test]
fn a_framework_that_makes_nothing_or_half_of_it_records_nothing() {
    let sandbox = Sandbox::installed();
    sandbox.slsart_with("package --in-place", &[("STAND_IN", "nothing")]).is(str![[r#"
── stderr ──
Packaging (osls 4.3.1)
Packaging "orders" for stage "dev" (us-east-1)
error: osls 4.3.1 succeeded, but wrote no package to .serverless
hint: if `package.path` in the service's configuration names another directory, remove it, or record that directory: git slsart record DIR
── exit 1 ──

"#]]);
    sandbox.slsart_with("package --in-place", &[("STAND_IN", "cut")]).is(str![[r#"
── stderr ──
Packaging (osls 4.3.1)
Packaging "orders" for stage "dev" (us-east-1)
Recording the package
error: '[ROOT]/repo/.serverless/orders.zip' is not a complete zip
  invalid Zip archive: Unexpected end of zip::format::blocks::Zip32CDEBlock
hint: package the service again: the archive is truncated or not a zip
── exit 1 ──

"#]]);
    assert_eq!(sandbox.git("for-each-ref refs/slsart refs/notes"), "");
}

#[test]
fn an_old_package_is_never_taken_for_a_new_one() {
    let sandbox = Sandbox::installed();
    sandbox.slsart("package --in-place -s prod -q").succeeded();
    // `.serverless` is that of the first commit now; a framework that succeeds without writing one is not to be believed.
    sandbox.change("Answer two");
    sandbox.slsart_with("package --in-place -s prod", &[("STAND_IN", "nothing")]).is(str![[r#"
── stderr ──
Packaging (osls 4.3.1)
Packaging "orders" for stage "prod" (us-east-1)
error: osls 4.3.1 succeeded, but wrote no package to .serverless
hint: if `package.path` in the service's configuration names another directory, remove it, or record that directory: git slsart record DIR
── exit 1 ──

"#]]);
}

#[test]
fn a_stage_that_is_none_is_a_wrong_command_line() {
    let sandbox = Sandbox::new();
    sandbox.slsart("package -s 'a b'").is(str![[r#"
── stderr ──
error: "a b" is not a stage: it holds a space or a control character
hint: the framework takes letters, digits and hyphens, as in `--stage prod`
── exit 2 ──

"#]]);
    sandbox.slsart("package -s=--force").is(str![[r#"
── stderr ──
error: "--force" is not a stage: it begins with a hyphen, as an option does
hint: the framework takes letters, digits and hyphens, as in `--stage prod`
── exit 2 ──

"#]]);
    sandbox.slsart("package -r us_east").is(str![[r#"
── stderr ──
error: "us_east" is not a region: a region has only letters, digits and hyphens
hint: give an AWS region, as in `--region eu-west-1`
── exit 2 ──

"#]]);
}

#[test]
fn an_interrupted_packaging_leaves_nothing() {
    let sandbox = Sandbox::new();
    let child = sandbox.hanging("package -s prod");
    sandbox.shell(&format!("kill -INT {}", child.id())).succeeded();
    crate::sandbox::Outcome::of(child, &sandbox).is(str![[r#"
── stderr ──
Checking out the commit
Installing plugins (npm)
Packaging (osls 4.3.1)
stopping osls… press again to kill it
error: interrupted
── exit 130 ──

"#]]);
    assert_eq!(sandbox.worktrees(), 1);
    assert_eq!(sandbox.git("for-each-ref refs/slsart refs/notes"), "");
}

#[test]
fn what_a_kill_leaves_is_swept_at_the_next_start() {
    let sandbox = Sandbox::new();
    let mut child = sandbox.hanging("package -s prod");
    let framework = fs::read_to_string(sandbox.beside("runs.hanging")).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(sandbox.worktrees(), 2);
    // The framework outlives its parent, and keeps its worktree while it runs.
    sandbox.slsart("package -s prod -q").succeeded();
    assert_eq!(sandbox.worktrees(), 2);
    sandbox.shell(&format!("kill -9 {framework}")).succeeded();
    crate::sandbox::wait_until("the lock is free", || {
        sandbox.shell("flock --nonblock ../home/cache/git-slsart/worktrees/*/*.lock true").code == 0
    });
    sandbox.slsart("package -s dev -q").succeeded();
    assert_eq!(sandbox.worktrees(), 1);
}

#[test]
fn one_service_that_fails_does_not_hide_the_others() {
    let sandbox = Sandbox::new();
    sandbox.write("broken/serverless.yml", "service: broken\nprovider: {name: aws}\n");
    sandbox.write("broken/package-lock.json", "nonsense");
    sandbox.write("broken/package.json", "{}");
    sandbox.commit("Add a broken service");
    let outcome = sandbox.slsart("package --all -s prod");
    assert_ne!(outcome.code, 0, "{outcome}");
    assert!(outcome.stdout.contains("Recorded  orders"), "{outcome}");
    assert!(outcome.stderr.contains("error: 1 of 2 packages were not packaged"), "{outcome}");
    assert!(outcome.stderr.contains("broken: "), "{outcome}");
    sandbox.slsart("show -s prod").succeeded();
}

#[test]
fn development_dependencies_are_installed_in_production_too() {
    let sandbox = Sandbox::new();
    sandbox.slsart_with("package -s prod -q", &[("NODE_ENV", "production")]).succeeded();
}
