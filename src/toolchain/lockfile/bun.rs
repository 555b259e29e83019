//! `bun.lock`: JSON with trailing commas. Packages are lists of which the first is `name@origin` and the last, where there is
//! one, the integrity; their keys are places, such as `orders/ms` for the `ms` of the workspace's package `orders`.

use std::collections::BTreeMap;

use jsonc_parser::{JsonObject, JsonValue, ParseOptions};

use super::package::{LockedPackage, Unreadable};
use super::paths::{ancestors, is_version, join, name_and_rest};

#[derive(Debug, Default)]
pub struct BunLock {
    /// Name and version of each workspace, by its directory.
    workspaces: BTreeMap<String, BunWorkspace>,
    packages: BTreeMap<String, BunEntry>,
    patches: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
struct BunWorkspace {
    name: Option<String>,
    version: Option<String>,
}

#[derive(Debug)]
struct BunEntry {
    /// `name@origin`.
    resolution: String,
    integrity: Option<String>,
}

impl BunLock {
    pub fn parse(content: &[u8]) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(content).map_err(Unreadable::new)?;
        let parsed = jsonc_parser::parse_to_value(text, &ParseOptions::default()).map_err(Unreadable::new)?;
        let Some(JsonValue::Object(top)) = parsed else {
            return Err(Unreadable::new("it is not a map"));
        };
        let mut lock = Self::default();
        for (directory, workspace) in entries(&top, "workspaces") {
            if let JsonValue::Object(workspace) = workspace {
                let text = |key| workspace.get_string(key).map(ToString::to_string);
                lock.workspaces
                    .insert(directory, BunWorkspace { name: text("name"), version: text("version") });
            }
        }
        for (place, package) in entries(&top, "packages") {
            let JsonValue::Array(list) = package else { continue };
            let mut texts = list.into_iter().filter_map(|item| match item {
                JsonValue::String(text) => Some(text.into_owned()),
                _ => None,
            });
            let Some(resolution) = texts.next() else { continue };
            // A git package ends with its commit.
            let integrity = texts.next_back().filter(|text| text.contains('-') && text.starts_with("sha"));
            lock.packages.insert(place, BunEntry { resolution, integrity });
        }
        for (package, patch) in entries(&top, "patchedDependencies") {
            if let JsonValue::String(patch) = patch {
                lock.patches.insert(package, patch.into_owned());
            }
        }
        Ok(lock)
    }

    pub fn find(&self, directory: &str, name: &str) -> Option<LockedPackage> {
        let own = ancestors(directory).find_map(|place| {
            let workspace = self.workspaces.get(place)?.name.as_ref()?;
            self.packages.get(&format!("{workspace}/{name}"))
        });
        own.or_else(|| self.packages.get(name)).map(|entry| self.package(entry))
    }

    fn package(&self, entry: &BunEntry) -> LockedPackage {
        let Some((name, origin)) = name_and_rest(&entry.resolution) else { return LockedPackage::default() };
        let mut package = LockedPackage {
            package: Some(name.to_owned()),
            integrity: entry.integrity.clone(),
            patch: self.patches.get(&entry.resolution).cloned(),
            ..LockedPackage::default()
        };
        let is_archive = || [".tgz", ".tar.gz", ".tar"].into_iter().any(|ending| origin.ends_with(ending));
        if is_version(origin) {
            package.version = Some(origin.to_owned());
        } else if let Some(directory) = origin.strip_prefix("workspace:") {
            package.version = self.workspaces.get(directory).and_then(|workspace| workspace.version.clone());
            package.link = Some(join("", directory));
        } else if let Some(path) = origin.strip_prefix("link:").or_else(|| origin.strip_prefix("file:"))
            && !is_archive()
        {
            package.link = Some(join("", path));
        } else {
            package.resolved = Some(origin.to_owned());
        }
        package
    }
}

fn entries<'v>(top: &JsonObject<'v>, key: &str) -> Vec<(String, JsonValue<'v>)> {
    let object = top.get_object(key).cloned();
    object.into_iter().flatten().map(|(key, value)| (key.into_owned(), value)).collect()
}
