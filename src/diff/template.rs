//! The differences between two `CloudFormation` templates: resources by logical id, with the paths of changed properties, and outputs.
//! Values that change with every packaging are left out (see `noise`). Pure.

mod noise;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

pub(super) use noise::each_reference;

/// Attributes beside the properties that affect a deployment.
const ATTRIBUTES: &[&str] = &[
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Metadata",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];

/// A template without the values that change with every packaging.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Template {
    resources: BTreeMap<String, Value>,
    outputs: BTreeMap<String, Value>,
    conditions: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Added,
    Removed,
    Changed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResourceChange {
    /// Its logical id, without the framework's changing suffix.
    pub id: String,
    /// Its type; the new one if that changed.
    #[serde(rename = "type")]
    pub kind: String,
    pub change: Change,
    /// The paths of the properties that changed, such as `VpcConfig/SubnetIds`; never their values.
    pub properties: Vec<String>,
    /// The attributes that changed: `DeletionPolicy`, `DependsOn`, `Type`.
    pub attributes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutputChange {
    pub id: String,
    pub change: Change,
    pub exported: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TemplateChange {
    pub resources: Vec<ResourceChange>,
    pub outputs: Vec<OutputChange>,
    pub unchanged: usize,
}

impl Template {
    /// Reads a `CloudFormation` template. Parts of another form are ignored.
    pub fn new(template: &Value) -> Self {
        let noise::Sections { resources, outputs, conditions } = noise::without(template);
        Self { resources, outputs, conditions }
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.resources.keys().map(String::as_str)
    }

    pub fn resource(&self, id: &str) -> Option<&Value> {
        self.resources.get(id)
    }

    /// The type of a resource; empty if it has none.
    pub fn kind(&self, id: &str) -> &str {
        self.resource(id).map_or("", kind_of)
    }

    pub fn of_kind<'t>(&'t self, kind: &'t str) -> impl Iterator<Item = (&'t str, &'t Value)> {
        let all = self.resources.iter().filter(move |(_, resource)| resource["Type"] == kind);
        all.map(|(id, resource)| (id.as_str(), &resource["Properties"]))
    }

    /// Whether the live template is this one. Outputs that this one lacks are ignored: plugins add some.
    pub fn is_live_as(&self, live: &Self) -> bool {
        let TemplateChange { resources, outputs, .. } =
            compare(self, &live.clone().without_outputs_beyond(self));
        resources.is_empty() && outputs.is_empty()
    }

    /// Without the outputs that `other` lacks.
    pub(super) fn without_outputs_beyond(mut self, other: &Self) -> Self {
        self.outputs.retain(|name, _| other.outputs.contains_key(name));
        self
    }

    /// The condition that a resource names, and its definition.
    pub(super) fn condition(&self, id: &str) -> Option<(&Value, Option<&Value>)> {
        let name = self.resource(id)?.get("Condition")?;
        Some((name, name.as_str().and_then(|name| self.conditions.get(name))))
    }
}

pub fn compare(before: &Template, after: &Template) -> TemplateChange {
    let mut found = TemplateChange::default();
    for id in both(&before.resources, &after.resources) {
        let (old, new) = (before.resources.get(id), after.resources.get(id));
        match resource_change(id, old, new) {
            Some(change) => found.resources.push(change),
            None => found.unchanged += 1,
        }
    }
    for id in both(&before.outputs, &after.outputs) {
        let (old, new) = (before.outputs.get(id), after.outputs.get(id));
        let is_exported =
            |output: Option<&Value>| output.is_some_and(|output| output.get("Export").is_some());
        let exported = is_exported(old) || is_exported(new);
        let change = change(old, new);
        found.outputs.extend(change.map(|change| OutputChange { id: id.clone(), change, exported }));
    }
    found
}

fn both<'t>(one: &'t BTreeMap<String, Value>, other: &'t BTreeMap<String, Value>) -> BTreeSet<&'t String> {
    one.keys().chain(other.keys()).collect()
}

fn change(before: Option<&Value>, after: Option<&Value>) -> Option<Change> {
    match (before, after) {
        (None, Some(_)) => Some(Change::Added),
        (Some(_), None) => Some(Change::Removed),
        (Some(before), Some(after)) if !is_same(before, after) => Some(Change::Changed),
        _ => None,
    }
}

fn resource_change(id: &str, before: Option<&Value>, after: Option<&Value>) -> Option<ResourceChange> {
    let mut found = ResourceChange {
        id: id.to_owned(),
        kind: after.or(before).map_or("", kind_of).to_owned(),
        change: change(before, after)?,
        properties: Vec::new(),
        attributes: Vec::new(),
    };
    if let (Some(before), Some(after)) = (before, after) {
        found.properties = paths(&before["Properties"], &after["Properties"]);
        let differs = |name: &&&str| !is_same(&before[**name], &after[**name]);
        found.attributes =
            ["Type"].iter().chain(ATTRIBUTES).filter(differs).map(|name| (*name).to_owned()).collect();
        if found.properties.is_empty() && found.attributes.is_empty() {
            return None;
        }
    }
    Some(found)
}

fn kind_of(resource: &Value) -> &str {
    resource["Type"].as_str().unwrap_or_default()
}

/// The paths below which two values differ, as deep as both have the same form.
pub fn paths(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(before, after, "", &mut found);
    found
}

fn collect(before: &Value, after: &Value, path: &str, found: &mut Vec<String>) {
    if is_same(before, after) {
        return;
    }
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
    let empty = Map::new();
    match (before, after) {
        (Value::Object(old), Value::Object(new)) if !is_function(old) && !is_function(new) => {
            let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                collect(&before[name.as_str()], &after[name.as_str()], &below(name), found);
            }
        }
        // All properties, or none.
        (Value::Object(all), Value::Null) | (Value::Null, Value::Object(all))
            if path.is_empty() && *all != empty =>
        {
            found.extend(all.keys().map(|name| below(name)));
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (at, (old, new)) in old.iter().zip(new).enumerate() {
                collect(old, new, &below(&at.to_string()), found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

/// Whether two values are equal for `CloudFormation`, where numbers and booleans may be text.
fn is_same(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            old.len() == new.len()
                && old.iter().all(|(name, value)| new.get(name).is_some_and(|other| is_same(value, other)))
        }
        (Value::Array(old), Value::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| is_same(old, new))
        }
        (Value::String(text), Value::Number(number)) | (Value::Number(number), Value::String(text)) => {
            number.as_str() == text
        }
        (Value::String(text), Value::Bool(yes)) | (Value::Bool(yes), Value::String(text)) => {
            text == if *yes { "true" } else { "false" }
        }
        (before, after) => before == after,
    }
}

/// Whether an object is a `CloudFormation` function, whose value only `CloudFormation` knows.
fn is_function(object: &Map<String, Value>) -> bool {
    object.len() == 1
        && object.keys().all(|name| name == "Ref" || name == "Condition" || name.starts_with("Fn::"))
}

#[cfg(test)]
mod tests;
