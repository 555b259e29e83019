//! `pnpm-lock.yaml`, versions 6 and 9 (pnpm's specification "lockfile"): importers say which package a directory uses, packages
//! say what it is.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::package::{Engines, LockedPackage, Unreadable};
use super::paths::{ancestors, is_version, join, name_and_rest};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PnpmLock {
    importers: BTreeMap<String, Importer>,
    /// Without a workspace, version 6 has its only importer at the top.
    #[serde(flatten)]
    top: Importer,
    packages: BTreeMap<String, PnpmEntry>,
    patched_dependencies: BTreeMap<String, Patch>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Importer {
    dependencies: BTreeMap<String, Use>,
    dev_dependencies: BTreeMap<String, Use>,
    optional_dependencies: BTreeMap<String, Use>,
}

#[derive(Debug, Deserialize)]
struct Use {
    version: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PnpmEntry {
    name: Option<String>,
    version: Option<String>,
    resolution: Resolution,
    engines: Option<Engines>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Resolution {
    integrity: Option<String>,
    tarball: Option<String>,
    repo: Option<String>,
    commit: Option<String>,
    directory: Option<String>,
}

/// Since pnpm 11, only the hash.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Patch {
    File { path: String },
    Hash(String),
}

impl PnpmLock {
    /// Since pnpm 11 a document of pnpm's own tools may precede it.
    pub fn parse(content: &[u8]) -> Result<Self, Unreadable> {
        Ok(read_yaml(content)?.pop().unwrap_or_default())
    }

    /// The package `name` for the importer at `directory`, or for the nearest above it that has it.
    pub fn find(&self, directory: &str, name: &str) -> Option<LockedPackage> {
        ancestors(directory).find_map(|place| {
            let key = if place.is_empty() { "." } else { place };
            let importer = self.importers.get(key).or(Some(&self.top).filter(|_| place.is_empty()))?;
            let lists = [&importer.dependencies, &importer.optional_dependencies, &importer.dev_dependencies];
            let used = lists.into_iter().find_map(|list| list.get(name))?;
            Some(self.package(place, name, &used.version))
        })
    }

    fn package(&self, directory: &str, name: &str, version: &str) -> LockedPackage {
        if let Some(path) = version.strip_prefix("link:") {
            return LockedPackage { link: Some(join(directory, path)), ..LockedPackage::default() };
        }
        // Peers and patches follow in parentheses; version 9 has them only in its snapshots.
        let plain = version.split_once('(').map_or(version, |(plain, _)| plain);
        let keys = [version, plain].into_iter().flat_map(|version| {
            [
                format!("/{name}@{version}"),
                format!("{name}@{version}"),
                version.to_owned(),
                format!("/{version}"),
            ]
        });
        let found = keys.into_iter().find_map(|key| self.packages.get_key_value(&key));
        let key = found.map_or(plain, |(key, _)| key.split_once('(').map_or(key.as_str(), |(key, _)| key));
        let named = name_and_rest(key.trim_start_matches('/'));
        let entry = found.map(|(_, entry)| entry);
        let own = entry.and_then(|entry| entry.name.as_deref()).or(named.map(|(name, _)| name));
        let stated = entry.and_then(|entry| entry.version.as_deref()).or(named.map(|(_, version)| version));
        let number = stated.unwrap_or(plain);
        let number = Some(number).filter(|number| is_version(number));
        let resolution = entry.map(|entry| &entry.resolution);
        LockedPackage {
            package: own.filter(|name| !name.contains([':', '+'])).map(str::to_owned),
            version: number.map(str::to_owned),
            resolved: resolution.and_then(Resolution::origin),
            integrity: resolution.and_then(|resolution| resolution.integrity.clone()),
            link: resolution.and_then(|resolution| resolution.directory.clone()),
            patch: self.patch(own.unwrap_or(name), number, version),
            engines: entry.and_then(|entry| entry.engines.as_ref()).and_then(Engines::node),
            ..LockedPackage::default()
        }
    }

    fn patch(&self, name: &str, version: Option<&str>, used: &str) -> Option<String> {
        if !used.contains("(patch_hash=") {
            return None;
        }
        let keys = [Some(format!("{name}@{}", version.unwrap_or_default())), Some(name.to_owned())];
        match keys.into_iter().flatten().find_map(|key| self.patched_dependencies.get(&key))? {
            Patch::File { path } => Some(path.clone()),
            Patch::Hash(hash) => Some(hash.clone()),
        }
    }
}

impl Resolution {
    fn origin(&self) -> Option<String> {
        let commit = self.commit.as_ref().map(|commit| format!("#{commit}")).unwrap_or_default();
        let repository = self.repo.as_ref().map(|repository| format!("{repository}{commit}"));
        repository.or_else(|| self.tarball.clone())
    }
}

/// Reads YAML documents, bounded: a lockfile has no aliases, and little depth.
pub(super) fn read_yaml<T: DeserializeOwned>(content: &[u8]) -> Result<Vec<T>, Unreadable> {
    const MAX_NODES: usize = 8_000_000;
    let text = std::str::from_utf8(content).map_err(Unreadable::new)?;
    let mut options = serde_saphyr::Options::default();
    options.duplicate_keys = serde_saphyr::DuplicateKeyPolicy::LastWins;
    options.alias_limits.max_total_replayed_events = 10_000;
    options.with_snippet = false;
    let mut budget = serde_saphyr::Budget::default();
    budget.max_nodes = MAX_NODES;
    budget.max_events = 2 * MAX_NODES;
    budget.max_documents = 8;
    budget.max_aliases = 100;
    options.budget = Some(budget);
    serde_saphyr::from_multiple_with_options(text, options).map_err(Unreadable::new)
}
