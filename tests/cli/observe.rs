//! What is looked at rather than guessed: credentials before a deployment, the stack after one that failed, names that are taken.

use std::fs;

use serde_json::{Value, json};

use crate::aws::{ACCOUNT, asking, checks, deployed, stack, template};
use crate::sandbox::{Outcome, Sandbox};
use crate::server::{Answer, Server};

/// A machine that has no credentials anywhere.
fn without_credentials() -> Sandbox {
    let mut sandbox = Sandbox::recorded();
    sandbox.git("tag v1");
    let variables = [("SLSART_OFFLINE", ""), ("AWS_EC2_METADATA_DISABLED", "true")];
    sandbox.variables.extend(variables.map(|(name, value)| (name, value.to_owned())));
    sandbox
}

#[test]
fn without_credentials_nothing_starts() {
    let sandbox = without_credentials();
    let before = sandbox.fingerprint();
    for line in ["deploy -s prod --yes", "rollback v1 -s prod --yes"] {
        let refused = sandbox.slsart(line);
        assert_eq!(refused.code, 1, "{refused}");
        assert!(refused.stderr.contains("error: there are no AWS credentials: "), "{refused}");
        assert!(refused.stderr.contains("; to go on all the same: --no-credentials\n"), "{refused}");
    }
    assert_eq!(sandbox.runs(), "");
    sandbox.is_as_before(&before);
    // `check` deploys nothing.
    assert_eq!(checks(&sandbox.slsart("check -s prod --json"), "aws").len(), 1);
    assert!(checks(&sandbox.slsart("check -s prod --json"), "aws")[0].starts_with("warning: "));

    sandbox.slsart("deploy -s prod --yes --no-credentials").succeeded();
    assert_eq!(sandbox.runs().lines().count(), 1);
}

#[test]
fn a_profile_that_does_not_exist_is_named() {
    let sandbox = without_credentials();
    let missing = |name: &str| {
        let refused = sandbox.slsart_with("deploy -s prod --yes", &[("AWS_PROFILE", name)]);
        assert_eq!(refused.code, 1, "{refused}");
        refused.stderr
    };
    let none = "error: there are no AWS credentials: ~/.aws has none for the profile 'nosuch'\n";
    assert!(missing("nosuch").contains(none), "{}", missing("nosuch"));
    let nosuch = "error: the AWS profile 'nosuch' does not exist\n";
    let config = "[profile ops]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = base\n[profile empty]\nregion = x\n";
    fs::create_dir(sandbox.beside("home/.aws")).unwrap();
    fs::write(sandbox.beside("home/.aws/config"), config).unwrap();
    assert!(missing("nosuch").contains(nosuch), "{}", missing("nosuch"));
    assert!(missing("ops").contains("error: the AWS profile 'base' does not exist\n"), "{}", missing("ops"));
    assert!(missing("empty").contains("error: there are no AWS credentials"), "{}", missing("empty"));
}

#[test]
fn a_deployment_that_runs_is_named_with_its_process() {
    let sandbox = Sandbox::recorded();
    sandbox.git("tag v1");
    let child = sandbox.hanging("deploy v1 -s prod --yes");
    let refused = sandbox.slsart("deploy v1 -s prod --yes");
    assert_eq!(refused.code, 1, "{refused}");
    let pid = child.id();
    let running = format!(
        "error: another deployment of orders · prod · us-east-1 is running: the deploy of 12a1bee by Dana, process {pid}, begun "
    );
    assert!(refused.stderr.contains(&running), "{refused}");
    assert!(
        refused.stderr.contains(&format!("hint: wait until it has ended, or stop it: kill -INT {pid}\n")),
        "{refused}"
    );
    assert!(refused.stderr.contains("not known: no deployment has finished yet"), "{refused}");
    let refused = sandbox.slsart("uninstall");
    assert!(
        refused.code == 1 && refused.stderr.contains("error: a deployment is running here\n"),
        "{refused}"
    );
    assert!(sandbox.path(".git/slsart/locks").exists());
    sandbox.shell(&format!("kill -INT {pid}")).succeeded();
    assert_eq!(Outcome::of(child, &sandbox).code, 130);

    // Beside one that is live it casts doubt, and is not said to have ended.
    sandbox.slsart("deploy v1 -s prod --yes -q").succeeded();
    fs::remove_file(sandbox.beside("runs.hanging")).unwrap();
    let child = sandbox.hanging("deploy v1 -s prod --yes");
    let plan = sandbox.slsart("deploy v1 -s prod -n").succeeded();
    let doubt = "has not finished and may still run: what is live is not certain\n";
    assert!(plan.stdout.contains(doubt), "{plan}");
    let status = sandbox.slsart("status").succeeded();
    assert!(status.stdout.contains(doubt), "{status}");
    sandbox.shell(&format!("kill -INT {}", child.id())).succeeded();
    assert_eq!(Outcome::of(child, &sandbox).code, 130);
}

