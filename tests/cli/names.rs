//! Names that were mistyped or left out: what is known instead, and commands that do not repeat the slip.

use crate::sandbox::{Outcome, Sandbox};
use crate::scope::one_of_two;

/// `services/orders` has a package for prod, `services/topics` has none.
#[track_caller]
fn fails(sandbox: &Sandbox, line: &str, words: &[&str], without: &[&str]) -> Outcome {
    let outcome = sandbox.slsart(line);
    assert_eq!(outcome.code, 5, "{outcome}");
    let lacks = words.iter().filter(|word| !outcome.stderr.contains(**word));
    let has = without.iter().filter(|word| outcome.stderr.contains(**word));
    assert_eq!(lacks.chain(has).count(), 0, "{words:?}, without {without:?}\n{outcome}");
    outcome
}

#[test]
fn a_mistyped_stage_is_answered_with_that_of_another_service_and_is_in_no_command() {
    let sandbox = one_of_two();
    for line in ["deploy", "live", "history", "status", "rollback", "log", "deploy -n"] {
        for service in ["orders", "topics"] {
            let line = format!("-C services/{service} {line} -s prdo");
            fails(&sandbox, &line, &["did you mean prod?", ": prod\n"], &["-s prdo"]);
        }
    }
    // One that is known elsewhere, or is like none, is no slip.
    fails(&sandbox, "-C services/topics live -s prod", &["package -s prod"], &["did you mean"]);
    fails(&sandbox, "-C services/topics live -s qa", &["package -s qa"], &["did you mean"]);
}

#[test]
fn check_and_the_list_of_pins_do_not_repeat_a_mistyped_stage() {
    let sandbox = one_of_two();
    sandbox.slsart("pin v1.4.0 -s prod --service orders -q").succeeded();
    let check = sandbox.slsart("-C services/orders check -s prdo");
    let said = check.to_string();
    assert!(check.code == 1 && said.contains("did you mean prod?") && !said.contains("-s prdo"), "{check}");
    fails(&sandbox, "-C services/orders pin -s prdo", &["did you mean prod?"], &["-s prdo"]);
}

#[test]
fn a_dry_run_packages_nothing() {
    let sandbox = one_of_two();
    let before = sandbox.fingerprint();
    let line = "-C services/orders deploy --package --dry-run -s prdo";
    fails(&sandbox, line, &["did you mean prod?"], &["-s prdo"]);
    let line = "-C services/orders deploy --package --dry-run -s qa";
    let command = "to make a package: git slsart -C services/orders package -s qa\n";
    fails(&sandbox, line, &[command, "--dry-run does not package"], &["deploy HEAD --package"]);
    sandbox.is_as_before(&before);
}

#[test]
fn a_new_stage_that_is_like_a_known_one_is_packaged_with_a_warning() {
    let sandbox = Sandbox::new();
    let first = sandbox.slsart("package -s prod").succeeded();
    assert!(!first.stderr.contains("warning"), "{first}");
    let slip = sandbox.slsart("package -s prd").succeeded();
    let warning = "warning: the stage 'prd' is new here: did you mean prod? stages so far: prod\n";
    assert!(slip.stderr.contains(warning), "{slip}");
    assert!(!sandbox.slsart("package -s qa").succeeded().stderr.contains("warning"));
}

#[test]
fn a_default_stage_that_is_unknown_is_called_one_with_the_command_for_a_known_one() {
    let sandbox = Sandbox::recorded();
    for command in ["live", "rollback"] {
        let instead = format!("hint: the default stage is dev; for prod: git slsart {command} -s prod\n");
        fails(&sandbox, command, &["stage 'dev'", &instead], &[]);
        fails(&sandbox, &format!("{command} -s dev"), &["stage 'dev'"], &["default"]);
    }
}

#[test]
fn hints_keep_the_service_and_the_stage() {
    let sandbox = one_of_two();
    sandbox.change("Another");
    let again = sandbox.slsart("package v1.4.0 --service services/orders -s prod").succeeded();
    let short = sandbox.git("rev-parse --short=7 v1.4.0");
    let command = format!("git slsart package {short} --again --service services/orders -s prod\n");
    assert!(again.stdout.contains(&format!("to package it again: {command}")), "{again}");
    sandbox.slsart("deploy v1.4.0 --service orders -s prod --yes -q").succeeded();
    let command = "git slsart log --service services/orders -s prod\n";
    fails(&sandbox, "rollback --service orders -s prod --yes", &[command], &[]);
    let init = sandbox.slsart("init -n").succeeded();
    assert!(init.stdout.ends_with("git slsart package --all\n"), "{init}");
}

