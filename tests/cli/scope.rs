//! Which service, stage and region a command means, and what it says of those that do not exist.

use std::fs;

use snapbox::str;

use crate::sandbox::{Outcome, Sandbox};
use crate::several::two_releases;

/// Commands that act on one package or target, as they are run in a service's directory.
const ACTING: &[&str] = &[
    "deploy -s prod -n",
    "rollback HEAD -s prod -n",
    "rollback -s prod -n",
    "show -s prod",
    "extract HEAD -s prod -o ../../../out",
    "diff HEAD HEAD -s prod",
    "pin HEAD -s prod",
    "unpin HEAD -s prod",
    "ban HEAD -s prod -m x",
    "unban HEAD -s prod",
    "export HEAD -s prod ../../../file",
    "live -s prod",
];

/// Commands that list.
const LISTING: &[&str] = &["log", "history", "status", "prune --keep-last 0 -n"];

/// `orders` and `topics`, each in `services/NAME`, under the tag `v1.4.0`; only `orders` has a package, for `prod`.
pub(crate) fn one_of_two() -> Sandbox {
    let sandbox = Sandbox::new();
    fs::remove_file(sandbox.path("serverless.yml")).unwrap();
    for name in ["orders", "topics"] {
        configure(&sandbox, name, name);
    }
    sandbox.commit("Add two services");
    sandbox.git("tag v1.4.0");
    record(&sandbox, "orders", "orders");
    sandbox
}

fn configure(sandbox: &Sandbox, directory: &str, name: &str) {
    let text = format!("service: {name}\nplugins: [serverless-hello]\nprovider: {{name: aws}}\n");
    sandbox.write(&format!("services/{directory}/serverless.yml"), text);
}

/// Records a package of HEAD for `prod` of the service `name` in `services/DIRECTORY`.
fn record(sandbox: &Sandbox, directory: &str, name: &str) {
    let build = sandbox.build_of(&format!("build-{name}"), name, "prod", "us-east-1");
    let state = build.join("serverless-state.json");
    let text = fs::read_to_string(&state).unwrap();
    let mut state_of: serde_json::Value = serde_json::from_str(&text).unwrap();
    state_of["service"]["plugins"] = serde_json::json!(["serverless-hello"]);
    fs::write(&state, state_of.to_string()).unwrap();
    sandbox.slsart(&format!("record -q ../build-{name} --service services/{directory}")).succeeded();
}

#[track_caller]
fn says(outcome: &Outcome, code: i32, words: &[&str]) {
    assert_eq!(outcome.code, code, "{outcome}");
    let text = format!("{}{}", outcome.stdout, outcome.stderr);
    for word in words {
        assert!(text.contains(word), "{word:?} is not in:\n{outcome}");
    }
}

