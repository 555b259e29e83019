//! What `package.json` files ask for: the ranges that yarn 1's lockfile has as its keys.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::paths::ancestors;
use crate::error::Result;
use crate::git::Source;
use crate::service::ServicePath;

/// Most bytes of a `package.json`.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The dependencies of one `package.json`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Request {
    /// Its directory, relative to the lockfile's.
    #[serde(skip)]
    pub directory: String,
    dependencies: BTreeMap<String, String>,
    dev_dependencies: BTreeMap<String, String>,
    optional_dependencies: BTreeMap<String, String>,
}

impl Request {
    /// Reads one; `None` when it is not a `package.json`.
    pub fn parse(directory: &str, content: &[u8]) -> Option<Self> {
        let request: Self = serde_json::from_slice(content).ok()?;
        Some(Self { directory: directory.to_owned(), ..request })
    }

    /// Those from the directory `below` the lockfile's up to it, nearest first.
    pub(super) fn read_all(source: Source<'_>, lockfile: &ServicePath, below: &str) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for directory in ancestors(below) {
            let path = if directory.is_empty() { String::new() } else { format!("{directory}/") };
            let content = source.read(&lockfile.file(&format!("{path}package.json")), MAX_BYTES)?;
            all.extend(content.and_then(|content| Self::parse(directory, &content)));
        }
        Ok(all)
    }

    /// What it asks for of the package `name`.
    pub(super) fn range(&self, name: &str) -> Option<&str> {
        let lists = [&self.optional_dependencies, &self.dev_dependencies, &self.dependencies];
        lists.into_iter().find_map(|list| list.get(name)).map(String::as_str)
    }
}
