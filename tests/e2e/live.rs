//! What is live: proven after a deployment, told at any time, and found out when it was changed behind our back.

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::project::Project;

/// A plugin that puts other code into the function `hello` once the framework has deployed, where it is asked to.
const MEDDLE: &str = r"'use strict';
const { LambdaClient, UpdateFunctionCodeCommand } = require('@aws-sdk/client-lambda');
module.exports = class Meddle {
  constructor(serverless) {
    this.hooks = {
      'after:deploy:deploy': async () => {
        const FunctionName = process.env.MEDDLE_WITH;
        if (!FunctionName) return;
        const client = new LambdaClient({ region: 'us-east-1' });
        const ZipFile = Buffer.from('UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==', 'base64');
        await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
      },
    };
  }
};
";

fn release(project: &Project, tag: &str, answer: &str) {
    project.write("src/hello.js", format!("exports.handler = () => {answer:?};\n"));
    project.commit(tag);
    project.slsart("package -s prod --in-place").succeeds();
}

fn newest(project: &Project) -> Value {
    let history = project.slsart("history -s prod --json").succeeds().json();
    history["targets"][0]["deployments"][0].clone()
}

#[test]
fn what_is_live_is_proven_and_told() {
    let project = Project::installed("osls4/individually", "is-live");
    release(&project, "v1", "one");
    let deploy = project.slsart("deploy -s prod --yes").succeeds();
    let proof = "Proof     2 of 2 functions run the recorded code (CodeSha256)\n";
    assert!(deploy.stdout.contains(proof), "{deploy}");
    assert!(!deploy.stderr.contains("warning"), "{deploy}");
    let record = newest(&project);
    assert_eq!(
        record["proof"],
        json!({
            "verdict": "proven", "account": "123456789012", "functions": 2, "as_recorded": 2, "layers": 0, "objects": 2
        })
    );
    assert_eq!(record["phases"].as_array().unwrap().last().unwrap()["name"], "proof");
    let live = project.slsart("live -s prod --json").succeeds().json();
    assert_eq!((&live["answer"], &live["as_history_says"]), (&json!("recorded"), &json!(true)), "{live:#}");
    assert_eq!((&live["packages"][0]["label"], &live["drift"]), (&json!("v1"), &json!([])), "{live:#}");

    release(&project, "v2", "two");
    let deploy = project.slsart("deploy -s prod --yes --json").succeeds().json();
    assert_eq!(deploy["proof"]["verdict"], "proven", "{deploy:#}");
    let change = project.slsart("diff --live v1 -s prod --json").succeeds().json();
    assert_eq!((&change["before"]["label"], &change["drift"]), (&json!("v2"), &json!([])), "{change:#}");
    assert_eq!(change["functions"].as_array().unwrap().len(), 1, "{change:#}");
    let hello = &change["functions"][0];
    assert_eq!((&hello["name"], &hello["code"]["added"]), (&json!("hello"), &json!(1)), "{change:#}");
    let none = project.slsart("diff --live -s prod").succeeds().stdout;
    assert!(none.contains("resources unchanged\n") && !none.contains('~'), "{none}");

    // The code of v1, put there by the framework alone.
    let code = project.live()["hello"].code_sha256.clone();
    project.git("checkout --quiet v1");
    project.framework("deploy function --function hello --stage prod");
    assert_ne!(project.live()["hello"].code_sha256, code);
    project.git("checkout --quiet v2");
    let same = project.slsart("live -s prod --json").fails_with(4);
    let live = same.json();
    assert_eq!((&live["answer"], &live["as_history_says"]), (&json!("same-code"), &json!(false)), "{live:#}");
    assert_eq!(live["packages"][0]["label"], "v1", "{live:#}");
    assert_eq!(live["drift"][0]["function"], "hello", "{live:#}");
    assert!(same.stderr.contains("what is live differs from the history"), "{same}");

    // Code that nobody recorded, and a setting.
    let function = format!("{}-hello", project.stack());
    Bed::shared().change(&["change-code", &function, "somebody was here"]);
    Bed::shared().change(&["change-memory", &format!("{}-bye", project.stack()), "512"]);
    Bed::shared().change(&["set-variable", &format!("{}-bye", project.stack()), "DEBUG", "hunter2"]);
    let other = project.slsart("live -s prod").fails_with(4);
    assert!(other.stdout.contains("not recorded here"), "{other}");
    assert!(other.stdout.contains("~ hello  code"), "{other}");
    assert!(other.stdout.contains("~ bye  memory 256 → 512"), "{other}");
    assert!(other.stdout.contains("~ bye  variables none → DEBUG"), "{other}");
    assert!(!other.stdout.contains("hunter2"), "{other}");
    assert!(other.stderr.contains("git slsart deploy"), "{other}");
    let change = project.slsart("diff --live -s prod").succeeds().stdout;
    assert!(change.contains(": not recorded here  is-live · prod · us-east-1\n"), "{change}");
    assert!(change.contains("! the live code is not compared: it matches no package here\n"), "{change}");
    assert!(change.contains("! function bye  memory 256 → 512, since it was deployed\n"), "{change}");

    project.slsart("deploy v2 -s prod --yes").succeeds();
    assert_eq!(project.live()["hello"].code_sha256, code);
}

#[test]
fn a_plugin_that_changes_the_code_after_the_deploy_is_found_out() {
    let project = Project::installed("osls4/individually", "meddled");
    project.write("plugins/meddle/index.js", MEDDLE);
    project.edit(
        "serverless.yml",
        "frameworkVersion: '4'\n",
        "frameworkVersion: '4'\nplugins: [./plugins/meddle]\n",
    );
    release(&project, "v1", "one");
    let function = format!("{}-hello", project.stack());

    let deploy = project.slsart("deploy -s prod --yes").with("MEDDLE_WITH", &function).fails_with(4);
    assert!(deploy.stderr.contains("function hello runs "), "{deploy}");
    assert!(!deploy.stderr.contains("function bye"), "{deploy}");
    assert!(deploy.stderr.contains("git slsart live -s prod"), "{deploy}");
    let record = newest(&project);
    assert_eq!(record["outcome"], "failed", "{record:#}");
    assert_eq!(
        (&record["proof"]["verdict"], &record["proof"]["as_recorded"]),
        (&json!("mismatch"), &json!(1))
    );

    let deploy = project.slsart("deploy -s prod --yes").succeeds();
    assert!(deploy.stdout.contains("2 of 2 functions run the recorded code"), "{deploy}");
}

/// The local AWS refuses an update at once and tells of no event: what AWS's own events say is tested beside `src/aws`.
#[test]
fn a_stack_that_cloudformation_refuses_is_explained() {
    let project = Project::installed("osls4/individually", "refused");
    release(&project, "v1", "one");
    project.slsart("deploy -s prod --yes").succeeds();
    let live = project.live();
    let topic = "\nresources:\n  Resources:\n    Topic:\n      Type: AWS::SNS::Topic\n      Properties:\n        \
                 TopicName: !ImportValue nobody-exports-this\n";
    project.edit(
        "serverless.yml",
        "      patterns: [src/bye.js]\n",
        &format!("      patterns: [src/bye.js]\n{topic}"),
    );
    release(&project, "v2", "two");

    let deploy = project.slsart("deploy -s prod --yes --json").fails_with(3);

    let nothing = "nothing was changed in AWS: no update of the stack refused-prod began";
    assert!(deploy.stderr.contains(nothing), "{deploy}");
    assert!(deploy.stderr.contains("this stack imports an export that no longer exists"), "{deploy}");
    assert_eq!(project.live(), live);
}
