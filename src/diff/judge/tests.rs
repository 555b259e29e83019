use proptest::prelude::*;
use serde_json::json;

use super::super::template::compare;
use super::*;

fn template(resources: &Value) -> Template {
    Template::new(&json!({ "Resources": resources }))
}

fn judged(before: &Value, after: &Value) -> Vec<Judgement> {
    let (before, after) = (template(before), template(after));
    judge(&before, &after, &compare(&before, &after))
}

/// The one judgement of a resource `X` that goes from one form to the other: its fate, verdict, reasons and policy.
fn verdict(before: &Value, after: &Value) -> String {
    let found = judged(&json!({ "X": before }), &json!({ "X": after }));
    let line = |one: &Judgement| {
        let because =
            if one.because.is_empty() { String::new() } else { format!(" ({})", one.because.join(", ")) };
        let policy = one.policy.as_ref().map(|policy| format!(", {policy}")).unwrap_or_default();
        format!("{}{because}: {:?}{policy}", one.fate, one.verdict)
    };
    found.iter().map(line).collect::<Vec<_>>().join("; ")
}

fn resource(kind: &str, properties: &Value) -> Value {
    json!({"Type": kind, "Properties": properties})
}

fn with(mut resource: Value, name: &str, value: &str) -> Value {
    resource[name] = json!(value);
    resource
}

#[test]
fn what_is_deleted_is_judged_by_its_type_and_by_the_policy_it_has_now() {
    let table = || resource("AWS::DynamoDB::Table", &json!({}));
    let cluster = || resource("AWS::RDS::DBCluster", &json!({}));
    let gone = |before: Value| {
        let found = judged(&json!({ "X": before }), &json!({}));
        format!("{:?} {}", found[0].verdict, found[0].policy.clone().unwrap_or_default())
    };
    for (before, expected) in [
        (table(), "Blocked "),
        (with(table(), "DeletionPolicy", "Delete"), "Blocked "),
        (with(table(), "DeletionPolicy", "Retain"), "Kept DeletionPolicy: Retain"),
        (
            with(table(), "DeletionPolicy", "RetainExceptOnCreate"),
            "Kept DeletionPolicy: RetainExceptOnCreate",
        ),
        // A table has no snapshots, whatever a template says.
        (with(table(), "DeletionPolicy", "Snapshot"), "Blocked "),
        (with(table(), "UpdateReplacePolicy", "Retain"), "Blocked "),
        // What is said only at deployment is not known here.
        (json!({"Type": "AWS::DynamoDB::Table", "DeletionPolicy": {"Ref": "P"}}), "Blocked "),
        (cluster(), "Kept DeletionPolicy: Snapshot"),
        (with(cluster(), "DeletionPolicy", "Delete"), "Blocked "),
        (resource("AWS::RDS::DBInstance", &json!({})), "Kept DeletionPolicy: Snapshot"),
        (resource("AWS::RDS::DBInstance", &json!({"DBClusterIdentifier": "c"})), "Blocked "),
        (resource("AWS::Logs::LogGroup", &json!({})), "Blocked "),
        (resource("AWS::Lambda::Function", &json!({})), "Harmless "),
        (
            with(resource("AWS::Lambda::Version", &json!({})), "DeletionPolicy", "Retain"),
            "Harmless DeletionPolicy: Retain",
        ),
        (resource("Custom::Seed", &json!({})), "Unknown "),
    ] {
        assert_eq!(gone(before.clone()), expected, "{before}");
    }
}

#[test]
fn what_is_replaced_is_judged_by_the_policy_of_the_new_template() {
    let table = |name: &str, key: &str| {
        let keys = json!([{"AttributeName": key, "KeyType": "HASH"}]);
        resource("AWS::DynamoDB::Table", &json!({"TableName": name, "KeySchema": keys, "BillingMode": name}))
    };
    let renamed = "would be REPLACED (TableName): Blocked";
    assert_eq!(verdict(&table("a", "id"), &table("b", "id")), renamed);
    // A new name is certain; that the key changed as well does not matter any more.
    assert_eq!(verdict(&table("a", "id"), &table("b", "pk")), renamed);
    assert_eq!(
        verdict(&table("a", "id"), &table("a", "pk")),
        "may be REPLACED (KeySchema/0/AttributeName): Blocked"
    );
    let kept = with(table("b", "id"), "UpdateReplacePolicy", "Retain");
    assert_eq!(
        verdict(&table("a", "id"), &kept),
        "would be REPLACED (TableName): Kept, UpdateReplacePolicy: Retain"
    );
    assert_eq!(verdict(&kept, &table("a", "id")), renamed);
    assert_eq!(verdict(&table("a", "id"), &with(table("b", "id"), "DeletionPolicy", "Retain")), renamed);
}

