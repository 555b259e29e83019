//! Gives packages to another commit with the very tree they were made from: when that tree is committed, and when a commit is rewritten.

use super::Summary;
use crate::error::Result;
use crate::git::Oid;
use crate::store::bans::Ban;
use crate::store::pins::Pin;
use crate::workspace::Workspace;

/// Gives `commit` the packages made from its tree while it was a working tree on top of its parent, or of the commit that it amends.
/// Returns those that are new for it.
pub fn attach(workspace: &Workspace<'_>, commit: Oid) -> Result<Vec<Summary>> {
    let Workspace { repository, .. } = *workspace;
    let store = workspace.store();
    let commit = repository.commit(commit)?;
    let tree = commit.tree.to_string();
    let mut bases = commit.parents.clone();
    bases.extend(repository.previous_head().filter(|previous| !commit.parents.contains(previous)));
    let known = store.notes().of(commit.id)?.packages;
    let mut attached: Vec<Summary> = Vec::new();
    for base in bases {
        for line in store.notes().of(base)?.packages {
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

/// Gives the commit `new`, which `old` was rewritten to, the packages of `old`, if its tree is the same. `old` keeps them too. Returns
/// those that are new for `new`.
pub fn follow(workspace: &Workspace<'_>, old: Oid, new: Oid) -> Result<Vec<Summary>> {
    let Workspace { repository, .. } = *workspace;
    let store = workspace.store();
    let lines = store.notes().of(old)?.packages;
    if old == new || lines.is_empty() {
        return Ok(Vec::new());
    }
    let commit = repository.commit(new)?;
    if repository.commit(old)?.tree != commit.tree {
        return Ok(Vec::new());
    }
    let known = store.notes().of(new)?.packages;
    let mut followed = Vec::new();
    for line in lines {
        let is_known = known.iter().any(|known| known.package == line.package);
        // A package of changes on top of `old` has another tree; one that was never fetched has no content to share.
        if is_known || line.dirty_tree.is_some() || !store.packages().has(old, line.package)? {
            continue;
        }
        let package = store.open(old, &line)?;
        let mut manifest = package.manifest.clone();
        manifest.source.commit = new.to_string();
        // First, so that the package can't be deployed in between.
        if let Some(ban) = store.bans().of(old, line.package)? {
            store.marks().append(&Ban { commit: new.to_string(), ..ban })?;
        }
        if let Some(pin) = store.pins().of(old, line.package)? {
            store.marks().append(&Pin { commit: new.to_string(), ..pin })?;
        }
        store.attach(package.tree, &manifest, new)?;
        followed.push(Summary::of(&manifest, &commit.subject, false, Vec::new()));
    }
    if !followed.is_empty() {
        store.toolchains().share(old, new)?;
    }
    Ok(followed)
}
