//! `git slsart ban` and `unban`.

use snapbox::str;

use crate::sandbox::Sandbox;

/// Three packages of `prod`, all deployed.
fn three_deployed() -> Sandbox {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    for subject in ["Answer two", "Answer three"] {
        sandbox.change(subject);
        sandbox.record("prod");
        sandbox.slsart("deploy -s prod --yes -q").succeeded();
    }
    sandbox
}

#[test]
fn a_banned_package_is_refused_until_the_ban_is_lifted() {
    let sandbox = three_deployed();
    sandbox.slsart("ban HEAD~ -m 'loses orders'").is(str![[r#"
Banned    35040f8  Answer two  package e4ccfcce · orders · prod · us-east-1

"#]]);
    for line in ["deploy HEAD~ -s prod --yes", "rollback HEAD~ -s prod -n", "rollback --to 2 -s prod --yes"] {
        let outcome = sandbox.slsart(line);
        assert_eq!(outcome.code, 1, "{outcome}");
        outcome.is(str![[r#"
── stderr ──
error: 35040f8 (e4ccfcce) of orders must not be deployed: banned by Dana on 2026-01-05: loses orders
hint: to lift the ban: git slsart unban e4ccfcce -s prod
── exit 1 ──

"#]]);
    }
    sandbox.slsart("ban HEAD~ -m again").is(str![[r#"
── stderr ──
error: the package e4ccfcce is banned already: banned by Dana on 2026-01-05: loses orders
hint: to ban it for another reason, lift that first: git slsart unban e4ccfcce -s prod
── exit 1 ──

"#]]);
    sandbox.slsart("unban HEAD~ -m 'it was the database'").is(str![[r#"
Lifted    35040f8  Answer two  package e4ccfcce · orders · prod · us-east-1

"#]]);
    sandbox.slsart("unban HEAD~").is(str![[r#"
── stderr ──
error: the package e4ccfcce is not banned
── exit 1 ──

"#]]);
    sandbox.slsart("rollback -s prod --yes -q").succeeded();
    let log = sandbox.git("log --format=%s --glob=refs/slsart/bans");
    assert!(
        log.starts_with(
            "unban 35040f8 (e4ccfcce) — it was the database\nban 35040f8 (e4ccfcce) — loses orders"
        ),
        "{log}"
    );
    sandbox.fsck();
}

#[test]
fn a_rollback_without_a_name_passes_banned_packages_over() {
    let sandbox = three_deployed();
    sandbox.slsart("ban HEAD~ -m 'loses orders'").succeeded();
    sandbox.slsart("rollback -s prod -n").is(str![[r#"
Live      4699827  Answer three  deployed 2 minutes ago by Dana
Restore   12a1bee  Add the service  package be694c54 · 1.3 kB · 13 minutes ago · osls 4.3.1
  ~ function hello  code (1 file, +1 −1)
! 35040f8 (e4ccfcce) is skipped: banned by Dana on 2026-01-05: loses orders

"#]]);
    sandbox.slsart("history -s prod").is(str![[r#"
orders · prod · us-east-1
3  ● live  deploy  succeeded  4699827  Answer three  3 minutes ago in [N] s by Dana
2          deploy  succeeded  35040f8  Answer two banned  8 minutes ago in [N] s by Dana
1          deploy  succeeded  12a1bee  Add the service  13 minutes ago in [N] s by Dana

"#]]);
    sandbox.slsart("ban HEAD~2 -m 'too old'").succeeded();
    sandbox.slsart("rollback -s prod -n").is(str![[r#"
── stderr ──
error: there is no other release of orders · prod · us-east-1 to go back to
hint: 35040f8 (e4ccfcce) is skipped: banned by Dana on 2026-01-05: loses orders
hint: 12a1bee (be694c54) is skipped: banned by Dana on 2026-01-05: too old
hint: packages that can be deployed: git slsart log -s prod
── exit 5 ──

"#]]);
}

#[test]
fn log_and_show_tell_of_it_and_what_is_live_is_said() {
    let sandbox = three_deployed();
    sandbox.slsart("ban HEAD -s prod -m 'checkout 500s'").is(str![[r#"
Banned    4699827  Answer three  package b5cff989 · orders · prod · us-east-1
! it is live; to go back: git slsart rollback -s prod

"#]]);
    sandbox.slsart("log").is(str![[r#"
4699827  b5cff989  orders · prod · us-east-1  1.3 kB  3 minutes ago   Answer three banned
35040f8  e4ccfcce  orders · prod · us-east-1  1.3 kB  8 minutes ago   Answer two
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  13 minutes ago  Add the service

"#]]);
    let shown = sandbox.slsart("show").stdout;
    assert!(shown.contains("\nBanned    banned by Dana on 2026-01-05: checkout 500s\n"), "{shown}");
    let log = sandbox.slsart("log --json").json();
    assert_eq!(log["packages"][0]["banned"]["reason"], "checkout 500s");
    assert_eq!(log["packages"][1]["banned"], serde_json::Value::Null);
    assert_eq!(sandbox.slsart("show --json").json()["banned"]["by"], "Dana <dana@example.org>");
}

#[test]
fn check_and_status_show_the_ban_of_heads_package_and_of_what_is_live() {
    let sandbox = three_deployed();
    sandbox.slsart("ban HEAD -s prod -m 'checkout 500s'").succeeded();
    let check = sandbox.slsart("check -s prod");
    assert_eq!(check.code, 1, "{check}");
    let line =
        "4699827 (b5cff989) of orders must not be deployed: banned by Dana on 2026-01-05: checkout 500s\n";
    assert!(check.stdout.contains(line), "{check}");
    assert!(check.stdout.contains("to lift the ban: git slsart unban b5cff989 -s prod\n"), "{check}");
    let status = sandbox.slsart("status -s prod").stdout;
    assert!(status.contains("● live  4699827  Answer three  banned"), "{status}");
    assert!(status.contains("! HEAD  package b5cff989 · 1.3 kB  banned\n"), "{status}");
    let status = sandbox.slsart("status -s prod --json").json();
    let target = &status["targets"][0];
    for of in ["live", "package"] {
        assert_eq!(target[of]["banned"]["reason"], "checkout 500s", "{target:#}");
    }
    sandbox.slsart("unban HEAD -s prod").succeeded();
    assert!(!sandbox.slsart("status -s prod").stdout.contains("banned"));
    assert!(!sandbox.slsart("check -s prod").stdout.contains("ban"));
}

#[test]
fn the_only_release_that_is_banned_has_no_command_to_go_back() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    let ban = sandbox.slsart("ban HEAD -s prod -m broken");
    assert!(ban.code == 0 && !format!("{ban}").contains("rollback"), "{ban}");
}

#[test]
fn of_two_machines_that_did_not_know_of_each_other_the_ban_holds() {
    let sandbox = three_deployed();
    sandbox.slsart("ban HEAD~ -m first").succeeded();
    sandbox
        .shell(
            "name=$(git for-each-ref --format='%(refname)' refs/slsart/bans)
         git update-ref refs/first $name
         git-slsart unban HEAD~ -q
         git update-ref refs/lifted $name
         git update-ref $name refs/first
         git-slsart unban HEAD~ -q && git-slsart ban HEAD~ -q -m again
         merge=$(git commit-tree -m merge -p refs/lifted -p $name $(git mktree </dev/null))
         git update-ref $name $merge",
        )
        .succeeded();
    let refused = sandbox.slsart("deploy HEAD~ -s prod -n");
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains("banned by Dana on 2026-01-05: again"), "{refused}");
    // Who knows of both has the last word.
    sandbox.slsart("unban HEAD~").succeeded();
    sandbox.slsart("deploy HEAD~ -s prod -n").succeeded();
}

#[test]
fn a_ban_that_cannot_be_read_stops_a_deployment() {
    let sandbox = three_deployed();
    sandbox.slsart("ban HEAD~ -m first").succeeded();
    sandbox
        .shell(
            "name=$(git for-each-ref --format='%(refname)' refs/slsart/bans)
             tree=$(printf '100644 blob %s\\tban.toml\\n' $(echo 'format = 2' | git hash-object -w --stdin) | git mktree)
             git update-ref $name $(git commit-tree -m later $tree)",
        )
        .succeeded();
    assert_eq!(sandbox.slsart("deploy HEAD~ -s prod -n").code, 4);
    sandbox.slsart("deploy HEAD -s prod -n").succeeded();
}
