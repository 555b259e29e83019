//! `slsart.toml`: what is wrong with it is named; what it says is done.

use snapbox::str;

use crate::sandbox::Sandbox;

#[test]
fn an_error_names_the_key() {
    let sandbox = Sandbox::recorded();
    sandbox.write("slsart.toml", "[defaults]\nstaeg = \"prod\"\n");
    sandbox.slsart("log").is(str![[r#"
── stderr ──
error: slsart.toml:2 can't be read
  TOML parse error at line 2, column 1
    |
  2 | staeg = "prod"
    | ^^^^^
  unknown field `staeg`, expected `stage` or `region`
hint: `git slsart init --print` shows the default file with every key explained
── exit 1 ──

"#]]);
    sandbox.write("slsart.toml", "[hooks]\npost-commit = \"sometimes\"\n");
    sandbox.slsart("log").is(str![[r#"
── stderr ──
error: slsart.toml:2 can't be read
  TOML parse error at line 2, column 15
    |
  2 | post-commit = "sometimes"
    |               ^^^^^^^^^^^
  unknown variant `sometimes`, expected one of `attach`, `package`, `off`
hint: `git slsart init --print` shows the default file with every key explained
── exit 1 ──

"#]]);
    sandbox.write("slsart.toml", "services = [\"../other\"]\n");
    sandbox.slsart("log").is(str![[r#"
── stderr ──
error: slsart.toml:1 can't be read
  TOML parse error at line 1, column 12
    |
  1 | services = ["../other"]
    |            ^^^^^^^^^^^^
  "../other" is not a service path: it leaves the repository
hint: `git slsart init --print` shows the default file with every key explained
── exit 1 ──

"#]]);
    sandbox.write("slsart.toml", "[defaults]\nstage = \"-s\"\n");
    sandbox.slsart("log").is(str![[r#"
── stderr ──
error: slsart.toml:2 can't be read
  TOML parse error at line 2, column 9
    |
  2 | stage = "-s"
    |         ^^^^
  "-s" is not a stage: it begins with a hyphen, as an option does
hint: `git slsart init --print` shows the default file with every key explained
── exit 1 ──

"#]]);
    sandbox.write("slsart.toml", "[carry]\npaths = [\"../secrets\"]\n");
    sandbox.slsart("log").is(str![[r"
── stderr ──
error: slsart.toml: `../secrets` in [carry] leaves the service's directory
hint: patterns are relative to the service, such as `.env.*` or `build/**`
── exit 1 ──

"]]);
    sandbox.write("slsart.toml", "[carry]\npaths = [\"[\"]\n");
    sandbox.slsart("log").is(str![[r"
── stderr ──
error: slsart.toml: `[` in [carry] is not a pattern
  error parsing glob '[': unclosed character class; missing ']'
── exit 1 ──

"]]);
    sandbox.write("slsart.toml", "[defaults\n");
    sandbox.slsart("log").is(str![[r#"
── stderr ──
error: slsart.toml:1 can't be read
  TOML parse error at line 1, column 10
    |
  1 | [defaults
    |          ^
  unclosed table, expected `]`
hint: `git slsart init --print` shows the default file with every key explained
── exit 1 ──

"#]]);
    sandbox.write("slsart.toml", b"\xff\xfe");
    sandbox.slsart("log").is(str![[r"
── stderr ──
error: cannot read '[ROOT]/repo/slsart.toml'
  stream did not contain valid UTF-8
── exit 1 ──

"]]);
}

#[test]
fn stage_and_region_come_from_the_command_line_then_the_file_then_the_service() {
    let sandbox = Sandbox::installed();
    let service = sandbox.read("serverless.yml");
    sandbox.write(
        "serverless.yml",
        service.replace("runtime:", "stage: ${opt:stage, 'qa'}\n  region: eu-west-3\n  runtime:"),
    );
    sandbox.commit("Fix the stage");
    let target = |line: &str| {
        let made =
            sandbox.slsart(&format!("package --in-place --allow-dirty --json -q {line}")).succeeded().json();
        let target = &made["packages"][0]["target"];
        format!("{} {}", target["stage"].as_str().unwrap(), target["region"].as_str().unwrap())
    };
    assert_eq!(target(""), "qa eu-west-3");
    sandbox.write("slsart.toml", "[defaults]\nstage = \"prod\"\nregion = \"us-west-2\"\n");
    assert_eq!(target(""), "prod us-west-2");
    assert_eq!(target("-s dev -r eu-west-1"), "dev eu-west-1");
}

#[test]
fn only_the_services_that_are_listed_are_services() {
    let sandbox = Sandbox::new();
    sandbox.write("a/serverless.yml", "service: aa\nprovider: aws\n");
    sandbox.write("slsart.toml", "services = [\"a\"]\n");
    sandbox.commit("Add another service");
    sandbox.slsart("package --service orders").is(str![[r#"
── stderr ──
error: there is no service 'orders' in this commit
hint: this commit has: a (aa)
── exit 1 ──

"#]]);
    sandbox.slsart("init -n").is(str![[r#"
found        service a (aa): serverless.yml, npm, package-lock.json
unchanged    slsart.toml
would create hook post-commit
would create hook post-rewrite
would create hook pre-push
next         git slsart package

"#]]);
}

#[test]
fn a_broken_file_locks_nobody_out() {
    let sandbox = Sandbox::new();
    sandbox.slsart("init -q").succeeded();
    sandbox.write("slsart.toml", "nonsense");
    let shown = sandbox.slsart("init --print").succeeded().stdout;
    assert!(shown.contains("# post-commit = \"attach\""), "{shown}");
    sandbox.slsart("init").succeeded();
    sandbox.slsart("uninstall").is(str![[r#"
removed    hook post-commit
removed    hook post-rewrite
removed    hook pre-push
left alone slsart.toml (it was changed: rm slsart.toml)
kept       packages and histories; this deletes all of them, for good: git for-each-ref --format='delete %(refname)' refs/slsart refs/slsart-remotes refs/notes/slsart 'refs/notes/remotes/*/slsart' | git update-ref --stdin
── stderr ──
warning: slsart.toml:1 can't be read; key with no value, expected `=`; `git slsart init --print` shows the default file with every key explained

"#]]);
}

#[test]
fn what_the_repository_does_not_have_is_said_with_its_line() {
    let sandbox = Sandbox::recorded();
    sandbox.git("remote add origin ../origin.git");
    let text = "services = [\n  \".\",\n  \"services/ordres\",\n]\n[defaults]\nregion = \"us-east1\"\n[share]\nremote = \"orgin\"\n\
                [lock]\nremote = \"locks\"\n[secrets]\naction = \"encrypt\"\n";
    sandbox.write("slsart.toml", text);
    sandbox.slsart("status").is(str![[r#"
HEAD      12a1bee  Add the service
orders · prod · us-east-1
  ○ live  no deployment recorded
  ✓ HEAD  package be694c54 · 1.3 kB
── stderr ──
warning: slsart.toml:3: there is no service in the directory 'services/ordres'; services: .
warning: slsart.toml:6: 'us-east1' does not look like an AWS region; regions are named as in eu-west-1
warning: slsart.toml:8: [share] names the remote 'orgin', which does not exist; did you mean origin?
warning: slsart.toml:10: [lock] names the remote 'locks', which does not exist; to add it: git remote add locks URL
warning: slsart.toml:12: [secrets] has action = "encrypt" but no recipients: nothing can be recorded; list the readers' public keys: recipients = ["age1…", "ssh-ed25519 AAAA…"]

"#]]);
    let init = sandbox.slsart("init -n").succeeded();
    assert_eq!(init.stderr, sandbox.slsart("status").stderr);
    let check = sandbox.slsart("check -s prod --json");
    let checks = check.json()["checks"].as_array().unwrap().clone();
    let config: Vec<_> = checks
        .iter()
        .filter(|check| check["name"] == "config")
        .map(|check| (check["verdict"].as_str().unwrap(), check["message"].as_str().unwrap()))
        .collect();
    assert_eq!(config.len(), 5, "{config:?}");
    // A deployment needs the lock; the others stop nothing.
    let blocking: Vec<_> = config.iter().filter(|(verdict, _)| *verdict == "blocks").collect();
    assert!(
        matches!(blocking[..], [(_, message)] if message.contains("slsart.toml:10: [lock]")),
        "{config:?}"
    );
    sandbox.write("slsart.toml", "services = [\".\"]\n[share]\nremote = \"origin\"\n");
    assert_eq!(sandbox.slsart("status").stderr, "");
}

#[test]
fn what_slsart_toml_gets_wrong_is_the_reason_that_is_given() {
    let sandbox = Sandbox::new();
    sandbox.write("slsart.toml", "services = ['nodir']\n[defaults]\nregion = 'us-est-1'\n");
    for (line, reason) in [
        (
            "status",
            "no packages and no deployments here; `services` in slsart.toml lists no directory with a service\n",
        ),
        ("init -n", "no service: `services` in slsart.toml lists no directory with one\n"),
    ] {
        let outcome = sandbox.slsart(line).succeeded();
        assert!(outcome.stdout.contains(reason), "{outcome}");
        assert!(
            outcome.stderr.contains("warning: slsart.toml:1: there is no service in the directory 'nodir'"),
            "{outcome}"
        );
        assert!(
            outcome.stderr.contains(
                "slsart.toml:3: 'us-est-1' does not look like an AWS region; did you mean us-east-1"
            ),
            "{outcome}"
        );
    }
    sandbox.write("slsart.toml", "[defaults]\nregoin = 'us-east-1'\n");
    let status = sandbox.slsart("status").succeeded();
    assert!(
        status.stderr.contains("warning: slsart.toml:2 can't be read; unknown field `regoin`"),
        "{status}"
    );
}
