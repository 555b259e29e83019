//! What commands need and only a remote has, and what two machines that deploy know of each other.

use snapbox::str;

use crate::sandbox::Sandbox;

/// A repository with two packages of `prod`, tag `v1` at the first, all of it pushed to `../origin.git`; and a clone of that, `../other`,
/// that has never heard of a package.
fn two_machines() -> Sandbox {
    let sandbox = Sandbox::recorded();
    sandbox.git("tag v1");
    sandbox.change("Answer two");
    sandbox.record("prod");
    sandbox
        .shell(
            "git init --quiet --bare --initial-branch=main ../origin.git
             git remote add origin ../origin.git
             git push --quiet origin main v1
             git clone --quiet ../origin.git ../other",
        )
        .succeeded();
    sandbox.slsart("push -q").succeeded();
    sandbox
}

/// The commit that is live, as the history of a clone has it.
fn live(sandbox: &Sandbox, directory: &str) -> String {
    let history = sandbox.slsart(&format!("-C {directory} history -s prod --json")).succeeded().json();
    let deployments = history["targets"][0]["deployments"].as_array().unwrap();
    let live = deployments.iter().find(|deployment| deployment["live"] == true).unwrap();
    live["commit"].as_str().unwrap().to_owned()
}

#[test]
fn a_rollback_elsewhere_knows_what_is_live_and_fetches_what_it_needs() {
    let sandbox = two_machines();
    sandbox.slsart("deploy v1 -s prod --yes -q").succeeded();
    let deployed = sandbox.slsart("deploy -s prod --yes").succeeded();
    assert!(deployed.stderr.contains("Sending the record to origin\n"), "{deployed}");
    // Nothing was ever fetched here.
    sandbox.slsart("-C ../other rollback -s prod --yes").is(str![[r#"
Live      12a1bee  v1 on orders · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])
Undo      git slsart -C ../other rollback e4ccfcce -s prod
── stderr ──
Asking origin what was deployed
Fetching package be694c54 of 12a1bee from origin
fetched package be694c54 of 12a1bee from origin (1.3 kB)
Fetching package e4ccfcce of 35040f8 from origin
fetched package e4ccfcce of 35040f8 from origin (1.3 kB)
Live      35040f8  Answer two  deployed 1 minute ago by Dana
Restore   12a1bee  v1  package be694c54 · 1.3 kB · 10 minutes ago · osls 4.3.1
  ~ function hello  code (1 file, +1 −1)
  ! toolchain  npm will install the plugins from package-lock.json: there is no toolchain here

"#]]);
    let v1 = sandbox.git("rev-parse v1");
    assert_eq!(live(&sandbox, "../other"), v1);
    // And the first machine learns of it before it plans.
    let plan = sandbox.slsart("deploy -s prod -n --json").succeeded().json();
    assert_eq!(plan["live"]["commit"], v1, "{plan:#}");
    sandbox.slsart("rollback --undo -s prod --yes -q").succeeded();
    assert_eq!(live(&sandbox, "."), sandbox.git("rev-parse HEAD"));
}

#[test]
fn a_plan_that_somebody_was_faster_than_is_not_carried_out() {
    let sandbox = two_machines();
    sandbox.slsart("deploy v1 -s prod --yes -q").succeeded();
    // Between the plan and the lock the other machine deploys: in what receives the lock, when it is called for the first time.
    sandbox.write_program(
        "../receive",
        "#!/bin/sh
top=$(dirname \"$0\")
if ! [ -e \"$top/faster\" ]; then
  (cd \"$top/other\" && git-slsart deploy HEAD -s prod --yes) >\"$top/faster\" 2>&1 || exit
fi
exec git-receive-pack \"$@\"
",
    );
    sandbox.git(&format!("config remote.origin.receivepack '{}'", sandbox.beside("receive").display()));
    sandbox.slsart("deploy v1 -s prod --yes --no-lock -q").succeeded();
    let outcome = sandbox.slsart("deploy v1 -s prod --yes -q");
    let faster = std::fs::read_to_string(sandbox.beside("faster")).unwrap();
    assert!(faster.contains("Live      35040f8"), "{faster}");
    outcome.is(str![[r#"
── stderr ──
error: Dana deployed 35040f8 to orders · prod · us-east-1 meanwhile
hint: nothing was deployed: the plan is stale
hint: see what changed, then run the command again: git slsart history -s prod
── exit 1 ──

"#]]);
    assert_eq!(live(&sandbox, "."), sandbox.git("rev-parse HEAD"));
    // Nothing was begun, and the lock is left.
    let history = sandbox.slsart("history -s prod --json").json();
    assert_eq!(history["targets"][0]["deployments"].as_array().unwrap().len(), 3, "{history:#}");
    sandbox.slsart("deploy v1 -s prod --yes -q").succeeded();
}

#[test]
fn a_remote_that_says_nothing_or_takes_nothing_is_told_of() {
    let sandbox = two_machines();
    sandbox.slsart("deploy v1 -s prod --yes -q").succeeded();
    sandbox.write_program(
        "../origin.git/hooks/update",
        "#!/bin/sh\ncase $1 in refs/slsart/deployments/*) echo no; exit 1 ;; esac\n",
    );
    let refused = sandbox.slsart("deploy -s prod --yes -q").succeeded();
    refused.is(str![[r#"
── stderr ──
warning: the record of this deployment is not on origin, so other machines don't see the deployment (origin refused it: [remote rejected] (hook declined)); to push it: git slsart push origin

"#]]);
    sandbox.git("remote set-url origin ../gone.git");
    let plan = sandbox.slsart("rollback -s prod -n --json").succeeded().json();
    let warnings = plan["warnings"].as_array().unwrap();
    let is_said = |warning: &serde_json::Value| {
        warning.as_str().unwrap().starts_with("origin does not answer (")
            && warning.as_str().unwrap().ends_with("may be out of date")
    };
    assert!(warnings.iter().any(is_said), "{plan:#}");
    let unasked = sandbox.slsart("rollback -s prod -n --no-lock --json").succeeded().json();
    assert!(!unasked["warnings"].as_array().unwrap().iter().any(is_said), "{unasked:#}");
    sandbox.slsart("rollback -s prod --no-lock --yes -q").succeeded();
}

#[test]
fn commands_fetch_what_they_are_asked_for() {
    let sandbox = two_machines();
    let other = |line: &str| sandbox.slsart(&format!("-C ../other {line}"));
    other("show v1").is(str![[r#"
Package   be694c5446a50f647a5e4126100515600eb4b75078d1c4461cddda49bde26609
Target    orders · prod · us-east-1  in .
Commit    12a1bee131fc490e459a58c4a125a830181e8d22  Add the service
Made      elsewhere, and recorded  recorded 8 minutes ago, 2026-01-05T09:05:00Z
With      osls 4.3.1 · recorded on [SYSTEM]
Lockfile  package-lock.json  of npm, 068606cbf3326fb5993…
Plugins   serverless-hello 1.2.0  tools/serverless-hello
          ./plugins/trace  plugins/trace.js 0ba985d1a4fbf02a195…
Variables DB_URL
Files     cloudformation-template-update-stack.json  3 B  ca3d163bab055381827…
          orders.zip  153 B  d05375d10b2f5752f65…
          serverless-state.json  1.1 kB  badb46c4b475d60369b…
── stderr ──
Asking origin for packages of v1
Fetching package be694c54 of 12a1bee from origin
fetched package be694c54 of 12a1bee from origin (1.3 kB)

"#]]);
    // The note is known from then on, and what is in the other package is not.
    let verified = other("verify --all -q").succeeded();
    assert!(verified.stdout.lines().count() == 1, "{verified}");
    other("extract HEAD -q -o ../out").succeeded();
    sandbox.shell("rm -r ../out").succeeded();
    other("diff v1 HEAD -q").succeeded();
    // What nobody has is asked for once.
    sandbox.git("-C ../other commit --quiet --allow-empty -m 'Nothing new'");
    other("show HEAD -s prod").is(str![[r#"
── stderr ──
Asking origin for packages of HEAD
error: commit ad2af7f has no package for stage prod
hint: the nearest commits that have one: 35040f8 Answer two; 12a1bee Add the service
hint: to make a package: git slsart -C ../other package -s prod
hint: origin has no such package either; if another machine has it, run `push` there first
── exit 5 ──

"#]]);
    sandbox.git("-C ../other remote set-url origin ../gone.git");
    other("show HEAD -s prod -q").is(str![[r#"
── stderr ──
error: commit ad2af7f has no package for stage prod
hint: the nearest commits that have one: 35040f8 Answer two; 12a1bee Add the service
hint: to make a package: git slsart -C ../other package -s prod
hint: origin may have one, but can't be asked: cannot fetch from origin: fatal: '../gone.git' does not appear to be a git repository
── exit 5 ──

"#]]);
}
