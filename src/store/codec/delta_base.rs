//! The package that was recorded before one: most of a new one's objects are in it, or much like one of its.

use super::{manifest, zip_tree};
use crate::git::{MODE_TREE, Oid, Repository, TreeEntry};
use crate::package::Manifest;
use crate::package::manifest::{FileEntry, Target};
use crate::store::ledger::notes::Notes;
use crate::store::names::{self, NOTES_REF};

/// How many commits are looked at for an earlier package: along the history, then in the order in which they were noted.
const NEAR: usize = 32;

/// The tree of an earlier package of the same service, if one is found. It only saves room: whatever can't be read of it is
/// as if it weren't there.
pub(in crate::store) struct DeltaBase<'r> {
    repository: &'r Repository,
    tree: Option<Oid>,
    manifest: Option<Manifest>,
}

impl<'r> DeltaBase<'r> {
    /// The package of `target`, or of the same service for another, that is nearest to `commit`.
    pub(in crate::store) fn find(repository: &'r Repository, commit: Oid, target: &Target) -> Self {
        let package = find(repository, commit, target);
        Self {
            repository,
            tree: package.and_then(|package| Some(repository.commit(package).ok()?.tree)),
            manifest: package.and_then(|package| manifest::read(repository, package).ok()),
        }
    }

    /// Its tree.
    pub(in crate::store) fn tree(&self) -> Option<Oid> {
        self.tree
    }

    /// Its manifest.
    pub(in crate::store) fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// The archive of `file`'s very bytes that stands at its place in it, with all its objects here.
    pub(in crate::store) fn unchanged_archive(&self, file: &FileEntry) -> Option<Oid> {
        self.manifest.as_ref()?.files.iter().find(|known| *known == file)?;
        let entry = self.object(&format!("files/{}", file.path)).filter(|entry| entry.mode == MODE_TREE)?;
        zip_tree::is_here(self.repository, entry.id).then_some(entry.id)
    }

    /// The object that stands at `path` in it.
    pub(in crate::store) fn object(&self, path: &str) -> Option<TreeEntry> {
        self.repository.find_path(self.tree?, path).ok().flatten()
    }
}

fn find(repository: &Repository, commit: Oid, target: &Target) -> Option<Oid> {
    let root = Notes::new(repository).tree().ok().flatten()?;
    let along = repository.history(&[commit]).ok()?.take(NEAR);
    along.chain(recently_noted(repository)).find_map(|commit| package_of(repository, root, commit, target))
}

/// The commit of the last package that was recorded for `commit`, of `target` or else of the same service.
fn package_of(repository: &Repository, root: Oid, commit: Oid, target: &Target) -> Option<Oid> {
    let lines = Notes::new(repository).in_tree(root, commit).ok()?.packages;
    let line = lines.iter().filter(|line| line.target.path == target.path);
    let line = line.max_by_key(|line| (line.target == *target, line.recorded))?;
    let name = names::package(&commit.to_string(), line.package);
    repository.ref_target(&name).ok().flatten()
}

/// The commits that packages were recorded for last, as the messages of the notes' own history tell. Whoever wrote those.
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
