//! The dependencies in `package.json` files: the ranges that are keys in yarn 1's lockfile.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::paths::ancestors;
use crate::error::Result;
use crate::git::Source;
use crate::service::ServicePath;

const MAX_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Request {
    #[serde(skip)]
    pub directory: String,
    dependencies: BTreeMap<String, String>,
    dev_dependencies: BTreeMap<String, String>,
    optional_dependencies: BTreeMap<String, String>,
}

impl Request {
    pub fn parse(directory: &str, content: &[u8]) -> Option<Self> {
        let request: Self = serde_json::from_slice(content).ok()?;
        Some(Self { directory: directory.to_owned(), ..request })
    }

    /// Reads those from the directory `below` the lockfile's up to it, nearest first.
    pub(super) fn read_all(source: Source<'_>, lockfile: &ServicePath, below: &str) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for directory in ancestors(below) {
            let path = if directory.is_empty() { String::new() } else { format!("{directory}/") };
            let content = source.read(&lockfile.file(&format!("{path}package.json")), MAX_BYTES)?;
            all.extend(content.and_then(|content| Self::parse(directory, &content)));
        }
        Ok(all)
    }

    pub(super) fn range(&self, name: &str) -> Option<&str> {
        let lists = [&self.optional_dependencies, &self.dev_dependencies, &self.dependencies];
        lists.into_iter().find_map(|list| list.get(name)).map(String::as_str)
    }
}
