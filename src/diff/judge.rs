//! The fate of each resource that is removed or replaced, and whether it may be. Uses the templates and the tables alone, not AWS. Pure.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::tables::{self, Stateful, UpdateEffect};
use super::template::{Change, ResourceChange, Template, TemplateChange, each_reference};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    Deleted,
    Replaced,
    /// It is removed if its condition does not hold.
    MayBeDeleted,
    /// It may be replaced: only `CloudFormation` knows.
    MayBeReplaced,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds no data.
    Harmless,
    /// Its type is unknown.
    Unknown,
    /// It holds data that can't be recreated, and a policy keeps it.
    Kept,
    /// It holds data that can't be recreated.
    Blocked,
    /// The same, but the user allowed it by name.
    Allowed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judgement {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub fate: Fate,
    pub verdict: Verdict,
    /// The changed properties, or attributes, that are the reason.
    pub because: Vec<String>,
    /// The data that would be lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<&'static str>,
    /// The policy that keeps it: `DeletionPolicy: Retain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

impl Judgement {
    /// Whether it blocks a deployment.
    pub fn is_blocked(&self) -> bool {
        self.verdict == Verdict::Blocked
    }
}

/// Judges every resource that the change from `before` to `after` removes or replaces.
pub fn judge(before: &Template, after: &Template, change: &TemplateChange) -> Vec<Judgement> {
    let fates = fates(before, after, change);
    let judged = fates.into_iter().map(|(id, (fate, because))| {
        let resource = before.resource(&id).unwrap_or(&Value::Null);
        let kind = before.kind(&id).to_owned();
        let (name, policy) = match fate {
            Fate::Deleted | Fate::MayBeDeleted => ("DeletionPolicy", deletion_policy(resource, &kind)),
            // That of the template which is being deployed: it says what is to become of what it replaces.
            Fate::Replaced | Fate::MayBeReplaced => {
                let new = after.resource(&id).and_then(|new| new["UpdateReplacePolicy"].as_str());
                ("UpdateReplacePolicy", new)
            }
        };
        let stateful = tables::stateful(&kind);
        let kept = policy.filter(|policy| keeps(policy, stateful)).map(|policy| format!("{name}: {policy}"));
        let verdict = match (stateful, &kept) {
            (Some(_), Some(_)) => Verdict::Kept,
            (Some(_), None) => Verdict::Blocked,
            (None, _) if is_unknown(&kind) => Verdict::Unknown,
            (None, _) => Verdict::Harmless,
        };
        Judgement { id, kind, fate, verdict, because, holds: stateful.map(|kind| kind.holds), policy: kept }
    });
    judged.collect()
}

/// A resource of an unknown type: of an extension, or newer than the tables.
fn is_unknown(kind: &str) -> bool {
    tables::update(kind, "") == UpdateEffect::Unknown
}

/// Whether a policy keeps a resource's data. `Snapshot` only has a meaning for types with snapshots.
pub(super) fn keeps(policy: &str, stateful: Option<Stateful>) -> bool {
    match policy {
        "Retain" | "RetainExceptOnCreate" => true,
        "Snapshot" => stateful.is_some_and(|kind| kind.snapshot),
        _ => false,
    }
}

/// A deployed resource's deletion policy. The default for databases is a snapshot (AWS `CloudFormation` User Guide, "`DeletionPolicy`
/// attribute"), except for the instances of a cluster.
fn deletion_policy<'t>(resource: &'t Value, kind: &str) -> Option<&'t str> {
    match (resource.get("DeletionPolicy"), kind) {
        (Some(policy), _) => policy.as_str(),
        (None, "AWS::RDS::DBCluster") => Some("Snapshot"),
        (None, "AWS::RDS::DBInstance") if resource["Properties"].get("DBClusterIdentifier").is_none() => {
            Some("Snapshot")
        }
        _ => None,
    }
}

type Fates = BTreeMap<String, (Fate, Vec<String>)>;

