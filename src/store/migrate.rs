//! Converting a recorded package from one form to the other: another commit, with the same parent and manifest, so the id
//! stays. The order is that of recording: content, then the commit, then the ref; the old content goes with `git gc`.

use serde::Serialize;

use super::read::StoredPackage;
use super::{Store, content, lfs, names};
use crate::error::{Error, Result};
use crate::git::{MODE_FILE, MODE_TREE, Oid, Repository, TreeEntry};
use crate::package::manifest::FileEntry;
use crate::package::storage::{Form, Placement};
use crate::process::interrupt;
use crate::progress::Progress;

/// A file that is to be kept in another form.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// Its path in the package.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// The form it has.
    pub from: Form,
    /// The form it gets.
    pub to: Form,
}

impl StoredPackage<'_> {
    /// What would have to change for the package to be kept as `placement` says.
    pub fn changes(&self, placement: &Placement) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        for file in &self.manifest.files {
            let (from, to) = (lfs::form(&self.entry(file)?, file)?, placement.form_of(file));
            if from != to {
                changes.push(Change { path: file.path.clone(), size: file.size, from, to });
            }
        }
        Ok(changes)
    }

    /// Makes `changes`, as [`Self::changes`] gave them.
    ///
    /// # Errors
    /// Also when another process changes the package meanwhile; the package then is as that one left it.
    pub fn migrate(&self, changes: &[Change], progress: &dyn Progress) -> Result<()> {
        let repository = self.store.repository;
        let name = self.ref_name();
        let old = repository.ref_target(&name)?;
        let old = old.filter(|old| repository.commit(*old).is_ok_and(|commit| commit.tree == self.tree));
        let old = old.ok_or_else(|| {
            Error::refused(format!("{name} was changed by another process: nothing was done to it"))
                .hint("run the command again")
        })?;
        let mut forms = self.forms()?;
        let mut tree = self.tree;
        for change in changes {
            interrupt::check()?;
            let file = self.manifest.files.iter().find(|file| file.path == change.path);
            let file = file.ok_or_else(|| Error::bug("a change of a file that the package does not have"))?;
            let (id, mode) = match change.to {
                Form::Lfs => lfs::take_over(repository, &self.entry(file)?, file)?,
                Form::Git => content::write(
                    repository,
                    &lfs::objects::obtain(repository, &name, file, progress)?,
                    file,
                )?,
            };
            forms.insert(file.path.clone(), change.to);
            tree = placed(repository, tree, &format!("files/{}", file.path), id, mode)?;
            progress.advance(file.size);
        }
        let in_lfs = forms.iter().filter(|(_, form)| **form == Form::Lfs).map(|(path, _)| path.as_str());
        let attributes = lfs::write_attributes(repository, in_lfs)?;
        tree = match attributes {
            Some(id) => placed(repository, tree, ".gitattributes", id, MODE_FILE)?,
            None if repository.tree_entry(tree, b".gitattributes")?.is_some() => {
                repository.edit_tree(Some(tree), &[(".gitattributes", None)])?
            }
            None => tree,
        };
        // Whoever else converts it gets the same commit, and so does whoever converts it back.
        let new = repository.write_commit_like(old, tree)?;
        interrupt::check()?;
        repository.move_ref(&name, "slsart: migrate", old, new)
    }
}

impl Store<'_> {
    /// Removes our links to the LFS objects of `changes`' files, in this package, that no package needs any more.
    pub fn let_go(&self, package: &StoredPackage<'_>, changes: &[Change]) -> Result<()> {
        let of_change = |file: &&FileEntry| {
            changes.iter().any(|change| change.path == file.path && change.from == Form::Lfs)
        };
        let mut left: Vec<&FileEntry> = package.manifest.files.iter().filter(of_change).collect();
        for (_, tip) in self.repository.refs_matching(names::PACKAGES)? {
            if left.is_empty() {
                break;
            }
            let tree = self.repository.commit(tip)?.tree;
            for file in self.manifest_of(tip)?.files {
                if left.iter().all(|other| other.sha256 != file.sha256) {
                    continue;
                }
                let entry = self.repository.find_path(tree, &format!("files/{}", file.path))?;
                if entry.is_none_or(|entry| lfs::form(&entry, &file).is_ok_and(|form| form == Form::Lfs)) {
                    left.retain(|other| other.sha256 != file.sha256);
                }
            }
        }
        left.into_iter().try_for_each(|file| lfs::objects::let_go(self.repository, file))
    }
}

/// A tree like `tree` with another object at `path`.
fn placed(repository: &Repository, tree: Oid, path: &str, id: Oid, mode: i32) -> Result<Oid> {
    let (name, id, mode) = match path.split_once('/') {
        None => (path, id, mode),
        Some((name, rest)) => {
            let below = repository.tree_entry(tree, name.as_bytes())?;
            let below = below.ok_or_else(|| Error::bug("a change of a file that the tree does not have"))?;
            (name, placed(repository, below.id, rest, id, mode)?, MODE_TREE)
        }
    };
    repository.edit_tree(Some(tree), &[(name, Some(TreeEntry { name: name.into(), id, mode }))])
}
