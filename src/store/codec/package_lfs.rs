//! The files of a package that are in Git LFS, and their objects.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::lfs::{self, objects};
use super::package::StoredPackage;
use crate::error::Result;
use crate::package::manifest::FileEntry;
use crate::package::storage::Form;
use crate::progress::Progress;

impl StoredPackage<'_> {
    pub fn forms(&self) -> Result<BTreeMap<String, Form>> {
        let form_of = |file: &FileEntry| Ok((file.path.clone(), lfs::form(&self.entry(file)?, file)?));
        self.manifest.files.iter().map(form_of).collect()
    }

    pub fn lfs_files(&self) -> Result<Vec<&FileEntry>> {
        let mut files = Vec::new();
        for file in &self.manifest.files {
            if lfs::form(&self.entry(file)?, file)? == Form::Lfs {
                files.push(file);
            }
        }
        Ok(files)
    }

    /// Fetches its LFS objects that are not in the store.
    pub fn fetch_lfs_objects(&self, progress: &dyn Progress) -> Result<()> {
        self.lfs_objects(progress).map(drop)
    }

    /// The ids of its files' LFS objects, in hexadecimal; missing ones are fetched first.
    pub fn lfs_objects(&self, progress: &dyn Progress) -> Result<Vec<String>> {
        let name = self.ref_name();
        let obtain = |file: &FileEntry| {
            objects::obtain(self.repository(), &name, file, progress)?;
            Ok(file.sha256.to_string())
        };
        self.lfs_files()?.into_iter().map(obtain).collect()
    }

    /// Removes the links that keep its LFS objects from `git lfs prune`: a remote has them.
    pub fn release_lfs_objects(&self) -> Result<()> {
        self.lfs_files()?.into_iter().try_for_each(|file| objects::release(self.repository(), file))
    }

    /// The LFS objects of its files, each with its place on this machine; missing ones are fetched first.
    pub fn lfs_objects_here(&self, progress: &dyn Progress) -> Result<Vec<(FileEntry, PathBuf)>> {
        let mut all = Vec::new();
        for file in self.lfs_files()? {
            all.push((file.clone(), objects::obtain(self.repository(), &self.ref_name(), file, progress)?));
        }
        Ok(all)
    }
}
