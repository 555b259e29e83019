//! The state for a disposable copy of a package: with the copy's directory and a new S3 prefix. Every other value, number, and the order
//! of keys stay.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::super::prefix::S3Prefix;
use super::artifacts::{Place, Source, keys, last_name, place};
use super::owner::Owner;
use super::reference::{Step, at_mut, keys_to_steps, locate, target};
use super::{State, StateError};

/// Where a disposable copy of a package is, and where it uploads to.
#[derive(Debug, Clone, Copy)]
pub struct Relocation<'a> {
    /// The copy's directory: an absolute path. `deploy --package` first copies it to the service's `.serverless`, but leaves it in
    /// place, so either of the two will do.
    pub directory: &'a Path,
    /// The package's files, as paths relative to it, with `/`.
    pub files: &'a BTreeSet<String>,
    /// The new prefix, made by [`S3Prefix::fresh`] of the package's own.
    pub prefix: &'a S3Prefix,
}

impl Relocation<'_> {
    fn path_of(&self, file: &str) -> Result<String, StateError> {
        let path = self.directory.join(file);
        match path.to_str() {
            Some(text) if self.directory.is_absolute() => Ok(text.to_owned()),
            _ => Err(StateError::Directory(self.directory.to_path_buf())),
        }
    }
}

/// A value of the state to replace: its object, with references resolved, its key, and the new value.
struct Edit {
    object: Vec<Step>,
    key: &'static str,
    value: Value,
}

impl State {
    /// The state for a copy of the package:
    ///
    /// - the archives of functions and layers have the copy's paths;
    /// - the package's S3 prefix is the new one, everywhere;
    /// - a layer that was "already uploaded" is uploaded again if the package has it: the framework's clean-up may remove its older S3
    ///   key;
    /// - a layer with `retain: true` keeps its former version (`UpdateReplacePolicy`): the new S3 key makes `CloudFormation` replace it,
    ///   and its `DeletionPolicy` alone would not keep the version that others use.
    ///
    /// A missing archive is an error with its owner. Applying it again, with the same values, changes nothing.
    pub fn relocated(&self, to: &Relocation<'_>) -> Result<Self, StateError> {
        let old = self.prefix()?;
        let renaming = Renaming::new(&old, to.prefix)?;
        let layers = self.layers_to_upload(&old, to)?;
        let edits = self.edits(to, &layers)?;

        let mut root = self.root.clone();
        let keys: BTreeMap<&str, &str> =
            layers.values().map(|(from, to)| (from.as_str(), to.as_str())).collect();
        rewrite_strings(&mut root, &|text| {
            keys.get(text).map(|key| (*key).to_owned()).or_else(|| renaming.apply(text))
        });
        retain_replaced_layers(&mut root);
        for Edit { object, key, value } in edits {
            if let Some(Value::Object(object)) = at_mut(&mut root, &object) {
                object.insert(key.to_owned(), value);
            }
        }
        Ok(Self { root })
    }

    /// The content of the file.
    pub fn to_json(&self) -> Result<Vec<u8>, StateError> {
        Ok(serde_json::to_vec_pretty(&self.root)?)
    }

    /// Another text file of the package with the new prefix, or none if it does not name the old one. Plugins that split a stack write its
    /// parts to such files, and upload them from the package's directory.
    pub fn relocated_file(&self, text: &str, to: &Relocation<'_>) -> Result<Option<String>, StateError> {
        Ok(Renaming::new(&self.prefix()?, to.prefix)?.apply(text))
    }

    /// The edits to the functions, the layers and the service for the copy's place.
    fn edits(
        &self,
        to: &Relocation<'_>,
        layers: &BTreeMap<String, (String, String)>,
    ) -> Result<Vec<Edit>, StateError> {
        let mut edits = Vec::new();
        for function in self.functions().iter().filter(|function| !function.image) {
            let (owner, path, found) = match self.source(function) {
                Source::Own(path) => (Owner::Function(function.name.clone()), path, false),
                Source::Shared { path, found } => (Owner::Service, path, found),
            };
            let Place::Package(file) = place(&path, to.files) else {
                return Err(StateError::NotInPackage { owner, path });
            };
            if !found || file != last_name(&path) {
                // Without `individually`, the framework looks for an archive that the function does not use.
                let individually = !self.is_individual(&function.name);
                edits.extend(self.own_archive("functions", &function.name, to.path_of(&file)?, individually));
            }
        }
        for layer in self.layers() {
            let path = layer.artifact.unwrap_or_else(|| format!("{}.zip", layer.name));
            match place(&path, to.files) {
                Place::Package(file) => {
                    edits.extend(self.own_archive("layers", &layer.name, to.path_of(&file)?, false));
                }
                _ if layer.reused => {}
                _ => return Err(StateError::NotInPackage { owner: Owner::Layer(layer.name), path }),
            }
            if layers.contains_key(&layer.name) {
                let object = self.located(&["service", "layers", &layer.name]);
                edits.extend(object.map(|object| Edit {
                    object,
                    key: "artifactAlreadyUploaded",
                    value: Value::Bool(false),
                }));
            }
        }
        if let Some(path) = self.text(&["service", "artifact"])
            && let Place::Package(file) = place(path, to.files)
            && let Some(object) = self.located(&["service"])
        {
            edits.push(Edit { object, key: "artifact", value: Value::String(to.path_of(&file)?) });
        }
        Ok(edits)
    }

