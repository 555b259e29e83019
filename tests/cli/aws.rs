//! What AWS says before a deployment: the plan against the live stack's template, and the checks that ask. The answers are written by
//! hand after AWS's API reference: the local AWS of the end-to-end tests knows neither failures nor other accounts.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use snapbox::str;

use crate::sandbox::{Outcome, Sandbox};
use crate::server::{Answer, Server};

pub(crate) const ACCOUNT: Answer<'_> = (
    "Action=GetCallerIdentity",
    200,
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/dana</Arn>\
     <UserId>U</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
);

const NO_STACK: Answer<'_> = (
    "Action=DescribeStacks",
    400,
    "<ErrorResponse><Error><Code>ValidationError</Code>\
     <Message>Stack with id orders-prod does not exist</Message></Error></ErrorResponse>",
);

const DENIED: Answer<'_> = (
    "Action=",
    403,
    "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not with that role</Message></Error></ErrorResponse>",
);

pub(crate) fn stack(status: &str) -> String {
    format!(
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>orders-prod</StackName>\
         <StackId>arn:aws:cloudformation:us-east-1:123456789012:stack/orders-prod/1</StackId>\
         <CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>{status}</StackStatus>\
         <Outputs><member><OutputKey>ServerlessDeploymentBucketName</OutputKey>\
         <OutputValue>own</OutputValue></member></Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
    )
}

pub(crate) fn template(template: &Value) -> String {
    let text = template.to_string().replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<GetTemplateResponse><GetTemplateResult><TemplateBody>{text}</TemplateBody></GetTemplateResult></GetTemplateResponse>"
    )
}

/// The sandbox, asking `server` from here on.
pub(crate) fn asking(mut sandbox: Sandbox, server: &Server) -> Sandbox {
    let variables = [
        ("SLSART_OFFLINE", ""),
        ("AWS_ENDPOINT_URL", server.address.as_str()),
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "y"),
    ];
    sandbox.variables.extend(variables.map(|(name, value)| (name, value.to_owned())));
    sandbox
}

/// Two commits with packages for `prod`, `v1` and HEAD, the later deployed; and the template that it was deployed with.
pub(crate) fn deployed() -> (Sandbox, Value) {
    let sandbox = Sandbox::recorded();
    sandbox.git("tag v1");
    sandbox.change("Answer two");
    sandbox.record("prod");
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    let run: Value = serde_json::from_str(sandbox.runs().lines().last().unwrap()).unwrap();
    let function = json!({
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Code": {
                "S3Bucket": {"Ref": "ServerlessDeploymentBucket"},
                "S3Key": format!("{}/orders.zip", run["state"]["prefix"].as_str().unwrap()),
            },
            "FunctionName": "orders-prod-hello",
            "Handler": "handler.hello",
            "Runtime": "nodejs22.x",
        },
    });
    (
        sandbox,
        json!({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"HelloLambdaFunction": function}}),
    )
}

/// The verdicts and messages of the checks of this name.
pub(crate) fn checks(plan: &Outcome, name: &str) -> Vec<String> {
    let plan = plan.json();
    let all = plan["checks"].as_array().unwrap().iter().filter(|check| check["name"] == name);
    all.map(|check| format!("{}: {}", check["verdict"].as_str().unwrap(), check["message"].as_str().unwrap()))
        .collect()
}

/// Puts the newest deployment at the end of the history once more, proven in `account`.
fn proven_in(sandbox: &Sandbox, account: &str) {
    let name = "refs/slsart/deployments/orders/prod/us-east-1";
    let record = sandbox.git(&format!("show {name}:deployment.toml"));
    // Without what it says of that already.
    let (start, proof) = record.split_once("\n[proof]\n").unwrap_or((&record, ""));
    let rest = proof.find("[[phase]]").map_or("", |at| &proof[at..]);
    let proof =
        format!("[proof]\nverdict = \"proven\"\naccount = \"{account}\"\nfunctions = 1\nas_recorded = 1\n");
    let record = format!("{start}\n{rest}\n{proof}").replacen("id = \"", "id = \"9", 1);
    fs::write(sandbox.beside("record"), record).unwrap();
    sandbox
        .shell(&format!(
            "blob=$(git hash-object -w ../record)
             tree=$(printf '100644 blob %s\\tdeployment.toml\\n' $blob | git mktree)
             git update-ref {name} $(git commit-tree -p {name} -m proven $tree)"
        ))
        .succeeded();
}

