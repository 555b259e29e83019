//! `git slsart deploy`, `rollback` and `history`, with the stand-in for the framework.

use snapbox::str;

use crate::sandbox::{Outcome, Sandbox, matches};

/// Two commits with packages for `prod`: a tag `v1` at the first, HEAD at the second.
fn two_releases() -> Sandbox {
    let sandbox = Sandbox::recorded();
    sandbox.git("tag v1");
    sandbox.change("Answer two");
    sandbox.record("prod");
    sandbox
}

#[test]
fn a_dry_run_shows_the_plan_and_does_nothing() {
    let sandbox = two_releases();
    let before = sandbox.fingerprint();
    sandbox.slsart("deploy -s prod --dry-run").is_all(str![[r#"
Target    orders · prod · us-east-1
Live      not known: nothing was deployed by git slsart yet
Deploy    35040f8  Answer two  package e4ccfcce · 1.3 kB · 2 minutes ago · osls 4.3.1
Plugins   serverless-hello 1.2.0  its effect at a deploy is unknown
          ./plugins/trace  its effect at a deploy is unknown
Checks
  ✓ intact     3 files are what was recorded
  ✓ target     made for orders · prod · us-east-1
  ✓ runtimes   Lambda accepts nodejs22.x
  ✓ limits     1 resource, template 349 B, largest function 42 B unzipped
  ! aws        SLSART_OFFLINE is set: AWS is not asked
  ✓ toolchain  npm will install the plugins from package-lock.json: there is no toolchain here

"#]]);
    sandbox.slsart("rollback v1 -s prod -n --json").is(str![[r#"
{
  "dry_run": true,
  "action": "rollback",
  "target": {
    "service": "orders",
    "path": ".",
    "stage": "prod",
    "region": "us-east-1"
  },
  "restore": {
    "commit": "12a1bee131fc490e459a58c4a125a830181e8d22",
    "label": "v1",
    "package": "be694c5446a50f647a5e4126100515600eb4b75078d1c4461cddda49bde26609",
    "size": 1298,
    "recorded": "2026-01-05T09:05:00Z",
    "framework": {
      "name": "osls",
      "version": "4.3.1"
    }
  },
  "plugins_at_deploy": [
    {
      "name": "serverless-hello",
      "version": "1.2.0"
    },
    {
      "name": "./plugins/trace"
    }
  ],
  "warnings": [],
  "checks": [
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
      "verdict": "warning",
      "message": "npm will install the plugins from package-lock.json: there is no toolchain here"
    }
  ]
}

"#]]);
    sandbox.is_as_before(&before);
    assert_eq!(sandbox.runs(), "");
}

#[test]
fn without_a_terminal_nobody_can_say_yes() {
    let sandbox = two_releases();
    let before = sandbox.fingerprint();
    sandbox.slsart("deploy -s prod").is(str![[r#"
── stderr ──
Deploy    35040f8  Answer two  package e4ccfcce · 1.3 kB · 2 minutes ago · osls 4.3.1
error: this needs a confirmation, and there is no terminal to ask on
hint: --yes goes on without a question; --dry-run only shows the plan
── exit 1 ──

"#]]);
    sandbox.slsart("rollback v1 -s prod --json").is(str![[r#"
── stderr ──
{
  "error": {
    "kind": "refused",
    "message": "this needs a confirmation, and there is no terminal to ask on",
    "causes": [],
    "hints": [
      "--yes goes on without a question; --dry-run only shows the plan"
    ],
    "exit_code": 1
  }
}
── exit 1 ──

"#]]);
    sandbox.shell("echo y | git-slsart rollback v1 -s prod -q").is(str![[r#"
── stderr ──
error: this needs a confirmation, and there is no terminal to ask on
hint: --yes goes on without a question; --dry-run only shows the plan
── exit 1 ──

"#]]);
    sandbox.is_as_before(&before);
}

#[test]
fn deploy_then_roll_back_then_forward() {
    let sandbox = two_releases();
    sandbox.write("handler.js", "not committed");
    sandbox.slsart("deploy v1 -s prod --yes -m 'first release'").is_all(str![[r#"
Live      12a1bee  v1 on orders · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])
── stderr ──
Target    orders · prod · us-east-1
Live      not known: nothing was deployed by git slsart yet
Deploy    12a1bee  v1  package be694c54 · 1.3 kB · 6 minutes ago · osls 4.3.1
Plugins   serverless-hello 1.2.0  its effect at a deploy is unknown
          ./plugins/trace  its effect at a deploy is unknown
Checks
  ✓ intact     3 files are what was recorded
  ✓ target     made for orders · prod · us-east-1
  ✓ runtimes   Lambda accepts nodejs22.x
  ✓ limits     1 resource, template 349 B, largest function 35 B unzipped
  ! aws        SLSART_OFFLINE is set: AWS is not asked
  ✓ toolchain  npm will install the plugins from package-lock.json: there is no toolchain here
Checking out the commit
Installing plugins (npm)
Checking plugins and package
Keeping the plugins
kept the plugins: toolchain 74f4e3c3bdc8
Deploying (osls 4.3.1)
Deploying "orders" to stage "prod" (us-east-1)
✔ Service deployed
Removing the worktree

"#]]);
    sandbox.slsart("deploy -s prod --yes").prints(str![[r#"
Live      35040f8  Answer two on orders · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])
Undo      git slsart rollback be694c54 -s prod

"#]]);
    sandbox.slsart("rollback -s prod --yes -m 'checkout 500s'").is(str![[r#"
Live      12a1bee  v1 on orders · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])
Undo      git slsart rollback e4ccfcce -s prod
── stderr ──
Live      35040f8  Answer two  deployed 1 minute ago by Dana
Restore   12a1bee  v1  package be694c54 · 1.3 kB · 8 minutes ago · osls 4.3.1
  ~ function hello  code (1 file, +1 −1)

"#]]);
    sandbox.slsart("history -s prod").is(str![[r#"
orders · prod · us-east-1
3  ● live  rollback  succeeded  12a1bee  Add the service  1 minute ago in [N] s by Dana — checkout 500s
2          deploy    succeeded  35040f8  Answer two  2 minutes ago in [N] s by Dana
1          deploy    succeeded  12a1bee  Add the service  3 minutes ago in [N] s by Dana — first release

"#]]);
    sandbox.slsart("rollback -s prod --yes").is(str![[r#"
── stderr ──
error: there is no other release of orders · prod · us-east-1 to go back to
hint: 35040f8 Answer two was rolled back from; to make it live again: git slsart rollback --undo -s prod
hint: packages that can be deployed: git slsart log -s prod
── exit 5 ──

"#]]);
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    sandbox.slsart("history -n 1").is(str![[r#"
orders · prod · us-east-1
4  ● live  deploy  succeeded  35040f8  Answer two  1 minute ago in [N] s by Dana

"#]]);
    matches(
        sandbox.runs(),
        str![[r#"
{"words":["deploy","--package","[WORKTREE]/.slsart-package","--force","--stage","prod","--region","us-east-1"],"directory":"[WORKTREE]","git":[],"state":{"prefix":"serverless/orders/prod/1767604260000-2026-01-05T09:11:00.000Z","artifact":"[WORKTREE]/.slsart-package/orders.zip"}}
{"words":["deploy","--package","[WORKTREE]/.slsart-package","--force","--stage","prod","--region","us-east-1"],"directory":"[WORKTREE]","git":[],"state":{"prefix":"serverless/orders/prod/1767604320000-2026-01-05T09:12:00.000Z","artifact":"[WORKTREE]/.slsart-package/orders.zip"}}
{"words":["deploy","--package","[WORKTREE]/.slsart-package","--force","--stage","prod","--region","us-east-1"],"directory":"[WORKTREE]","git":[],"state":{"prefix":"serverless/orders/prod/1767604380000-2026-01-05T09:13:00.000Z","artifact":"[WORKTREE]/.slsart-package/orders.zip"}}
{"words":["deploy","--package","[WORKTREE]/.slsart-package","--force","--stage","prod","--region","us-east-1"],"directory":"[WORKTREE]","git":[],"state":{"prefix":"serverless/orders/prod/1767604560000-2026-01-05T09:16:00.000Z","artifact":"[WORKTREE]/.slsart-package/orders.zip"}}

"#]],
    );
    assert_eq!(sandbox.read("handler.js"), "not committed");
    assert_eq!(sandbox.worktrees(), 1);
    sandbox.fsck();
}

#[test]
fn json_of_a_deploy_and_of_the_history() {
    let sandbox = two_releases();
    sandbox.slsart("deploy v1 -s prod --yes --json").is(str![[r#"
{
  "dry_run": false,
  "commit": "12a1bee131fc490e459a58c4a125a830181e8d22",
  "label": "v1",
  "target": {
    "service": "orders",
    "path": ".",
    "stage": "prod",
    "region": "us-east-1"
  },
  "package": "be694c5446a50f647a5e4126100515600eb4b75078d1c4461cddda49bde26609",
  "ended": "2026-01-05T09:11:00Z",
  "phases": [
    {
      "name": "worktree",
      "milliseconds": [N]
    },
    {
      "name": "plugins",
      "milliseconds": [N]
    },
    {
      "name": "deploy",
      "milliseconds": [N]
    }
  ]
}

"#]]);
    let history = sandbox.slsart("history --json").json();
    let row = &history["targets"][0]["deployments"][0];
    assert_eq!(
        (&row["live"], &row["outcome"], &row["action"]),
        (&true.into(), &"succeeded".into(), &"deploy".into())
    );
    assert_eq!(
        (&row["by"], &row["started"]),
        (&"Dana <dana@example.org>".into(), &"2026-01-05T09:11:00Z".into())
    );
}

#[test]
fn a_framework_that_fails_is_written_down() {
    let sandbox = two_releases();
    sandbox.slsart("deploy v1 -s prod --yes -q").succeeded();
    let failed = sandbox.slsart_with("deploy -s prod --yes", &[("STAND_IN", "fail")]);
    assert!(failed.stderr.contains("✖ Error: Handler is bad\nRemoving the worktree\n"), "{failed}");
    failed.is(str![[r#"
── stderr ──
Live      12a1bee  v1  deployed 1 minute ago by Dana
Deploy    35040f8  Answer two  package e4ccfcce · 1.3 kB · 2 minutes ago · osls 4.3.1
  ~ function hello  code (1 file, +1 −1)
error: osls failed with exit code 9
hint: the framework's output shows how far it got: CloudFormation rolls back a failed update by itself, but not an update after which a plugin failed
hint: to see what is live: git slsart live -s prod
hint: to be certain what is live, roll back: git slsart rollback be694c54 -s prod
── exit 3 ──

"#]]);
    sandbox.slsart("history").is(str![[r#"
orders · prod · us-east-1
2          deploy  failed     35040f8  Answer two  1 minute ago in [N] s by Dana, effect unknown
                              osls failed with exit code 9
1  ● live  deploy  succeeded  12a1bee  Add the service  2 minutes ago in [N] s by Dana
! the deploy of 35040f8 by Dana, begun 1 minute ago, did not finish: what is live is not certain; to check: git slsart live -s prod

"#]]);
    // After a failure, going back is to what was live before it.
    sandbox.slsart("rollback -s prod -n").is(str![[r#"
Live      12a1bee  v1  deployed 3 minutes ago by Dana
Restore   12a1bee  v1  package be694c54 · 1.3 kB · 9 minutes ago · osls 4.3.1
  = 1 resource unchanged
! the deploy of 35040f8 by Dana, begun 2 minutes ago, did not finish: what is live is not certain
! by the history, this package is live already

"#]]);
    assert_eq!(sandbox.worktrees(), 1);
}

#[test]
fn interrupted_it_passes_the_signal_on_and_cleans_up() {
    for signal in ["INT", "TERM"] {
        let sandbox = two_releases();
        let child = sandbox.hanging("deploy v1 -s prod --yes");
        sandbox.shell(&format!("kill -{signal} {}", child.id())).succeeded();
        Outcome::of(child, &sandbox).is(str![[r#"
── stderr ──
Deploy    12a1bee  v1  package be694c54 · 1.3 kB · 6 minutes ago · osls 4.3.1
error: interrupted
hint: the framework's output shows how far it got: CloudFormation rolls back a failed update by itself, but not an update after which a plugin failed
hint: to see what is live: git slsart live -s prod
── exit 130 ──

"#]]);
        sandbox.slsart("history").is(str![[r#"
orders · prod · us-east-1
1  deploy  interrupted  12a1bee  Add the service  2 minutes ago in [N] s by Dana, effect unknown

"#]]);
        assert_eq!(sandbox.worktrees(), 1);
    }
}

#[test]
fn killed_it_leaves_a_deployment_that_has_not_ended() {
    let sandbox = two_releases();
    let mut child = sandbox.hanging("deploy v1 -s prod --yes");
    child.kill().unwrap();
    child.wait().unwrap();
    let framework = std::fs::read_to_string(sandbox.beside("runs.hanging")).unwrap();
    sandbox.shell(&format!("kill -9 {framework}")).succeeded();
    sandbox.slsart("history").is(str![[r#"
orders · prod · us-east-1
1  deploy  not finished  12a1bee  Add the service  2 minutes ago by Dana

"#]]);
    sandbox.slsart("deploy -s prod --yes").is(str![[r#"
Live      35040f8  Answer two on orders · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])
── stderr ──
Deploy    35040f8  Answer two  package e4ccfcce · 1.3 kB · 4 minutes ago · osls 4.3.1
  ~ function hello  code (1 file, +1 −1)

"#]]);
    sandbox.slsart("history").is(str![[r#"
orders · prod · us-east-1
2  ● live  deploy  succeeded     35040f8  Answer two  1 minute ago in [N] s by Dana
1          deploy  not finished  12a1bee  Add the service  4 minutes ago by Dana

"#]]);
    assert_eq!(sandbox.worktrees(), 1);
}

#[test]
fn there_is_nothing_to_go_back_to() {
    let sandbox = two_releases();
    sandbox.slsart("rollback -s prod --yes").is(str![[r#"
── stderr ──
error: nothing was deployed to this target by git slsart yet
hint: `git slsart log` lists the packages
── exit 5 ──

"#]]);
    sandbox.slsart("history -s prod").is(str![[r#"
nothing was deployed by git slsart here

"#]]);
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    sandbox.slsart("rollback -s prod --yes").is(str![[r#"
── stderr ──
error: there is no other release of orders · prod · us-east-1 to go back to
hint: 35040f8 Answer two is the only release that was ever live
hint: packages that can be deployed: git slsart log -s prod
── exit 5 ──

"#]]);
    sandbox.slsart("rollback -s dev --yes").is(str![[r#"
── stderr ──
error: nothing was packaged or deployed for the stage 'dev'
hint: stages with packages or deployments: prod
hint: to make a package: git slsart package -s dev
── exit 5 ──

"#]]);
    sandbox.slsart("history -s dev").is(str![[r#"
── stderr ──
error: nothing was packaged or deployed for the stage 'dev'
hint: stages with packages or deployments: prod
hint: to make a package: git slsart package -s dev
── exit 5 ──

"#]]);
}

#[test]
fn a_package_whose_lockfile_or_plugins_are_gone_is_not_deployed() {
    let sandbox = Sandbox::new();
    std::fs::remove_file(sandbox.path("package-lock.json")).unwrap();
    sandbox.commit("Remove the lockfile");
    sandbox.record("prod");
    sandbox.slsart("deploy -s prod --yes").is(str![[r#"
── stderr ──
Deploy    a17b3ad  Remove the lockfile  package be694c54 · 1.3 kB · 1 minute ago
  ✗ toolchain  the commit has no lockfile for the service: its plugins are unknown
error: the commit has no lockfile for the service: its plugins are unknown
hint: commit the lockfile of your package manager, such as package-lock.json, and package that commit
── exit 1 ──

"#]]);
    sandbox.slsart("history").is(str![[r#"
nothing was deployed by git slsart here

"#]]);
}

#[test]
fn a_package_with_uncommitted_changes_is_deployed_from_its_own_source() {
    let sandbox = Sandbox::installed();
    sandbox.write("handler.js", "exports.hello = async () => 'local';\n");
    sandbox.write("serverless.yml", format!("{}# local\n", sandbox.read("serverless.yml")));
    sandbox.slsart("package --in-place --allow-dirty -s prod -q").succeeded();
    sandbox.git("checkout --quiet .");
    sandbox.git("gc --quiet --prune=now");
    sandbox.slsart("deploy -s prod --yes").is(str![[r#"
Live      12a1bee  Add the service on orders · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])
── stderr ──
Deploy    12a1bee  Add the service  package e6a3cfdf · 1.8 kB · 3 minutes ago · node [NODE] · osls 4.3.1
! the package was made with uncommitted changes

"#]]);
}

#[test]
fn a_second_deployment_of_a_target_waits_for_nobody() {
    let sandbox = two_releases();
    let mut first = sandbox.hanging("deploy v1 -s prod --yes");
    let second = sandbox.slsart("deploy -s prod --yes");
    assert_eq!(second.code, 1);
    assert!(
        second.stderr.contains("another deployment of orders · prod · us-east-1 is running: the deploy of "),
        "{}",
        second.stderr
    );
    first.kill().unwrap();
    first.wait().unwrap();
    let framework = std::fs::read_to_string(sandbox.beside("runs.hanging")).unwrap();
    sandbox.shell(&format!("kill -9 {framework}")).succeeded();
}

#[test]
fn the_question_shows_the_plan_and_can_be_interrupted() {
    let sandbox = Sandbox::recorded();
    // A terminal of its own; what is typed is Ctrl-C, without Enter.
    let program = r"
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b''
while b'[y/N]' not in seen:
    seen += os.read(terminal, 1024)
os.write(terminal, b'\x03')
status = os.waitpid(child, 0)[1]
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(status))
";
    let slsart = env!("CARGO_BIN_EXE_git-slsart");
    for line in [&["deploy", "-s", "prod"][..], &["deploy", "-q", "-s", "prod"]] {
        let arguments = ["-c", program, slsart].into_iter().chain(line.iter().copied());
        let outcome = sandbox.run("python3", arguments);
        assert_eq!(outcome.code, 130, "{outcome}");
        assert!(
            outcome.stdout.contains("Deploy")
                && outcome.stdout.contains("Go on with orders · prod · us-east-1?"),
            "{outcome}"
        );
    }
}