fn newest(sandbox: &Sandbox) -> Value {
    sandbox.slsart("history -s prod --json").json()["targets"][0].clone()
}

#[test]
fn a_failure_before_any_update_leaves_no_doubt() {
    let (sandbox, live) = deployed();
    let (stack, live) = (stack("UPDATE_COMPLETE"), template(&live));
    let server =
        Server::start(&[ACCOUNT, ("Action=DescribeStacks", 200, &stack), ("Action=GetTemplate", 200, &live)]);
    let sandbox = asking(sandbox, &server);
    let failed = sandbox.slsart_with("rollback v1 -s prod --yes", &[("STAND_IN", "fail")]);
    assert_eq!(failed.code, 3, "{failed}");
    let nothing = "hint: nothing was changed in AWS: no update of the stack orders-prod began\n";
    assert!(failed.stderr.contains(nothing), "{failed}");
    let section = newest(&sandbox);
    assert_eq!(
        (&section["uncertain"], &section["deployments"][0]["effect"]),
        (&json!(false), &json!("none"))
    );
    assert_eq!(section["deployments"][1]["live"], true, "{section:#}");
    let history = sandbox.slsart("history -s prod").succeeded();
    assert!(
        history.stdout.lines().any(|line| line.contains("failed") && line.ends_with(", nothing changed")),
        "{history}"
    );
}

#[test]
fn an_interrupted_deployment_looks_at_what_it_left() {
    let (sandbox, live) = deployed();
    let (stack, live) = (stack("UPDATE_COMPLETE"), template(&live));
    let server =
        Server::start(&[ACCOUNT, ("Action=DescribeStacks", 200, &stack), ("Action=GetTemplate", 200, &live)]);
    let sandbox = asking(sandbox, &server);
    let child = sandbox.hanging("rollback v1 -s prod --yes");
    sandbox.shell(&format!("kill -INT {}", child.id())).succeeded();
    let stopped = Outcome::of(child, &sandbox);
    assert_eq!(stopped.code, 130, "{stopped}");
    let nothing =
        "error: interrupted\nhint: nothing was changed in AWS: no update of the stack orders-prod began\n";
    assert!(stopped.stderr.contains(nothing), "{stopped}");
    let section = newest(&sandbox);
    let newest = &section["deployments"][0];
    assert_eq!(
        (&section["uncertain"], &newest["outcome"], &newest["effect"]),
        (&json!(false), &json!("interrupted"), &json!("none"))
    );
}

#[test]
fn a_plan_looks_at_what_a_failure_left() {
    let (sandbox, live) = deployed();
    // Nobody could be asked then.
    assert_eq!(sandbox.slsart_with("rollback v1 -s prod --yes -q", &[("STAND_IN", "fail")]).code, 3);
    let section = newest(&sandbox);
    assert_eq!(
        (&section["uncertain"], &section["deployments"][0]["effect"]),
        (&json!(true), &json!("unknown"))
    );
    let plan = sandbox.slsart("rollback v1 -s prod -n --json").succeeded().json();
    assert!(plan["warnings"][0].as_str().unwrap().ends_with("did not finish: what is live is not certain"));

    let (stack, live) = (stack("UPDATE_COMPLETE"), template(&live));
    let server =
        Server::start(&[ACCOUNT, ("Action=DescribeStacks", 200, &stack), ("Action=GetTemplate", 200, &live)]);
    let sandbox = asking(sandbox, &server);
    let plan = sandbox.slsart("rollback v1 -s prod -n --json").succeeded().json();
    assert_eq!((&plan["warnings"], &plan["live"]["label"]), (&json!([]), &json!("Answer two")), "{plan:#}");
}

