//! What is installed in a `node_modules` on disk. Reads only.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::Result;
use crate::git::directory::{Listed, Scan};

/// Files that a yarn without `node_modules` leaves: its packages are in zips, which it checks itself.
const WITHOUT_MODULES: &[&str] = &[".pnp.cjs", ".pnp.js"];

/// What lies in a linked package's directory and is not of the package.
const NOT_OF_A_LINK: &[&str] = &["node_modules", ".git"];

/// A package found on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledPackage {
    /// Its directory, links followed.
    pub directory: PathBuf,
    /// Its name, as its own `package.json` has it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether it is a link to a directory that no package manager filled: of a workspace, or elsewhere.
    pub linked: bool,
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
        let directory = directory.canonicalize().ok()?;
        let top = top.canonicalize().ok()?;
        let own = directory.strip_prefix(&top).unwrap_or(&directory);
        let linked = own.components().all(|part| part.as_os_str() != "node_modules");
        Some(InstalledPackage { name: json.name, version: json.version, linked, directory })
    })
}

/// Whether packages are found from `directory` without any `node_modules`, by yarn's Plug'n'Play.
#[must_use]
pub fn is_without_modules(directory: &Path, top: &Path) -> bool {
    let mut places = directory.ancestors().take_while(|place| place.starts_with(top));
    places.any(|place| WITHOUT_MODULES.iter().any(|name| place.join(name).exists()))
}

impl InstalledPackage {
    /// The id of the git tree that its files would be. Of a linked package, its own `node_modules` and `.git` are no
    /// part.
    ///
    /// # Errors
    /// When something in it can't be read, or is neither a file, a symbolic link nor a directory.
    pub fn tree(&self) -> Result<String> {
        self.scan().map(|scan| scan.id().to_string())
    }

    /// Its files, sorted by path.
    ///
    /// # Errors
    /// As for [`Self::tree`].
    pub fn files(&self) -> Result<Vec<Listed>> {
        self.scan().map(|scan| scan.list())
    }

    fn scan(&self) -> Result<Scan> {
        if self.linked {
            Scan::read_without(&self.directory, NOT_OF_A_LINK)
        } else {
            Scan::read(&self.directory)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn put(path: &Path, content: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    #[test]
    fn a_links_own_modules_are_no_part_of_it_and_a_packages_are() {
        let root = tempfile::tempdir().unwrap();
        let top = root.path();
        let json = |name: &str| format!(r#"{{"name": "{name}", "version": "1.0.0"}}"#);
        put(&top.join("tools/linked/package.json"), &json("linked"));
        put(&top.join("node_modules/plain/package.json"), &json("plain"));
        put(&top.join("node_modules/.store/kept/package.json"), &json("kept"));
        symlink("../tools/linked", top.join("node_modules/linked")).unwrap();
        symlink(".store/kept", top.join("node_modules/kept")).unwrap();
        let tree = |name: &str| find(&top.join("services/orders"), top, name).unwrap();
        fs::create_dir_all(top.join("services/orders")).unwrap();
        assert_eq!(["linked", "plain", "kept"].map(|name| tree(name).linked), [true, false, false]);
        for (name, place, same) in [
            ("linked", "tools/linked", true),
            ("plain", "node_modules/plain", false),
            ("kept", "node_modules/kept", false),
        ] {
            let before = tree(name).tree().unwrap();
            put(&top.join(place).join("node_modules/x/index.js"), "1");
            assert_eq!(tree(name).tree().unwrap() == before, same, "{name}");
            put(&top.join(place).join("index.js"), "1");
            assert_ne!(tree(name).tree().unwrap(), before, "{name}");
        }
        assert_eq!(find(top, top, "../tools/linked"), None);
    }
}
