use proptest::prelude::*;
use serde_json::json;

use super::*;

const STATES: &[&str] = &[
    include_str!("../../../tests/fixtures/state/service.json"),
    include_str!("../../../tests/fixtures/state/custom-resources.json"),
    include_str!("../../../tests/fixtures/state/individually.json"),
    include_str!("../../../tests/fixtures/state/reused-layers.json"),
];

fn template_of(state: &str) -> Value {
    crate::service::State::parse(state.as_bytes()).unwrap().template().unwrap()
}

fn resources(resources: &Value) -> Template {
    Template::new(&json!({ "Resources": resources }))
}

/// `+ id`, `- id`, `~ id paths attributes`.
fn shown(before: &Template, after: &Template) -> Vec<String> {
    let line = |change: ResourceChange| match change.change {
        Change::Added => format!("+ {}", change.id),
        Change::Removed => format!("- {}", change.id),
        Change::Changed => {
            [vec![format!("~ {}", change.id)], change.properties, change.attributes].concat().join(" ")
        }
    };
    compare(before, after).resources.into_iter().map(line).collect()
}

/// The same text as another packaging would have it: other times, and other hashes of code.
fn packaged_again(text: &str) -> String {
    let mut text = text.to_owned();
    for (old, new) in [
        ("1795455383931-2026-11-23T17:36:23.931Z", "1800000000000-2027-01-15T08:00:00.000Z"),
        ("1795455214141-2026-11-23T17:33:34.141Z", "1800000000000-2027-01-15T08:00:00.000Z"),
        ("1795456311479-2026-11-23T17:51:51.479Z", "1800000000000-2027-01-15T08:00:00.000Z"),
        ("1795456404992-2026-11-23T17:53:24.992Z", "1800000000000-2027-01-15T08:00:00.000Z"),
        ("LambdaVersion", "LambdaVersionAnother"),
        ("\"CodeSha256\": \"", "\"CodeSha256\": \"another"),
        ("d6a99c2690345605ade0e8e51150a65159cdaccd", "0000000000345605ade0e8e51150a65159cdaccd"),
    ] {
        text = text.replace(old, new);
    }
    text
}

#[test]
fn real_templates_packaged_again_are_the_same() {
    for state in STATES {
        let again = packaged_again(state);
        assert_ne!(*state, again);
        let (before, after) = (template_of(state), template_of(&again));
        assert_ne!(before, after);
        let found = compare(&Template::new(&before), &Template::new(&after));
        assert_eq!((&found.resources, &found.outputs), (&vec![], &vec![]));
        assert_eq!(found.unchanged, before["Resources"].as_object().unwrap().len());
    }
}

/// A template with everything that is made anew, with hashes and times of its own.
fn with_noise(hash: &str, millis: u64, seconds: u8) -> Value {
    let version = format!("HelloLambdaVersion{hash}");
    let deployment = format!("ApiGatewayDeployment{millis}");
    let sockets = format!("WebsocketsDeployment{hash}");
    let layer = format!("KeptLambdaLayer{hash}");
    let key = format!("serverless/a/dev/{millis}-2026-11-23T17:36:{seconds:02}.931Z/a.zip");
    let mut template = json!({"Resources": {
        "HelloLambdaFunction": {"Type": "AWS::Lambda::Function", "Properties": {
            "Code": {"S3Key": key}, "Layers": [{"Ref": layer}],
            "Environment": {"Variables": {"KEY": {"Fn::Sub": format!("s3://${{Bucket}}/{key}")}}},
        }},
        "Alias": {"Type": "AWS::Lambda::Alias", "DependsOn": [version, "A"], "Properties": {
            "FunctionVersion": {"Fn::GetAtt": [version, "Version"]}, "Description": {"Fn::GetAtt": format!("{version}.Version")},
        }},
        "Stage": {"Type": "AWS::ApiGateway::Stage", "DependsOn": deployment, "Properties": {
            "DeploymentId": {"Ref": deployment},
            "Description": {"Fn::Sub": [format!("${{{version}.Version}} of ${{x}}"), {"x": {"Ref": sockets}}]},
        }},
    }, "Outputs": {
        "HelloLambdaFunctionQualifiedArn": {"Value": {"Ref": version}},
        "KeptLambdaLayerHash": {"Value": hash},
        "KeptLambdaLayerS3Key": {"Value": key, "Export": {"Name": "x"}},
    }});
    let function = json!({"FunctionName": {"Ref": "HelloLambdaFunction"}, "CodeSha256": hash});
    template["Resources"][&version] =
        json!({"Type": "AWS::Lambda::Version", "DeletionPolicy": "Retain", "Properties": function});
    template["Resources"][&deployment] = json!({"Type": "AWS::ApiGateway::Deployment", "DependsOn": ["M"]});
    template["Resources"][&sockets] = json!({"Type": "AWS::ApiGatewayV2::Deployment"});
    template["Resources"][&layer] =
        json!({"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": {"S3Key": key}}});
    template
}

