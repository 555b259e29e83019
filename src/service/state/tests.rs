//! Shortened states of real packages: read, relocated, and damaged.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// osls 4, one archive, packaged with `--stage prod --region eu-west-3` by a config that says neither.
const SERVICE: &str = include_str!("../../../tests/fixtures/state/service.json");
/// osls 4, packaged individually, with a layer and one that is retained.
const INDIVIDUALLY: &str = include_str!("../../../tests/fixtures/state/individually.json");
/// serverless 3, the same packaged again: the framework found both layers unchanged.
const REUSED_LAYERS: &str = include_str!("../../../tests/fixtures/state/reused-layers.json");
/// osls 4, with archives that the config names: of the service, of a function, and of a layer.
const OWN_ARCHIVES: &str = include_str!("../../../tests/fixtures/state/own-archives.json");
/// serverless 3, with the framework's own helper function and a deployment prefix of two names.
const CUSTOM_RESOURCES: &str = include_str!("../../../tests/fixtures/state/custom-resources.json");

const NOW: i64 = 1_800_000_000_000;
const NEW_TIME: &str = "1800000000000-2027-01-15T08:00:00.000Z";
const COPY: &str = "/tmp/copy of it/package";

fn state(text: &str) -> State {
    State::parse(text.as_bytes()).unwrap()
}

fn files(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn relocate(state: &State, names: &[&str]) -> Result<State, StateError> {
    let prefix = state.prefix()?.fresh(NOW)?;
    let files = files(names);
    let relocated =
        state.relocated(&Relocation { directory: Path::new(COPY), files: &files, prefix: &prefix })?;
    State::parse(&relocated.to_json()?)
}

/// Where two values differ, as JSON pointers with what each has.
fn differences(path: &str, a: &Value, b: &Value, all: &mut Vec<String>) {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let at = |object: &Map<String, Value>| {
                    object.get(key.as_str()).cloned().unwrap_or(json!("(absent)"))
                };
                differences(&format!("{path}/{key}"), &at(a), &at(b), all);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}/{index}"), a, b, all);
            }
        }
        _ if a == b => {}
        _ => all.push(format!("{path}: {b}")),
    }
}

fn changes(before: &State, after: &State) -> Vec<String> {
    let mut all = Vec::new();
    differences("", &before.root, &after.root, &mut all);
    all
}

#[test]
fn a_state_tells_what_the_package_is() {
    let state = state(SERVICE);
    assert_eq!(state.service_name(), Some("orders"));
    assert_eq!(state.stage().as_deref(), Some("prod"), "not the `dev` of provider.stage");
    assert_eq!(state.root["service"]["provider"]["stage"], "dev");
    assert_eq!(state.region(), Some("eu-west-3"));
    assert_eq!(state.plugins(), Plugins { modules: vec!["./plugins/trace.js".to_owned()], local_path: None });
    let names: Vec<_> = state.functions().into_iter().map(|f| (f.name, f.deployed_name.unwrap())).collect();
    let expected = ["hello", "two"].map(|name| (name.to_owned(), format!("orders-prod-{name}")));
    assert_eq!(names, expected);
    assert!(state.artifact_directory_name().unwrap().starts_with("serverless/orders/prod/"));
    // The reference to the schema is followed, and the schema's own `$ref` left alone.
    let schema = &state.template().unwrap()["Resources"]["ApiGatewayMethodHPostApplicationJsonModel"]["Properties"]
        ["Schema"];
    assert_eq!(schema["properties"]["a"]["$ref"], "#/definitions/a");
}

#[test]
fn plugins_may_be_an_object() {
    let plugins = state(INDIVIDUALLY).plugins();
    assert_eq!(
        plugins,
        Plugins { modules: vec!["./plugins/trace.js".to_owned()], local_path: Some("./plugs".to_owned()) }
    );
}

#[test]
fn another_stage_or_region_is_refused() {
    let state = state(SERVICE);
    assert!(state.check_target("prod", "eu-west-3").is_ok());
    for (stage, region) in [("dev", "eu-west-3"), ("prod", "us-east-1")] {
        let error = state.check_target(stage, region).unwrap_err();
        assert_eq!((error.packaged_stage.as_str(), error.packaged_region.as_str()), ("prod", "eu-west-3"));
        assert_eq!((error.asked_stage.as_str(), error.asked_region.as_str()), (stage, region));
    }
}