#[test]
fn what_is_updated_in_place_is_not_judged_and_what_is_unknown_may_be_replaced() {
    let queue = |name: &str, value: Value| resource("AWS::SQS::Queue", &json!({ name: value }));
    assert_eq!(verdict(&queue("DelaySeconds", json!(1)), &queue("DelaySeconds", json!(2))), "");
    assert_eq!(
        verdict(&queue("Novelty", json!(1)), &queue("Novelty", json!(2))),
        "may be REPLACED (Novelty): Blocked"
    );
    assert_eq!(
        verdict(&resource("Custom::Seed", &json!({"A": 1})), &resource("Custom::Seed", &json!({"A": 2}))),
        "may be REPLACED (A): Unknown"
    );
    assert_eq!(
        verdict(&queue("DelaySeconds", json!(1)), &resource("AWS::SNS::Topic", &json!({}))),
        "would be REPLACED (Type): Blocked"
    );
}

#[test]
fn a_condition_that_is_not_the_same_may_remove_its_resource() {
    let template = |name: &str, says: u8| {
        Template::new(&json!({
            "Conditions": {"IsProd": {"Fn::Equals": [says, 1]}, "Other": {"Fn::Equals": [1, 1]}},
            "Resources": {"X": {"Type": "AWS::SQS::Queue", "Condition": name}},
        }))
    };
    let fate = |before: &Template, after: &Template| {
        let found = judge(before, after, &compare(before, after));
        found.iter().map(|one| format!("{} {:?}", one.fate, one.verdict)).collect::<Vec<_>>().join("; ")
    };
    let before = template("IsProd", 1);
    assert_eq!(fate(&before, &template("IsProd", 1)), "");
    assert_eq!(fate(&before, &template("Other", 1)), "may be DELETED Blocked");
    assert_eq!(fate(&before, &template("IsProd", 2)), "may be DELETED Blocked");
    // Without a condition it is there.
    let always = template("IsProd", 1)
        .resource("X")
        .cloned()
        .map(|_| Template::new(&json!({"Resources": {"X": {"Type": "AWS::SQS::Queue"}}})))
        .unwrap();
    assert_eq!(fate(&before, &always), "");
}

#[test]
fn a_replacement_spreads_to_what_refers_to_it_from_a_property_that_replaces() {
    let resources = |description: &str| {
        json!({
            "Group": {"Type": "AWS::RDS::DBSubnetGroup", "Properties": {"DBSubnetGroupName": description}},
            "Database": {"Type": "AWS::RDS::DBInstance", "Properties": {"DBSubnetGroupName": {"Ref": "Group"}, "DBInstanceClass": "a"}},
            "Replica": {"Type": "AWS::RDS::DBInstance", "Properties": {"SourceDBInstanceIdentifier": {"Fn::Sub": "${Database}"}}},
            "Elsewhere": {"Type": "AWS::RDS::DBInstance", "Properties": {"DBName": "x", "Tags": [{"Value": {"Ref": "Group"}}]}},
        })
    };
    let found = judged(&resources("a"), &resources("b"));
    let lines: Vec<_> =
        found.iter().map(|one| format!("{} {} ({})", one.id, one.fate, one.because.join(", "))).collect();
    assert_eq!(
        lines,
        [
            "Database may be REPLACED (DBSubnetGroupName refers to Group)",
            "Group would be REPLACED (DBSubnetGroupName)",
            "Replica may be REPLACED (SourceDBInstanceIdentifier refers to Database)",
        ]
    );
    assert!(found[0].is_blocked() && found[2].is_blocked() && !found[1].is_blocked());
}

proptest! {
    /// Whatever the templates: a resource that holds data and is gone is blocked or kept, and one that is the same is not judged.
    #[test]
    fn no_data_goes_unseen(kinds in prop::collection::vec((0_usize..5, any::<bool>(), any::<bool>()), 1..8)) {
        let types = ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Logs::LogGroup", "AWS::SNS::Topic", "Custom::X"];
        let all = kinds.iter().enumerate().map(|(at, (kind, _, retain))| {
            let policy = if *retain { "Retain" } else { "Delete" };
            (format!("R{at}"), json!({"Type": types[*kind], "DeletionPolicy": policy}))
        });
        let before: serde_json::Map<String, Value> = all.collect();
        let mut after = before.clone();
        for (at, (_, stays, _)) in kinds.iter().enumerate() {
            if !stays { after.shift_remove(&format!("R{at}")); }
        }
        let found = judged(&Value::Object(before), &Value::Object(after));
        for (at, (kind, stays, retain)) in kinds.iter().enumerate() {
            let one = found.iter().find(|one| one.id == format!("R{at}"));
            prop_assert_eq!(one.is_none(), *stays);
            if let Some(one) = one {
                let expected = match (kind, retain) {
                    (0..3, true) => Verdict::Kept,
                    (0..3, false) => Verdict::Blocked,
                    (3, _) => Verdict::Harmless,
                    _ => Verdict::Unknown,
                };
                prop_assert_eq!(one.verdict, expected);
            }
        }
    }
}
