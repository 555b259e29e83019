//! The lock by which other machines see a deployment: a ref on a remote.

use std::process::{Child, Stdio};

use crate::sandbox::{Outcome, Sandbox, wait_until};

/// A repository with two packages of `prod`, its remote `../origin.git`, and a clone of that, `../other`, which has them too.
fn two_clones() -> Sandbox {
    let sandbox = Sandbox::recorded();
    sandbox.git("tag v1");
    sandbox.change("Answer two");
    sandbox.record("prod");
    sandbox
        .shell(
            "git init --quiet --bare ../origin.git
             git remote add origin ../origin.git
             git push --quiet origin main v1 'refs/slsart/*' refs/notes/slsart
             git clone --quiet ../origin.git ../other
             git -C ../other fetch --quiet origin '+refs/slsart/*:refs/slsart/*' refs/notes/slsart:refs/notes/slsart",
        )
        .succeeded();
    sandbox
}

fn locks(sandbox: &Sandbox) -> String {
    sandbox.git("-C ../origin.git for-each-ref --format=%(refname) refs/slsart-locks")
}

/// Kills the framework that hangs, which outlives a killed deployment.
fn kill_framework(sandbox: &Sandbox) {
    let framework = std::fs::read_to_string(sandbox.beside("runs.hanging")).unwrap();
    sandbox.shell(&format!("kill -9 {framework}; rm ../runs.hanging")).succeeded();
}

#[test]
fn a_deployment_that_goes_on_is_seen_by_another_clone() {
    let sandbox = two_clones();
    let child = sandbox.hanging("deploy v1 -s prod --yes");
    assert_eq!(locks(&sandbox), "refs/slsart-locks/orders/prod/us-east-1");
    let other = sandbox.slsart("-C ../other rollback v1 -s prod --yes -q");
    assert_eq!(other.code, 1, "{other}");
    for said in [
        "error: another deployment of orders · prod · us-east-1 holds the lock on origin",
        "hint: held by Dana <dana@example.org> on ",
        ", taken 2 minutes ago: deploy of 12a1bee",
        "hint: wait until that deployment has ended, or ask its holder; only if nothing of it runs any more: git slsart -C ../other unlock -s prod",
    ] {
        assert!(other.stderr.contains(said), "{said}? {other}");
    }
    assert_eq!(sandbox.git("-C ../other for-each-ref refs/slsart/deployments"), "");
    // Another stage is another target.
    sandbox.record("dev");
    sandbox.slsart("deploy -s dev --yes -q").succeeded();
    sandbox.shell(&format!("kill -INT {}", child.id())).succeeded();
    let outcome = Outcome::of(child, &sandbox);
    assert_eq!(outcome.code, 130, "{outcome}");
    assert_eq!(locks(&sandbox), "");
    sandbox.slsart("-C ../other deploy v1 -s prod --yes -q").succeeded();
}

#[test]
fn it_is_left_however_a_deployment_ends() {
    let sandbox = two_clones();
    let outcome = sandbox.slsart("deploy -s prod --yes").succeeded();
    assert!(outcome.stderr.contains("Taking the lock on origin\n"), "{outcome}");
    assert_eq!(locks(&sandbox), "");
    assert_eq!(sandbox.slsart_with("deploy -s prod --yes -q", &[("STAND_IN", "fail")]).code, 3);
    assert_eq!(locks(&sandbox), "");
    // Nothing of it comes into the repository's own refs.
    assert_eq!(sandbox.git("for-each-ref refs/slsart-locks"), "");
}

