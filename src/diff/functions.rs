//! Changes of functions and layers: code and settings. Only harmless values are shown: memory, timeout, runtime and handler. Of
//! environment variables, only names.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::code::{ArchiveChange, CodeChange, Detail};
use super::stack_snapshot::StackSnapshot;
use super::template::{Change, TemplateChange, paths};
use crate::error::Result;

pub(super) const FUNCTION: &str = "AWS::Lambda::Function";
pub(super) const LAYER: &str = "AWS::Lambda::LayerVersion";
/// A function's version, which changes with the function.
pub(super) const VERSION: &str = "AWS::Lambda::Version";

/// Settings whose values are no secrets: the property, and its name here.
const HARMLESS: &[(&str, &str)] =
    &[("MemorySize", "memory"), ("Timeout", "timeout"), ("Runtime", "runtime"), ("Handler", "handler")];

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionChange {
    /// Its name in the config; if that is unknown, its logical id without the framework's suffix.
    pub name: String,
    pub id: String,
    pub change: Change,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeChange>,
    /// Changes of `memory`, `timeout`, `runtime` and `handler`.
    pub settings: BTreeMap<&'static str, ValueChange>,
    pub environment: NameChanges,
    /// Other changes: paths of properties, and attributes.
    pub properties: Vec<String>,
}

/// A harmless value before and after; absent if it was not set, or only `CloudFormation` knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValueChange {
    pub before: Option<String>,
    pub after: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NameChanges {
    pub added: Vec<String>,
    pub removed: Vec<String>,
    pub changed: Vec<String>,
}

impl NameChanges {
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    pub(super) fn between(before: &[String], after: &[String]) -> Self {
        let missing = |one: &[String], other: &[String]| -> Vec<String> {
            one.iter().filter(|name| !other.contains(name)).cloned().collect()
        };
        Self { added: missing(after, before), removed: missing(before, after), changed: Vec::new() }
    }
}

pub(super) struct Found {
    pub(super) functions: Vec<FunctionChange>,
    pub(super) layers: Vec<FunctionChange>,
    pub(super) archives: Vec<ArchiveChange>,
}

/// The changes of functions and layers. An archive that several share is compared once.
pub(super) fn compare(
    before: &StackSnapshot<'_>,
    after: &StackSnapshot<'_>,
    change: &TemplateChange,
    detail: Detail,
) -> Result<Found> {
    let mut codes = Codes { before, after, detail, known: BTreeMap::new() };
    let functions = changes(FUNCTION, &mut codes, change)?;
    let layers = changes(LAYER, &mut codes, change)?;
    Ok(Found { functions, layers, archives: codes.known.into_values().flatten().collect() })
}

struct Codes<'s, 'r> {
    before: &'s StackSnapshot<'r>,
    after: &'s StackSnapshot<'r>,
    detail: Detail,
    known: BTreeMap<(String, String), Option<ArchiveChange>>,
}

impl Codes<'_, '_> {
    fn between(&mut self, before: &Value, after: &Value) -> Result<Option<CodeChange>> {
        let key = |properties: &Value| {
            let content = ["Code", "Content"].iter().find_map(|name| properties[*name]["S3Key"].as_str());
            content.map(str::to_owned)
        };
        let (Some(before), Some(after)) = (key(before), key(after)) else { return Ok(None) };
        let (Some(old), Some(new)) = (self.before.archive(&before), self.after.archive(&after)) else {
            // The same object in S3 is the same code; of another one, nothing is known.
            return Ok((before != after).then(|| CodeChange::unknown(&after)));
        };
        let known = (old.1.path.clone(), new.1.path.clone());
        if !self.known.contains_key(&known) {
            self.known.insert(known.clone(), ArchiveChange::between(old, new, self.detail)?);
        }
        Ok(self.known[&known].as_ref().map(ArchiveChange::summary))
    }
}

fn changes(kind: &str, codes: &mut Codes<'_, '_>, change: &TemplateChange) -> Result<Vec<FunctionChange>> {
    let (before, after) = (codes.before, codes.after);
    let old: BTreeMap<&str, &Value> = before.template().of_kind(kind).collect();
    let new: BTreeMap<&str, &Value> = after.template().of_kind(kind).collect();
    let names = [after.function_names(), before.function_names()];
    let ids: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let mut found = Vec::new();
    for id in ids {
        let (was, is) = (old.get(id).copied(), new.get(id).copied());
        let called = is.or(was).and_then(|properties| properties["FunctionName"].as_str());
        let name = called.and_then(|called| names.iter().find_map(|names| names.get(called)));
        let name = name.map_or_else(|| plain_name(id), String::as_str).to_owned();
        let of = |change| FunctionChange {
            name: name.clone(),
            id: id.to_owned(),
            change,
            code: None,
            settings: BTreeMap::new(),
            environment: NameChanges::default(),
            properties: Vec::new(),
        };
        match (was, is) {
            (None, _) => found.push(of(Change::Added)),
            (_, None) => found.push(of(Change::Removed)),
            (Some(was), Some(is)) => {
                let attributes = change.resources.iter().find(|resource| resource.id == id);
                let attributes = attributes.map(|resource| resource.attributes.clone()).unwrap_or_default();
                let mut one = FunctionChange { code: codes.between(was, is)?, ..of(Change::Changed) };
                describe(&mut one, was, is);
                one.properties.extend(attributes);
                found.extend((one != of(Change::Changed)).then_some(one));
            }
        }
    }
    Ok(found)
}