/// Records HEAD with these resources and no functions.
fn record(sandbox: &Sandbox, name: &str, resources: &Value) -> Value {
    let path = sandbox.build(name, "prod").join("serverless-state.json");
    let mut state: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let template = &mut state["service"]["provider"]["compiledCloudFormationTemplate"];
    template["Resources"] = resources.clone();
    let template = template.clone();
    state["service"]["functions"] = json!({});
    fs::write(path, state.to_string()).unwrap();
    sandbox.slsart(&format!("record -q ../{name}")).succeeded();
    template
}

const NO_RESOURCES: Answer<'_> = (
    "Action=ListStackResources",
    200,
    "<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries/></ListStackResourcesResult>\
     </ListStackResourcesResponse>",
);

#[test]
fn a_service_without_functions_is_told_by_its_template() {
    let sandbox = Sandbox::new();
    sandbox.git("tag v1");
    let v1 = record(&sandbox, "one", &json!({"Topic": {"Type": "AWS::SNS::Topic"}}));
    sandbox.change("Two");
    let v2 = record(&sandbox, "two", &json!({"Queue": {"Type": "AWS::SQS::Queue"}}));
    let stack = stack("UPDATE_COMPLETE");
    let server = |live: &Value| {
        let live = template(live);
        Server::start(&[
            ACCOUNT,
            ("Action=DescribeStacks", 200, &stack),
            ("Action=GetTemplate", 200, &live),
            NO_RESOURCES,
        ])
    };
    let one = server(&v1);
    let sandbox = asking(sandbox, &one);
    let deploy = sandbox.slsart("deploy v1 -s prod --yes").succeeded();
    assert!(
        deploy.stdout.contains("Proof     the live template is the recorded one; there are no functions\n"),
        "{deploy}"
    );
    let live = sandbox.slsart("live -s prod --json").succeeded().json();
    assert_eq!((&live["answer"], &live["as_history_says"]), (&json!("recorded"), &json!(true)), "{live:#}");
    let plan = sandbox.slsart("deploy -s prod -n --json").succeeded().json();
    assert_eq!(plan["warnings"], json!([]), "{plan:#}");

    // Another package's template.
    let two = server(&v2);
    let sandbox = asking(sandbox, &two);
    let live = sandbox.slsart("live -s prod --json");
    assert_eq!(live.code, 4, "{live}");
    assert_eq!(
        (&live.json()["answer"], &live.json()["packages"][0]["label"]),
        (&json!("same-code"), &json!("Two"))
    );
    let deploy = sandbox.slsart("deploy v1 -s prod --yes --allow-delete Queue");
    assert!(deploy.stderr.contains("not proven: there are no functions to compare"), "{deploy}");
}

#[test]
fn a_service_of_images_is_proven_by_their_digests() {
    let image = |digest: &str| format!("123456789012.dkr.ecr.us-east-1.amazonaws.com/orders@sha256:{digest}");
    let sandbox = Sandbox::new();
    let path = sandbox.build("one", "prod").join("serverless-state.json");
    let mut state: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    state["service"]["functions"] = json!({"hello": {"image": image("ab"), "name": "orders-prod-hello"}});
    let compiled = &mut state["service"]["provider"]["compiledCloudFormationTemplate"];
    compiled["Resources"] = json!({"HelloLambdaFunction": {
        "Type": "AWS::Lambda::Function",
        "Properties": {"PackageType": "Image", "Code": {"ImageUri": image("ab")}, "FunctionName": "orders-prod-hello"},
    }});
    let compiled = template(compiled);
    fs::write(&path, state.to_string()).unwrap();
    sandbox.slsart("record -q ../one").succeeded();
    let stack = stack("UPDATE_COMPLETE");
    let resources = "<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries><member>\
         <LogicalResourceId>HelloLambdaFunction</LogicalResourceId><PhysicalResourceId>orders-prod-hello</PhysicalResourceId>\
         <ResourceType>AWS::Lambda::Function</ResourceType><ResourceStatus>UPDATE_COMPLETE</ResourceStatus>\
         <LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp>\
         </member></StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>";
    let server = |digest: &str| {
        let function = json!({
            "Configuration": {"FunctionName": "orders-prod-hello", "PackageType": "Image"},
            "Code": {"ResolvedImageUri": image(digest)},
        });
        let function = function.to_string();
        Server::start(&[
            ACCOUNT,
            ("Action=DescribeStacks", 200, &stack),
            ("Action=GetTemplate", 200, &compiled),
            ("Action=ListStackResources", 200, resources),
            ("/functions/orders-prod-hello", 200, &function),
        ])
    };
    let same = server("ab");
    let sandbox = asking(sandbox, &same);
    let deploy = sandbox.slsart("deploy -s prod --yes").succeeded();
    assert!(
        deploy.stdout.contains("Proof     1 of 1 function runs the recorded image (digest)\n"),
        "{deploy}"
    );
    let live = sandbox.slsart("live -s prod --json").succeeded().json();
    assert_eq!((&live["answer"], &live["as_history_says"]), (&json!("recorded"), &json!(true)), "{live:#}");
    let history = sandbox.slsart("history --json").succeeded().json();
    assert_eq!(history["targets"][0]["deployments"][0]["proof"]["images"], json!(1), "{history:#}");

    let other = server("cd");
    let sandbox = asking(sandbox, &other);
    let deploy = sandbox.slsart("deploy -s prod --yes --again");
    assert_eq!(deploy.code, 4, "{deploy}");
    assert!(
        deploy.stderr.contains("function hello runs the image sha256:cd, and sha256:ab was recorded"),
        "{deploy}"
    );
}

