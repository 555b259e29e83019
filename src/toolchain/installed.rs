//! What is installed on disk: in a `node_modules`, or by yarn's Plug'n'Play. Reads only.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tempfile::TempDir;

use super::pnp::Pnp;
use crate::error::{Error, Result};
use crate::git::directory::{DirectoryScan, Listed};

/// In a linked package's directory, but not part of the package.
const NOT_OF_A_LINK: &[&str] = &["node_modules", ".git"];

/// Written by pnpm into a package's directory: programs that may contain this machine's paths.
const NOT_OF_PNPM: &[&str] = &["node_modules/.bin"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledPackage {
    /// Its directory, links resolved; for a package in a zip, a copy that lives as long as [`InstalledPackages`].
    pub directory: PathBuf,
    /// From its own `package.json`.
    pub name: String,
    pub version: String,
    /// Whether it is a link to a directory outside any `node_modules`: of a workspace, or elsewhere.
    pub linked: bool,
}

#[derive(Deserialize)]
struct PackageJson {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
}

#[derive(Debug, Default)]
pub struct InstalledPackages {
    found: BTreeMap<String, InstalledPackage>,
    _unpacked: Option<TempDir>,
}

impl InstalledPackages {
    /// Looks for the packages `names` as node finds them from `directory`, no higher than `top`. Fails if Plug'n'Play has to be asked and
    /// does not answer.
    pub fn read<'n>(directory: &Path, top: &Path, names: impl IntoIterator<Item = &'n str>) -> Result<Self> {
        let mut names: Vec<&str> = names.into_iter().filter(|name| is_name(name)).collect();
        let pnp = Pnp::find(directory, top);
        let places = directory.ancestors().take_while(|place| place.starts_with(top));
        let places: Vec<_> =
            places.take_while(|place| !pnp.as_ref().is_some_and(|pnp| pnp.rules(place))).collect();
        let mut found = BTreeMap::new();
        names.retain(|name| {
            let package = places.iter().find_map(|place| in_modules(place, top, name));
            package.map(|package| found.insert((*name).to_owned(), package)).is_none()
        });
        let Some(pnp) = pnp.filter(|_| !names.is_empty()) else { return Ok(Self { found, _unpacked: None }) };
        let unpacked =
            tempfile::tempdir().map_err(|error| Error::io("make", &std::env::temp_dir(), error))?;
        let answer = pnp.ask(directory, top, &names, Some(unpacked.path()))?;
        found.extend(answer.found.into_iter().filter_map(|(name, resolved)| {
            let json: PackageJson = serde_json::from_str(&resolved.json).ok()?;
            let linked =
                !resolved.directory.starts_with(unpacked.path()) && is_linked(&resolved.directory, top);
            let directory = resolved.directory;
            Some((name, InstalledPackage { name: json.name, version: json.version, linked, directory }))
        }));
        Ok(Self { found, _unpacked: Some(unpacked) })
    }

    pub fn find(&self, name: &str) -> Option<&InstalledPackage> {
        self.found.get(name)
    }
}

fn is_name(name: &str) -> bool {
    name.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

fn in_modules(place: &Path, top: &Path, name: &str) -> Option<InstalledPackage> {
    let directory = place.join("node_modules").join(name);
    let text = fs::read(directory.join("package.json")).ok()?;
    let json: PackageJson = serde_json::from_slice(&text).ok()?;
    let directory = directory.canonicalize().ok()?;
    let linked = is_linked(&directory, &top.canonicalize().ok()?);
    Some(InstalledPackage { name: json.name, version: json.version, linked, directory })
}

/// Whether `directory` is outside any `node_modules`, where package managers install.
fn is_linked(directory: &Path, top: &Path) -> bool {
    let own = directory.strip_prefix(top).unwrap_or(directory);
    own.components().all(|part| part.as_os_str() != "node_modules")
}

impl InstalledPackage {
    /// The id of its files' git tree, without a linked package's own `node_modules` and `.git`, and without `node_modules/.bin` of pnpm's.
    pub fn tree(&self) -> Result<String> {
        self.scan().map(|scan| scan.id().to_string())
    }

    /// Its files, sorted by path.
    pub fn files(&self) -> Result<Vec<Listed>> {
        self.scan().map(|scan| scan.list())
    }

    fn scan(&self) -> Result<DirectoryScan> {
        if self.linked {
            DirectoryScan::read_without(&self.directory, NOT_OF_A_LINK)
        } else if self.directory.components().any(|part| part.as_os_str() == ".pnpm") {
            DirectoryScan::read_without(&self.directory, NOT_OF_PNPM)
        } else {
            DirectoryScan::read(&self.directory)
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
        fs::create_dir_all(top.join("services/orders")).unwrap();
        let find = |directory: &Path, name: &str| {
            InstalledPackages::read(directory, top, [name]).unwrap().find(name).cloned()
        };
        let tree = |name: &str| find(&top.join("services/orders"), name).unwrap();
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
        assert_eq!(find(top, "../tools/linked"), None);

        put(&top.join("node_modules/.pnpm/p@1/node_modules/p/package.json"), &json("p"));
        symlink(".pnpm/p@1/node_modules/p", top.join("node_modules/p")).unwrap();
        put(&top.join("node_modules/.pnpm/p@1/node_modules/p/node_modules/.bin/x"), "/here");
        let before = tree("p").tree().unwrap();
        put(&top.join("node_modules/.pnpm/p@1/node_modules/p/node_modules/.bin/x"), "/there");
        assert_eq!(tree("p").tree().unwrap(), before);
    }
}