/// The name in a logical id.
fn plain_name(id: &str) -> &str {
    id.strip_suffix("LambdaFunction").or_else(|| id.strip_suffix("LambdaLayer")).unwrap_or(id)
}

fn describe(one: &mut FunctionChange, before: &Value, after: &Value) {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let mut has_other_environment = false;
    for path in paths(before, after) {
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            [property] if HARMLESS.iter().any(|(name, _)| name == property) => {
                let name = HARMLESS.iter().find(|(name, _)| name == property).map_or("", |(_, name)| name);
                let values = ValueChange { before: text(&before[*property]), after: text(&after[*property]) };
                one.settings.insert(name, values);
            }
            ["Environment", ..] => has_other_environment = true,
            // The key in S3: the code itself is compared.
            ["Code" | "Content", "S3Key"] => {}
            _ => one.properties.push(path),
        }
    }
    if has_other_environment {
        one.environment =
            environment(&before["Environment"]["Variables"], &after["Environment"]["Variables"]);
        if one.environment.is_empty() {
            one.properties.push("Environment".to_owned());
        }
    }
}

fn environment(before: &Value, after: &Value) -> NameChanges {
    let names = |value: &Value| -> Vec<String> {
        value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
    };
    let (old, new) = (names(before), names(after));
    let differs = |name: &&String| {
        new.contains(name) && !paths(&before[name.as_str()], &after[name.as_str()]).is_empty()
    };
    NameChanges { changed: old.iter().filter(differs).cloned().collect(), ..NameChanges::between(&old, &new) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::template::compare as compare_templates;
    use super::*;

    /// The change of one function between two sets of properties, without packages and so without code.
    fn change(before: &Value, after: &Value) -> Option<FunctionChange> {
        let side = |properties: &Value| {
            let function = json!({"Type": FUNCTION, "Properties": properties});
            StackSnapshot::of_template(&json!({"Resources": {"HelloLambdaFunction": function}}))
        };
        let (before, after) = (side(before), side(after));
        let change = compare_templates(before.template(), after.template());
        compare(&before, &after, &change, Detail::Counts).unwrap().functions.pop()
    }

    #[test]
    fn harmless_values_are_told_and_others_are_only_named() {
        let before = json!({"MemorySize": 1024, "Runtime": "nodejs22.x", "Handler": {"Ref": "P"}, "Description": "a", "Role": "r"});
        let after = json!({"MemorySize": "512", "Handler": "a.b", "Description": "b", "Role": "r"});
        let found = change(&before, &after).unwrap();
        let values = |before: Option<&str>, after: Option<&str>| ValueChange {
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        assert_eq!(found.name, "Hello");
        assert_eq!(found.settings["memory"], values(Some("1024"), Some("512")));
        assert_eq!(found.settings["runtime"], values(Some("nodejs22.x"), None));
        assert_eq!(found.settings["handler"], values(None, Some("a.b")));
        assert_eq!(found.properties, ["Description"]);
        assert_eq!(change(&before, &before), None);
    }

    #[test]
    fn of_the_environment_there_are_names_alone() {
        let with = |variables: Value| json!({"Environment": {"Variables": variables}});
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let all = with(json!({"A": "1", "B": "2", "C": {"Ref": "X"}}));
        let found = change(&all, &with(json!({"B": "3", "C": {"Ref": "Y"}, "D": "4"}))).unwrap();
        assert_eq!(
            found.environment,
            NameChanges { added: names(&["D"]), removed: names(&["A"]), changed: names(&["B", "C"]) }
        );
        assert!(!serde_json::to_string(&found).unwrap().contains('3'));
        // Without any, and as a value that only CloudFormation knows.
        assert_eq!(change(&all, &json!({})).unwrap().environment.removed, names(&["A", "B", "C"]));
        let whole = |id: &str| with(json!({"Fn::If": [id, {"Ref": "A"}, {"Ref": "B"}]}));
        let found = change(&whole("One"), &whole("Two")).unwrap();
        assert_eq!(found.environment.changed, names(&["Fn::If"]));
    }

    #[test]
    fn code_whose_archives_are_not_here_is_never_the_same_code() {
        let with = |key: &str| json!({"Code": {"S3Bucket": "b", "S3Key": key}});
        let found = change(&with("deployments/1/a.zip"), &with("deployments/2/a.zip")).unwrap();
        assert_eq!(found.code, Some(CodeChange::unknown("deployments/2/a.zip")));
        assert_eq!(change(&with("deployments/1/a.zip"), &with("deployments/1/a.zip")), None);
    }
}
