//! The package that was recorded before this one. Most objects of a new package are in it, or similar to one of its.

use super::{manifest, zip_tree};
use crate::git::{MODE_TREE, Oid, Repository, TreeEntry};
use crate::package::Manifest;
use crate::package::manifest::{FileEntry, Target};
use crate::store::ledger::notes::Notes;
use crate::store::names::{self, NOTES_REF};

/// How many commits are searched for an earlier package: along the history, then in the order of their notes.
const NEAR: usize = 32;

/// The tree of an earlier package of the same service, if there is one. It only saves space: what can't be read of it is ignored.
pub(in crate::store) struct DeltaBase<'r> {
    repository: &'r Repository,
    tree: Option<Oid>,
    manifest: Option<Manifest>,
}

impl<'r> DeltaBase<'r> {
    /// The package of `target`, or of the same service for another target, that is nearest to `commit`.
    pub(in crate::store) fn find(repository: &'r Repository, commit: Oid, target: &Target) -> Self {
        let package = find(repository, commit, target);
        Self {
            repository,
            tree: package.and_then(|package| Some(repository.commit(package).ok()?.tree)),
            manifest: package.and_then(|package| manifest::read(repository, package).ok()),
        }
    }

    pub(in crate::store) fn tree(&self) -> Option<Oid> {
        self.tree
    }

    pub(in crate::store) fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// The archive of `file`'s very bytes at the same path, if all its objects are here.
    pub(in crate::store) fn unchanged_archive(&self, file: &FileEntry) -> Option<Oid> {
        self.manifest.as_ref()?.files.iter().find(|known| *known == file)?;
        let entry = self.object(&format!("files/{}", file.path)).filter(|entry| entry.mode == MODE_TREE)?;
        zip_tree::is_here(self.repository, entry.id).then_some(entry.id)
    }

    pub(in crate::store) fn object(&self, path: &str) -> Option<TreeEntry> {
        self.repository.find_path(self.tree?, path).ok().flatten()
    }
}

fn find(repository: &Repository, commit: Oid, target: &Target) -> Option<Oid> {
    let root = Notes::new(repository).tree().ok().flatten()?;
    let along = repository.history(&[commit]).ok()?.take(NEAR);
    along.chain(recently_noted(repository)).find_map(|commit| package_of(repository, root, commit, target))
}

/// The last package that was recorded for `commit`: of `target`, else of the same service.
fn package_of(repository: &Repository, root: Oid, commit: Oid, target: &Target) -> Option<Oid> {
    let lines = Notes::new(repository).in_tree(root, commit).ok()?.packages;
    let line = lines.iter().filter(|line| line.target.path == target.path);
    let line = line.max_by_key(|line| (line.target == *target, line.recorded))?;
    let name = names::package(&commit.to_string(), line.package);
    repository.ref_target(&name).ok().flatten()
}

/// The commits that packages were last recorded for, by any machine, according to the messages of the notes' own history.
fn recently_noted(repository: &Repository) -> impl Iterator<Item = Oid> {
    let tip = repository.ref_target(NOTES_REF).ok().flatten();
    let mut next = tip;
    std::iter::from_fn(move || {
        let commit = repository.commit(next?).ok()?;
        next = commit.parents.first().copied();
        Some(commit.subject.rsplit(' ').next().and_then(|word| Oid::from_str(word).ok()))
    })
    .take(NEAR)
    .flatten()
}
