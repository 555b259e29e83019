//! The file in a package's tree that describes it.

use crate::error::{ANOTHER_COPY, Error, Result};
use crate::git::{Oid, Repository};
use crate::package::Manifest;
use crate::package::manifest::MAX_BYTES;

pub(in crate::store) const FILE: &str = "manifest.toml";

/// The manifest of the package `package_commit`.
pub(in crate::store) fn read(repository: &Repository, package_commit: Oid) -> Result<Manifest> {
    let tree = repository.commit(package_commit)?.tree;
    let entry = repository.tree_entry(tree, FILE.as_bytes())?;
    let entry = entry.ok_or_else(|| {
        Error::integrity(format!("the package commit {package_commit} has no manifest")).hint(ANOTHER_COPY)
    })?;
    Manifest::parse(&repository.read_blob(entry.id, MAX_BYTES)?)
}