fn fates(before: &Template, after: &Template, change: &TemplateChange) -> Fates {
    let mut fates = Fates::new();
    for resource in &change.resources {
        let fate = match resource.change {
            Change::Added => None,
            Change::Removed => Some((Fate::Deleted, Vec::new())),
            Change::Changed => changed(resource, before),
        };
        fates.extend(fate.map(|fate| (resource.id.clone(), fate)));
    }
    for id in after
        .ids()
        .filter(|id| before.resource(id).is_some() && !fates.contains_key(*id))
        .map(str::to_owned)
        .collect::<Vec<_>>()
    {
        // An unchanged condition keeps its value; a changed one may not.
        let now = after.condition(&id);
        if now.is_some() && now != before.condition(&id) {
            fates.insert(id, (Fate::MayBeDeleted, vec!["Condition".to_owned()]));
        }
    }
    spread(before, after, &mut fates);
    fates
}

/// The fate of a resource that changed itself.
fn changed(resource: &ResourceChange, before: &Template) -> Option<(Fate, Vec<String>)> {
    // CloudFormation refuses that; otherwise nothing of the old resource would be left.
    if resource.attributes.iter().any(|name| name == "Type") {
        return Some((Fate::Replaced, vec!["Type".to_owned()]));
    }
    let kind = before.kind(&resource.id);
    let updates = resource.properties.iter().map(|path| (tables::update(kind, path), path));
    let updates: Vec<_> = updates.filter(|(update, _)| *update > UpdateEffect::InPlace).collect();
    let worst = updates.iter().map(|(update, _)| *update).max()?;
    let fate = if worst == UpdateEffect::Replaces { Fate::Replaced } else { Fate::MayBeReplaced };
    let names = updates.into_iter().filter(|(update, _)| *update == worst);
    Some((fate, names.map(|(_, path)| path.clone()).collect()))
}

/// If a resource is replaced, others that refer to it from a replacing property may be replaced with it.
fn spread(before: &Template, after: &Template, fates: &mut Fates) {
    loop {
        let mut more = Fates::new();
        for id in after.ids().filter(|id| before.resource(id).is_some() && !fates.contains_key(*id)) {
            let properties = &after.resource(id).unwrap_or(&Value::Null)["Properties"];
            let because = tables::replacing(after.kind(id)).filter_map(|(path, _)| {
                let replaced =
                    |other: &str| matches!(fates.get(other), Some((Fate::Replaced | Fate::MayBeReplaced, _)));
                let mut found = None;
                at(properties, path, &mut |value| {
                    each_reference(value, &mut |other| {
                        found = found.or(Some(other).filter(|other| replaced(other)));
                    });
                });
                found.map(|other| format!("{path} refers to {other}"))
            });
            let because: Vec<String> = because.collect();
            if !because.is_empty() {
                more.insert(id.to_owned(), (Fate::MayBeReplaced, because));
            }
        }
        if more.is_empty() {
            return;
        }
        fates.append(&mut more);
    }
}

/// Passes the values at a path, where `*` is every item, to `take`; a value that only `CloudFormation` knows is passed as a whole.
fn at<'v>(value: &'v Value, path: &str, take: &mut dyn FnMut(&'v Value)) {
    let Some((name, rest)) = path.split_once('/').or(Some((path, ""))).filter(|(name, _)| !name.is_empty())
    else {
        return take(value);
    };
    match value {
        Value::Array(items) if name == "*" => items.iter().for_each(|item| at(item, rest, take)),
        Value::Object(object) => match object.get(name) {
            Some(value) => at(value, rest, take),
            None if object.keys().any(|key| key == "Ref" || key.starts_with("Fn::")) => take(value),
            None => {}
        },
        _ => {}
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Deleted => "would be DELETED",
            Self::Replaced => "would be REPLACED",
            Self::MayBeDeleted => "may be DELETED",
            Self::MayBeReplaced => "may be REPLACED",
        })
    }
}

#[cfg(test)]
mod tests;
