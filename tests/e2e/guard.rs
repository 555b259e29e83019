//! What a rollback would destroy is said before, and not done unless it is allowed by name: on a real stack with real tables.

use crate::bed::Bed;
use crate::call::Outcome;
use crate::project::Project;

/// A service with releases, without its tables yet.
fn service(name: &str) -> Project {
    let project = Project::installed("osls4/individually", name);
    let text = std::fs::read_to_string(project.service().join("serverless.yml")).unwrap();
    project
        .write("serverless.yml", text + "\nresources:\n  Resources:\n    Topic: {Type: 'AWS::SNS::Topic'}\n");
    project
}

/// Adds a table to the service, under the logical id `CartTable`.
fn add_table(project: &Project, table: &str, key: &str, policies: &str) {
    let resource = format!(
        "    CartTable:
      Type: AWS::DynamoDB::Table
{policies}      Properties:
        TableName: {table}
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions:
          - {{ AttributeName: {key}, AttributeType: S }}
        KeySchema:
          - {{ AttributeName: {key}, KeyType: HASH }}
"
    );
    let text = std::fs::read_to_string(project.service().join("serverless.yml")).unwrap();
    let before = text.split("    CartTable:").next().unwrap();
    project.write("serverless.yml", format!("{before}{resource}"));
}

fn release(project: &Project, tag: &str, options: &str) {
    project.commit(tag);
    project.slsart("package -s prod --in-place").succeeds();
    project.slsart(&format!("deploy -s prod --yes {options}")).succeeds();
}

/// Asserts that a call was refused before anything was done, for the table.
#[track_caller]
fn is_refused(outcome: &Outcome, verb: &str) {
    let told = [
        format!("error: this rollback would {verb} 1 stateful resource"),
        "hint: back it up first; this option then deletes it with all data: --allow-delete CartTable"
            .to_owned(),
        "AWS::DynamoDB::Table".to_owned(),
    ];
    for text in told {
        assert!(outcome.stderr.contains(&text), "{text:?} is not in: {outcome}");
    }
    assert!(!outcome.stderr.contains("Deploying"), "{outcome}");
}

fn tables(project: &Project) -> Vec<String> {
    Bed::shared().tables(&project.name).into_keys().collect()
}

#[test]
fn a_table_that_a_rollback_would_delete_blocks_it_until_it_is_named() {
    let project = service("guard-table");
    release(&project, "v1", "");
    add_table(&project, "guard-table-cart", "id", "");
    let kept = "    Kept:\n      Type: AWS::DynamoDB::Table\n      DeletionPolicy: Retain\n      Properties:\n        \
                TableName: guard-table-kept\n        BillingMode: PAY_PER_REQUEST\n        AttributeDefinitions: \
                [{ AttributeName: id, AttributeType: S }]\n        KeySchema: [{ AttributeName: id, KeyType: HASH }]\n";
    let text = std::fs::read_to_string(project.service().join("serverless.yml")).unwrap();
    project.write("serverless.yml", text + kept);
    project.edit("serverless.yml", "memorySize: 256", "memorySize: 512");
    project.write("src/hello.js", "exports.handler = () => 2;\n");
    release(&project, "v2", "");
    let both = ["guard-table-cart", "guard-table-kept"];
    assert_eq!(tables(&project), both);

    let plan = project.slsart("rollback -s prod --dry-run").fails_with(1);
    for line in [
        "Plan      against the live stack's template",
        "~ function bye",
        "memory 512 → 256",
        "~ function hello",
        "code (1 file, +",
        "- table CartTable",
        "AWS::DynamoDB::Table  would be DELETED  blocked",
        "would leave the stack, kept by DeletionPolicy: Retain",
        "not rolled back: data, secrets",
    ] {
        assert!(plan.stdout.contains(line), "{line:?} is not in: {plan}");
    }
    // What the framework makes anew at each packaging is none of the changes.
    for noise in ["Version", "S3Key", "DeploymentBucket"] {
        assert!(!plan.stdout.contains(noise), "{noise} is in: {plan}");
    }
    is_refused(&project.slsart("rollback -s prod --yes").fails_with(1), "delete");
    assert_eq!(tables(&project), both);
    assert_eq!(project.history()[0], "deploy v2 succeeded (live)");

    // The one that stays in AWS is in nobody's way.
    project.slsart("rollback -s prod --yes --allow-delete CartTable").succeeds();
    assert!(!tables(&project).contains(&both[0].to_owned()), "{:?}", tables(&project));
    let history = project.slsart("history -s prod").succeeds();
    let allowed = "allowed to be deleted or replaced: CartTable";
    let mut lines = history.stdout.lines().skip_while(|line| !line.contains("● live  rollback"));
    assert!(lines.next().is_some_and(|line| line.ends_with("proven (2 of 2 functions)")), "{history}");
    assert_eq!(lines.next().map(str::trim), Some(allowed), "{history}");
    assert_eq!(project.history()[0], "rollback v1 succeeded (live)");
}

#[test]
fn a_table_that_would_be_replaced_blocks_it_too() {
    let project = service("guard-replaced");
    add_table(&project, "guard-replaced-one", "id", "");
    release(&project, "v1", "");
    add_table(&project, "guard-replaced-two", "id", "");
    release(&project, "v2", "--allow-delete CartTable");
    let refused = project.slsart("rollback -s prod --yes").fails_with(1);
    is_refused(&refused, "replace");
    assert!(refused.stderr.contains("would be REPLACED (TableName)"), "{refused}");

    // Another key alone: the registry says that it may be replaced.
    add_table(&project, "guard-replaced-two", "pk", "");
    project.commit("v3");
    project.slsart("package -s prod --in-place").succeeds();
    let refused = project.slsart("deploy -s prod --yes").fails_with(1);
    assert!(refused.stderr.contains("may be REPLACED (KeySchema/0/AttributeName)"), "{refused}");
    assert_eq!(project.history()[0], "deploy v2 succeeded (live)");
}