#[test]
fn what_acts_means_the_service_of_the_current_directory_and_no_other() {
    let sandbox = one_of_two();
    let before = sandbox.fingerprint();
    for line in ACTING {
        let outcome = sandbox.slsart(&format!("-C services/topics {line}"));
        says(&outcome, 5, &["services/topics", "git slsart -C services/topics package -s prod"]);
        assert!(!outcome.stderr.contains("orders"), "{outcome}");
    }
    sandbox.is_as_before(&before);
    sandbox.slsart("-C services/topics deploy -s prod").is(str![[r#"
── stderr ──
error: nothing was packaged or deployed for the service services/topics
hint: to make a package: git slsart -C services/topics package -s prod
hint: to package it and deploy it: git slsart -C services/topics deploy HEAD --package -s prod
── exit 5 ──

"#]]);
    fs::create_dir_all(sandbox.path("services/orders/src")).unwrap();
    for directory in ["services/orders", "services/orders/src"] {
        let shown = sandbox.slsart(&format!("-C {directory} show -s prod --json")).succeeded().json();
        assert_eq!(shown["target"]["service"], "orders", "{directory}");
    }
}

#[test]
fn outside_any_service_what_acts_asks_which_one_is_meant() {
    let sandbox = one_of_two();
    fs::create_dir(sandbox.path("docs")).unwrap();
    for line in ACTING {
        for directory in [".", "docs"] {
            let outcome = sandbox.slsart(&format!("-C {directory} {line}"));
            says(&outcome, 1, &["--service services/orders", "--service services/topics"]);
            let has_all = line.starts_with("deploy") || line.starts_with("rollback");
            assert_eq!(outcome.stderr.contains("--all"), has_all, "{outcome}");
        }
    }
    sandbox.slsart("package").is(str![[r#"
── stderr ──
error: this repository has several services: name one, or change to its directory
hint: for orders: git slsart package --service services/orders
hint: for topics: git slsart package --service services/topics
hint: for all of them: git slsart package --all
── exit 1 ──

"#]]);
    sandbox.slsart("show -s prod --service services/orders").succeeded();
    sandbox.slsart("-C docs show -s prod --service services/orders").succeeded();
}

#[test]
fn a_packages_id_says_which_service_is_meant_and_is_no_way_into_another() {
    let sandbox = one_of_two();
    let id = sandbox.slsart("log --json").json()["packages"][0]["package"].as_str().unwrap()[..8].to_owned();
    sandbox.slsart(&format!("show {id}")).succeeded();
    sandbox.slsart(&format!("-C services/orders show {id}")).succeeded();
    let outcome = sandbox.slsart(&format!("-C services/topics deploy {id} -s prod --yes"));
    says(&outcome, 5, &["is for orders · prod · us-east-1", "--service services/orders"]);
    says(&sandbox.slsart(&format!("-C services/orders deploy {id} -s dev -n")), 5, &["-s prod"]);
}

#[test]
fn a_service_that_is_not_committed_is_the_current_directorys_too() {
    let sandbox = one_of_two();
    configure(&sandbox, "users", "users");
    sandbox.slsart("-C services/users deploy -s prod").is(str![[r#"
── stderr ──
error: nothing was packaged or deployed for the service services/users
hint: to commit it first: git -C services/users add :/services/users && git -C services/users commit
── exit 5 ──

"#]]);
    sandbox.slsart("-C services/users package -s prod").is(str![[r#"
── stderr ──
error: the service of the current directory, services/users, is not in this commit
hint: to commit it first: git -C services/users add :/services/users && git -C services/users commit
hint: this commit has: services/orders (orders), services/topics (topics)
── exit 1 ──

"#]]);
    // So is one that HEAD does not have any more.
    sandbox.git("rm -q services/orders/serverless.yml");
    sandbox.commit("Drop orders");
    sandbox.write("services/orders/README.md", "");
    let shown = sandbox.slsart("-C services/orders show v1.4.0 -s prod --json").succeeded().json();
    assert_eq!(shown["target"]["service"], "orders");
    says(
        &sandbox.slsart("-C services/orders package -s prod"),
        1,
        &["services/orders, is not in this commit"],
    );
}

#[test]
fn what_lists_is_narrowed_to_the_service_of_the_current_directory_and_says_so() {
    let sandbox = two_releases();
    sandbox.slsart("deploy v1 --all -s prod --yes -q").succeeded();
    for line in LISTING {
        let outcome = sandbox.slsart(&format!("-C services/topics {line}")).succeeded();
        says(&outcome, 0, &["topics · prod", "only services/topics; for all services: "]);
        assert!(!outcome.stdout.contains("orders · prod"), "{outcome}");
        let all = sandbox.slsart(&format!("-C services/topics {line} --all")).succeeded();
        says(&all, 0, &["topics · prod", "orders · prod"]);
        assert!(!all.stdout.contains("only services"), "{all}");
        let outside = sandbox.slsart(line).succeeded();
        says(&outside, 0, &["topics · prod", "orders · prod"]);
        let json = sandbox.slsart(&format!("-C services/topics {line} --json")).json();
        assert_eq!(json["service"], "services/topics", "{line}");
    }
    // What the directory narrows is no choice of what to remove.
    says(&sandbox.slsart("-C services/topics prune -n"), 2, &["no packages are selected"]);
}

#[test]
fn a_stage_that_nothing_is_recorded_for_is_answered_with_those_that_are() {
    let sandbox = one_of_two();
    sandbox.slsart("-C services/orders deploy -s prod --yes -q").succeeded();
    let acting = ACTING.iter().map(|line| line.replace("-s prod", "-s prdo"));
    let listing = LISTING.iter().map(|line| format!("{line} -s prdo"));
    for line in acting.chain(listing) {
        says(&sandbox.slsart(&format!("-C services/orders {line}")), 5, &["'prdo'", "did you mean prod?"]);
    }
    sandbox.git("init --quiet --bare ../origin.git");
    sandbox.git("remote add origin ../origin.git");
    says(&sandbox.slsart("-C services/orders unlock -s prdo"), 5, &["did you mean prod?"]);
    sandbox.slsart("-C services/orders history -s prdo").is(str![[r#"
── stderr ──
error: nothing was packaged or deployed for the stage 'prdo' of services/orders
hint: did you mean prod?
hint: stages with packages or deployments: prod
hint: to ask origin for its packages: git slsart -C services/orders fetch origin
── exit 5 ──

"#]]);
    sandbox.slsart("-C services/orders deploy -s qa -n").is(str![[r#"
── stderr ──
Asking origin what was deployed
Asking origin for packages of HEAD
error: nothing was packaged or deployed for the stage 'qa' of services/orders
hint: stages with packages or deployments: prod
hint: to make a package: git slsart -C services/orders package -s qa
hint: origin has no such package either; if another machine has it, run `push` there first
hint: to package it and deploy it: git slsart -C services/orders deploy HEAD --package -s qa
── exit 5 ──

"#]]);
    says(&sandbox.slsart("-C services/orders history -s prod -r us-esat-1"), 5, &["did you mean us-east-1?"]);
}

#[test]
fn a_service_a_tag_and_an_id_that_do_not_exist_are_answered_with_what_was_meant() {
    let sandbox = one_of_two();
    for line in
        ["deploy -s prod -n", "log", "history", "status", "rollback -s prod -n", "prune --keep-last 1 -n"]
    {
        says(&sandbox.slsart(&format!("{line} --service ordres")), 5, &["'ordres'", "did you mean orders"]);
    }
    sandbox.slsart("show --service ordres").is(str![[r#"
── stderr ──
error: there is no service 'ordres'
hint: did you mean orders?
hint: services: services/orders (orders), services/topics (topics)
── exit 5 ──

"#]]);
    sandbox.slsart("package --service ordres").is(str![[r#"
── stderr ──
error: there is no service 'ordres' in this commit
hint: did you mean orders?
hint: this commit has: services/orders (orders), services/topics (topics)
── exit 1 ──

"#]]);
    for line in ["show v1.4", "deploy v1.4 -n", "log v1.4", "package v1.4", "rollback v1.4 -n", "pin v1.4"] {
        says(&sandbox.slsart(&format!("-C services/orders {line}")), 5, &["'v1.4'", "did you mean v1.4.0?"]);
    }
    let id = sandbox.slsart("log --json").json()["packages"][0]["package"].as_str().unwrap().to_owned();
    let (first, rest) = id[..8].split_at(1);
    let slip = if first == "0" { "1" } else { "0" };
    let outcome = sandbox.slsart(&format!("-C services/orders show {slip}{rest}"));
    says(&outcome, 5, &[&format!("did you mean {}?", &id[..8])]);
}

#[test]
fn check_of_a_renamed_service_has_the_command_for_a_second_stack() {
    let sandbox = one_of_two();
    sandbox.slsart("-C services/orders deploy -s prod --yes -q").succeeded();
    configure(&sandbox, "orders", "billing");
    sandbox.commit("Rename orders");
    record(&sandbox, "orders", "billing");
    let check = sandbox.slsart("-C services/orders check -s prod");
    let way =
        "to create billing-prod beside orders-prod: git slsart -C services/orders deploy --new-stack -s prod";
    for said in ["a deployment creates a second stack, billing-prod; the stack orders-prod", way] {
        assert!(check.stdout.contains(said), "{said}? {check}");
    }
}

#[test]
fn a_renamed_service_makes_a_second_stack_only_when_that_is_asked_for() {
    let sandbox = one_of_two();
    sandbox.slsart("-C services/orders deploy -s prod --yes -q").succeeded();
    configure(&sandbox, "orders", "billing");
    sandbox.commit("Rename orders");
    let status = sandbox.slsart("-C services/orders status");
    status.is(str![[r#"
HEAD      0e27490  Rename orders
billing · prod · us-east-1
  ○ live  no deployment recorded
  - HEAD  not packaged: git slsart -C services/orders package -s prod -r us-east-1
orders · prod · us-east-1
  ● live  656b748  Add two services  deployed 4 minutes ago by Dana; HEAD is 1 commit ahead
  ! HEAD  names this service billing, which has another stack
only services/orders; for all services: git slsart -C services/orders status --all

"#]]);
    record(&sandbox, "orders", "billing");
    sandbox.slsart("-C services/orders deploy -s prod --yes").is(str![[r#"
── stderr ──
Deploy    0e27490  Rename orders  package 13a7b1cd · 994 B · 1 minute ago · osls 4.3.1
! creates a second stack, billing-prod; the stack orders-prod of the same service, under its name orders, is left as it is
error: this creates a second stack, billing-prod; the stack orders-prod of the same service, under its name orders, is left as it is
hint: to create billing-prod beside orders-prod: git slsart -C services/orders deploy -s prod --yes --new-stack
hint: to update orders-prod instead, commit the service under its name orders again
── exit 1 ──

"#]]);
    let plan = sandbox.slsart("-C services/orders deploy -s prod -n");
    says(
        &plan,
        1,
        &["creates a second stack, billing-prod; the stack orders-prod", "deploy -s prod -n --new-stack\n"],
    );
    sandbox.slsart("-C services/orders deploy -s prod -n --new-stack").succeeded();
    sandbox.slsart("-C services/orders deploy -s prod --yes --new-stack -q").succeeded();
    // It is no new one now.
    sandbox.slsart("-C services/orders deploy -s prod --yes -q").succeeded();
    // The commit from before the rename is found by its directory; its stack is the old one.
    let refused = sandbox.slsart("-C services/orders rollback v1.4.0 -s prod --yes -q");
    refused.is(str![[r#"
── stderr ──
error: this updates only one of two stacks, orders-prod; the stack billing-prod of the same service, under its name billing, is left as it is
hint: to update orders-prod, and leave billing-prod as it is: git slsart -C services/orders rollback v1.4.0 -s prod --yes -q --old-stack
hint: to update billing-prod instead, name a package of billing
── exit 1 ──

"#]]);
    says(
        &sandbox.slsart("-C services/orders rollback v1.4.0 -s prod"),
        1,
        &["rollback v1.4.0 -s prod --old-stack\n"],
    );
    let plan =
        sandbox.slsart("-C services/orders rollback v1.4.0 -s prod -n --json --old-stack").succeeded().json();
    assert_eq!(plan["target"]["service"], "orders");
    let warning = "updates only one of two stacks, orders-prod; the stack billing-prod of the same service, under its name billing, is left as it is";
    assert!(plan["warnings"].as_array().unwrap().contains(&warning.into()), "{plan:#}");
    let quiet = sandbox.slsart("-C services/orders rollback v1.4.0 -s prod --yes -q --old-stack").succeeded();
    assert!(quiet.stderr.contains(warning), "{quiet}");
    // What a deployment to another stack leaves as it is, is not replaced.
    let difference = sandbox.slsart("-C services/orders diff v1.4.0 -s prod").succeeded();
    let stacks = "! these are two stacks: a deployment to billing-prod leaves orders-prod as it is\n";
    assert!(difference.stdout.contains(stacks), "{difference}");
    assert!(!difference.stdout.to_lowercase().contains("would be replaced"), "{difference}");
}

#[test]
fn a_service_that_has_moved_under_another_name_is_found_where_it_was() {
    let sandbox = one_of_two();
    sandbox.slsart("-C services/orders deploy -s prod --yes -q").succeeded();
    sandbox.git("mv services/orders services/shop");
    configure(&sandbox, "shop", "shop");
    sandbox.commit("Move and rename orders");
    let status = sandbox.slsart("status --all -s prod").succeeded();
    assert!(status.stdout.contains("  - HEAD  does not have this service\n"), "{status}");
    // Its stack is the only one yet.
    let plan = sandbox.slsart("-C services/shop rollback v1.4.0 -s prod -n").succeeded();
    assert!(plan.stderr.contains("services/shop was services/orders (orders) in that commit\n"), "{plan}");
    record(&sandbox, "shop", "shop");
    let new = "-C services/shop deploy -s prod --yes -q";
    let command = format!("git slsart {new} --new-stack\n");
    let refused = sandbox.slsart(new);
    says(&refused, 1, &[&format!("hint: to create shop-prod beside orders-prod: {command}")]);
    sandbox.slsart(command.trim_end().trim_start_matches("git slsart ")).succeeded();
    let old = "-C services/shop rollback v1.4.0 -s prod --yes -q";
    let command = format!("git slsart {old} --old-stack\n");
    says(
        &sandbox.slsart(old),
        1,
        &[&format!("hint: to update orders-prod, and leave shop-prod as it is: {command}")],
    );
    let plan =
        sandbox.slsart("-C services/shop rollback v1.4.0 -s prod -n --json --old-stack").succeeded().json();
    assert_eq!(plan["target"]["service"], "orders");
}

#[test]
fn a_service_that_has_moved_is_found_where_it_was() {
    let sandbox = one_of_two();
    sandbox.slsart("-C services/orders deploy -s prod --yes -q").succeeded();
    sandbox.git("mv services/orders services/shop");
    sandbox.commit("Move orders");
    record(&sandbox, "shop", "orders");
    sandbox.slsart("-C services/shop deploy -s prod --yes -q").succeeded();
    for line in ["rollback -s prod -n --json", "rollback v1.4.0 -s prod -n --json"] {
        let plan = sandbox.slsart(&format!("-C services/shop {line}")).succeeded().json();
        assert_eq!(plan["target"]["path"], "services/orders", "{line}");
    }
    let history = sandbox.slsart("-C services/shop history --json").json();
    assert_eq!(history["targets"][0]["deployments"].as_array().unwrap().len(), 2);
    says(&sandbox.slsart("-C services/topics rollback v1.4.0 -s prod -n"), 5, &["services/topics"]);
}
