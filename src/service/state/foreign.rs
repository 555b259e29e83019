//! The S3 objects that a deploy of the package needs and does not upload: code, layers and other content outside the package. Owns how a
//! template names an object; does not check that it exists.

use std::collections::BTreeSet;

use serde_json::Value;

use super::artifacts::{Place, place};
use super::relocate::is_resource_of_layer;
use super::{Bucket, State, StateError};

/// Properties of AWS's serverless transform that name an object as `s3://BUCKET/KEY`, or by `Bucket` and `Key`, beside those that end in
/// `S3Location`.
const LOCATIONS: &[&str] = &["CodeUri", "ContentUri", "DefinitionUri"];

impl State {
    /// The buckets and keys of the objects that a deploy of the package needs and does not upload. Left out are objects with a version,
    /// since that may exist when the object is gone, and layers that were uploaded before but are in the package: they are uploaded again.
    /// `files` are the package's.
    pub fn foreign_objects(
        &self,
        files: &BTreeSet<String>,
    ) -> Result<BTreeSet<(Bucket, String)>, StateError> {
        let prefix = self.prefix()?;
        let template = self.template()?;
        let mut layers = self.layers();
        layers.retain(|layer| {
            let path = layer.artifact.clone().unwrap_or_else(|| format!("{}.zip", layer.name));
            layer.reused && matches!(place(&path, files), Place::Package(_))
        });
        let is_uploaded = |id: &str| layers.iter().any(|layer| is_resource_of_layer(id, &layer.name));
        let mut found = BTreeSet::new();
        for (id, resource) in template["Resources"].as_object().into_iter().flatten() {
            if !is_uploaded(id) {
                collect(&resource["Properties"], &mut found);
            }
        }
        found.retain(|(_, key)| prefix.file(key).is_none());
        Ok(found)
    }
}

fn collect(value: &Value, found: &mut BTreeSet<(Bucket, String)>) {
    match value {
        Value::Object(object) => {
            if value["S3ObjectVersion"].is_null() {
                found.extend(named(&value["S3Bucket"], &value["S3Key"]));
            }
            for (name, value) in object {
                if name.ends_with("S3Location") || LOCATIONS.contains(&name.as_str()) {
                    found.extend(location(value));
                } else {
                    collect(value, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

fn named(bucket: &Value, key: &Value) -> Option<(Bucket, String)> {
    let bucket = match bucket {
        Value::String(name) => Bucket::Named(name.clone()),
        other => Bucket::Own(other["Ref"].as_str()?.to_owned()),
    };
    Some((bucket, key.as_str()?.to_owned()))
}

fn location(value: &Value) -> Option<(Bucket, String)> {
    match value {
        Value::String(url) => {
            let (bucket, key) = url.strip_prefix("s3://")?.split_once('/')?;
            Some((Bucket::Named(bucket.to_owned()), key.to_owned())).filter(|_| !key.is_empty())
        }
        other if other["Version"].is_null() => named(&other["Bucket"], &other["Key"]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const REUSED_LAYERS: &str = include_str!("../../../tests/fixtures/state/reused-layers.json");

    fn of(resources: &Value) -> Vec<String> {
        let state = json!({
            "service": {"service": "orders", "provider": {"compiledCloudFormationTemplate": {"Resources": resources}}},
            "package": {"artifactDirectoryName": "serverless/orders/prod/1767603600000-2026-01-05T09:00:00.000Z"},
        });
        let state = State::parse(state.to_string().as_bytes()).unwrap();
        let found = state.foreign_objects(&BTreeSet::new()).unwrap();
        let shown = |(bucket, key): (Bucket, String)| match bucket {
            Bucket::Named(name) => format!("{name}/{key}"),
            Bucket::Own(id) => format!("${{{id}}}/{key}"),
        };
        found.into_iter().map(shown).collect()
    }

    #[test]
    fn what_is_named_elsewhere_is_needed_and_not_uploaded() {
        let own = "serverless/orders/prod/1767603600000-2026-01-05T09:00:00.000Z/orders.zip";
        let found = of(&json!({
            "Own": {"Properties": {"Code": {"S3Bucket": {"Ref": "ServerlessDeploymentBucket"}, "S3Key": own}}},
            "Shared": {"Properties": {"Code": {"S3Bucket": "shared", "S3Key": "a.zip"}}},
            "Layer": {"Properties": {"Content": {"S3Bucket": {"Ref": "Bucket"}, "S3Key": "l.zip"}}},
            "Version": {"Properties": {"Code": {"S3Bucket": "b", "S3Key": "v.zip", "S3ObjectVersion": "1"}}},
            "Computed": {"Properties": {"Code": {"S3Bucket": {"Fn::ImportValue": "x"}, "S3Key": "c.zip"}}},
            "Sam": {"Properties": {"CodeUri": "s3://sam/code.zip", "ContentUri": "./src", "DefinitionUri": "s3://"}},
            "Machine": {"Properties": {"DefinitionS3Location": {"Bucket": "m", "Key": "m.json"}}},
            "Schema": {"Properties": {"DefinitionS3Location": "s3://schemas/a.graphql"}},
        }));
        assert_eq!(
            found,
            ["m/m.json", "sam/code.zip", "schemas/a.graphql", "shared/a.zip", "${Bucket}/l.zip"]
        );
    }

    #[test]
    fn a_layer_that_the_package_has_is_uploaded_again() {
        let state = State::parse(REUSED_LAYERS.as_bytes()).unwrap();
        let all: BTreeSet<String> =
            state.layers().iter().map(|layer| format!("{}.zip", layer.name)).collect();
        assert!(!all.is_empty());
        assert_eq!(state.foreign_objects(&all).unwrap(), BTreeSet::new());
        assert_eq!(state.foreign_objects(&BTreeSet::new()).unwrap().len(), all.len());
    }
}
