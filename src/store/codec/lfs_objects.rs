//! The LFS objects on this machine, and the links that keep them from `git lfs prune`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::lfs::{self, objects};
use super::manifest;
use super::migrate::FormChange;
use super::package::StoredPackage;
use crate::error::{Error, Result};
use crate::git::{Oid, Repository};
use crate::package::manifest::FileEntry;
use crate::package::storage::Form;
use crate::store::names;

#[derive(Clone, Copy)]
pub struct LfsObjects<'r> {
    repository: &'r Repository,
}

impl<'r> LfsObjects<'r> {
    pub(in crate::store) fn new(repository: &'r Repository) -> Self {
        Self { repository }
    }

    /// Puts an LFS object into the local store, with the link that keeps it. Returns false, and stores nothing, if its bytes are not the
    /// recorded ones.
    pub fn take_in(&self, file: &FileEntry, content: &mut dyn Read, place: &Path) -> Result<bool> {
        if objects::find(self.repository, file)?.is_some() {
            objects::keep(self.repository, file)?;
            return Ok(true);
        }
        let mut incoming = objects::Incoming::new(self.repository, file)?;
        let mut buffer = vec![0; 128 * 1024];
        loop {
            match content.read(&mut buffer).map_err(|error| Error::io("read", place, error))? {
                0 => return incoming.finish(),
                count => incoming.take(&buffer[..count])?,
            }
        }
    }

    /// Copies it from the store of another repository, where it was found whole.
    pub fn take_over(&self, file: &FileEntry, from: &Repository) -> Result<()> {
        let place = objects::place_in(&from.lfs_storage(), file);
        let mut content = File::open(&place).map_err(|error| Error::io("read", &place, error))?;
        if self.take_in(file, &mut content, &place)? {
            return Ok(());
        }
        Err(Error::integrity(format!("the LFS object of '{}' changed while it was read", file.path)))
    }

    pub fn has(&self, file: &FileEntry) -> Result<bool> {
        Ok(objects::find(self.repository, file)?.is_some())
    }

    /// How many objects no remote is known to have, and their size in bytes.
    pub fn only_here(&self) -> (usize, u64) {
        objects::kept(self.repository)
    }

    /// Removes our links to the LFS objects of packages, except those that remaining packages need. The LFS store is shared with the
    /// project's own files, so only `git lfs prune` may remove objects.
    ///
    /// # Returns
    ///
    /// How many objects there were, and their size in bytes.
    pub fn release(&self, going: &[Oid], staying: &[Oid]) -> Result<(usize, u64)> {
        let mut files: BTreeMap<String, FileEntry> = BTreeMap::new();
        for tip in going {
            // A damaged package's files are unknown, so its links stay.
            for file in self.lfs_files_at(*tip).unwrap_or_default() {
                if objects::is_kept(self.repository, &file) {
                    files.insert(file.sha256.to_string(), file);
                }
            }
        }
        if files.is_empty() {
            return Ok((0, 0));
        }
        for tip in staying {
            let manifest = manifest::read(self.repository, *tip)?;
            let needed: BTreeSet<String> =
                manifest.files.iter().map(|file| file.sha256.to_string()).collect();
            files.retain(|id, _| !needed.contains(id));
        }
        files.values().try_for_each(|file| objects::release(self.repository, file))?;
        Ok((files.len(), files.values().map(|file| file.size).sum()))
    }

    fn lfs_files_at(&self, tip: Oid) -> Result<Vec<FileEntry>> {
        let tree = self.repository.commit(tip)?.tree;
        let mut files = Vec::new();
        for file in manifest::read(self.repository, tip)?.files {
            let entry = self.repository.find_path(tree, &format!("files/{}", file.path))?;
            if entry.is_some_and(|entry| lfs::form(&entry, &file).is_ok_and(|form| form == Form::Lfs)) {
                files.push(file);
            }
        }
        Ok(files)
    }

    /// Removes our links to the LFS objects of `changes`' files that no package needs any more.
    pub fn release_changed(&self, package: &StoredPackage<'_>, changes: &[FormChange]) -> Result<()> {
        let of_change = |file: &&FileEntry| {
            changes.iter().any(|change| change.path == file.path && change.from == Form::Lfs)
        };
        let mut left: Vec<&FileEntry> = package.manifest.files.iter().filter(of_change).collect();
        for (_, tip) in self.repository.refs_matching(names::PACKAGES)? {
            if left.is_empty() {
                break;
            }
            let tree = self.repository.commit(tip)?.tree;
            for file in manifest::read(self.repository, tip)?.files {
                if left.iter().all(|other| other.sha256 != file.sha256) {
                    continue;
                }
                let entry = self.repository.find_path(tree, &format!("files/{}", file.path))?;
                if entry.is_none_or(|entry| lfs::form(&entry, &file).is_ok_and(|form| form == Form::Lfs)) {
                    left.retain(|other| other.sha256 != file.sha256);
                }
            }
        }
        left.into_iter().try_for_each(|file| lfs::objects::release(self.repository, file))
    }
}
