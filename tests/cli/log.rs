//! `git slsart log`.

use snapbox::str;

use crate::sandbox::Sandbox;

/// Three commits: the first with packages for two stages, the second with none, the third with one.
fn three_commits() -> Sandbox {
    let sandbox = Sandbox::recorded();
    sandbox.record("dev");
    sandbox.change("Answer two");
    sandbox.change("Answer three");
    sandbox.record("prod");
    sandbox
}

#[test]
fn a_line_a_package_along_the_history() {
    let sandbox = three_commits();
    sandbox.slsart("log").is(str![[r#"
8d0d98e  b5cff989  orders · prod · us-east-1  1.3 kB  1 minute ago   Answer three
12a1bee  b0c1c91a  orders · dev · us-east-1   1.3 kB  8 minutes ago  Add the service
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  9 minutes ago  Add the service

"#]]);
    sandbox.slsart("log HEAD~").is(str![[r#"
12a1bee  b0c1c91a  orders · dev · us-east-1   1.3 kB  9 minutes ago   Add the service
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  10 minutes ago  Add the service

"#]]);
    sandbox.slsart("log -s dev").is(str![[r#"
12a1bee  b0c1c91a  orders · dev · us-east-1  1.3 kB  10 minutes ago  Add the service

"#]]);
    sandbox.slsart("log -s nowhere").is(str![[r#"
── stderr ──
error: nothing was packaged or deployed for the stage 'nowhere'
hint: stages with packages or deployments: dev, prod
hint: to make a package: git slsart package -s nowhere
── exit 5 ──

"#]]);
    sandbox.slsart("log -n 1").is(str![[r#"
8d0d98e  b5cff989  orders · prod · us-east-1  1.3 kB  5 minutes ago  Answer three
there are more: git slsart log -n COUNT

"#]]);
}

#[test]
fn json_has_every_field() {
    let sandbox = three_commits();
    sandbox.slsart("log --json -n 1").is(str![[r#"
{
  "packages": [
    {
      "commit": "8d0d98e8f605776667d5f5350b6faad56b2cec3a",
      "subject": "Answer three",
      "package": "b5cff989a6d7d3b6bedbbc3a1402445e16955ad2148b25227c50bef337d8fdfe",
      "target": {
        "service": "orders",
        "path": ".",
        "stage": "prod",
        "region": "us-east-1"
      },
      "size": 1307,
      "recorded": "2026-01-05T09:13:00Z",
      "dirty": false,
      "framework": {
        "name": "osls",
        "version": "4.3.1"
      }
    }
  ],
  "more": true,
  "unread": []
}

"#]]);
}

#[test]
fn all_also_lists_what_no_branch_leads_to() {
    let sandbox = Sandbox::recorded();
    sandbox.change("Answer two");
    sandbox.record("prod");
    sandbox.git("reset --quiet --hard HEAD~");
    sandbox.slsart("log").is(str![[r#"
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  6 minutes ago  Add the service

"#]]);
    sandbox.slsart("log --all").is(str![[r#"
c126563  e4ccfcce  orders · prod · us-east-1  1.3 kB  3 minutes ago  Answer two
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  7 minutes ago  Add the service

"#]]);
}

#[test]
fn nothing_recorded_is_said_and_is_no_error() {
    let sandbox = Sandbox::new();
    sandbox.slsart("log").is(str![[r#"
no packages here; to make one: git slsart package

"#]]);
    sandbox.slsart("log --all").is(str![[r#"
no packages here; to make one: git slsart package

"#]]);
    sandbox.slsart("log --json").is(str![[r#"
{
  "packages": [],
  "more": false,
  "unread": []
}

"#]]);
}

#[test]
fn a_ref_that_is_not_there_is_not_recorded() {
    let sandbox = Sandbox::new();
    sandbox.slsart("log nowhere").is(str![[r#"
── stderr ──
error: 'nowhere' is not a commit here
hint: `git slsart log --all` lists what is recorded
── exit 5 ──

"#]]);
    sandbox.slsart("log -- --all").is(str![[r#"
── stderr ──
error: '--all' is not a commit here
hint: `git slsart log --all` lists what is recorded
── exit 5 ──

"#]]);
}

#[test]
fn asked_for_none_it_does_not_say_that_there_are_none() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("log -n 0").is(str![[r#"
there are more: git slsart log -n COUNT

"#]]);
}

#[test]
fn a_subject_and_a_name_do_not_act_on_the_terminal() {
    let sandbox = Sandbox::new();
    let odd = "Clear \u{1b}[2J the\u{7} \u{202e}screen";
    sandbox.run("git", ["commit", "--quiet", "--amend", "--no-verify", "-m", odd]).succeeded();
    sandbox.record("prod");
    for line in ["log", "show", "deploy -n -s prod"] {
        let outcome = sandbox.slsart(line).succeeded();
        assert!(!outcome.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{outcome}");
        assert!(outcome.stdout.contains(r"Clear \u{1b}[2J the\u{7} \u{202e}screen"), "{outcome}");
    }
}
