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
    sandbox.slsart("-C ../other rollback -s prod --yes").is(str![]);
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
  (cd \"$top/other\" && git-slsart deploy HEAD -s prod --yes -q) >\"$top/faster\" 2>&1 || exit
fi
exec git-receive-pack \"$@\"
",
    );
    sandbox.git(&format!("config remote.origin.receivepack '{}'", sandbox.beside("receive").display()));
    sandbox.slsart("deploy v1 -s prod --yes --no-lock -q").succeeded();
    let outcome = sandbox.slsart("deploy v1 -s prod --yes -q");
    let faster = std::fs::read_to_string(sandbox.beside("faster")).unwrap();
    assert!(faster.contains("Live      35040f8"), "{faster}");
    outcome.is(str![]);
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
    refused.is(str![]);
    sandbox.git("remote set-url origin ../gone.git");
    let plan = sandbox.slsart("rollback -s prod -n --json").succeeded().json();
    let warnings = plan["warnings"].as_array().unwrap();
    let is_said = |warning: &serde_json::Value| {
        warning.as_str().unwrap().starts_with("origin does not answer (")
            && warning.as_str().unwrap().ends_with("last knew it")
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
    other("show v1").is(str![]);
    // The note is known from then on, and what is in the other package is not.
    let verified = other("verify --all -q").succeeded();
    assert!(verified.stdout.lines().count() == 1, "{verified}");
    other("extract HEAD -q -o ../out").succeeded();
    sandbox.shell("rm -r ../out").succeeded();
    other("diff v1 HEAD -q").succeeded();
    // What nobody has is asked for once.
    sandbox.git("-C ../other commit --quiet --allow-empty -m 'Nothing new'");
    other("show HEAD -s prod").is(str![]);
    sandbox.git("-C ../other remote set-url origin ../gone.git");
    other("show HEAD -s prod -q").is(str![]);
}
