//! `serverless-state.json`: the resolved service and its compiled template, which `deploy --package` deploys. Owns reading it; changes
//! nothing in it (see `relocate`).

mod artifacts;
mod code;
mod events;
mod foreign;
mod owner;
mod reference;
mod relocate;
mod sharing;

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::outline::Plugins;
use super::prefix::{PrefixError, S3Prefix};

pub use artifacts::Place;
pub use code::{Bucket, Code, DeployedFunction, LayerUse, objects};
pub use events::Event;
use owner::Owner;
pub use relocate::Relocation;
pub use sharing::Sharing;

/// The state's file name in a package (`getServiceStateFileName` in the framework's `lib/plugins/aws/lib/naming.js`).
pub const STATE_FILE: &str = "serverless-state.json";

pub const MAX_STATE_BYTES: usize = 64 << 20;

/// The most values that a state's references may unfold into.
const MAX_UNFOLDED_VALUES: usize = 2_000_000;

#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("{STATE_FILE} has {0} bytes, more than the {MAX_STATE_BYTES} that are read")]
    TooLarge(usize),
    #[error("{STATE_FILE} is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{STATE_FILE} has no `{0}`: it is not the state of a packaged service")]
    Missing(&'static str),
    /// Its references (`{"$ref": "$[…]"}`) lead nowhere, in a circle, or to too much.
    #[error("{STATE_FILE} can't be unfolded: the reference {0} leads nowhere, in a circle, or to too much")]
    Reference(String),
    /// Its `artifactDirectoryName` is not in the framework's form.
    #[error(transparent)]
    Prefix(#[from] PrefixError),
    /// Code that a deploy needs is not in the package.
    #[error("the code of {owner} is not in the package: {STATE_FILE} says {path:?}")]
    NotInPackage { owner: Owner, path: String },
    /// The path of a copy is relative, or not UTF-8.
    #[error("the framework can't read a package from {}: the path must be absolute, and UTF-8", .0.display())]
    Directory(PathBuf),
    /// A fresh prefix is for another service, stage or deployment prefix.
    #[error("the S3 prefix {new} is for another service or stage than the package's {old}")]
    OtherPrefix { old: S3Prefix, new: S3Prefix },
}

impl StateError {
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Json(_) | Self::Missing(_) | Self::Reference(_) => {
                "give the directory that `serverless package` made (usually `.serverless`)"
            }
            Self::NotInPackage { .. } => {
                "package again, with the archive that the config names (`package.artifact`) present when the package is recorded"
            }
            Self::Prefix(error) => error.hint(),
            Self::TooLarge(_) | Self::Directory(_) | Self::OtherPrefix { .. } => return None,
        };
        Some(text.to_owned())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the package is for stage {packaged_stage} in {packaged_region}, not for stage {asked_stage} in {asked_region}"
)]
pub struct TargetMismatch {
    pub packaged_stage: String,
    pub packaged_region: String,
    pub asked_stage: String,
    pub asked_region: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub deployed_name: Option<String>,
    pub runtime: Option<String>,
    /// The path of its own archive when it was packaged; none if it is part of the service's archive.
    pub artifact: Option<String>,
    /// Whether it is a container image, which has no archive.
    pub image: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    pub name: String,
    pub artifact: Option<String>,
    /// Whether the framework found it unchanged in the live stack: its template then names an S3 key of an older deployment, and `deploy
    /// --package` does not upload it (`compareWithLastLayer` in `lib/plugins/aws/package/compile/layers.js`).
    pub reused: bool,
    /// Whether replaced versions stay (`retain: true`).
    pub retained: bool,
}

/// A state, with every value, number and key order as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    root: Value,
}

impl State {
    /// Reads a state: any JSON object with `service` and `package` objects. Other missing parts are reported when they are needed.
    ///
    /// The format is that of the framework's `lib/plugins/aws/package/lib/save-service-state.js`, written with json-cycle.
    pub fn parse(bytes: &[u8]) -> Result<Self, StateError> {
        if bytes.len() > MAX_STATE_BYTES {
            return Err(StateError::TooLarge(bytes.len()));
        }
        let state = Self { root: serde_json::from_slice(bytes)? };
        for key in ["service", "package"] {
            if !state.root.get(key).is_some_and(Value::is_object) {
                return Err(StateError::Missing(key));
            }
        }
        Ok(state)
    }

    pub fn service_name(&self) -> Option<&str> {
        self.text(&["service", "service"])
    }