    /// Gives a function or a layer the archive at `path`, and sets `individually`.
    fn own_archive(&self, kind: &str, name: &str, path: String, individually: bool) -> Vec<Edit> {
        let Some(object) = self.located(&["service", kind, name, "package"]) else {
            let object = self.located(&["service", kind, name]);
            let value = if individually {
                json!({"artifact": path, "individually": true})
            } else {
                json!({ "artifact": path })
            };
            return object.map(|object| Edit { object, key: "package", value }).into_iter().collect();
        };
        let mut edits = vec![Edit { object: object.clone(), key: "artifact", value: Value::String(path) }];
        if individually {
            edits.push(Edit { object, key: "individually", value: Value::Bool(true) });
        }
        edits
    }

    /// The layers that the framework would not upload although the package has them, each with its old and new S3 key.
    fn layers_to_upload(
        &self,
        old: &S3Prefix,
        to: &Relocation<'_>,
    ) -> Result<BTreeMap<String, (String, String)>, StateError> {
        let mut all = BTreeMap::new();
        if !self.layers().iter().any(|layer| layer.reused) {
            return Ok(all);
        }
        let template = self.template()?;
        let keys = keys(&template);
        for layer in self.layers().into_iter().filter(|layer| layer.reused) {
            let path = layer.artifact.unwrap_or_else(|| format!("{}.zip", layer.name));
            let Place::Package(file) = place(&path, to.files) else { continue };
            let ours = |resource: &str| is_resource_of_layer(resource, &layer.name);
            let foreign = keys.iter().find(|(resource, _, key)| ours(resource) && old.file(key).is_none());
            if let Some((.., key)) = foreign {
                all.insert(layer.name, (key.clone(), format!("{}/{}", to.prefix, last_name(&file))));
            }
        }
        Ok(all)
    }

    fn located(&self, path: &[&str]) -> Option<Vec<Step>> {
        self.value(path)?.is_object().then(|| locate(&self.root, keys_to_steps(path)))?
    }
}

/// Whether a logical id belongs to the layer `name`: `<Name>LambdaLayer`, followed by a hash if the layer is retained
/// (`getLambdaLayerLogicalId` in `lib/plugins/aws/lib/naming.js`).
pub(super) fn is_resource_of_layer(resource: &str, name: &str) -> bool {
    let mut normalized = name.replace('-', "Dash").replace('_', "Underscore");
    if let Some(first) = normalized.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let rest = resource.strip_prefix(&normalized).and_then(|rest| rest.strip_prefix("LambdaLayer"));
    rest.is_some_and(|hash| {
        hash.is_empty() || hash.len() == 40 && hash.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

/// Renames the old prefix to the new one, wherever a text has it.
///
/// The two differ only in their last name, `<milliseconds>-<ISO time>`, which is unique. So that name is searched: it finds whole keys
/// (`S3Key`), URLs, and the parts of an `Fn::Join` or `Fn::Sub`.
struct Renaming<'a> {
    old: &'a str,
    new: &'a str,
}

impl<'a> Renaming<'a> {
    fn new(old: &'a S3Prefix, new: &'a S3Prefix) -> Result<Self, StateError> {
        let split = |prefix: &'a S3Prefix| prefix.as_str().rsplit_once('/').unwrap_or_default();
        let ((old_base, old_time), (new_base, new_time)) = (split(old), split(new));
        if old_base != new_base {
            return Err(StateError::OtherPrefix { old: old.clone(), new: new.clone() });
        }
        Ok(Self { old: old_time, new: new_time })
    }

    fn apply(&self, text: &str) -> Option<String> {
        let mut renamed = String::new();
        let mut copied = 0;
        for (at, _) in text.match_indices(self.old) {
            let end = at + self.old.len();
            let part_of_more = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
            if text[..at].ends_with(part_of_more) || text[end..].starts_with(part_of_more) {
                continue;
            }
            renamed.push_str(&text[copied..at]);
            renamed.push_str(self.new);
            copied = end;
        }
        if copied == 0 || self.old == self.new {
            return None;
        }
        renamed.push_str(&text[copied..]);
        Some(renamed)
    }
}

/// Replaces every string for which `rewrite` returns another, except references.
fn rewrite_strings(value: &mut Value, rewrite: &impl Fn(&str) -> Option<String>) {
    if target(value).is_some() {
        return;
    }
    match value {
        Value::String(text) => {
            if let Some(new) = rewrite(text) {
                *text = new;
            }
        }
        Value::Array(array) => array.iter_mut().for_each(|inner| rewrite_strings(inner, rewrite)),
        Value::Object(object) => object.values_mut().for_each(|inner| rewrite_strings(inner, rewrite)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Keeps layer versions, and the permissions on them, when they are replaced if they are kept when deleted.
fn retain_replaced_layers(root: &mut Value) {
    let path = ["service", "provider", "compiledCloudFormationTemplate", "Resources"];
    let Some(path) = locate(root, keys_to_steps(&path)) else { return };
    let resources = at_mut(root, &path).and_then(Value::as_object_mut);
    let objects = resources.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
    for resource in objects {
        let kind = resource.get("Type").and_then(Value::as_str);
        let layer = matches!(kind, Some("AWS::Lambda::LayerVersion" | "AWS::Lambda::LayerVersionPermission"));
        if layer && resource.get("DeletionPolicy").is_some_and(|policy| policy == "Retain") {
            resource.entry("UpdateReplacePolicy").or_insert_with(|| "Retain".into());
        }
    }
}
