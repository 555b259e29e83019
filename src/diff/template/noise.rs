//! Removes from a template what changes with every packaging: S3 keys, hashes of code, and logical ids with hashes and times of the
//! framework's, with all references to them.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

/// The fewest characters of a hash or a time that ends a logical id.
const MIN_HASH: usize = 13;
/// The placeholder for a removed value.
const ANEW: &str = "*";

pub(super) struct Sections {
    pub(super) resources: BTreeMap<String, Value>,
    pub(super) outputs: BTreeMap<String, Value>,
    pub(super) conditions: Map<String, Value>,
}

pub(super) fn without(template: &Value) -> Sections {
    let section = |name: &str| template[name].as_object().cloned().unwrap_or_default();
    let resources = section("Resources");
    let renames = renames(&resources);
    let names = |id: &str| renames.get(id).map_or(id, String::as_str).to_owned();
    let resource = |id: &String, resource: &Value| {
        let mut resource = rewrite(resource, &renames);
        if let Some(object) = resource.as_object_mut() {
            settle(object, &renames);
        }
        (names(id), resource)
    };
    let output = |(name, value): (&String, &Value)| {
        let mut value = rewrite(value, &renames);
        // The hash of a layer's content: the content itself is compared.
        if name.ends_with("LambdaLayerHash") && value["Value"].is_string() {
            value["Value"] = json!(ANEW);
        }
        (name.clone(), value)
    };
    Sections {
        resources: resources.iter().map(|(id, value)| resource(id, value)).collect(),
        outputs: section("Outputs").iter().map(output).collect(),
        conditions: section("Conditions"),
    }
}

/// The changing logical ids, and their steady forms. An id whose steady form is another's stays as it is.
fn renames(resources: &Map<String, Value>) -> HashMap<String, String> {
    let steady = resources.iter().filter_map(|(id, resource)| Some((id.clone(), steady(id, resource)?)));
    let steady: HashMap<String, String> = steady.collect();
    let mut claims: BTreeMap<&str, usize> = BTreeMap::new();
    for name in steady.values() {
        *claims.entry(name).or_default() += 1;
    }
    let free = |name: &str| claims[name] == 1 && !resources.contains_key(name);
    steady.iter().filter(|(_, name)| free(name)).map(|(id, name)| (id.clone(), name.clone())).collect()
}

/// A logical id without the hash or time at its end; `None` without one. The names are those of the framework's
/// `lib/plugins/aws/lib/naming.js`.
fn steady(id: &str, resource: &Value) -> Option<String> {
    let name = match resource["Type"].as_str()? {
        "AWS::Lambda::Version" => {
            let function = resource["Properties"]["FunctionName"]["Ref"].as_str()?;
            format!("{}LambdaVersion", function.strip_suffix("LambdaFunction")?)
        }
        // A layer that is to be kept has its hash in its id.
        "AWS::Lambda::LayerVersion" => id[..id.find("LambdaLayer")?].to_owned() + "LambdaLayer",
        "AWS::ApiGateway::Deployment" => "ApiGatewayDeployment".to_owned(),
        "AWS::ApiGatewayV2::Deployment" => "WebsocketsDeployment".to_owned(),
        _ => return None,
    };
    let hash = id.strip_prefix(&name)?;
    (hash.len() >= MIN_HASH && hash.chars().all(|c| c.is_ascii_alphanumeric())).then_some(name)
}

/// Removes the parts of a resource that no reference leads to.
fn settle(resource: &mut Map<String, Value>, renames: &HashMap<String, String>) {
    if resource.get("Type").is_some_and(|kind| kind == "AWS::Lambda::Version")
        && let Some(properties) = resource.get_mut("Properties").and_then(Value::as_object_mut)
    {
        properties.remove("CodeSha256");
    }
    // Our deployments keep replaced versions of retained layers (`service::state::relocate`): the package's own template lacks that.
    let is_layer = resource.get("Type").is_some_and(|kind| {
        kind == "AWS::Lambda::LayerVersion" || kind == "AWS::Lambda::LayerVersionPermission"
    });
    if is_layer && resource.get("DeletionPolicy").is_some_and(|policy| policy == "Retain") {
        resource.entry("UpdateReplacePolicy").or_insert_with(|| json!("Retain"));
    }
    if let Some(value) = resource.get_mut("DependsOn") {
        let ids = match &*value {
            Value::Array(ids) => ids.iter().filter_map(Value::as_str).collect(),
            other => Vec::from_iter(other.as_str()),
        };
        let ids = ids.into_iter().map(|id| renames.get(id).map_or(id, String::as_str).to_owned());
        let mut ids: Vec<String> = ids.collect();
        ids.sort_unstable();
        ids.dedup();
        *value = json!(ids);
    }
}

