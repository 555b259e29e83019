//! What is installed in a `node_modules` on disk. Reads only.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A package found on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledPackage {
    /// Its directory.
    pub directory: PathBuf,
    /// Its name, as its own `package.json` has it.
    pub name: String,
    /// Its version.
    pub version: String,
}

#[derive(Deserialize)]
struct PackageJson {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
}

/// The package `name` as node finds it from `directory`, looking no higher than `top`.
#[must_use]
pub fn find(directory: &Path, top: &Path, name: &str) -> Option<InstalledPackage> {
    if name.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return None;
    }
    directory.ancestors().take_while(|place| place.starts_with(top)).find_map(|place| {
        let directory = place.join("node_modules").join(name);
        let text = fs::read(directory.join("package.json")).ok()?;
        let json: PackageJson = serde_json::from_slice(&text).ok()?;
        Some(InstalledPackage { directory, name: json.name, version: json.version })
    })
}