#[test]
fn a_literal_name_that_is_taken_is_a_warning_with_the_way_out() {
    let sandbox = Sandbox::new();
    sandbox.git("tag v1");
    let table = json!({"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain", "Properties": {"TableName": "carts"}});
    let queue = |fifo: bool| json!({"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "jobs", "FifoQueue": fifo}});
    record(&sandbox, "one", &json!({"CartTable": table, "Jobs": queue(false)}));
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    sandbox.change("Two");
    record(&sandbox, "two", &json!({"Jobs": queue(true)}));
    let replaced = checks(&sandbox.slsart("deploy -s prod -n --json"), "names");
    assert_eq!(
        replaced,
        [
            "warning: Jobs (AWS::SQS::Queue) would be replaced and keep the name 'jobs': CloudFormation refuses that"
        ]
    );
    sandbox.slsart("deploy -s prod --yes -q --allow-delete Jobs").succeeded();

    let plan = sandbox.slsart("rollback v1 -s prod -n --json");
    let names = checks(&plan, "names");
    assert_eq!(names.len(), 2, "{plan}");
    assert_eq!(
        names[0],
        "warning: CartTable (AWS::DynamoDB::Table) was kept when it was removed from the stack: while 'carts' exists, \
         CloudFormation refuses to create it"
    );
    let plan = plan.json();
    let hints = plan["checks"].as_array().unwrap().iter().filter(|check| check["name"] == "names");
    let hint = hints.filter_map(|check| check["hint"].as_str()).find(|hint| hint.contains("import")).unwrap();
    // The command as it is printed imports the table into the live template, and leaves nothing behind.
    let stub = r#"#!/usr/bin/env node
const words = process.argv.slice(2);
if (words[1] === 'get-template') console.log('{"Resources": {"Jobs": {}}}');
else require('fs').appendFileSync(`${__dirname}/calls`, `${JSON.stringify(words)}\n`);
"#;
    fs::create_dir(sandbox.beside("stub")).unwrap();
    fs::write(sandbox.beside("stub/aws"), stub).unwrap();
    let pasted =
        format!("chmod +x ../stub/aws && PATH=$PWD/../stub:$PATH && {}", hint.split_once(": ").unwrap().1);
    let before = sandbox.fingerprint();
    sandbox.shell(&pasted).succeeded();
    sandbox.is_as_before(&before);
    let calls = fs::read_to_string(sandbox.beside("stub/calls")).unwrap();
    let calls: Vec<Vec<String>> = calls.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_stack = ["--stack-name", "orders-prod", "--region", "us-east-1"].map(str::to_owned);
    assert!(calls.iter().all(|words| words.windows(4).any(|four| four == of_stack)), "{calls:?}");
    let verbs: Vec<&str> =
        calls.iter().map(|words| words[if words[1] == "wait" { 2 } else { 1 }].as_str()).collect();
    assert_eq!(
        verbs,
        ["create-change-set", "change-set-create-complete", "execute-change-set", "stack-import-complete"]
    );
    let option = |name: &str| -> Value {
        let at = calls[0].iter().position(|word| word == name).unwrap();
        serde_json::from_str(&calls[0][at + 1]).unwrap()
    };
    assert_eq!(option("--template-body")["Resources"], json!({"Jobs": {}, "CartTable": table}));
    assert_eq!(option("--resources-to-import")[0]["ResourceIdentifier"], json!({"TableName": "carts"}));
}