    /// The stage that the package was made for.
    ///
    /// The S3 prefix has it (`generateArtifactDirectoryName`). `provider.stage` is only what the config says: `--stage` does not change
    /// it.
    pub fn stage(&self) -> Option<String> {
        match self.prefix() {
            Ok(prefix) => Some(prefix.stage().to_owned()),
            Err(_) => self.text(&["service", "provider", "stage"]).map(str::to_owned),
        }
    }

    /// The region that the package was made for: the framework writes it into `provider.region`.
    pub fn region(&self) -> Option<&str> {
        self.text(&["service", "provider", "region"])
    }

    /// The plugins, in loading order.
    pub fn plugins(&self) -> Plugins {
        let list = self.value(&["service", "plugins"]);
        let Some(Value::Object(form)) = list else { return Plugins::from_value(list) };
        // `modules` may be a reference even if the list itself is not.
        let mut form = form.clone();
        if let Some(modules) = self.value(&["service", "plugins", "modules"]) {
            form.insert("modules".to_owned(), modules.clone());
        }
        Plugins::from_value(Some(&Value::Object(form)))
    }

    /// `package.artifactDirectoryName`: the S3 prefix that the package uploads to.
    pub fn artifact_directory_name(&self) -> Option<&str> {
        self.text(&["package", "artifactDirectoryName"]).filter(|name| !name.is_empty())
    }

    pub fn prefix(&self) -> Result<S3Prefix, StateError> {
        let name =
            self.artifact_directory_name().ok_or(StateError::Missing("package.artifactDirectoryName"))?;
        Ok(name.parse()?)
    }

    pub fn functions(&self) -> Vec<Function> {
        let function = |name: &str| {
            let text = |key: &str| self.text(&["service", "functions", name, key]).map(str::to_owned);
            Function {
                name: name.to_owned(),
                deployed_name: text("name"),
                runtime: text("runtime"),
                artifact: self.own_artifact("functions", name),
                image: self.value(&["service", "functions", name, "image"]).is_some_and(truthy),
            }
        };
        self.entries("functions").map(|(name, _)| function(name)).collect()
    }

    pub fn layers(&self) -> Vec<Layer> {
        let layer = |name: &str| {
            let flag = |key: &str| self.value(&["service", "layers", name, key]).is_some_and(truthy);
            Layer {
                name: name.to_owned(),
                artifact: self.own_artifact("layers", name),
                reused: flag("artifactAlreadyUploaded"),
                retained: flag("retain"),
            }
        };
        self.entries("layers").map(|(name, _)| layer(name)).collect()
    }

    /// The compiled `CloudFormation` template with the state's references resolved, as a deploy passes it to AWS.
    pub fn template(&self) -> Result<Value, StateError> {
        let path = ["service", "provider", "compiledCloudFormationTemplate"];
        let template = self
            .value(&path)
            .ok_or(StateError::Missing("service.provider.compiledCloudFormationTemplate"))?;
        reference::unfold(&self.root, template, MAX_UNFOLDED_VALUES).map_err(StateError::Reference)
    }

    /// Checks that the package is for `stage` and `region`. The framework does not.
    pub fn check_target(&self, stage: &str, region: &str) -> Result<(), TargetMismatch> {
        let packaged_stage = self.stage().unwrap_or_default();
        let packaged_region = self.region().unwrap_or_default();
        if packaged_stage == stage && packaged_region == region {
            return Ok(());
        }
        Err(TargetMismatch {
            packaged_stage,
            packaged_region: packaged_region.to_owned(),
            asked_stage: stage.to_owned(),
            asked_region: region.to_owned(),
        })
    }

    fn value(&self, path: &[&str]) -> Option<&Value> {
        reference::follow(&self.root, path)
    }

    fn text(&self, path: &[&str]) -> Option<&str> {
        self.value(path)?.as_str()
    }

    fn entries(&self, kind: &str) -> impl Iterator<Item = (&String, &Value)> {
        let entries: Option<&Map<String, Value>> = self.value(&["service", kind]).and_then(Value::as_object);
        // The framework drops a function that is null (`setFunctionNames` in `lib/classes/service.js`).
        entries.into_iter().flatten().filter(|(_, entry)| entry.is_object())
    }

    /// The archive of its own of a function or layer.
    fn own_artifact(&self, kind: &str, name: &str) -> Option<String> {
        let artifact = self.text(&["service", kind, name, "package", "artifact"])?;
        (!artifact.is_empty()).then(|| artifact.to_owned())
    }
}

/// Truthiness in JavaScript, which is what the framework checks.
fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

#[cfg(test)]
mod tests;