/// A copy of `value` with renamed references, and without times in S3 keys.
fn rewrite(value: &Value, renames: &HashMap<String, String>) -> Value {
    let steady_name = |id: &str| renames.get(id).map_or(id, String::as_str).to_owned();
    match value {
        Value::Object(object) => {
            let entry = |(name, value): (&String, &Value)| {
                let value = match (name.as_str(), value) {
                    ("Ref", Value::String(id)) => json!(steady_name(id)),
                    ("Fn::GetAtt", Value::String(text)) => match text.split_once('.') {
                        Some((id, attribute)) => json!([steady_name(id), attribute]),
                        None => value.clone(),
                    },
                    ("Fn::GetAtt", Value::Array(parts)) => {
                        let mut parts = parts.clone();
                        if let Some(Value::String(id)) = parts.first_mut() {
                            *id = steady_name(id);
                        }
                        Value::Array(parts)
                    }
                    ("Fn::Sub", Value::String(text)) => json!(substituted(text, &steady_name)),
                    ("Fn::Sub", Value::Array(parts)) => {
                        let mut parts: Vec<Value> = parts.iter().map(|part| rewrite(part, renames)).collect();
                        if let Some(Value::String(text)) = parts.first_mut() {
                            *text = substituted(text, &steady_name);
                        }
                        Value::Array(parts)
                    }
                    (_, value) => rewrite(value, renames),
                };
                (name.clone(), value)
            };
            Value::Object(object.iter().map(entry).collect())
        }
        Value::Array(items) => items.iter().map(|item| rewrite(item, renames)).collect(),
        Value::String(text) => json!(without_time(text)),
        scalar => scalar.clone(),
    }
}

/// The text of a `Fn::Sub` with the ids in `${…}` renamed.
fn substituted(text: &str, renamed: &impl Fn(&str) -> String) -> String {
    let mut parts = text.split("${");
    let mut all = without_time(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(['.', '}']).unwrap_or(part.len());
        all = all + "${" + &renamed(&part[..end]) + &without_time(&part[end..]);
    }
    all
}

/// A text with `*` for the time in the S3 key of a deployment: `/<milliseconds>-<ISO time>/`.
fn without_time(text: &str) -> String {
    const TIME: usize = "1795455383931-2026-11-23T17:36:23.931Z".len();
    let is_time = |text: &str| {
        text.bytes().enumerate().all(|(at, byte)| match at {
            13 | 18 | 21 => byte == b'-',
            24 => byte == b'T',
            27 | 30 => byte == b':',
            33 => byte == b'.',
            37 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        })
    };
    let mut parts = text.split('/');
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        all.push('/');
        match part.split_at_checked(TIME) {
            Some((time, rest)) if is_time(time) => all = all + ANEW + rest,
            _ => all.push_str(part),
        }
    }
    all
}

/// Passes every logical id that `value` refers to, through `Ref`, `Fn::GetAtt` or `Fn::Sub`, to `take`.
pub(in crate::diff) fn each_reference<'v>(value: &'v Value, take: &mut dyn FnMut(&'v str)) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                match (name.as_str(), value) {
                    ("Ref", Value::String(id)) => take(id),
                    ("Fn::GetAtt", Value::Array(parts)) => {
                        parts.first().and_then(Value::as_str).into_iter().for_each(&mut *take);
                    }
                    ("Fn::Sub", Value::String(text)) => names_in(text).for_each(&mut *take),
                    ("Fn::Sub", Value::Array(parts)) => {
                        parts
                            .first()
                            .and_then(Value::as_str)
                            .into_iter()
                            .flat_map(names_in)
                            .for_each(&mut *take);
                        parts.iter().skip(1).for_each(|part| each_reference(part, take));
                    }
                    (_, value) => each_reference(value, take),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| each_reference(item, take)),
        _ => {}
    }
}

fn names_in(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).map(|part| &part[..part.find(['.', '}']).unwrap_or(part.len())])
}
