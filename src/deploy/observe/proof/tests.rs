//! What is live beside what was recorded, in every way in which they may differ.

use serde_json::json;

use super::*;
use crate::package::Sha256;
use crate::service::{Code, DeployedFunction};

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:layer:money:3";

fn function(name: &str, code: ExpectedCode, layers: Vec<LayerUse>) -> ExpectedFunction {
    let function = DeployedFunction {
        name: name.to_owned(),
        logical: Some(format!("{name}LambdaFunction")),
        deployed_name: Some(format!("orders-prod-{name}")),
        code: Code::Elsewhere,
        layers,
        memory: None,
        timeout: None,
        handler: None,
        runtime: None,
        role: None,
        layer_count: None,
        variables: None,
    };
    ExpectedFunction { function, code }
}

fn expected() -> Expected {
    let own = vec![LayerUse::Own("Money".to_owned())];
    Expected {
        stack: "orders-prod".to_owned(),
        profile: None,
        functions: vec![
            function("hello", ExpectedCode::Zip(Sha256::of(b"zip")), own),
            function("image", ExpectedCode::Image("sha256:ab".to_owned()), Vec::new()),
        ],
        layers: BTreeMap::from([("Money".to_owned(), Sha256::of(b"layer"))]),
        template: template(),
    }
}

fn template() -> Value {
    json!({ "Resources": { "Table": { "Type": "AWS::DynamoDB::Table" } }, "Outputs": {} })
}

fn seen() -> Seen {
    let live =
        |name: &str| LambdaFunction { name: format!("orders-prod-{name}"), ..LambdaFunction::default() };
    Seen {
        account: Some("123456789012".to_owned()),
        functions: vec![
            Some(LambdaFunction {
                code_sha256: Some(Sha256::of(b"zip").to_base64()),
                layers: vec![ARN.to_owned()],
                ..live("hello")
            }),
            Some(LambdaFunction { image: Some("123.dkr.ecr/orders@sha256:ab".to_owned()), ..live("image") }),
        ],
        names: BTreeMap::from([("Money".to_owned(), ARN.to_owned())]),
        layers: BTreeMap::from([(ARN.to_owned(), Some(Sha256::of(b"layer").to_base64()))]),
        template: Some(template()),
        objects: vec![("serverless/orders/prod/1/orders.zip".to_owned(), true)],
        notes: Vec::new(),
    }
}

fn problems_of(change: impl FnOnce(&mut Seen)) -> Vec<String> {
    let mut seen = seen();
    change(&mut seen);
    let proof = compare(&expected(), &template(), &seen);
    assert_eq!(proof.verdict, ProofVerdict::Mismatch, "{proof:?}");
    assert!(refuse(&proof, &crate::package::manifest::tests::sample().target).is_err());
    proof.problems
}

#[test]
fn what_is_live_is_what_was_recorded() {
    let proof = compare(&expected(), &template(), &seen());
    assert_eq!(
        (proof.verdict, proof.as_recorded, proof.functions),
        (ProofVerdict::Proven, 2, 2),
        "{proof:?}"
    );
    assert_eq!((proof.layers, proof.objects), (1, 1));
    assert_eq!(
        sentence(&proof).unwrap(),
        "2 of 2 functions run the recorded code (CodeSha256, image digest), 1 layer"
    );
    assert!(proof.problems.is_empty() && proof.notes.is_empty(), "{proof:?}");
}

#[test]
fn a_function_with_other_code_is_named() {
    let other = Sha256::of(b"other").to_base64();
    let problems = problems_of(|seen| seen.functions[0].as_mut().unwrap().code_sha256 = Some(other.clone()));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with(&format!("function hello runs {other}, and ")), "{problems:?}");

    let problems = problems_of(|seen| {
        seen.functions[1].as_mut().unwrap().image = Some("123.dkr.ecr/orders@sha256:cd".to_owned());
    });
    assert_eq!(problems, ["function image runs the image sha256:cd, and sha256:ab was recorded"]);
    assert_eq!(problems_of(|seen| seen.functions[1] = None), ["function image does not exist"]);
}

