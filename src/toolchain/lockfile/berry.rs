//! `yarn.lock` of yarn 2 and later: YAML, a map from the descriptors that ask for a package, `name@range`, several separated by
//! commas, to what they resolved to. Workspaces are entries too, and say what they ask for.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::package::{LockedPackage, Unreadable};
use super::paths::{ancestors, is_version, join, name_and_rest};
use super::pnpm::read_yaml;

#[derive(Debug)]
pub struct BerryLock {
    entries: Vec<BerryEntry>,
    /// The entry of each descriptor, without its `::` bindings.
    keys: BTreeMap<String, usize>,
    /// The entry of each workspace, by its directory; the top's is empty.
    workspaces: BTreeMap<String, usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BerryEntry {
    version: Option<String>,
    resolution: Option<String>,
    checksum: Option<String>,
    dependencies: BTreeMap<String, String>,
}

impl BerryLock {
    pub fn parse(content: &[u8]) -> Result<Self, Unreadable> {
        let mut documents: Vec<BTreeMap<String, BerryEntry>> = read_yaml(content)?;
        let mut lock = Self { entries: Vec::new(), keys: BTreeMap::new(), workspaces: BTreeMap::new() };
        for (descriptors, entry) in documents.pop().unwrap_or_default() {
            let at = lock.entries.len();
            for descriptor in descriptors.split(", ") {
                lock.keys.insert(unbound(descriptor).to_owned(), at);
            }
            if let Some(directory) = entry.resolution.as_deref().and_then(workspace) {
                lock.workspaces.insert(join("", directory), at);
            }
            lock.entries.push(entry);
        }
        Ok(lock)
    }

    /// The package `name` for the workspace at `directory`, or for the nearest above it that asks for it; if none does, the only one of
    /// that name.
    pub fn find(&self, directory: &str, name: &str) -> Option<LockedPackage> {
        let asked = ancestors(directory).find_map(|place| {
            let range = self.entries.get(*self.workspaces.get(place)?)?.dependencies.get(name)?;
            // Before version 8 of the format, the keys have a registry that is missing here.
            let keys = [format!("{name}@{range}"), format!("{name}@npm:{range}")];
            keys.iter().find_map(|key| self.keys.get(unbound(key)))
        });
        self.entries.get(*asked.or_else(|| self.only(name))?).map(package)
    }

    fn only(&self, name: &str) -> Option<&usize> {
        let all = self.keys.range(format!("{name}@")..).take_while(|(key, _)| key.starts_with(name));
        let mut all = all.filter(|(key, _)| name_and_rest(key).is_some_and(|(own, _)| own == name));
        let (_, first) = all.next()?;
        all.all(|(_, other)| other == first).then_some(first)
    }
}

fn package(entry: &BerryEntry) -> LockedPackage {
    let resolution = entry.resolution.clone().unwrap_or_default();
    let (name, origin) = name_and_rest(&resolution).unwrap_or_default();
    LockedPackage {
        package: Some(name.to_owned()).filter(|name| !name.is_empty()),
        // For links and workspaces, yarn invents one: 0.0.0-use.local.
        version: entry.version.clone().filter(|version| is_version(version) && version != "0.0.0-use.local"),
        // A binding may be an archive's address with a token.
        resolved: Some(unbound(origin).to_owned()).filter(|origin| !origin.is_empty()),
        checksum: entry.checksum.clone(),
        link: link(origin),
        patch: patch(origin),
        ..LockedPackage::default()
    }
}

/// A descriptor without its bindings: `::locator=…`.
fn unbound(descriptor: &str) -> &str {
    descriptor.split_once("::").map_or(descriptor, |(descriptor, _)| descriptor)
}

fn workspace(resolution: &str) -> Option<&str> {
    name_and_rest(resolution)?.1.strip_prefix("workspace:")
}

/// A link's directory, relative to the workspace in its locator.
fn link(origin: &str) -> Option<String> {
    if let Some(directory) = origin.strip_prefix("workspace:") {
        return Some(join("", directory));
    }
    let path = origin.strip_prefix("link:").or_else(|| origin.strip_prefix("portal:"))?;
    Some(join(&locator(origin), unbound(path)))
}

/// The patch file of `patch:NAME@RANGE#FILE::…`, relative to the workspace that asks; `None` for those built into yarn.
fn patch(origin: &str) -> Option<String> {
    let (_, file) = unbound(origin.strip_prefix("patch:")?).split_once('#')?;
    let file = file.trim_start_matches("optional!");
    if file.starts_with("~builtin<") || file.starts_with("builtin<") {
        return None;
    }
    Some(match file.strip_prefix("~/") {
        Some(from_the_top) => join("", from_the_top),
        None => join(&locator(origin), file),
    })
}

/// The directory of the workspace in `::locator=NAME%40workspace%3ADIRECTORY`, empty for the top.
fn locator(origin: &str) -> String {
    let bound = origin.split_once("::").map_or("", |(_, bound)| bound);
    let locator = bound.split('&').find_map(|pair| pair.strip_prefix("locator=")).unwrap_or_default();
    let locator = percent_decode_str(locator).decode_utf8_lossy();
    workspace(&locator).map(|directory| join("", directory)).unwrap_or_default()
}
