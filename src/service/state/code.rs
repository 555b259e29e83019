//! The code of each function and layer, an archive or image, and the settings that the template has. Owns how a template's resource leads
//! to a file of the package; changes nothing.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::prefix::S3Prefix;
use super::artifacts::{Place, Source, place};
use super::{State, StateError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    File(String),
    /// A container image, as the template names it.
    Image(String),
    /// Not in the package: inline code, another bucket, an earlier deployment's archive.
    Elsewhere,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerUse {
    /// One of the stack's own, by its logical id.
    Own(String),
    /// One of any account, by the ARN of a version.
    Arn(String),
    /// One whose name only AWS can compute.
    Computed,
}

/// A function that a deploy of the package creates or updates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedFunction {
    /// Its key under `functions`; for the framework's own helpers, its logical id.
    pub name: String,
    /// Its logical id; none if it is in a nested template.
    pub logical: Option<String>,
    /// Its name in Lambda, if the package has it.
    pub deployed_name: Option<String>,
    pub code: Code,
    pub layers: Vec<LayerUse>,
    /// In MB, if the template has a number. The same goes for the next ones.
    pub memory: Option<i64>,
    /// In seconds.
    pub timeout: Option<i64>,
    pub handler: Option<String>,
    pub runtime: Option<String>,
    /// The role's ARN, if the template has it.
    pub role: Option<String>,
    pub layer_count: Option<usize>,
    pub variables: Option<Vec<String>>,
}

impl State {
    /// The stack that a deploy updates (`getStackName` in the framework's `lib/plugins/aws/lib/naming.js`).
    pub fn stack_name(&self) -> Option<String> {
        match self.text(&["service", "provider", "stackName"]) {
            Some(name) if !name.is_empty() => Some(name.to_owned()),
            _ => Some(format!("{}-{}", self.service_name()?, self.stage()?)),
        }
    }

    pub fn profile(&self) -> Option<&str> {
        self.text(&["service", "provider", "profile"]).filter(|name| !name.is_empty())
    }

    /// Every function that a deploy creates or updates: those of the template, and those of the config that a plugin moved to another
    /// template. `files` are the package's.
    pub fn deployed_functions(&self, files: &BTreeSet<String>) -> Result<Vec<DeployedFunction>, StateError> {
        let template = self.template()?;
        let configured = self.functions();
        let key_of = |deployed: &str| {
            configured.iter().find(|function| function.deployed_name.as_deref() == Some(deployed))
        };
        let mut all = Vec::new();
        for (logical, resource) in resources(&template, "AWS::Lambda::Function") {
            let properties = &resource["Properties"];
            let deployed_name = properties["FunctionName"].as_str().map(str::to_owned);
            let name = deployed_name.as_deref().and_then(key_of).map(|function| function.name.clone());
            all.push(DeployedFunction {
                name: name.unwrap_or_else(|| logical.to_owned()),
                logical: Some(logical.to_owned()),
                deployed_name,
                code: self.code_of(&properties["Code"], files)?,
                layers: properties["Layers"].as_array().into_iter().flatten().map(layer_use).collect(),
                memory: properties["MemorySize"].as_i64(),
                timeout: properties["Timeout"].as_i64(),
                handler: properties["Handler"].as_str().map(str::to_owned),
                runtime: properties["Runtime"].as_str().map(str::to_owned),
                role: properties["Role"].as_str().map(str::to_owned),
                layer_count: layer_count(&properties["Layers"]),
                variables: variables(&properties["Environment"]),
            });
        }
        for function in &configured {
            if function.deployed_name.is_none() || all.iter().any(|known| known.name == function.name) {
                continue;
            }
            let code = if function.image {
                Code::Elsewhere
            } else {
                let (Source::Own(path) | Source::Shared { path, .. }) = self.source(function);
                in_package(place(&path, files))
            };
            all.push(DeployedFunction {
                name: function.name.clone(),
                logical: None,
                deployed_name: function.deployed_name.clone(),
                code,
                layers: Vec::new(),
                memory: None,
                timeout: None,
                handler: None,
                runtime: function.runtime.clone(),
                role: None,
                layer_count: None,
                variables: None,
            });
        }
        Ok(all)
    }