#[test]
fn layers_and_objects_count_as_code_does() {
    let problems = problems_of(|seen| *seen.layers.get_mut(ARN).unwrap() = None);
    assert_eq!(problems, ["layer Money does not hold the recorded content"]);
    let problems = problems_of(|seen| seen.functions[0].as_mut().unwrap().layers.clear());
    assert_eq!(problems, [format!("function hello does not use the layer {ARN}")]);
    let problems = problems_of(|seen| seen.objects[0].1 = false);
    assert_eq!(problems, ["'serverless/orders/prod/1/orders.zip' is missing in S3"]);
}

#[test]
fn what_the_credentials_may_not_see_is_noted_and_the_rest_is_proven() {
    let refused = AwsError::Forbidden { action: "look for an object in S3", message: String::new() };
    let mut notes = Vec::new();
    assert_eq!(readable::<()>(Err(refused), &mut notes), Ok(None));
    assert_eq!(notes, ["not compared: AWS does not let these credentials look for an object in S3"]);
    assert_eq!(readable::<()>(Err(AwsError::Throttled), &mut notes), Err(AwsError::Throttled));
    let proof = compare(&expected(), &template(), &Seen { objects: Vec::new(), notes, ..seen() });
    assert_eq!((proof.verdict, proof.notes.len()), (ProofVerdict::Proven, 1));
}

#[test]
fn a_template_that_a_plugin_changed_is_reported_and_an_output_that_it_added_is_not() {
    let mut seen = seen();
    seen.template = Some(json!({
        "Resources": { "Table": { "Type": "AWS::DynamoDB::Table" } },
        "Outputs": { "DomainName": { "Value": "x", "Export": { "Name": "x" } } },
        "Conditions": { "IsProd": true },
    }));
    let proof = compare(&expected(), &template(), &seen);
    assert_eq!(proof.verdict, ProofVerdict::Proven);
    seen.template =
        Some(json!({ "Resources": { "Table": { "Type": "AWS::DynamoDB::Table" } }, "Outputs": { "A": {} } }));
    let without = json!({ "Resources": { "Table": { "Type": "AWS::DynamoDB::Table" } } });
    assert_eq!(compare(&expected(), &without, &seen).notes, [""; 0]);
    let note =
        "the live template differs from the recorded one in Conditions: a plugin changed it while deploying";
    assert_eq!(proof.notes, [note]);
}

#[test]
fn a_service_without_functions_is_proven_by_its_template() {
    let mut expected = expected();
    (expected.functions, expected.layers) = (Vec::new(), BTreeMap::new());
    let seen = Seen { functions: Vec::new(), objects: Vec::new(), ..seen() };
    let proof = compare(&expected, &template(), &seen);
    assert_eq!(proof.verdict, ProofVerdict::Proven, "{proof:?}");
    assert_eq!(sentence(&proof).unwrap(), "the live template is the recorded one; there are no functions");

    let other = json!({ "Resources": { "Table": { "Type": "AWS::SQS::Queue" } } });
    let proof = compare(&expected, &template(), &Seen { template: Some(other), ..seen });
    assert_eq!((proof.verdict, proof.problems.len()), (ProofVerdict::Unproven, 1), "{proof:?}");
    assert_eq!(sentence(&proof), None);
}

#[test]
fn code_that_the_package_does_not_hold_proves_nothing() {
    let mut expected = expected();
    expected.functions = vec![function("inline", ExpectedCode::Unknown, Vec::new())];
    expected.layers.clear();
    let mut seen = seen();
    seen.functions.truncate(1);
    let proof = compare(&expected, &template(), &seen);
    assert_eq!((proof.verdict, proof.functions), (ProofVerdict::Unproven, 0), "{proof:?}");
    assert!(refuse(&proof, &crate::package::manifest::tests::sample().target).is_ok());
}
