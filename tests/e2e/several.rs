//! Several services rolled back by one command: `CloudFormation` refuses every other order.

use serde_json::json;

use crate::project::Project;

/// A service of one function, and what it shares with others.
fn config(name: &str, environment: &str, more: &str) -> String {
    format!(
        "service: {name}
frameworkVersion: '4'
provider: {{ name: aws, runtime: nodejs22.x, region: us-east-1, environment: {{ {environment} }} }}
package: {{ patterns: ['!**', src/hello.js] }}
functions:
  hello: {{ handler: src/hello.handler }}
{more}"
    )
}

#[test]
fn services_that_share_an_export_go_back_in_an_order_that_cloudformation_takes() {
    // By their paths, the one that imports comes first.
    let project = Project::installed("osls4/individually", "several-orders");
    let release = |tag: &str, imports: &str, exports: &str| {
        project.write("serverless.yml", config("several-orders", imports, ""));
        project.write("topics/serverless.yml", config("several-topics", "", exports));
        project.write("topics/src/hello.js", "exports.handler = () => 1;\n");
        project.commit(tag);
        project.slsart("package --in-place --all -s prod").succeeds();
    };
    release("v1", "", "");
    release(
        "v2",
        "TOPIC: !ImportValue several-topics-prod-arn",
        "resources:
  Resources:
    Topic: { Type: 'AWS::SNS::Topic' }
  Outputs:
    TopicArn: { Value: !Ref Topic, Export: { Name: !Sub '${AWS::StackName}-arn' } }
",
    );
    let order = |action: &str| {
        let rows = project.slsart(&format!("{action} --all -s prod --yes --json")).succeeds().json();
        let name = |row: &serde_json::Value| {
            assert_eq!(row["outcome"], "succeeded");
            row["target"]["service"].as_str().unwrap().to_owned()
        };
        rows["services"].as_array().unwrap().iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(order("deploy v2"), ["several-topics", "several-orders"]);

    // Alone, it can't: AWS itself says so.
    let alone = project.slsart("rollback v1 --service topics -s prod --yes").fails_with(3);
    assert!(alone.stderr.contains("cannot be deleted as it is in use by several-orders-prod"), "{alone}");

    assert_eq!(order("rollback v1"), ["several-orders", "several-topics"]);
    let plan = project.slsart("rollback v1 --all -s prod -n --json").succeeds().json();
    assert_eq!([&plan["services"][0]["state"], &plan["services"][1]["state"]], [&json!("already-live"); 2]);
}
