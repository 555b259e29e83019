//! `git slsart deploy` and `rollback` of several services at once, with the stand-in for the framework.

use serde_json::{Value, json};
use snapbox::str;

use crate::sandbox::{Outcome, Sandbox, matches};

/// A repository with these services, each in `services/NAME`, and nothing committed. The stand-in fails to deploy the service that
/// `STAND_IN=fail NAME` names.
fn repository(services: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::remove_file(sandbox.path("serverless.yml")).unwrap();
    for name in services {
        let text = format!("service: {name}\nplugins: [serverless-hello]\nprovider: {{name: aws}}\n");
        sandbox.write(&format!("services/{name}/serverless.yml"), text);
    }
    let program = sandbox.read("tools/osls/osls.js");
    let fails = "mode === \"fail\" || mode === \"fail \" + path.basename(process.cwd())";
    sandbox.write_program("tools/osls/osls.js", &program.replace("mode === \"fail\"", fails));
    sandbox
}

/// Records a package of HEAD for `prod`, of a service that exports and imports what `shares` says: `"a b < c"`.
fn record(sandbox: &Sandbox, service: &str, shares: &str) {
    record_with(sandbox, service, shares, |_| ());
}

/// The same, its template changed.
fn record_with(sandbox: &Sandbox, service: &str, shares: &str, change: impl Fn(&mut Value)) {
    let name = format!("build-{service}");
    let directory = sandbox.build_of(&name, service, "prod", "us-east-1");
    let file = directory.join("serverless-state.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    state["service"]["plugins"] = json!(["serverless-hello"]);
    let template = &mut state["service"]["provider"]["compiledCloudFormationTemplate"];
    let (exports, imports) = shares.split_once('<').unwrap_or((shares, ""));
    for name in exports.split_whitespace() {
        template["Outputs"][name] =
            json!({ "Value": "1", "Export": { "Name": { "Fn::Sub": format!("${{AWS::Region}}-{name}") } } });
    }
    let variables = &mut template["Resources"]["HelloLambdaFunction"]["Properties"]["Environment"];
    for name in imports.split_whitespace() {
        variables["Variables"][name] = json!({ "Fn::ImportValue": format!("us-east-1-{name}") });
    }
    change(template);
    std::fs::write(&file, serde_json::to_vec_pretty(&state).unwrap()).unwrap();
    sandbox.slsart(&format!("record -q ../{name} --service services/{service}")).succeeded();
}

/// A commit with a tag, and packages of it.
fn release(sandbox: &Sandbox, tag: &str, packages: &[(&str, &str)]) {
    sandbox.change(tag);
    sandbox.git(&format!("tag {tag}"));
    for (service, shares) in packages {
        record(sandbox, service, shares);
    }
}

/// A release in which `orders` needs what `topics` exports, and one in which neither knows of the other.
pub(crate) fn two_releases() -> Sandbox {
    let sandbox = repository(&["orders", "topics"]);
    release(&sandbox, "v1", &[("orders", "< topic"), ("topics", "topic")]);
    release(&sandbox, "v2", &[("orders", ""), ("topics", "")]);
    sandbox
}

/// The services that the framework deployed, in their order.
fn deployed(sandbox: &Sandbox) -> Vec<String> {
    let runs = sandbox.runs();
    let names = runs.lines().map(|line| {
        let run: Value = serde_json::from_str(line).unwrap();
        run["directory"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
    });
    names.collect()
}

/// Each service with one value of its row.
fn column(outcome: &Outcome, name: &str) -> Vec<(String, Value)> {
    let rows = outcome.json();
    let cell = |row: &Value| (row["target"]["service"].as_str().unwrap().to_owned(), row[name].clone());
    rows["services"].as_array().unwrap().iter().map(cell).collect()
}

fn pairs(pairs: &[(&str, Value)]) -> Vec<(String, Value)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

#[test]
fn they_go_in_the_order_that_exports_and_imports_ask_for() {
    let sandbox = two_releases();
    let before = sandbox.fingerprint();
    sandbox.slsart("deploy v1 --all -s prod -n").is(str![[r#"
Deploy    64fcb36  v1  package 67c8755c · 1.7 kB · 8 minutes ago · osls 4.3.1

Deploy    64fcb36  v1  package 4d647d20 · 1.6 kB · 9 minutes ago · osls 4.3.1

Order      1  topics · prod · us-east-1
           2  orders · prod · us-east-1  imports us-east-1-topic of topics

"#]]);
    sandbox.is_as_before(&before);
    sandbox.slsart("deploy v1 --all -s prod --yes").is(str![[r#"
Live      64fcb36  v1 on topics · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])
Live      64fcb36  v1 on orders · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])
── stderr ──
Deploy    64fcb36  v1  package 67c8755c · 1.7 kB · 10 minutes ago · osls 4.3.1

Deploy    64fcb36  v1  package 4d647d20 · 1.6 kB · 11 minutes ago · osls 4.3.1

Order      1  topics · prod · us-east-1
           2  orders · prod · us-east-1  imports us-east-1-topic of topics

"#]]);
    assert_eq!(deployed(&sandbox), ["topics", "orders"]);
    // What v2 no longer exports is imported until the importer is there.
    sandbox.slsart("deploy v2 --all -s prod --yes").prints(str![[r#"
Live      49f294e  v2 on orders · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])
Live      49f294e  v2 on topics · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])
Undo      git slsart rollback 64fcb36 --service services/topics --service services/orders -s prod

"#]]);
    assert_eq!(deployed(&sandbox)[2..], ["orders", "topics"]);
    let rollback = sandbox.slsart("rollback v1 --service topics --service orders -s prod --yes --json");
    assert_eq!(
        column(&rollback, "outcome"),
        pairs(&[("topics", json!("succeeded")), ("orders", json!("succeeded"))])
    );
    assert_eq!(rollback.json()["services"][0]["done"]["label"], "v1");
    let history = sandbox.slsart("history -s prod --service orders -n 1");
    assert!(history.stdout.contains("● live  rollback  succeeded"), "{history}");
}

#[test]
fn a_plan_in_json_has_each_as_it_is_alone() {
    let sandbox = two_releases();
    sandbox.slsart("deploy v1 --all -s prod --yes -q").succeeded();
    sandbox.slsart("deploy v2 --service orders -s prod --yes -q").succeeded();
    let plan = sandbox.slsart("rollback v1 --all -s prod -n --json").succeeded();
    assert_eq!(
        column(&plan, "state"),
        pairs(&[("orders", json!("to-do")), ("topics", json!("already-live"))])
    );
    assert_eq!(column(&plan, "step"), pairs(&[("orders", json!(1)), ("topics", json!(null))]));
    let mut rows = plan.json();
    for row in rows["services"].as_array_mut().unwrap() {
        // Each is what it is of a service alone.
        let service = row["target"]["path"].as_str().unwrap();
        let alone = sandbox.slsart(&format!("rollback v1 --service {service} -s prod -n --json")).json();
        let mut plan = row["plan"].clone();
        plan["dry_run"] = json!(true);
        assert_eq!(plan, alone);
        row["plan"] = json!({});
    }
    matches(
        format!("{rows:#}\n"),
        str![[r#"
{
  "dry_run": true,
  "services": [
    {
      "step": 1,
      "state": "to-do",
      "target": {
        "service": "orders",
        "path": "services/orders",
        "stage": "prod",
        "region": "us-east-1"
      },
      "after": [],
      "blocks": [],
      "remarks": [],
      "plan": {}
    },
    {
      "state": "already-live",
      "target": {
        "service": "topics",
        "path": "services/topics",
        "stage": "prod",
        "region": "us-east-1"
      },
      "after": [],
      "blocks": [],
      "remarks": [],
      "plan": {}
    }
  ]
}

"#]],
    );
    let again = sandbox.slsart("rollback v1 --all --again -s prod -n --json").succeeded();
    assert_eq!(column(&again, "step"), pairs(&[("topics", json!(1)), ("orders", json!(2))]));
}

#[test]
fn what_is_live_already_is_left_alone() {
    let sandbox = two_releases();
    sandbox.slsart("deploy v2 --all -s prod --yes -q").succeeded();
    sandbox.slsart("rollback v2 --all -s prod").is(str![[r#"
Already   49f294e  v2 on orders · prod · us-east-1
Already   49f294e  v2 on topics · prod · us-east-1
nothing was done; to deploy all the same: --again
── stderr ──
Order      =  orders · prod · us-east-1  49f294e  v2  is live already
           =  topics · prod · us-east-1  49f294e  v2  is live already

"#]]);
    assert_eq!(deployed(&sandbox).len(), 2);
    sandbox.slsart("rollback v2 --all --again -s prod --yes -q").succeeded();
    assert_eq!(deployed(&sandbox).len(), 4);
    // A service that the commit has not got stays, and is told.
    sandbox.write("services/late/serverless.yml", "service: late\nprovider: {name: aws}\n");
    release(&sandbox, "v3", &[("late", "")]);
    sandbox.slsart("deploy --service late -s prod --yes -q").succeeded();
    sandbox.slsart("rollback v2 --all -s prod --yes").is(str![[r#"
Already   49f294e  v2 on orders · prod · us-east-1
Already   49f294e  v2 on topics · prod · us-east-1
Left      late · prod · us-east-1  not a service of that commit
nothing was done; to deploy all the same: --again
── stderr ──
Order      =  orders · prod · us-east-1  49f294e  v2  is live already
           =  topics · prod · us-east-1  49f294e  v2  is live already
           =  late · prod · us-east-1    is not a service of that commit, and is left alone

"#]]);
}

#[test]
fn an_export_that_is_still_imported_blocks_all() {
    let sandbox = repository(&["billing", "orders", "topics"]);
    release(&sandbox, "v1", &[("billing", ""), ("orders", ""), ("topics", "")]);
    release(&sandbox, "v2", &[("billing", ""), ("orders", "< topic"), ("topics", "topic")]);
    sandbox.slsart("deploy v2 --all -s prod --yes -q").succeeded();
    let before = sandbox.fingerprint();
    let blocked = sandbox.slsart("rollback v1 --service billing --service topics -s prod --yes");
    matches(
        blocked.to_string().split("Order ").nth(1).unwrap(),
        str![[r#"
     1  billing · prod · us-east-1
           2  topics · prod · us-east-1
              ✗ it would no longer export us-east-1-topic, which orders · prod · us-east-1 imports
error: 1 of 2 services can't be rolled back: none is started
  topics: it would no longer export us-east-1-topic, which orders · prod · us-east-1 imports
hint: CloudFormation does not remove an export that another stack imports: include that service, with a package that does not import it, or choose a commit that still has the export
── exit 1 ──

"#]],
    );
    let plan = sandbox.slsart("rollback v1 --service billing --service topics -s prod -n --json");
    assert_eq!(plan.code, 1, "{plan}");
    assert_eq!(
        plan.json()["services"][1]["blocks"],
        json!([{
            "target": { "service": "orders", "path": "services/orders", "stage": "prod", "region": "us-east-1" },
            "conflict": "still-imported",
            "export": "us-east-1-topic",
        }])
    );
    sandbox.is_as_before(&before);
    // With the importer, it goes first.
    sandbox.slsart("rollback v1 --service topics --service orders -s prod --yes -q").succeeded();
    assert_eq!(deployed(&sandbox)[3..], ["orders", "topics"]);
}

#[test]
fn what_can_t_be_worked_out_is_told() {
    let sandbox = repository(&["orders", "topics"]);
    release(&sandbox, "v1", &[("topics", "topic old")]);
    record_with(&sandbox, "orders", "< topic elsewhere", |template| {
        template["Resources"]["Nested"] = json!({ "Type": "AWS::CloudFormation::Stack" });
        template["Outputs"]["Sometimes"] =
            json!({ "Value": { "Fn::ImportValue": { "Fn::If": ["IsProd", "a", "b"] } } });
    });
    let remarks = |line: &str, at: usize| {
        let plan = sandbox.slsart(&format!("{line} -s prod -n --json")).succeeded().json();
        serde_json::from_value::<Vec<String>>(plan["services"][at]["remarks"].clone()).unwrap()
    };
    assert_eq!(
        remarks("deploy --all", 1),
        [
            "not known: the names of 1 of its imports",
            "not known: what its nested stacks export and import",
            "it imports us-east-1-elsewhere, which no service here exports: another stack must export it already",
        ]
    );
    sandbox.slsart("deploy --all -s prod --yes -q").succeeded();
    sandbox.change("v2");
    record_with(&sandbox, "topics", "topic", |template| template["Outputs"]["topic"]["Value"] = json!("2"));
    let told = remarks("deploy --service topics --service services/topics", 0);
    let [doubt, value] = told.as_slice() else { panic!("{told:?}") };
    assert!(doubt.starts_with("orders · prod · us-east-1 may import what is no longer exported"), "{doubt}");
    assert!(value.starts_with("it exports us-east-1-topic with another value, and orders · prod"), "{value}");
}

#[test]
fn a_circle_is_refused_by_its_names() {
    let sandbox = repository(&["orders", "topics"]);
    release(&sandbox, "v1", &[("orders", "order < topic"), ("topics", "topic < order")]);
    sandbox.slsart("deploy --all -s prod --yes").is(str![[r#"
── stderr ──
error: these services depend on each other in a circle: orders → topics → orders
hint: topics imports us-east-1-order of orders
hint: orders imports us-east-1-topic of topics
hint: go through a commit in between, where one of them does not import from the other
── exit 1 ──

"#]]);
    assert_eq!(sandbox.runs(), "");
}

#[test]
fn it_stops_at_the_first_that_fails_and_says_how_to_go_on() {
    let sandbox = repository(&["billing", "orders", "topics"]);
    release(&sandbox, "v1", &[("billing", "< order"), ("orders", "order < topic"), ("topics", "topic")]);
    sandbox.slsart("deploy v1 --all -s prod --yes -q").succeeded();
    release(&sandbox, "v2", &[("billing", "< order"), ("orders", "order < topic"), ("topics", "topic")]);
    let fails = [("STAND_IN", "fail orders")];
    sandbox.slsart_with("deploy v2 --all -s prod --yes -q", &fails).is(str![[r#"
Live      8b778d3  v2 on topics · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])
Failed    orders · prod · us-east-1  osls failed with exit code 9
Left      billing · prod · us-east-1  not started
── stderr ──
error: orders · prod · us-east-1: osls failed with exit code 9
  Stack UPDATE_ROLLBACK_COMPLETE
  ✖ Error: Handler is bad
hint: the framework's output shows how far it got: CloudFormation rolls back a failed update by itself, but not an update after which a plugin failed
hint: to see what is live: git slsart live --service services/orders -s prod
hint: to be certain what is live, roll back: git slsart rollback c7898d96 --service services/orders -s prod
hint: done: topics; failed: orders; not started: billing
hint: once that is fixed, to continue with the services that are left: git slsart deploy v2 --all -s prod
hint: to go back: git slsart rollback 4c1f9e5 --service services/orders --service services/topics -s prod
── exit 3 ──

"#]]);
    assert_eq!(deployed(&sandbox)[3..], ["topics", "orders"]);
    let failed = sandbox.slsart_with("deploy v2 --all -s prod --yes -q --json", &fails);
    assert_eq!(failed.code, 3, "{failed}");
    assert_eq!(
        column(&failed, "outcome"),
        pairs(&[
            ("orders", json!("failed")),
            ("billing", json!("not-started")),
            ("topics", json!("already-live"))
        ])
    );
    // The command that it gives goes on.
    sandbox.slsart("deploy v2 --all -s prod --yes").prints(str![[r#"
Live      8b778d3  v2 on orders · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])
Live      8b778d3  v2 on billing · prod · us-east-1, in [N] s (worktree [N], plugins [N], deploy [N])
Already   8b778d3  v2 on topics · prod · us-east-1
Undo      git slsart rollback 4c1f9e5 --service services/billing --service services/orders -s prod

"#]]);
    assert_eq!(deployed(&sandbox)[6..], ["orders", "billing"]);
    // And so does the one that goes back.
    let short = sandbox.git("rev-parse --short=7 v1");
    sandbox
        .slsart(&format!(
            "rollback {short} --service services/billing --service services/orders --service services/topics -s prod --yes -q"
        ))
        .succeeded();
    assert_eq!(deployed(&sandbox)[8..], ["topics", "orders", "billing"]);
}

#[test]
fn the_way_back_of_different_commits_is_a_command_each() {
    let sandbox = repository(&["orders", "topics"]);
    release(&sandbox, "v1", &[("orders", "< topic"), ("topics", "topic")]);
    sandbox.slsart("deploy v1 --all -s prod --yes -q").succeeded();
    release(&sandbox, "v2", &[("orders", "< topic")]);
    sandbox.slsart("deploy --service orders -s prod --yes -q").succeeded();
    release(&sandbox, "v3", &[("orders", "< topic"), ("topics", "topic")]);
    let outcome = sandbox.slsart("deploy --all -s prod --yes").succeeded();
    let undo: Vec<_> = outcome.stdout.lines().filter_map(|line| line.split("git slsart ").nth(1)).collect();
    assert_eq!(undo.len(), 2, "{outcome}");
    assert!(undo[0].ends_with(" --service services/orders -s prod"), "{outcome}");
    for command in undo {
        sandbox.slsart(&format!("{command} --yes -q")).succeeded();
    }
    for (service, tag) in [("orders", "v2"), ("topics", "v1")] {
        let history = sandbox.slsart(&format!("history -s prod --service {service} -n 1 --json")).json();
        assert_eq!(history["targets"][0]["deployments"][0]["subject"], tag);
    }
}

#[test]
fn a_service_without_a_package_there_is_named() {
    let sandbox = repository(&["billing", "orders", "topics"]);
    release(&sandbox, "v1", &[("billing", ""), ("orders", ""), ("topics", "")]);
    release(&sandbox, "v2", &[("orders", ""), ("topics", "")]);
    sandbox.slsart("rollback v2 --all -s prod --yes").is(str![[r#"
── stderr ──
error: commit 3f31c32 has no package for service services/billing, stage prod
hint: it has one for: orders · prod · us-east-1; topics · prod · us-east-1
hint: the nearest commits that have one: 4c1f9e5 v1
hint: to make a package: git slsart package --service services/billing -s prod
hint: to deploy the others alone: git slsart rollback v2 --service services/orders --service services/topics -s prod
── exit 5 ──

"#]]);
    let both = sandbox.slsart("rollback v2 --service billing --service other -s prod --yes");
    assert_eq!(both.code, 5, "{both}");
    for said in [
        "services/billing, stage prod; there is no service 'other'",
        "hint: billing: the nearest commits that have one: ",
    ] {
        assert!(both.stderr.contains(said), "{said}? {both}");
    }
    sandbox
        .slsart("rollback v2 --service orders --service topics --service services/orders -s prod -n -q")
        .succeeded();
    sandbox.slsart("ban v2 --service orders -s prod -q -m 'loses orders'").succeeded();
    let banned = sandbox.slsart("rollback v2 --service orders --service topics -s prod --yes");
    assert!(banned.code == 1 && banned.stderr.contains("must not be deployed: banned by Dana"), "{banned}");
}

#[test]
fn several_need_a_commit() {
    let sandbox = two_releases();
    for line in ["rollback --all -s prod", "rollback --all --undo", "rollback --service a --service b --to 1"]
    {
        let outcome = sandbox.slsart(line);
        assert_eq!(outcome.code, 2, "{outcome}");
        assert!(outcome.stderr.contains("hint: name the commit for all services"), "{outcome}");
    }
    sandbox.slsart("rollback --all").is(str![[r#"
── stderr ──
error: a rollback of several services needs a REF: each service has its own history
hint: name the commit for all services: git slsart rollback REF --all
hint: `git slsart log` lists the packages
hint: to roll back one service without a REF: git slsart rollback --service NAME
── exit 2 ──

"#]]);
    assert_eq!(sandbox.slsart("rollback v1 --all --service orders").code, 2);
    let package =
        sandbox.slsart("log --json").json()["packages"][0]["package"].as_str().unwrap()[..8].to_owned();
    let outcome = sandbox.slsart(&format!("rollback {package} --all -s prod -n"));
    assert!(outcome.stderr.contains("hint: --all deploys the services of a commit"), "{outcome}");
    sandbox.slsart("rollback v1 --all -s prod -q").is(str![[r#"
── stderr ──
error: this needs a confirmation, and there is no terminal to ask on
hint: --yes goes on without a question; --dry-run only shows the plan
── exit 1 ──

"#]]);
    let outcome = sandbox.slsart("rollback v1 --all -s prod -n --allow-plugin-drift nonsense");
    assert_eq!(outcome.code, 2, "{outcome}");
}

#[test]
fn a_resource_to_lose_is_allowed_by_the_service_that_has_it() {
    let sandbox = repository(&["orders", "topics"]);
    release(&sandbox, "v1", &[("orders", ""), ("topics", "")]);
    sandbox.change("v2");
    for service in ["orders", "topics"] {
        record_with(&sandbox, service, "", |template| {
            template["Resources"]["Cart"] = json!({ "Type": "AWS::DynamoDB::Table", "Properties": {} });
        });
    }
    sandbox.slsart("deploy --all -s prod --yes -q").succeeded();
    let refused = sandbox.slsart("rollback v1 --all -s prod --yes -q");
    refused.is(str![[r#"
── stderr ──
error: 2 of 2 services can't be rolled back: none is started
  orders: this rollback would delete 1 stateful resource
  topics: this rollback would delete 1 stateful resource
hint: lost with it: Cart (items)
hint: back it up first; this option then deletes it with all data: --allow-delete Cart
── exit 1 ──

"#]]);
    sandbox.slsart("rollback v1 --all -s prod --yes -q --allow-delete Cart").is(str![[r#"
── stderr ──
error: several services would lose a resource 'Cart'
hint: name the service too: --allow-delete orders:Cart --allow-delete topics:Cart
── exit 2 ──

"#]]);
    assert_eq!(sandbox.slsart("rollback v1 --all -s prod -n --allow-delete Nothing").code, 2);
    let one = sandbox.slsart("rollback v1 --all -s prod --yes -q --allow-delete orders:Cart");
    assert!(one.stderr.contains("1 of 2 services can't be rolled back"), "{one}");
    // What went is not asked for again.
    let allowed = "rollback v1 --all -s prod --yes -q --allow-delete orders:Cart --allow-delete topics:Cart";
    let failed = sandbox.slsart_with(allowed, &[("STAND_IN", "fail topics")]);
    assert!(
        failed.stderr.contains("git slsart rollback v1 --all -s prod --allow-delete topics:Cart\n"),
        "{failed}"
    );
    sandbox.slsart("rollback v1 --all -s prod --allow-delete topics:Cart --yes -q").succeeded();
}

#[test]
fn all_locks_are_taken_before_the_first_starts_and_left_after_it() {
    let sandbox = two_releases();
    sandbox
        .shell(
            "git init --quiet --bare ../origin.git
             git remote add origin ../origin.git
             git push --quiet origin main v1 v2 'refs/slsart/*' refs/notes/slsart
             git clone --quiet ../origin.git ../other
             git -C ../other fetch --quiet origin '+refs/slsart/*:refs/slsart/*' refs/notes/slsart:refs/notes/slsart",
        )
        .succeeded();
    let locks =
        || sandbox.git("-C ../origin.git for-each-ref --format=%(refname:lstrip=2) refs/slsart-locks");
    let child = sandbox.hanging("deploy v1 --all -s prod --yes");
    assert_eq!(locks(), "orders/prod/us-east-1\ntopics/prod/us-east-1");
    // The second service's turn has not come.
    let other = sandbox.slsart("-C ../other deploy v1 --service orders -s prod --yes -q");
    assert!(other.stderr.contains("another deployment of orders · prod"), "{other}");
    sandbox.shell(&format!("kill -INT {}", child.id())).succeeded();
    let outcome = Outcome::of(child, &sandbox);
    assert_eq!(outcome.code, 130, "{outcome}");
    for said in ["Stopped   topics", "Left      orders"] {
        assert!(outcome.stdout.contains(said), "{said}? {outcome}");
    }
    assert_eq!(locks(), "");
    // Where one can't be had, none is kept and nothing starts.
    std::fs::remove_file(sandbox.beside("runs.hanging")).unwrap();
    let child = sandbox.hanging("deploy v1 --service topics -s prod --yes");
    let runs = deployed(&sandbox).len();
    let refused = sandbox.slsart("-C ../other deploy v1 --all -s prod --yes -q");
    assert!(refused.code == 1 && refused.stderr.contains("another deployment of topics · prod"), "{refused}");
    assert_eq!((deployed(&sandbox).len(), locks().as_str()), (runs, "topics/prod/us-east-1"));
    sandbox.shell(&format!("kill -INT {}", child.id())).succeeded();
    Outcome::of(child, &sandbox);
}

#[test]
fn a_service_whose_package_would_change_nothing_live_is_left_alone() {
    let sandbox = repository(&["orders", "topics"]);
    release(&sandbox, "v1", &[("orders", ""), ("topics", "")]);
    sandbox.slsart("deploy v1 --all -s prod --yes -q").succeeded();
    // Another package of the same code and template, as every packaging makes one; and another template.
    sandbox.git("commit --quiet --allow-empty --no-verify -m v2");
    sandbox.git("tag v2");
    std::fs::write(sandbox.beside("build-topics/compiled.json"), "{}\n").unwrap();
    record(&sandbox, "topics", "");
    record(&sandbox, "orders", "order");
    let plan = sandbox.slsart("deploy v2 --all -s prod -n --json");
    assert_eq!(column(&plan, "state"), pairs(&[("orders", json!("to-do")), ("topics", json!("unchanged"))]));
    let done = sandbox.slsart("deploy v2 --all -s prod --yes --json").succeeded();
    assert_eq!(
        column(&done, "outcome"),
        pairs(&[("orders", json!("succeeded")), ("topics", json!("unchanged"))])
    );
    assert_eq!(deployed(&sandbox), ["orders", "topics", "orders"]);
    let shown = sandbox.slsart("deploy v2 --all -s prod --yes").succeeded();
    assert!(shown.stdout.contains("would change nothing live"), "{shown}");
    sandbox.slsart("deploy v2 --all --again -s prod --yes -q").succeeded();
    assert_eq!(deployed(&sandbox).len(), 5);
}