#[test]
fn of_two_at_once_one_is_refused() {
    let sandbox = two_clones();
    let start = |line: &str| {
        let mut command = sandbox.slsart_command(line);
        command.env("STAND_IN", "hang").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let children = [start("deploy v1 -s prod --yes -q"), start("-C ../other deploy v1 -s prod --yes -q")];
    let children = children.map(std::cell::RefCell::new);
    let has_ended = |child: &std::cell::RefCell<Child>| child.borrow_mut().try_wait().unwrap().is_some();
    wait_until("one is refused", || children.iter().any(has_ended));
    sandbox.wait_until_hanging();
    let is_first = has_ended(&children[0]);
    let [first, second] = children.map(std::cell::RefCell::into_inner);
    let (refused, mut running) = if is_first { (first, second) } else { (second, first) };
    let outcome = Outcome::of(refused, &sandbox);
    assert_eq!(outcome.code, 1, "{outcome}");
    running.kill().unwrap();
    running.wait().unwrap();
    kill_framework(&sandbox);
}

#[test]
fn one_that_was_left_behind_is_explained_and_removed_by_hand() {
    let sandbox = two_clones();
    let mut child = sandbox.hanging("deploy v1 -s prod --yes");
    let busy = sandbox.slsart("unlock -s prod --yes");
    assert!(busy.code == 1 && busy.stderr.contains("another deployment of"), "{busy}");
    child.kill().unwrap();
    child.wait().unwrap();
    kill_framework(&sandbox);
    let here = sandbox.slsart("deploy -s prod --yes -q");
    assert_eq!(here.code, 1, "{here}");
    assert!(here.stderr.contains("this repository took it, in a process that was killed"), "{here}");
    assert!(here.stderr.contains("\nhint: then remove the lock: git slsart unlock -s prod\n"), "{here}");
    let there = sandbox.slsart("-C ../other deploy v1 -s prod --yes -q");
    assert!(
        there.code == 1 && there.stderr.contains("wait until that deployment has ended, or ask"),
        "{there}"
    );
    // Asking twice does not make it somebody else's.
    assert!(sandbox.slsart("deploy -s prod --yes -q").stderr.contains("this repository took it"));

    let shown = sandbox.slsart("-C ../other unlock -s prod -n").succeeded().stdout;
    assert!(shown.contains("Lock      orders · prod · us-east-1 on origin\n"), "{shown}");
    assert!(shown.contains("Held      by Dana <dana@example.org> on "), "{shown}");
    assert_eq!(sandbox.slsart("-C ../other unlock -s prod").code, 1);
    assert_eq!(locks(&sandbox), "refs/slsart-locks/orders/prod/us-east-1");
    let removed = sandbox.slsart("-C ../other unlock -s prod --yes --json").succeeded().json();
    assert_eq!((&removed["removed"], &removed["held"]["action"]), (&true.into(), &"deploy".into()));
    assert_eq!(locks(&sandbox), "");
    assert_eq!(sandbox.slsart("unlock -s prod --yes").succeeded().stdout, "the lock is free\n");
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
}

#[test]
fn a_remote_that_does_not_answer_or_does_not_want_it_is_said() {
    let sandbox = two_clones();
    sandbox.shell("mv ../origin.git ../away.git").succeeded();
    let refused = sandbox.slsart("deploy -s prod --yes -q");
    assert_eq!(refused.code, 1, "{refused}");
    assert!(
        refused.stderr.contains("error: the lock of orders · prod · us-east-1 on origin can't be taken"),
        "{refused}"
    );
    assert!(refused.stderr.contains("does not appear to be a git repository"), "{refused}");
    assert!(refused.stderr.contains("to go on all the same: --no-lock"), "{refused}");
    assert_eq!(sandbox.runs(), "");
    sandbox.slsart("deploy -s prod --yes -q --no-lock").succeeded();

    sandbox.shell("mv ../away.git ../origin.git").succeeded();
    sandbox.write_program(
        "../origin.git/hooks/update",
        "#!/bin/sh\ncase $1 in refs/slsart-locks/*) echo 'no refs of your own here' >&2; exit 1;; esac\n",
    );
    let refused = sandbox.slsart("deploy -s prod --yes -q");
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains("no refs of your own here"), "{refused}");
    sandbox.write("slsart.toml", "[lock]\nremote = \"none\"\n");
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    sandbox.write("slsart.toml", "[lock]\nremote = \"elsewhere\"\n");
    let refused = sandbox.slsart("deploy -s prod --yes -q");
    assert!(refused.code == 1 && refused.stderr.contains("there is no remote 'elsewhere'"), "{refused}");
}

#[test]
fn the_remote_is_origin_or_the_only_one() {
    let sandbox = two_clones();
    sandbox.git("remote rename origin upstream");
    assert!(sandbox.slsart("deploy -s prod --yes").stderr.contains("Taking the lock on upstream\n"));
    sandbox.git("remote add backup ../backup.git");
    let outcome = sandbox.slsart("deploy -s prod --yes").succeeded();
    assert!(outcome.stderr.contains("there are several remotes and none is `origin`"), "{outcome}");
    sandbox.write("slsart.toml", "[lock]\nremote = \"upstream\"\n");
    assert!(sandbox.slsart("deploy -s prod --yes").stderr.contains("Taking the lock on upstream\n"));
}

#[test]
fn a_lock_that_is_removed_while_it_is_held_is_told_of() {
    let sandbox = two_clones();
    let child = sandbox.hanging("deploy v1 -s prod --yes -q");
    sandbox.slsart("-C ../other unlock -s prod --yes -q").succeeded();
    sandbox.shell(&format!("kill -INT {}", child.id())).succeeded();
    let outcome = Outcome::of(child, &sandbox);
    assert!(
        outcome.stderr.contains("warning: the lock on origin was removed during this deployment"),
        "{outcome}"
    );
}