#[test]
fn a_service_is_known_by_the_last_name_of_its_directory() {
    let sandbox = one_of_two();
    let text = "service: the-users\nprovider: {name: aws}\n";
    sandbox.write("services/users/serverless.yml", text);
    sandbox.commit("Add users");
    let listed = "services/topics (topics), services/users (the-users)";
    fails(&sandbox, "status --service users", &["did you mean services/users?", listed], &[]);
    let outcome = sandbox.slsart("package --service users");
    assert!(outcome.code == 1 && outcome.stderr.contains("did you mean services/users?"), "{outcome}");
}

#[test]
fn in_a_service_of_a_fresh_clone_the_remote_is_asked_first() {
    let sandbox = one_of_two();
    sandbox.shell("git init -q --bare ../origin.git; git push -q ../origin.git main").succeeded();
    sandbox.shell("git clone -q -b main ../origin.git ../clone").succeeded();
    for directory in ["", "/services/orders"] {
        for line in ["log", "history", "status"] {
            let outcome = sandbox.slsart(&format!("-C ../clone{directory} {line}")).succeeded();
            let ask =
                format!("to ask origin for its packages: git slsart -C ../clone{directory} fetch origin");
            assert!(outcome.stdout.contains(&ask), "{outcome}");
        }
    }
    fails(&sandbox, "-C ../clone history -s prod --service orders", &["fetch origin\n"], &[]);
}

#[test]
fn a_name_that_is_nothing_is_said_to_be_that_and_no_remote_is_asked() {
    let sandbox = Sandbox::recorded();
    sandbox.git("tag v1");
    sandbox.shell("git init -q --bare ../origin.git; git remote add origin ../origin.git").succeeded();
    sandbox.slsart("fetch -q").succeeded();
    for command in ["show", "rollback -s prod -n"] {
        let what = "error: there is no commit, tag, branch or package 'v9' here\nhint: tags here: v1\n";
        let fetch = "hint: if origin has it: git fetch --tags origin\n";
        fails(&sandbox, &format!("{command} v9"), &[what, fetch], &["push", "Asking origin for"]);
    }
    // What may be a package's id is asked for.
    fails(
        &sandbox,
        "show 0123abc -s prod",
        &["Asking origin for packages of 0123abc\n", "origin has no such package either"],
        &[],
    );
}

#[test]
fn a_commit_with_packages_for_several_targets_is_answered_with_whole_commands() {
    let sandbox = Sandbox::recorded();
    sandbox.build("dev", "dev");
    sandbox.slsart("record -q ../dev").succeeded();
    let outcome = sandbox.slsart("ban HEAD -m 'loses; orders'");
    let command = "git slsart ban HEAD -m 'loses; orders' -s prod\n";
    assert!(outcome.stderr.contains(&format!("hint: for orders · prod · us-east-1: {command}")), "{outcome}");
    assert!(outcome.code == 1 && outcome.stderr.contains("'loses; orders' -s dev\n"), "{outcome}");
    sandbox.type_in(".", command.trim_end()).succeeded();
    // A package that is named by its id, with another stage.
    let id = sandbox.slsart("log --json -s dev").json()["packages"][0]["package"].as_str().unwrap()[..8]
        .to_owned();
    let command = format!("if that package is meant: git slsart show {id} -q -s dev\n");
    fails(&sandbox, &format!("show {id} --stage=prod -q"), &[&command], &[]);
}

#[test]
fn status_lists_the_services_that_were_never_packaged() {
    let sandbox = one_of_two();
    let never = "topics\n  - HEAD  never packaged: git slsart package --service services/topics\n";
    let status = sandbox.slsart("status").succeeded();
    assert!(status.stdout.contains(never), "{status}");
    let json = sandbox.slsart("status --json").json();
    assert_eq!(json["unpackaged"], serde_json::json!([{ "path": "services/topics", "service": "topics" }]));
    for narrow in ["status -s prod", "status --service orders", "-C services/orders status"] {
        let status = sandbox.slsart(narrow).succeeded();
        assert!(!status.stdout.contains("never packaged"), "{status}");
    }
}