#[test]
fn a_plan_is_made_against_the_live_template() {
    let (sandbox, mut live) = deployed();
    // What somebody added by hand, and changed.
    live["Resources"]["CartTable"] =
        json!({"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "cart"}});
    live["Resources"]["HelloLambdaFunction"]["Properties"]["MemorySize"] = json!(512);
    let (stack, live) = (stack("UPDATE_COMPLETE"), template(&live));
    let server =
        Server::start(&[ACCOUNT, ("Action=DescribeStacks", 200, &stack), ("Action=GetTemplate", 200, &live)]);
    let sandbox = asking(sandbox, &server);
    let before = sandbox.fingerprint();
    sandbox.slsart("rollback v1 -s prod -n").is_all(str![[r#"
Target    orders · prod · us-east-1
Live      35040f8  Answer two  deployed 2 minutes ago by Dana
Restore   12a1bee  v1  package be694c54 · 1.3 kB · 8 minutes ago · osls 4.3.1
Plan      against the live stack's template
  ~ function hello   code (1 file, +1 −1), memory 512 → unset
  - table CartTable  AWS::DynamoDB::Table  would be DELETED  blocked
Plugins   serverless-hello 1.2.0  its effect at a deploy is unknown
          ./plugins/trace  its effect at a deploy is unknown
not rolled back: data, secrets, SSM values, other stacks, what plugins did
! live but not in the deployed package: added by a plugin or by hand: CartTable
Checks
  ✓ intact     3 files are what was recorded
  ✓ target     made for orders · prod · us-east-1
  ✓ runtimes   Lambda accepts nodejs22.x
  ✓ limits     1 resource, template 349 B, largest function 35 B unzipped
  ✓ account    123456789012; no earlier deployment to compare with
  ✓ stack      orders-prod can be updated (UPDATE_COMPLETE)
  ! toolchain  npm will install the plugins from package-lock.json: there is no toolchain here
── stderr ──
Asking AWS what is live
error: this rollback would delete 1 stateful resource
hint: lost with it: CartTable (items)
hint: back it up first; this option then deletes it with all data: --allow-delete CartTable
── exit 1 ──

"#]]);
    assert_eq!(server.requests().len(), 3, "each thing is asked once: {:#?}", server.requests());
    let refused = sandbox.slsart("rollback v1 -s prod --yes");
    assert!(refused.stderr.contains("then deletes it with all data: --allow-delete CartTable"), "{refused}");
    sandbox.is_as_before(&before);
    let allowed = sandbox.slsart("rollback v1 -s prod -n --json --allow-delete CartTable").succeeded().json();
    assert_eq!(allowed["changes"]["against"], "the live stack's template");
    assert_eq!(allowed["changes"]["judgements"][0]["verdict"], "allowed");
}

#[test]
fn the_allowed_deletions_and_the_proof_are_in_the_history() {
    let (sandbox, mut live) = deployed();
    live["Resources"]["CartTable"] = json!({"Type": "AWS::DynamoDB::Table"});
    let (stack, live) = (stack("UPDATE_COMPLETE"), template(&live));
    let server = Server::start(&[
        ACCOUNT,
        ("Action=DescribeStacks", 200, &stack),
        ("Action=GetTemplate", 200, &live),
        DENIED,
    ]);
    let sandbox = asking(sandbox, &server);
    sandbox.slsart("rollback v1 -s prod --yes -q --allow-delete CartTable").succeeded();
    proven_in(&sandbox, "123456789012");
    sandbox.slsart("history -s prod").is(str![[r#"
orders · prod · us-east-1
3  ● live  rollback  succeeded  12a1bee  Add the service  3 minutes ago in [N] s by Dana, proven (1 of 1 function)
                                allowed to be deleted or replaced: CartTable
2          rollback  succeeded  12a1bee  Add the service  3 minutes ago in [N] s by Dana, not proven
                                allowed to be deleted or replaced: CartTable
                                AWS does not let these credentials list the stack's resources (AWS says: not with that role)
1          deploy    succeeded  35040f8  Answer two  4 minutes ago in [N] s by Dana

"#]]);
    let history = sandbox.slsart("history -s prod --json").json();
    assert_eq!(history["targets"][0]["deployments"][1]["allow_delete"], json!(["CartTable"]));
    let log = sandbox.git("log -1 --skip 1 --format=%B refs/slsart/deployments/orders/prod/us-east-1");
    assert!(log.ends_with("\nAllow-Delete: CartTable"), "{log}");
}

#[test]
fn code_that_was_not_deployed_from_here_is_not_compared() {
    let (sandbox, mut live) = deployed();
    live["Resources"]["HelloLambdaFunction"]["Properties"]["Code"]["S3Key"] =
        json!("serverless/orders/prod/1767700000000-2026-01-06T11:46:40.000Z/orders.zip");
    let (stack, live) = (stack("UPDATE_COMPLETE"), template(&live));
    let server =
        Server::start(&[ACCOUNT, ("Action=DescribeStacks", 200, &stack), ("Action=GetTemplate", 200, &live)]);
    let sandbox = asking(sandbox, &server);
    let plan = sandbox.slsart("rollback v1 -s prod -n --json").succeeded().json();
    assert_eq!(plan["changes"]["functions"], json!([]), "{plan:#}");
    assert_eq!(
        plan["warnings"],
        json!(["what is live was not deployed from here: its code, plugins and framework can't be compared"])
    );
}

#[test]
fn what_contradicts_the_history_blocks_and_names_the_way_out() {
    let (sandbox, live) = deployed();
    let (stuck, live) = (stack("UPDATE_ROLLBACK_FAILED"), template(&live));
    let server =
        Server::start(&[ACCOUNT, ("Action=DescribeStacks", 200, &stuck), ("Action=GetTemplate", 200, &live)]);
    proven_in(&sandbox, "222222222222");
    let sandbox = asking(sandbox, &server);
    sandbox.slsart("rollback v1 -s prod --yes --allow-account 222222222222").is(str![[r#"
── stderr ──
Asking AWS what is live
Live      35040f8  Answer two  deployed 3 minutes ago by Dana
Restore   12a1bee  v1  package be694c54 · 1.3 kB · 9 minutes ago · osls 4.3.1
Plan      against the live stack's template
  ~ function hello  code (1 file, +1 −1)
  ✗ account    the credentials are for account 123456789012, and the last proven deployment was in 222222222222
  ✗ stack      orders-prod is in UPDATE_ROLLBACK_FAILED: an update failed and its rollback failed too; no other update is possible until that is finished
  ! toolchain  npm will install the plugins from package-lock.json: there is no toolchain here
error: the credentials are for account 123456789012, and the last proven deployment was in 222222222222; orders-prod is in UPDATE_ROLLBACK_FAILED: an update failed and its rollback failed too; no other update is possible until that is finished
hint: use the credentials of that account, such as: AWS_PROFILE=NAME; to go on all the same: --allow-account 123456789012
hint: aws cloudformation continue-update-rollback --stack-name orders-prod --region us-east-1
── exit 1 ──

"#]]);
    let plan = sandbox.slsart("rollback v1 -s prod -n --json --allow-account 123456789012");
    assert_eq!(plan.code, 1, "{plan}");
    assert_eq!(
        checks(&plan, "account"),
        [
            "warning: the credentials are for account 123456789012, and the last proven deployment was in 222222222222 (allowed by --allow-account)"
        ]
    );
    assert_eq!(sandbox.slsart("check -s prod -q").code, 1);
    assert_eq!(sandbox.runs().lines().count(), 1, "the framework ran");
}

#[test]
fn a_stack_that_is_gone_is_told_and_made_anew() {
    let (sandbox, _) = deployed();
    let server = Server::start(&[ACCOUNT, NO_STACK]);
    let sandbox = asking(sandbox, &server);
    let plan = sandbox.slsart("rollback v1 -s prod -n --json").succeeded();
    assert_eq!(plan.json()["changes"]["against"], "nothing: the stack does not exist");
    assert_eq!(
        checks(&plan, "stack"),
        [
            "warning: orders-prod does not exist in us-east-1, but the history has a deployment to it: the stack would be created again"
        ]
    );
    assert_eq!(server.requests().len(), 2);
    // All that is said agrees with that, also of the package that was live.
    let plan = sandbox.slsart("deploy -s prod -n").succeeded();
    assert!(
        plan.stdout.contains("Live      nothing: the stack does not exist any more  deployed last: "),
        "{plan}"
    );
    assert!(!plan.stdout.contains("is live already"), "{plan}");
    let live = sandbox.slsart("live -s prod");
    assert_eq!(live.code, 4, "{live}");
    assert!(
        live.stderr.contains("hint: if the stack was removed, to create it again: git slsart deploy "),
        "{live}"
    );
}

#[test]
fn what_these_credentials_may_not_ask_is_a_warning() {
    let (sandbox, _) = deployed();
    let server = Server::start(&[ACCOUNT, DENIED]);
    let sandbox = asking(sandbox, &server);
    sandbox.slsart("rollback v1 -s prod -n").is(str![[r#"
Live      35040f8  Answer two  deployed 1 minute ago by Dana
Restore   12a1bee  v1  package be694c54 · 1.3 kB · 7 minutes ago · osls 4.3.1
Plan      against the last recorded deployment (AWS does not let these credentials show the stack's template)
  ~ function hello  code (1 file, +1 −1)
  ! stack      AWS does not let these credentials describe the stack
    hint:     AWS says: not with that role
  ! toolchain  npm will install the plugins from package-lock.json: there is no toolchain here
── stderr ──
Asking AWS what is live

"#]]);
}

/// Records HEAD with a function whose code is in another bucket.
fn with_shared_code(sandbox: &Sandbox) {
    let build: &Path = &sandbox.build("shared", "prod");
    let path = build.join("serverless-state.json");
    let mut state: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let resources = &mut state["service"]["provider"]["compiledCloudFormationTemplate"]["Resources"];
    resources["SharedLambdaFunction"] = json!({
        "Type": "AWS::Lambda::Function",
        "Properties": {"Code": {"S3Bucket": "shared", "S3Key": "code.zip"}},
    });
    fs::write(path, state.to_string()).unwrap();
    sandbox.slsart("record -q ../shared").succeeded();
}

#[test]
fn an_image_that_ecr_does_not_have_any_more_blocks() {
    let sandbox = Sandbox::new();
    let build = sandbox.build("image", "prod");
    let path = build.join("serverless-state.json");
    let mut state: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let resources = &mut state["service"]["provider"]["compiledCloudFormationTemplate"]["Resources"];
    for name in ["there", "gone"] {
        let image = format!("123456789012.dkr.ecr.us-east-1.amazonaws.com/{name}@sha256:{}", "ab".repeat(32));
        resources[name] =
            json!({"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ImageUri": image}}});
    }
    fs::write(path, state.to_string()).unwrap();
    sandbox.slsart("record -q ../image").succeeded();
    let gone =
        r#"{"__type": "ImageNotFoundException", "message": "The image with imageId {...} does not exist"}"#;
    let server = Server::start(&[
        ACCOUNT,
        NO_STACK,
        (r#""repositoryName":"there""#, 200, r#"{"imageDetails": [{}]}"#),
        (r#""repositoryName":"gone""#, 400, gone),
    ]);
    let sandbox = asking(sandbox, &server);
    let plan = sandbox.slsart("deploy -s prod -n --json");
    assert_eq!(plan.code, 1, "{plan}");
    let uri = format!("123456789012.dkr.ecr.us-east-1.amazonaws.com/gone@sha256:{}", "ab".repeat(32));
    assert_eq!(checks(&plan, "images"), [format!("blocks: ECR does not have {uri} any more")]);
    sandbox.slsart(&format!("deploy -s prod -n --allow-missing {uri}")).succeeded();

    // Nobody to ask: a warning.
    let server = Server::start(&[ACCOUNT, NO_STACK]);
    let sandbox = asking(sandbox, &server);
    let plan = sandbox.slsart("deploy -s prod -n --json").succeeded();
    assert_eq!(checks(&plan, "images").len(), 2);
}

#[test]
fn an_object_that_is_needed_and_missing_blocks() {
    let sandbox = Sandbox::new();
    with_shared_code(&sandbox);
    let server = Server::start(&[ACCOUNT, NO_STACK, ("HEAD /shared/code.zip", 404, "")]);
    let sandbox = asking(sandbox, &server);
    let plan = sandbox.slsart("deploy -s prod -n --json");
    assert_eq!(plan.code, 1, "{plan}");
    let missing = "s3://shared/code.zip is missing, and a deploy does not upload it";
    assert_eq!(checks(&plan, "objects"), [format!("blocks: {missing}")]);
    assert!(plan.stderr.contains("--allow-missing s3://shared/code.zip"), "{plan}");
    let plan = sandbox.slsart("deploy -s prod -n --json --allow-missing s3://shared/code.zip").succeeded();
    assert_eq!(checks(&plan, "objects"), [format!("warning: {missing} (allowed by --allow-missing)")]);

    let server = Server::start(&[ACCOUNT, NO_STACK, ("HEAD /shared/code.zip", 200, "")]);
    let sandbox = asking(sandbox, &server);
    let plan = sandbox.slsart("deploy -s prod -n --json").succeeded();
    assert_eq!(checks(&plan, "objects"), ["ok: 1 object that a deploy does not upload: found"]);
}