proptest! {
    #[test]
    fn what_packaging_makes_anew_is_no_difference(
        one in "[0-9A-Za-z]{40}", other in "[0-9A-Za-z]{40}", at in 1_000_000_000_000_u64..9_000_000_000_000, later in 0_u64..999_999_999, second in 0_u8..60,
    ) {
        let (before, after) = (with_noise(&one, at, 1), with_noise(&other, at + later, second));
        let found = compare(&Template::new(&before), &Template::new(&after));
        prop_assert_eq!(found, TemplateChange { unchanged: 7, ..TemplateChange::default() });
    }

    #[test]
    fn anything_is_read_and_is_the_same_as_itself(template in any_value(), other in any_value()) {
        let [one, two] = [&template, &other].map(|value| resources(&json!({"A": {"Type": "T::T::T", "Properties": value}})));
        prop_assert_eq!(compare(&one, &one).unchanged, 1);
        // What is found does not depend on the direction.
        let there = compare(&one, &two);
        let back = compare(&two, &one);
        prop_assert_eq!(&there, &back);
        prop_assert_eq!(there.unchanged == 1, paths(&template, &other).is_empty());
        let _ = Template::new(&template);
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0_i32..4).prop_map(Value::from),
        "[a-c0-3]{0,2}|Resources|\\$\\{A|true".prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 24, 3, |inner| {
        let name = "[A-C]|Ref|Fn::GetAtt|Fn::Sub|DependsOn|Resources|Properties";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..3)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

#[test]
fn what_a_person_changed_is_found_by_its_path() {
    let before = resources(&json!({
        "T": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "a", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}},
        "Q": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain", "DependsOn": ["A", "B"]},
        "N": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 5, "FifoQueue": true, "Tags": [{"Key": "a"}]}},
        "Gone": {"Type": "AWS::SQS::Queue"},
    }));
    let after = resources(&json!({
        "T": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": {"Ref": "P"}, "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}},
        "Q": {"Type": "AWS::SQS::Queue", "DependsOn": ["B", "A"]},
        "N": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": "5", "FifoQueue": "true", "Tags": []}},
        "New": {"Type": "AWS::SNS::Topic"},
    }));
    assert_eq!(
        shown(&before, &after),
        ["- Gone", "~ N Tags", "+ New", "~ Q DeletionPolicy", "~ T KeySchema/0/AttributeName TableName"]
    );
}

#[test]
fn ids_that_only_look_made_anew_stay() {
    let version = |id: &str, of: &str| json!({id: {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": of}}}});
    // Another function's; too short to be a hash; a person's own.
    for (id, of) in [
        ("HelloLambdaVersionAAAAAAAAAAAAAAAAAAAA", "OtherLambdaFunction"),
        ("HelloLambdaVersionTwo", "HelloLambdaFunction"),
        ("MyVersionAAAAAAAAAAAAAAAAAAAAAAAAAA", "Mine"),
    ] {
        assert_eq!(resources(&version(id, of)).ids().collect::<Vec<_>>(), [id]);
    }
    // Two of one function: neither is the other.
    let mut two = version("HelloLambdaVersionAAAAAAAAAAAAAAAAAAAA", "HelloLambdaFunction");
    two["HelloLambdaVersionBBBBBBBBBBBBBBBBBBBB"] = two["HelloLambdaVersionAAAAAAAAAAAAAAAAAAAA"].clone();
    assert_eq!(resources(&two).ids().count(), 2);
}

#[test]
fn outputs_that_others_import_are_marked() {
    let outputs = |outputs: Value| Template::new(&json!({ "Outputs": outputs }));
    let before = outputs(json!({"A": {"Value": 1, "Export": {"Name": "a"}}, "B": {"Value": 1}}));
    let after = outputs(json!({"B": {"Value": 2}}));
    let change = |id: &str, change, exported| OutputChange { id: id.to_owned(), change, exported };
    assert_eq!(
        compare(&before, &after).outputs,
        [change("A", Change::Removed, true), change("B", Change::Changed, false)]
    );
}

#[test]
fn a_template_as_it_was_deployed_is_that_of_its_package() {
    use std::collections::BTreeSet;

    use crate::service::{Relocation, State};

    for text in STATES {
        let state = State::parse(text.as_bytes()).unwrap();
        let artifacts = state.artifacts(&BTreeSet::new()).unwrap().into_iter();
        let files: BTreeSet<String> =
            artifacts.filter_map(|artifact| Some(artifact.path.rsplit('/').next()?.to_owned())).collect();
        let prefix = state.prefix().unwrap().fresh(1_900_000_000_000).unwrap();
        let to = Relocation { directory: "/copy".as_ref(), files: &files, prefix: &prefix };
        let deployed = state.relocated(&to).unwrap().template().unwrap();
        assert_ne!(deployed, state.template().unwrap());
        let change = compare(&Template::new(&deployed), &Template::new(&state.template().unwrap()));
        assert_eq!((change.resources, change.outputs), (Vec::new(), Vec::new()), "{text}");
        assert!(change.unchanged > 1);
    }
}
