//! After a commit: a package that was made from exactly its tree, before it was committed, becomes the commit's.

use super::Summary;
use crate::error::Result;
use crate::git::Oid;
use crate::workspace::Workspace;

/// Gives `commit` the packages made from its tree while it was a working tree on top of its parent, or of the commit
/// that it amends.
///
/// # Returns
/// The packages that it has now and had not before.
pub fn attach(workspace: &Workspace<'_>, commit: Oid) -> Result<Vec<Summary>> {
    let Workspace { repository, .. } = *workspace;
    let store = workspace.store();
    let commit = repository.commit(commit)?;
    let tree = commit.tree.to_string();
    let mut bases = commit.parents.clone();
    bases.extend(repository.previous_head().filter(|previous| !commit.parents.contains(previous)));
    let known = store.note(commit.id)?.packages;
    let mut attached: Vec<Summary> = Vec::new();
    for base in bases {
        for line in store.note(base)?.packages {
            if line.dirty_tree.as_deref() != Some(&tree)
                || known.iter().any(|known| known.package == line.package)
            {
                continue;
            }
            let package = store.open(base, &line)?;
            let mut manifest = package.manifest.clone();
            manifest.source.commit = commit.id.to_string();
            manifest.source.dirty = false;
            store.attach(package.tree, &manifest, commit.id)?;
            attached.push(Summary::of(&manifest, &commit.subject, false, Vec::new()));
        }
    }
    Ok(attached)
}
