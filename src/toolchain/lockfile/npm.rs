//! `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3, as npm documents them under "package-lock.json".

use std::collections::BTreeMap;

use serde::Deserialize;

use super::package::{Engines, LockedPackage, Unreadable};
use super::paths::{ancestors, is_version, name_and_rest};

#[derive(Debug, Deserialize)]
pub struct NpmLock {
    /// Versions 2 and 3: by place, such as `node_modules/a/node_modules/b`.
    #[serde(default)]
    packages: BTreeMap<String, NpmEntry>,
    /// Version 1: by name, nested.
    #[serde(default)]
    dependencies: BTreeMap<String, Old>,
}

#[derive(Debug, Deserialize)]
struct NpmEntry {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    integrity: Option<String>,
    #[serde(default)]
    resolved: Option<String>,
    #[serde(default)]
    link: bool,
    #[serde(default)]
    engines: Option<Engines>,
}

#[derive(Debug, Deserialize)]
struct Old {
    /// A version, `npm:NAME@VERSION`, `file:PATH`, or an address.
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    integrity: Option<String>,
    #[serde(default)]
    resolved: Option<String>,
    #[serde(default)]
    dependencies: BTreeMap<String, Old>,
}

impl NpmLock {
    pub fn parse(content: &[u8]) -> Result<Self, Unreadable> {
        serde_json::from_slice(content).map_err(Unreadable::new)
    }

    /// The package `name` as node finds it from `directory` (relative to the lockfile's; empty for the same): in the nearest
    /// `node_modules` at or above it.
    pub fn find(&self, directory: &str, name: &str) -> Option<LockedPackage> {
        ancestors(directory)
            .find_map(|place| {
                let separator = if place.is_empty() { "" } else { "/" };
                self.packages.get(&format!("{place}{separator}node_modules/{name}"))
            })
            .map(|entry| self.follow(entry))
            .or_else(|| self.find_old(directory, name))
    }

    /// A workspace's package is in the lockfile twice: as a link, and as its directory.
    fn follow(&self, entry: &NpmEntry) -> LockedPackage {
        let link = entry.link.then(|| entry.resolved.clone()).flatten();
        let linked = link.as_ref().and_then(|directory| self.packages.get(directory)).unwrap_or(entry);
        LockedPackage {
            package: linked.name.clone(),
            version: linked.version.clone(),
            resolved: entry.resolved.clone().filter(|_| !entry.link),
            integrity: entry.integrity.clone(),
            engines: linked.engines.as_ref().and_then(Engines::node),
            link,
            ..LockedPackage::default()
        }
    }

    fn find_old(&self, directory: &str, name: &str) -> Option<LockedPackage> {
        ancestors(directory)
            .filter(|place| !place.is_empty())
            .find_map(|place| {
                let is_here = |entry: &&Old| {
                    entry.version.as_deref().and_then(|v| v.strip_prefix("file:")) == Some(place)
                };
                self.dependencies.values().find(is_here)?.dependencies.get(name)
            })
            .or_else(|| self.dependencies.get(name))
            .map(Old::package)
    }
}

impl Old {
    fn package(&self) -> LockedPackage {
        let mut package = LockedPackage {
            resolved: self.resolved.clone(),
            integrity: self.integrity.clone(),
            ..LockedPackage::default()
        };
        let version = self.version.clone().unwrap_or_default();
        if let Some((name, number)) = version.strip_prefix("npm:").and_then(name_and_rest) {
            package.package = Some(name.to_owned());
            package.version = Some(number.to_owned());
        } else if is_version(&version) {
            package.version = Some(version);
        } else if let Some(path) = version.strip_prefix("file:")
            && self.integrity.is_none()
        {
            package.link = Some(path.to_owned());
        } else if !version.is_empty() {
            package.resolved = package.resolved.or(Some(version));
        }
        package
    }
}
