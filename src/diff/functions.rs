//! What changed of functions and layers: their code, and what they are set up with. Values are said only where they are harmless:
//! memory, time, runtime and handler. Of the environment there are names alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::code::{ArchiveChange, CodeChange, Detail};
use super::stack_snapshot::StackSnapshot;
use super::template::{Change, TemplateChange, paths};
use crate::error::Result;

/// The type of a function.
pub(super) const FUNCTION: &str = "AWS::Lambda::Function";
/// The type of a layer.
pub(super) const LAYER: &str = "AWS::Lambda::LayerVersion";
/// The type of a function's version, of which there is nothing to say but what is said of the function.
pub(super) const VERSION: &str = "AWS::Lambda::Version";

/// Settings whose values are no secrets: the property, and its name here.
const HARMLESS: &[(&str, &str)] =
    &[("MemorySize", "memory"), ("Timeout", "timeout"), ("Runtime", "runtime"), ("Handler", "handler")];

/// A function, or a layer, that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionChange {
    /// Its name in the config; where that is unknown, its logical id without what the framework adds.
    pub name: String,
    /// Its logical id.
    pub id: String,
    /// How it differs.
    pub change: Change,
    /// What changed in its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeChange>,
    /// What changed of `memory`, `timeout`, `runtime` and `handler`.
    pub settings: BTreeMap<&'static str, Values>,
    /// The names of environment variables that differ.
    pub environment: Names,
    /// What else of it changed: properties' paths, and attributes.
    pub properties: Vec<String>,
}

/// A harmless value before and after; absent where it was not set, or is known only to `CloudFormation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Values {
    /// Before.
    pub before: Option<String>,
    /// After.
    pub after: Option<String>,
}

/// Names that came, went, or stand for something else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Names {
    /// That were not there.
    pub added: Vec<String>,
    /// That are not there any more.
    pub removed: Vec<String>,
    /// Whose values differ.
    pub changed: Vec<String>,
}

impl Names {
    /// Whether none differ.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    /// The names that differ between two sets of them.
    pub(super) fn between(before: &[String], after: &[String]) -> Self {
        let missing = |one: &[String], other: &[String]| -> Vec<String> {
            one.iter().filter(|name| !other.contains(name)).cloned().collect()
        };
        Self { added: missing(after, before), removed: missing(before, after), changed: Vec::new() }
    }
}

/// The functions, and the layers, that differ; and the archives of their code.
pub(super) struct Found {
    pub(super) functions: Vec<FunctionChange>,
    pub(super) layers: Vec<FunctionChange>,
    pub(super) archives: Vec<ArchiveChange>,
}

/// What differs of functions and layers. Archives that several have in common are compared once.
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

/// The archives that were compared, by their paths.
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
            return Ok(None);
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
            environment: Names::default(),
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

/// The name that a logical id was made of, as far as it shows.
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
                let values = Values { before: text(&before[*property]), after: text(&after[*property]) };
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

fn environment(before: &Value, after: &Value) -> Names {
    let names = |value: &Value| -> Vec<String> {
        value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
    };
    let (old, new) = (names(before), names(after));
    let differs = |name: &&String| {
        new.contains(name) && !paths(&before[name.as_str()], &after[name.as_str()]).is_empty()
    };
    Names { changed: old.iter().filter(differs).cloned().collect(), ..Names::between(&old, &new) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::template::compare as compare_templates;
    use super::*;

    /// The change of one function whose properties go from one form to the other; without packages, so without code.
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
        let values = |before: Option<&str>, after: Option<&str>| Values {
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
            Names { added: names(&["D"]), removed: names(&["A"]), changed: names(&["B", "C"]) }
        );
        assert!(!serde_json::to_string(&found).unwrap().contains('3'));
        // Without any, and as something that only CloudFormation knows.
        assert_eq!(change(&all, &json!({})).unwrap().environment.removed, names(&["A", "B", "C"]));
        let whole = |id: &str| with(json!({"Fn::If": [id, {"Ref": "A"}, {"Ref": "B"}]}));
        let found = change(&whole("One"), &whole("Two")).unwrap();
        assert_eq!(found.environment.changed, names(&["Fn::If"]));
    }
}