    pub fn deployed_layers(&self, files: &BTreeSet<String>) -> Result<Vec<(String, Code)>, StateError> {
        let template = self.template()?;
        resources(&template, "AWS::Lambda::LayerVersion")
            .map(|(logical, resource)| {
                Ok((logical.to_owned(), self.code_of(&resource["Properties"]["Content"], files)?))
            })
            .collect()
    }

    fn code_of(&self, code: &Value, files: &BTreeSet<String>) -> Result<Code, StateError> {
        if let Some(image) = code["ImageUri"].as_str() {
            return Ok(Code::Image(image.to_owned()));
        }
        let Some(key) = code["S3Key"].as_str() else { return Ok(Code::Elsewhere) };
        let prefix = self.prefix()?;
        // An unchanged layer has an earlier deployment's key, but its archive is in the package.
        let earlier = || {
            let (directory, file) = key.rsplit_once('/')?;
            let other: S3Prefix = directory.parse().ok()?;
            let same = (other.service(), other.stage()) == (prefix.service(), prefix.stage());
            same.then_some(file)
        };
        let file = prefix.file(key).or_else(earlier);
        Ok(file.map_or(Code::Elsewhere, |file| in_package(place(file, files))))
    }
}

/// The buckets and keys of all objects that a template's resources name, each once. A bucket has a literal name or a logical id of the
/// stack; others, which only AWS can compute, are left out.
pub fn objects(template: &Value) -> BTreeSet<(Bucket, String)> {
    let bucket = |content: &Value| match &content["S3Bucket"] {
        Value::String(name) => Some(Bucket::Named(name.clone())),
        other => Some(Bucket::Own(other["Ref"].as_str()?.to_owned())),
    };
    let named = super::artifacts::keys(template).into_iter();
    named.filter_map(|(_, content, key)| Some((bucket(content)?, key))).collect()
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bucket {
    Named(String),
    Own(String),
}

fn resources<'t>(template: &'t Value, kind: &'t str) -> impl Iterator<Item = (&'t str, &'t Value)> {
    let all = template["Resources"].as_object().into_iter().flatten();
    all.filter(move |(_, resource)| resource["Type"] == kind)
        .map(|(logical, resource)| (logical.as_str(), resource))
}

fn layer_use(layer: &Value) -> LayerUse {
    match (layer.as_str(), layer["Ref"].as_str()) {
        (Some(arn), _) => LayerUse::Arn(arn.to_owned()),
        (_, Some(logical)) => LayerUse::Own(logical.to_owned()),
        _ => LayerUse::Computed,
    }
}

fn in_package(place: Place) -> Code {
    match place {
        Place::Package(file) => Code::File(file),
        Place::Elsewhere | Place::Uploaded => Code::Elsewhere,
    }
}

/// How many layers a function has; none if only AWS can compute that.
fn layer_count(layers: &Value) -> Option<usize> {
    match layers {
        Value::Null => Some(0),
        Value::Array(all) => all.iter().all(is_there).then_some(all.len()),
        _ => None,
    }
}

/// Whether a value certainly exists: `Fn::If` or `AWS::NoValue` could remove it.
fn is_there(value: &Value) -> bool {
    value.get("Fn::If").is_none() && value.get("Ref").is_none_or(|name| name != "AWS::NoValue")
}

/// The names of a function's environment variables; none if only AWS can compute them.
fn variables(environment: &Value) -> Option<Vec<String>> {
    let is_certain = |(name, value): (&String, &Value)| !name.starts_with("Fn::") && is_there(value);
    match &environment["Variables"] {
        Value::Null if is_there(environment) => Some(Vec::new()),
        Value::Object(all) if all.iter().all(is_certain) => {
            let mut names: Vec<String> = all.keys().cloned().collect();
            names.sort();
            Some(names)
        }
        _ => None,
    }
}