#[test]
fn archives_are_told_with_their_owners() {
    let owners = |text: &str, names: &[&str]| -> Vec<(Owner, Place)> {
        let artifacts = state(text).artifacts(&files(names)).unwrap();
        artifacts.into_iter().map(|artifact| (artifact.owner, artifact.place)).collect()
    };
    let function = |name: &str| Owner::Function(name.to_owned());
    let layer = |name: &str| Owner::Layer(name.to_owned());
    let package = |name: &str| Place::Package(name.to_owned());

    assert_eq!(owners(SERVICE, &["orders.zip"]), [(Owner::Service, package("orders.zip"))]);
    assert_eq!(
        owners(INDIVIDUALLY, &["hello.zip", "two.zip", "lib.zip"]),
        [
            (function("hello"), package("hello.zip")),
            (function("two"), package("two.zip")),
            (layer("lib"), package("lib.zip")),
            (layer("kept"), Place::Elsewhere),
        ]
    );
    let custom = owners(CUSTOM_RESOURCES, &["custom.zip", "custom-resources.zip"]);
    assert!(
        matches!(&custom[1], (Owner::Resource(_), Place::Package(file)) if file == "custom-resources.zip"),
        "{custom:?}"
    );
    let reused = owners(REUSED_LAYERS, &["hello.zip", "two.zip", "lib.zip"]);
    assert_eq!(reused[3], (layer("kept"), Place::Uploaded));

    let own = state(OWN_ARCHIVES).artifacts(&files(&["serverless-state.json"])).unwrap();
    let paths: Vec<_> = own.iter().map(|artifact| artifact.path.as_str()).collect();
    assert_eq!(paths, ["dist/app.zip", "dist/two.zip", "dist/lib.zip"]);
    let error = own[1].file().unwrap_err();
    assert!(error.to_string().starts_with("the code of function `two` is not in the package"), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn a_package_of_one_archive_is_relocated() {
    let before = state(SERVICE);
    let after = relocate(&before, &["orders.zip"]).unwrap();
    let key = format!("serverless/orders/prod/{NEW_TIME}/orders.zip");
    assert_eq!(
        changes(&before, &after),
        [
            format!("/package/artifactDirectoryName: \"serverless/orders/prod/{NEW_TIME}\""),
            format!("/service/artifact: \"{COPY}/orders.zip\""),
            format!(
                "/service/provider/compiledCloudFormationTemplate/Resources/HelloLambdaFunction/Properties/Code/S3Key: \"{key}\""
            ),
            format!(
                "/service/provider/compiledCloudFormationTemplate/Resources/TwoLambdaFunction/Properties/Code/S3Key: \"{key}\""
            ),
        ]
    );
}

#[test]
fn every_function_leads_to_the_code_that_it_is_to_run() {
    let of = |text: &str, names: &[&str]| {
        let functions = state(text).deployed_functions(&files(names)).unwrap();
        functions.into_iter().map(|function| (function.name, function.code)).collect::<Vec<_>>()
    };
    let file = |name: &str, file: &str| (name.to_owned(), Code::File(file.to_owned()));
    assert_eq!(of(SERVICE, &["orders.zip"]), [file("hello", "orders.zip"), file("two", "orders.zip")]);
    assert_eq!(
        of(INDIVIDUALLY, &["hello.zip", "two.zip"]),
        [file("hello", "hello.zip"), file("two", "two.zip")]
    );
    let helper = "CustomDashresourceDashexistingDashs3LambdaFunction";
    assert_eq!(
        of(CUSTOM_RESOURCES, &["custom.zip", "custom-resources.zip"]),
        [file("hello", "custom.zip"), file(helper, "custom-resources.zip")]
    );
    assert_eq!(of(SERVICE, &[])[0].1, Code::Elsewhere);

    let hello = &state(SERVICE).deployed_functions(&files(&[])).unwrap()[0];
    assert_eq!((hello.memory, hello.timeout), (Some(1024), Some(6)));
    assert_eq!(
        (hello.handler.as_deref(), hello.runtime.as_deref()),
        (Some("src/a.hello"), Some("nodejs22.x"))
    );
    assert_eq!(hello.deployed_name.as_deref(), Some("orders-prod-hello"));
}

#[test]
fn how_many_layers_and_which_variables_a_function_has_is_known_where_nothing_hangs_on_aws() {
    let with = |name: &str, value: Value| {
        let mut changed: Value = serde_json::from_str(SERVICE).unwrap();
        let resources = &mut changed["service"]["provider"]["compiledCloudFormationTemplate"]["Resources"];
        resources["HelloLambdaFunction"]["Properties"][name] = value;
        let functions = state(&changed.to_string()).deployed_functions(&files(&[])).unwrap();
        functions.into_iter().find(|function| function.name == "hello").unwrap()
    };
    let perhaps = json!({"Fn::If": ["IsProd", "arn:a", {"Ref": "AWS::NoValue"}]});
    let layers = |value: Value| with("Layers", value).layer_count;
    assert_eq!(layers(Value::Null), Some(0));
    assert_eq!(layers(json!(["arn:a", {"Ref": "Money"}, {"Fn::Sub": "arn:b"}])), Some(3));
    for unknown in [json!(["arn:a", perhaps]), json!([{"Ref": "AWS::NoValue"}]), perhaps.clone()] {
        assert_eq!(layers(unknown), None);
    }
    let variables = |value: Value| with("Environment", value).variables;
    assert_eq!(variables(Value::Null), Some(Vec::new()));
    let two = json!({"Variables": {"TABLE": {"Ref": "Table"}, "REGION": {"Ref": "AWS::Region"}}});
    assert_eq!(variables(two), Some(vec!["REGION".to_owned(), "TABLE".to_owned()]));
    for unknown in [json!({"Variables": {"A": perhaps}}), json!({"Variables": perhaps}), perhaps.clone()] {
        assert_eq!(variables(unknown), None);
    }
}

#[test]
fn a_function_that_a_plugin_moved_to_another_template_is_not_forgotten() {
    let mut moved: Value = serde_json::from_str(SERVICE).unwrap();
    let resources = &mut moved["service"]["provider"]["compiledCloudFormationTemplate"]["Resources"];
    resources.as_object_mut().unwrap().remove("TwoLambdaFunction").unwrap();
    let functions = state(&moved.to_string()).deployed_functions(&files(&["orders.zip"])).unwrap();
    let two = functions.iter().find(|function| function.name == "two").unwrap();
    assert_eq!((&two.code, &two.logical), (&Code::File("orders.zip".to_owned()), &None));
    assert_eq!(two.deployed_name.as_deref(), Some("orders-prod-two"));
}

#[test]
fn a_layer_that_was_found_unchanged_is_in_the_package_all_the_same() {
    let layers = state(REUSED_LAYERS).deployed_layers(&files(&["lib.zip", "kept.zip"])).unwrap();
    let code: Vec<_> = layers.iter().map(|(_, code)| code.clone()).collect();
    assert_eq!(code, [Code::File("lib.zip".to_owned()), Code::File("kept.zip".to_owned())]);
    let hello = &state(REUSED_LAYERS).deployed_functions(&files(&[])).unwrap()[0];
    assert!(matches!(&hello.layers[0], LayerUse::Own(logical) if *logical == layers[0].0), "{hello:?}");
}

#[test]
fn a_stack_has_the_frameworks_name_unless_the_config_gives_one() {
    assert_eq!(state(SERVICE).stack_name().as_deref(), Some("orders-prod"));
    let mut named: Value = serde_json::from_str(SERVICE).unwrap();
    named["service"]["provider"]["stackName"] = json!("our-orders");
    named["service"]["provider"]["profile"] = json!("ops");
    let named = state(&named.to_string());
    assert_eq!((named.stack_name().as_deref(), named.profile()), (Some("our-orders"), Some("ops")));
    let objects = objects(&named.template().unwrap());
    let bucket = Bucket::Own("ServerlessDeploymentBucket".to_owned());
    assert!(objects.iter().all(|(of, key)| *of == bucket && key.ends_with("/orders.zip")), "{objects:?}");
    assert_eq!(objects.len(), 1);
}

#[test]
fn archives_of_functions_and_layers_are_relocated_also_through_references() {
    let before = state(INDIVIDUALLY);
    let after = relocate(&before, &["hello.zip", "two.zip", "lib.zip", "kept.zip"]).unwrap();
    let layers = &after.root["service"]["initialServerlessConfig"]["layers"];
    assert_eq!(after.root["service"]["layers"], before.root["service"]["layers"], "a reference stays one");
    assert_eq!(layers["lib"]["package"]["artifact"], format!("{COPY}/lib.zip"));
    assert_eq!(after.functions()[1].artifact, Some(format!("{COPY}/two.zip")));
    let text = after.root.to_string();
    assert!(!text.contains("/home/ci") && !text.contains(before.artifact_directory_name().unwrap()));
    assert_eq!(after.prefix().unwrap().millis(), NOW);
}

#[test]
fn retained_layers_keep_the_version_that_they_replace() {
    let after = relocate(&state(INDIVIDUALLY), &["hello.zip", "two.zip", "lib.zip", "kept.zip"]).unwrap();
    let template = after.template().unwrap();
    let resources = template["Resources"].as_object().unwrap();
    let kept = resources.iter().find(|(name, _)| name.starts_with("KeptLambdaLayer")).unwrap().1;
    assert_eq!(kept["UpdateReplacePolicy"], "Retain");
    assert_eq!(resources["LibLambdaLayer"]["UpdateReplacePolicy"], Value::Null);
    let version = resources.values().find(|resource| resource["Type"] == "AWS::Lambda::Version").unwrap();
    assert_eq!(version["UpdateReplacePolicy"], Value::Null);
}

#[test]
fn a_layer_that_was_already_uploaded_is_uploaded_again_if_the_package_has_it() {
    let before = state(REUSED_LAYERS);
    let foreign = |state: &State| -> Vec<String> {
        state.foreign_objects(&files(&[])).unwrap().into_iter().map(|(_, key)| key).collect()
    };
    let uploaded = foreign(&before);
    assert_eq!(uploaded.len(), 2);
    let lib = "serverless/desk/prod/1795456334356-2026-11-23T17:52:14.356Z/lib.zip";
    assert!(uploaded.iter().any(|key| key == lib), "{uploaded:?}");

    let after = relocate(&before, &["hello.zip", "two.zip", "lib.zip"]).unwrap();
    let kept = uploaded.into_iter().find(|key| key != lib).unwrap();
    assert_eq!(foreign(&after), std::slice::from_ref(&kept), "the archive of `kept` is not in the package");
    let layers = after.layers();
    assert_eq!((layers[0].reused, layers[1].reused), (false, true));
    let outputs = &after.template().unwrap()["Outputs"];
    assert_eq!(outputs["LibLambdaLayerS3Key"]["Value"], format!("serverless/desk/prod/{NEW_TIME}/lib.zip"));
    assert_eq!(outputs["KeptLambdaLayerS3Key"]["Value"], kept);
}

#[test]
fn archives_that_the_config_names_are_taken_from_the_package() {
    let before = state(OWN_ARCHIVES);
    let after = relocate(&before, &["app.zip", "two.zip", "lib.zip"]).unwrap();
    let package = |name: &str| after.root["service"]["functions"][name]["package"].clone();
    assert_eq!(package("hello"), json!({"artifact": format!("{COPY}/app.zip"), "individually": true}));
    assert_eq!(package("two"), json!({"artifact": format!("{COPY}/two.zip"), "individually": true}));
    assert_eq!(after.layers()[0].artifact, Some(format!("{COPY}/lib.zip")));

    for (missing, names) in [("the service", ["two.zip", "lib.zip"]), ("layer `lib`", ["app.zip", "two.zip"])]
    {
        let error = relocate(&before, &names).unwrap_err();
        assert!(error.to_string().contains(missing), "{error}");
    }
}

#[test]
fn the_prefix_is_found_wherever_a_text_names_it() {
    let mut before = state(CUSTOM_RESOURCES);
    let old = before.artifact_directory_name().unwrap().to_owned();
    let (base, time) = old.rsplit_once('/').unwrap();
    let (base, time) = (base.to_owned(), time.to_owned());
    before.root["service"]["provider"]["compiledCloudFormationTemplate"]["Resources"]["Nested"] = json!({
        "Join": {"Fn::Join": ["/", ["https://s3.amazonaws.com", {"Ref": "B"}, old, "nested.json"]]},
        "Sub": {"Fn::Sub": format!("https://${{B}}.s3.amazonaws.com/{old}/nested.json?x={old}")},
        "Parts": {"Fn::Join": ["/", [base, time, "nested.json"]]},
        "Longer": [format!("{old}1/a.zip"), format!("{old}-b/a.zip"), format!("{base}/1{time}/a.zip")],
    });
    let after = relocate(&before, &["custom.zip", "custom-resources.zip"]).unwrap();
    let nested = &after.template().unwrap()["Resources"]["Nested"];
    let new = format!("{base}/{NEW_TIME}");
    assert_eq!(nested["Join"]["Fn::Join"][1][2], new);
    assert_eq!(
        nested["Sub"]["Fn::Sub"],
        format!("https://${{B}}.s3.amazonaws.com/{new}/nested.json?x={new}")
    );
    assert_eq!(nested["Parts"]["Fn::Join"][1], json!([base, NEW_TIME, "nested.json"]));
    let before = before.template().unwrap();
    assert_eq!(nested["Longer"], before["Resources"]["Nested"]["Longer"]);
}

#[test]
fn another_file_of_the_package_is_given_the_prefix_too() {
    let state = state(SERVICE);
    let prefix = state.prefix().unwrap().fresh(NOW).unwrap();
    let files = files(&[]);
    let to = Relocation { directory: Path::new(COPY), files: &files, prefix: &prefix };
    let old = state.artifact_directory_name().unwrap();
    let text = format!("{{\"S3Key\":\"{old}/a.zip\" }}\n");
    assert_eq!(
        state.relocated_file(&text, &to).unwrap(),
        Some(format!("{{\"S3Key\":\"{prefix}/a.zip\" }}\n"))
    );
    assert_eq!(state.relocated_file("{}", &to).unwrap(), None);
}

#[test]
fn a_wrong_place_or_prefix_is_refused() {
    let state = state(SERVICE);
    let files = files(&["orders.zip"]);
    let own = state.prefix().unwrap();
    let relative = Relocation { directory: Path::new("copy"), files: &files, prefix: &own };
    assert!(matches!(state.relocated(&relative), Err(StateError::Directory(_))));
    let other = own.as_str().replace("/prod/", "/dev/").parse().unwrap();
    let other = Relocation { directory: Path::new(COPY), files: &files, prefix: &other };
    assert!(matches!(state.relocated(&other), Err(StateError::OtherPrefix { .. })));
}

#[test]
fn numbers_texts_and_the_order_of_keys_stay_as_they_are() {
    let odd = r#""odd": {"z": 1.0, "a": 100000000000000000000000000000001, "m": 1e2, "f": -0.0, "n": null, "u": "é\u0001\ud83d\ude00", "e": [], "o": {}}"#;
    let text = SERVICE.replacen('{', &format!("{{{odd},"), 1);
    let after = relocate(&state(&text), &["orders.zip"]).unwrap();
    let written = serde_json::to_string(&after.root["odd"]).unwrap();
    let expected = r#"{"z":1.0,"a":100000000000000000000000000000001,"m":1e+2,"f":-0.0,"n":null,"u":"é\u0001😀","e":[],"o":{}}"#;
    assert_eq!(written.replace("1e2", "1e+2"), expected);
    let keys = |state: &State| state.root["service"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&after), keys(&state(SERVICE)));
}

#[test]
fn what_is_no_state_is_refused_with_a_reason() {
    for (text, reason) in [
        ("", "is not JSON"),
        ("[]", "has no `service`"),
        ("{}", "has no `service`"),
        (r#"{"service": {}}"#, "has no `package`"),
        (r#"{"service": "a", "package": {}}"#, "has no `service`"),
        ("{\"service\": {}, \"package\": {}", "is not JSON"),
    ] {
        let error = State::parse(text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(reason), "{text}: {error}");
        assert!(error.hint().is_some());
    }
    let deep = format!("{{\"service\": {}1{}, \"package\": {{}}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(State::parse(deep.as_bytes()), Err(StateError::Json(_))));
    assert!(matches!(State::parse(&vec![b' '; MAX_STATE_BYTES + 1]), Err(StateError::TooLarge(_))));

    let bare = state(r#"{"service": {}, "package": {}}"#);
    assert!(matches!(bare.prefix(), Err(StateError::Missing(_))));
    assert!(matches!(bare.template(), Err(StateError::Missing(_))));
    assert_eq!((bare.stage(), bare.functions(), bare.layers()), (None, vec![], vec![]));
    assert!(bare.check_target("dev", "us-east-1").is_err());
}

/// Any JSON, with the keys and references that a state has more often than chance would.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "\\PC{0,12}",
        Just("serverless/a/b/1795455174186-2026-11-23T17:32:54.186Z".to_owned()),
        Just("$[\"service\"]".to_owned()),
        Just("$[\"service\"][\"functions\"]".to_owned()),
        Just("/x/.serverless/a.zip".to_owned()),
    ];
    // The last key is what `arbitrary_precision` writes numbers with inside serde_json.
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from)
    ];
    let key = prop::sample::select(vec![
        "service",
        "package",
        "provider",
        "functions",
        "layers",
        "artifact",
        "artifactDirectoryName",
        "individually",
        "S3Key",
        "compiledCloudFormationTemplate",
        "Resources",
        "$ref",
        "Type",
        "Properties",
        "plugins",
        "modules",
        "stage",
        "image",
        "artifactAlreadyUploaded",
        "$serde_json::private::Number",
    ]);
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|pairs| pairs
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect::<Map<_, _>>()
                .into()),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_used_without_a_panic_and_relocating_twice_is_as_once(service in any_json(), mut package in any_json(), named in any::<bool>()) {
        if named && package.is_object() {
            package["artifactDirectoryName"] = json!("serverless/a/b/1795455174186-2026-11-23T17:32:54.186Z");
        }
        let text = json!({"service": service, "package": package}).to_string();
        let Ok(state) = State::parse(text.as_bytes()) else { return Ok(()) };
        let _ = (state.stage(), state.functions(), state.layers(), state.plugins(), state.foreign_objects(&files(&["a.zip"])));
        let _ = state.artifacts(&files(&["a.zip"]));
        if let Ok(once) = relocate(&state, &["a.zip"]) {
            let twice = relocate(&once, &["a.zip"]);
            // The second time the prefix is the new one, and the next is newer still.
            prop_assert!(twice.is_ok());
            let files = files(&["a.zip"]);
            let prefix = once.prefix().unwrap();
            let to = Relocation { directory: Path::new(COPY), files: &files, prefix: &prefix };
            prop_assert_eq!(once.relocated(&to).unwrap(), once);
        }
    }

    #[test]
    fn a_real_state_is_relocated_the_same_twice(now in NOW..NOW * 2, index in 0_usize..5) {
        let state = state([SERVICE, INDIVIDUALLY, REUSED_LAYERS, OWN_ARCHIVES, CUSTOM_RESOURCES][index]);
        let files = files(&["orders.zip", "hello.zip", "two.zip", "lib.zip", "kept.zip", "app.zip", "custom.zip", "custom-resources.zip"]);
        let prefix = state.prefix().unwrap().fresh(now).unwrap();
        let to = Relocation { directory: Path::new(COPY), files: &files, prefix: &prefix };
        let once = state.relocated(&to).unwrap();
        prop_assert_eq!(&once.relocated(&to).unwrap(), &once);
    }

    #[test]
    fn values_that_do_not_name_the_prefix_are_unchanged(extra in any_json().prop_filter("names it", |v| !["1795455", "private"].iter().any(|odd| v.to_string().contains(odd)))) {
        let mut before = state(SERVICE);
        before.root["service"]["custom"] = extra;
        let after = relocate(&before, &["orders.zip"]).unwrap();
        prop_assert_eq!(&after.root["service"]["custom"], &before.root["service"]["custom"]);
    }
}
