//! `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3, as npm documents them under "package-lock.json".

use std::collections::BTreeMap;

use serde::Deserialize;

use super::lockfile::LockedPackage;

/// The packages of an npm lockfile.
#[derive(Debug, Deserialize)]
pub struct NpmLock {
    /// Versions 2 and 3: by place, such as `node_modules/a/node_modules/b`.
    #[serde(default)]
    packages: BTreeMap<String, Entry>,
    /// Version 1: by name, nested.
    #[serde(default)]
    dependencies: BTreeMap<String, Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    integrity: Option<String>,
    #[serde(default)]
    resolved: Option<String>,
    #[serde(default)]
    link: bool,
}

impl NpmLock {
    /// Reads a lockfile.
    pub fn parse(content: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(content)
    }

    /// The package `name` as node finds it from `directory` (relative to the lockfile's; empty for the same):
    /// in the nearest `node_modules` at or above it.
    #[must_use]
    pub fn find(&self, directory: &str, name: &str) -> Option<LockedPackage> {
        let mut above = Some(directory.trim_matches('/'));
        while let Some(place) = above {
            let separator = if place.is_empty() { "" } else { "/" };
            if let Some(entry) = self.packages.get(&format!("{place}{separator}node_modules/{name}")) {
                return Some(self.follow(entry));
            }
            above = match place.rsplit_once('/') {
                Some((parent, _)) => Some(parent),
                None if place.is_empty() => None,
                None => Some(""),
            };
        }
        self.dependencies.get(name).map(|entry| self.follow(entry))
    }

    /// A workspace's package stands in the lockfile twice: as a link, and as the directory that it leads to.
    fn follow(&self, entry: &Entry) -> LockedPackage {
        let directory = entry.link.then(|| entry.resolved.clone()).flatten();
        let linked = directory.as_ref().and_then(|directory| self.packages.get(directory));
        LockedPackage {
            version: linked.unwrap_or(entry).version.clone().unwrap_or_default(),
            integrity: entry.integrity.clone(),
            link: directory,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(lock: &str, directory: &str, name: &str) -> Option<String> {
        NpmLock::parse(lock.as_bytes()).unwrap().find(directory, name).map(|package| package.version)
    }

    #[test]
    fn the_nearest_node_modules_wins() {
        let lock = r#"{"lockfileVersion": 3, "packages": {
            "": {"name": "shop"},
            "node_modules/p": {"version": "1.0.0", "integrity": "sha512-a"},
            "services/orders/node_modules/p": {"version": "2.0.0"},
            "node_modules/@scope/q": {"version": "3.0.0"}}}"#;
        assert_eq!(version(lock, "", "p").unwrap(), "1.0.0");
        assert_eq!(version(lock, "services/orders", "p").unwrap(), "2.0.0");
        assert_eq!(version(lock, "services/other", "p").unwrap(), "1.0.0");
        assert_eq!(version(lock, "services/orders", "@scope/q").unwrap(), "3.0.0");
        assert_eq!(version(lock, "", "absent"), None);
    }

    #[test]
    fn version_1_is_read_and_a_workspace_link_is_followed() {
        let old =
            r#"{"lockfileVersion": 1, "dependencies": {"p": {"version": "0.9.0", "integrity": "sha1-x"}}}"#;
        assert_eq!(version(old, "a/b", "p").unwrap(), "0.9.0");
        let linked = r#"{"packages": {"node_modules/w": {"resolved": "packages/w", "link": true},
            "packages/w": {"version": "4.0.0"}}}"#;
        let package = NpmLock::parse(linked.as_bytes()).unwrap().find("", "w").unwrap();
        assert_eq!((package.version.as_str(), package.link.as_deref()), ("4.0.0", Some("packages/w")));
    }

    proptest! {
        #[test]
        fn odd_input_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), directory in ".{0,20}", name in ".{0,20}") {
            if let Ok(lock) = NpmLock::parse(&bytes) {
                let _ = lock.find(&directory, &name);
            }
            let lock = NpmLock::parse(br#"{"packages": {"node_modules/a": {}}}"#).unwrap();
            let _ = lock.find(&directory, &name);
        }
    }
}
