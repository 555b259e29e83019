//! What a target's history is used for: numbers to go back to, undo, records that read well and are signed.

use snapbox::str;

use crate::sandbox::{Sandbox, matches};

/// Three commits with packages for `prod`, all deployed: `v1`, `v2`, and HEAD.
fn three_deployed() -> Sandbox {
    let sandbox = Sandbox::recorded();
    sandbox.git("tag v1");
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    for (subject, tag) in [("Answer two", "v2"), ("Answer three", "v3")] {
        sandbox.change(subject);
        sandbox.git(&format!("tag {tag}"));
        sandbox.record("prod");
        sandbox.slsart("deploy -s prod --yes -q").succeeded();
    }
    sandbox
}

#[test]
fn a_rollback_goes_to_the_number_that_the_history_shows() {
    let sandbox = three_deployed();
    sandbox.slsart("history -s prod").is(str![[r#"
orders · prod · us-east-1
3  ● live  deploy  succeeded  3e1a3d1  Answer three  1 minute ago in [N] s by Dana
2          deploy  succeeded  386c5e0  Answer two  7 minutes ago in [N] s by Dana
1          deploy  succeeded  12a1bee  Add the service  13 minutes ago in [N] s by Dana

"#]]);
    sandbox.slsart("rollback --to 4 -s prod --yes").is(str![[r#"
── stderr ──
error: orders · prod · us-east-1 has 3 deployments, and no number 4
hint: the numbers: git slsart history -s prod
── exit 5 ──

"#]]);
    sandbox.slsart("rollback --to 0 -s prod -n").is(str![[r#"
── stderr ──
error: orders · prod · us-east-1 has 3 deployments, and no number 0
hint: the numbers: git slsart history -s prod
── exit 5 ──

"#]]);
    sandbox.slsart("rollback --to 1 -s prod --yes -q -m 'checkout 500s'").succeeded();
    sandbox.slsart("history -s prod").is(str![[r#"
orders · prod · us-east-1
4  ● live  rollback  succeeded  12a1bee  Add the service  1 minute ago in [N] s by Dana — checkout 500s
3          deploy    succeeded  3e1a3d1  Answer three  5 minutes ago in [N] s by Dana
2          deploy    succeeded  386c5e0  Answer two  11 minutes ago in [N] s by Dana
1          deploy    succeeded  12a1bee  Add the service  17 minutes ago in [N] s by Dana

"#]]);
    // Every line has a number that is taken: of what is live, and of what did not succeed.
    let live = sandbox.slsart("rollback --to 4 -s prod -n").succeeded();
    assert!(live.stdout.contains("! by the history, this package is live already"), "{live}");
    sandbox.slsart_with("deploy v2 -s prod --yes -q", &[("STAND_IN", "fail")]);
    let failed = sandbox.slsart("rollback --to 5 -s prod -n").succeeded();
    assert!(failed.stdout.contains("! deployment 5 did not make its package live"), "{failed}");
    assert_eq!(sandbox.slsart("rollback --to 1 v1 -n").code, 2);
    assert_eq!(sandbox.slsart("rollback --to 1 --undo -n").code, 2);
}

#[test]
fn an_undo_makes_live_what_the_rollback_replaced() {
    let sandbox = three_deployed();
    sandbox.slsart("rollback --undo -s prod --yes").is(str![[r#"
── stderr ──
error: there is no rollback of orders · prod · us-east-1 to undo
hint: --undo works only if the last deployment was a rollback
hint: packages that can be deployed: git slsart log -s prod
── exit 5 ──

"#]]);
    sandbox.slsart("rollback v1 -s prod --yes -q").succeeded();
    sandbox.slsart("rollback --undo -s prod --yes -m 'it was the database'").prints(str![[r#"
Live      3e1a3d1  v3 on orders · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])
Undo      git slsart rollback be694c54 -s prod

"#]]);
    sandbox.slsart("history -s prod").is(str![[r#"
orders · prod · us-east-1
5  ● live  undo      succeeded  3e1a3d1  Answer three  1 minute ago in [N] s by Dana — it was the database
4          rollback  succeeded  12a1bee  Add the service  2 minutes ago in [N] s by Dana
3          deploy    succeeded  3e1a3d1  Answer three  4 minutes ago in [N] s by Dana
2          deploy    succeeded  386c5e0  Answer two  10 minutes ago in [N] s by Dana
1          deploy    succeeded  12a1bee  Add the service  16 minutes ago in [N] s by Dana

"#]]);
    let history = sandbox.slsart("history -s prod --json").json();
    let rows = history["targets"][0]["deployments"].as_array().unwrap();
    assert_eq!((&rows[0]["action"], &rows[0]["number"]), (&"undo".into(), &5.into()));
    assert_eq!((&rows[3]["action"], &rows[3]["number"]), (&"deploy".into(), &2.into()));
    // The way back is as before the rollback.
    let plan = sandbox.slsart("rollback -s prod --dry-run --json").json();
    assert_eq!(plan["restore"]["label"], "v2");
    assert_eq!(plan["action"], "rollback");
}

#[test]
fn git_log_of_the_history_reads_well_by_itself() {
    let sandbox = three_deployed();
    sandbox
        .shell(
            "git-slsart rollback v1 -s prod --yes -q -m 'checkout 500s

Dana saw it first.'",
        )
        .succeeded();
    sandbox.slsart_with("deploy -s prod --yes -q", &[("STAND_IN", "fail")]);
    let log = "log -n 4 --format=%s refs/slsart/deployments/orders/prod/us-east-1";
    matches(
        sandbox.git(log),
        str![[r#"
deploy 3e1a3d1 (v3) to prod: failed
deploy 3e1a3d1 (v3) to prod: started
rollback prod to 12a1bee (v1): succeeded — checkout 500s
rollback prod to 12a1bee (v1): started — checkout 500s
"#]],
    );
    matches(
        sandbox.git("log -n 1 --format=%B refs/slsart/deployments/orders/prod/us-east-1~2"),
        str![[r#"
rollback prod to 12a1bee (v1): succeeded — checkout 500s

Dana saw it first.

Target: orders · prod · us-east-1
Package: be694c5446a50f647a5e4126100515600eb4b75078d1c4461cddda49bde26609
By: Dana <dana@example.org>
"#]],
    );
    sandbox.fsck();
}

#[test]
fn verbose_tells_how_long_each_phase_took() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    let shown = sandbox.slsart("history -s prod -v").stdout;
    let phases = shown.lines().nth(2).unwrap();
    assert!(phases.trim_start().starts_with("worktree ") && phases.contains(" s · deploy "), "{shown}");
}

/// Makes git sign commits with an SSH key of its own, which the list of allowed signers names.
pub(crate) fn with_ssh_key(sandbox: &Sandbox) {
    sandbox
        .shell(
            "ssh-keygen -q -t ed25519 -N '' -C dana -f ../key
             echo \"dana@example.org $(cat ../key.pub)\" >../signers
             git config commit.gpgSign true
             git config gpg.format ssh
             git config user.signingKey \"$(cd .. && pwd)/key.pub\"
             git config gpg.ssh.allowedSignersFile \"$(cd .. && pwd)/signers\"",
        )
        .succeeded();
}

#[test]
fn records_are_signed_as_commits_are() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    with_ssh_key(&sandbox);
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    sandbox.git("verify-commit refs/slsart/deployments/orders/prod/us-east-1");
    sandbox.slsart("history -s prod --verify").is(str![[r#"
orders · prod · us-east-1
2  ● live  deploy  succeeded  12a1bee  Add the service  2 minutes ago in [N] s by Dana
                              ✓ signed by dana@example.org
1          deploy  succeeded  12a1bee  Add the service  4 minutes ago in [N] s by Dana
                              ! unsigned

"#]]);
    let history = sandbox.slsart("history --verify --json").json();
    let signatures = &history["targets"][0]["deployments"][0]["signatures"];
    assert_eq!((&signatures[0]["outcome"], &signatures[0]["verdict"]), (&"succeeded".into(), &"good".into()));
    assert_eq!(signatures.as_array().unwrap().len(), 2);
    sandbox.fsck();
    // The same key, once it is not among those that are trusted.
    sandbox.shell("echo >../signers").succeeded();
    let unknown = sandbox.slsart("history -s prod --verify").succeeded().stdout;
    assert!(unknown.contains("! signed with an untrusted key SHA256:"), "{unknown}");
    sandbox.git("config --unset gpg.ssh.allowedSignersFile");
    let unknown = sandbox.slsart("history -s prod --verify").succeeded().stdout;
    assert!(unknown.contains("git can't verify it: gpg.ssh.allowedSignersFile"), "{unknown}");
}

#[test]
fn a_record_that_was_changed_after_it_was_signed_is_found() {
    let sandbox = Sandbox::recorded();
    with_ssh_key(&sandbox);
    sandbox.slsart("deploy -s prod --yes -q -m 'first release'").succeeded();
    sandbox
        .shell(
            "name=refs/slsart/deployments/orders/prod/us-east-1
             forged=$(git cat-file commit $name | sed 's/first release/last release/' | git hash-object -w -t commit --stdin)
             git update-ref $name $forged",
        )
        .succeeded();
    let outcome = sandbox.slsart("history -s prod --verify");
    assert_eq!(outcome.code, 4, "{outcome}");
    assert!(outcome.stdout.contains("✗ bad signature"), "{outcome}");
    assert!(outcome.stdout.contains("✓ signed by dana@example.org  started"), "{outcome}");
    assert!(outcome.stderr.contains("error: 1 record has a bad signature"), "{outcome}");
    assert_eq!(sandbox.slsart("history -s prod").code, 0);
}

#[test]
fn what_cannot_be_signed_is_not_begun() {
    let sandbox = Sandbox::recorded();
    with_ssh_key(&sandbox);
    sandbox.shell("rm ../key").succeeded();
    let outcome = sandbox.slsart("deploy -s prod --yes -q");
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(
        outcome.stderr.contains("the record can't be signed, and `commit.gpgSign` requires it"),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("hint: to see what is wrong: git commit-tree -S"), "{outcome}");
    assert_eq!(sandbox.runs(), "");
    assert_eq!(sandbox.git("for-each-ref refs/slsart/deployments/"), "");
}

#[test]
fn an_end_that_cannot_be_signed_any_more_is_written_all_the_same() {
    let sandbox = Sandbox::recorded();
    with_ssh_key(&sandbox);
    // A program that signs once, as an agent that forgets its key.
    sandbox.write_program(
        "../sign-once",
        "#!/bin/sh\n[ ! -e \"$0.done\" ] || exit 1\ntouch \"$0.done\"\nexec ssh-keygen \"$@\"\n",
    );
    sandbox.shell("git config gpg.ssh.program \"$(cd .. && pwd)/sign-once\"").succeeded();
    let outcome = sandbox.slsart("deploy -s prod --yes -q").succeeded();
    assert!(
        outcome.stderr.contains("warning: the record of the deployment's result is not signed"),
        "{outcome}"
    );
    sandbox.git("config --unset gpg.ssh.program");
    let shown = sandbox.slsart("history -s prod --verify").succeeded().stdout;
    assert!(
        shown.contains("! unsigned  succeeded") && shown.contains("✓ signed by dana@example.org  started"),
        "{shown}"
    );
}
