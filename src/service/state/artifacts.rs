//! The archives that a deploy of the package needs, their places, and the S3 keys that are not the package's own. Owns how the framework
//! finds the file of a function or layer; changes nothing.
//!
//! The rules are those of `extendedValidate`, `getFunctionArtifactFilePaths` and `getLayerArtifactFilePaths` in the framework's
//! `lib/plugins/aws/deploy/lib/{extended-validate,upload-artifacts}.js`. An archive is always uploaded under the last name of its path, so
//! that name identifies it here.

use std::collections::BTreeSet;

use serde_json::Value;

use super::owner::Owner;
use super::{Function, State, StateError, truthy};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the package, at this path.
    Package(String),
    /// Not in the package: recording must add the file at [`Artifact::path`] (if relative, then to the service's directory).
    Elsewhere,
    /// Not in the package, and not needed: an older deployment has uploaded it.
    Uploaded,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    pub owner: Owner,
    /// Its path in the state: absolute on the machine that packaged, relative to the service, or a file name.
    pub path: String,
    pub place: Place,
}

impl Artifact {
    /// The file in the package; none if it was uploaded before; an error with its owner if it is missing.
    pub fn file(&self) -> Result<Option<&str>, StateError> {
        match &self.place {
            Place::Package(file) => Ok(Some(file)),
            Place::Uploaded => Ok(None),
            Place::Elsewhere => {
                Err(StateError::NotInPackage { owner: self.owner.clone(), path: self.path.clone() })
            }
        }
    }
}

pub(super) enum Source {
    Own(String),
    /// The service's archive; `found` if the framework finds it by itself.
    Shared {
        path: String,
        found: bool,
    },
}

impl State {
    /// Every archive that a deploy needs, each once. `files`: the package's files as paths relative to it, with `/`.
    pub fn artifacts(&self, files: &BTreeSet<String>) -> Result<Vec<Artifact>, StateError> {
        let mut all: Vec<Artifact> = Vec::new();
        for function in self.functions().iter().filter(|function| !function.image) {
            let (owner, path) = match self.source(function) {
                Source::Own(path) => (Owner::Function(function.name.clone()), path),
                Source::Shared { path, .. } => (Owner::Service, path),
            };
            if !all.iter().any(|artifact| artifact.owner == owner) {
                all.push(Artifact { owner, place: place(&path, files), path });
            }
        }
        for layer in self.layers() {
            let path = layer.artifact.unwrap_or_else(|| format!("{}.zip", layer.name));
            let place = match place(&path, files) {
                Place::Elsewhere if layer.reused => Place::Uploaded,
                found => found,
            };
            all.push(Artifact { owner: Owner::Layer(layer.name), path, place });
        }
        let prefix = self.prefix()?;
        for (resource, _, key) in keys(&self.template()?) {
            let Some(file) = prefix.file(&key) else { continue };
            if !all.iter().any(|artifact| last_name(&artifact.path) == file) {
                all.push(Artifact {
                    owner: Owner::Resource(resource),
                    path: file.to_owned(),
                    place: place(file, files),
                });
            }
        }
        Ok(all)
    }

    pub(super) fn is_individual(&self, function: &str) -> bool {
        let truthy_at = |path: &[&str]| self.value(path).is_some_and(truthy);
        truthy_at(&["service", "functions", function, "package", "individually"])
            || truthy_at(&["package", "individually"])
    }

    /// The archive of `function`, which must not be an image.
    pub(super) fn source(&self, function: &Function) -> Source {
        if let Some(path) = &function.artifact {
            return Source::Own(path.clone());
        }
        if self.is_individual(&function.name) {
            return Source::Own(format!("{}.zip", function.name));
        }
        let usual = format!("{}.zip", self.service_name().unwrap_or_default());
        let own = self.text(&["service", "artifact"]).filter(|path| !path.is_empty());
        let file = self.text(&["package", "artifact"]).filter(|file| !file.is_empty()).unwrap_or(&usual);
        // Only one of these two has the full path, depending on whether the framework or the user made the archive.
        let configured = self.text(&["service", "initialServerlessConfig", "package", "artifact"]);
        let path = own.into_iter().chain(configured).find(|path| last_name(path) == file).unwrap_or(file);
        Source::Shared { path: path.to_owned(), found: own.is_some() && file == usual }
    }
}

/// The S3 keys in a template's resources: the logical id, the object that holds the key, and the key.
pub(super) fn keys(template: &Value) -> Vec<(String, &Value, String)> {
    fn collect<'v>(resource: &str, value: &'v Value, all: &mut Vec<(String, &'v Value, String)>) {
        match value {
            Value::Object(object) => {
                if let Some(key) = object.get("S3Key").and_then(Value::as_str) {
                    all.push((resource.to_owned(), value, key.to_owned()));
                }
                object.values().for_each(|inner| collect(resource, inner, all));
            }
            Value::Array(array) => array.iter().for_each(|inner| collect(resource, inner, all)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    for (name, resource) in template["Resources"].as_object().into_iter().flatten() {
        collect(name, resource, &mut all);
    }
    all
}

/// Finds the archive at `path` of the state among the package's `files`.
pub(super) fn place(path: &str, files: &BTreeSet<String>) -> Place {
    let path = if is_windows_path(path) { path.replace('\\', "/") } else { path.to_owned() };
    // A path below `.serverless` is now below the package's directory.
    let below = path
        .rsplit_once("/.serverless/")
        .map(|(_, below)| below)
        .or_else(|| path.strip_prefix(".serverless/"));
    let name = last_name(&path);
    for candidate in below.into_iter().chain([path.as_str(), name]) {
        if files.contains(candidate) {
            return Place::Package(candidate.to_owned());
        }
    }
    let mut nested = files.iter().filter(|file| last_name(file) == name && !name.is_empty());
    match (nested.next(), nested.next()) {
        (Some(only), None) => Place::Package(only.clone()),
        _ => Place::Elsewhere,
    }
}

pub(super) fn last_name(path: &str) -> &str {
    let separators: &[char] = if is_windows_path(path) { &['/', '\\'] } else { &['/'] };
    path.rsplit(separators).next().unwrap_or(path)
}

fn is_windows_path(path: &str) -> bool {
    let drive = path.as_bytes().get(1) == Some(&b':');
    path.contains('\\') && (drive || path.starts_with('\\') || !path.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, files: &[&str]) -> Place {
        place(path, &files.iter().map(|file| (*file).to_owned()).collect())
    }

    #[test]
    fn an_archive_is_found_whatever_machine_packaged_it() {
        let files = ["hello.zip", "build/deep.zip", "x/two.zip", "y/two.zip"];
        let in_package = |file: &str| Place::Package(file.to_owned());
        for path in [
            "/home/ci/orders/.serverless/hello.zip",
            "hello.zip",
            ".serverless/hello.zip",
            "dist/hello.zip",
            "C:\\orders\\.serverless\\hello.zip",
            ".serverless\\hello.zip",
            "/tmp/a b/hello.zip",
        ] {
            assert_eq!(found(path, &files), in_package("hello.zip"), "{path}");
        }
        assert_eq!(found("/a/.serverless/build/deep.zip", &files), in_package("build/deep.zip"));
        assert_eq!(found("/elsewhere/deep.zip", &files), in_package("build/deep.zip"));
        assert_eq!(found("/a/.serverless/y/two.zip", &files), in_package("y/two.zip"));
        for path in ["", "/", "/a/other.zip", "/a/two.zip", "..", "/a/hello.zip/"] {
            assert_eq!(found(path, &files), Place::Elsewhere, "{path}");
        }
    }
}
