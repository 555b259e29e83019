//! What of a package goes into a file and comes out of one: refs, LFS objects, and its line.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::git::pack::Replaced;
use crate::git::{Oid, Repository};
use crate::package::manifest::{FileEntry, Target};
use crate::progress::Progress;
use crate::store::codec::lfs::objects;
use crate::store::ledger::note_line::PackageLine;
use crate::store::names;
use crate::store::{NOTES_REF, Store, StoredPackage};

/// What a ref that travels is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The package.
    Package,
    /// A toolchain of its source.
    Toolchain,
    /// Its target's history.
    History,
}

impl StoredPackage<'_> {
    /// The LFS objects of its files, each with where it is on this machine: from a remote where it was not.
    pub fn lfs_objects_here(&self, progress: &dyn Progress) -> Result<Vec<(FileEntry, PathBuf)>> {
        let mut all = Vec::new();
        for file in self.lfs_files()? {
            all.push((
                file.clone(),
                objects::obtain(self.store.repository, &self.ref_name(), file, progress)?,
            ));
        }
        Ok(all)
    }

    /// The repository that it is in.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        self.store.repository
    }
}

impl Store<'_> {
    /// The ref of a target's history, with what it points at.
    pub fn history_tip(&self, target: &Target) -> Result<Option<(String, Oid)>> {
        let name = names::deployments(target);
        Ok(self.repository.ref_target(&name)?.map(|tip| (name, tip)))
    }

    /// Puts an LFS object into the local store, with the link that keeps it.
    ///
    /// # Returns
    /// Whether it is what it should be; if not, nothing is put there.
    pub fn take_in_object(&self, file: &FileEntry, content: &mut dyn Read, place: &Path) -> Result<bool> {
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

    /// The same from the store of another repository, in which it was found whole.
    pub fn take_over_object(&self, file: &FileEntry, from: &Store<'_>) -> Result<()> {
        let place = objects::place_in(&from.repository.lfs_storage(), file);
        let mut content = File::open(&place).map_err(|error| Error::io("read", &place, error))?;
        if self.take_in_object(file, &mut content, &place)? {
            return Ok(());
        }
        Err(Error::integrity(format!("the LFS object of '{}' changed while it was read", file.path)))
    }

    /// Whether an LFS object is on this machine.
    pub fn has_object(&self, file: &FileEntry) -> Result<bool> {
        Ok(objects::find(self.repository, file)?.is_some())
    }

    /// Writes a package's line into the note of `commit`, unless one of it stands there.
    pub fn note_package(&self, commit: Oid, line: &PackageLine) -> Result<()> {
        let batch = self.repository.batch()?;
        let mut replaced = None;
        self.repository.update_ref(NOTES_REF, &format!("slsart: note on {commit}"), |tip| {
            let next = self.add_line(&batch, tip, commit, line)?;
            replaced = Some(batch.finish()?);
            Ok(next)
        })?;
        replaced.into_iter().for_each(Replaced::remove);
        Ok(())
    }
}

/// What a ref is of that came with the package `line` of `commit` with this source; `None` for one that has no business there.
#[must_use]
pub fn part_of(name: &str, commit: Oid, line: &PackageLine, source: Oid) -> Option<Part> {
    if name == names::package(&commit.to_string(), line.package) {
        return Some(Part::Package);
    }
    if name == names::deployments(&line.target) {
        return Some(Part::History);
    }
    let toolchain: Vec<&str> = name.strip_prefix(names::TOOLCHAINS)?.split('/').collect();
    let is_id = |text: &str| text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_machine = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_%".contains(&byte))
    };
    let fits = matches!(toolchain[..], [id, of, machine] if is_id(id) && of == source.to_string() && is_machine(machine));
    fits.then_some(Part::Toolchain)
}
