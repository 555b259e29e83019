//! Compares the files inside the archives of packages: by their objects if both are taken apart, else by the zips' own directories. Holds
//! no more than one file of each in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read as _, Write as _};
use std::path::Path;

use zip::ZipArchive;

use super::encryption;
use super::package::StoredPackage;
use super::zip_tree::{self, ArchivedFile};
use crate::error::{Error, Result};
use crate::git::{MODE_TREE, Repository, TreeEntry};
use crate::package::manifest::FileEntry;
use crate::process::interrupt;
use crate::progress::Silent;
use crate::secrets::{Identities, is_locked};

const MAX_ENTRIES: usize = 200_000;

#[derive(Debug)]
pub struct ChangedEntry {
    pub name: String,
    pub before: Option<EntryContent>,
    pub after: Option<EntryContent>,
}

#[derive(Debug)]
pub enum EntryContent {
    Bytes(Vec<u8>),
    /// Too large to be read, an archive itself, or can't be unpacked.
    Opaque,
}

/// Compares the files inside two archives, and passes those that differ to `take`, by name. Files over `limit` bytes are not read.
///
/// # Returns
///
/// Whether both are archives that can be read.
pub fn compare(
    before: (&StoredPackage<'_>, &FileEntry),
    after: (&StoredPackage<'_>, &FileEntry),
    limit: u64,
    take: &mut dyn FnMut(ChangedEntry) -> Result<()>,
) -> Result<bool> {
    let (one, other) = (before.0.entry(before.1)?, after.0.entry(after.1)?);
    let repository = before.0.repository();
    let is_apart = |entry: &TreeEntry| {
        Ok::<_, Error>(entry.mode == MODE_TREE && encryption::whole(repository, entry.id)?.is_none())
    };
    if is_apart(&one)? && is_apart(&other)? {
        let files = [zip_tree::files(repository, one.id)?, zip_tree::files(repository, other.id)?];
        let sealed = files.iter().flat_map(BTreeMap::values).any(|part| part.sealed);
        let identities = if sealed { before.0.keys.identities() } else { Identities::default() };
        let body = |part: ArchivedFile| read_part(repository, part, &identities, limit);
        each(&files[0], &files[1], |part| body(*part), |part| body(*part), take)?;
        return Ok(true);
    }
    let (Some(mut one), Some(mut other)) = (Zip::of(before.0, before.1)?, Zip::of(after.0, after.1)?) else {
        return Ok(false);
    };
    let (old, new) = (one.entries()?, other.entries()?);
    each(&old, &new, |entry| Ok(one.read(*entry, limit)), |entry| Ok(other.read(*entry, limit)), take)?;
    Ok(true)
}

fn each<E: PartialEq>(
    before: &BTreeMap<String, E>,
    after: &BTreeMap<String, E>,
    mut read_before: impl FnMut(&E) -> Result<EntryContent>,
    mut read_after: impl FnMut(&E) -> Result<EntryContent>,
    take: &mut dyn FnMut(ChangedEntry) -> Result<()>,
) -> Result<()> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let (old, new) = (before.get(name), after.get(name));
        if old != new {
            interrupt::check()?;
            let before = old.map(&mut read_before).transpose()?;
            let after = new.map(&mut read_after).transpose()?;
            // Encrypted again, the same content is another object.
            if let (Some(EntryContent::Bytes(before)), Some(EntryContent::Bytes(after))) = (&before, &after)
                && before == after
            {
                continue;
            }
            take(ChangedEntry { name: name.clone(), before, after })?;
        }
    }
    Ok(())
}

fn read_part(
    repository: &Repository,
    part: ArchivedFile,
    identities: &Identities,
    limit: u64,
) -> Result<EntryContent> {
    if !part.plain {
        return Ok(EntryContent::Opaque);
    }
    if part.sealed {
        return match encryption::open(repository, part.id, identities, limit) {
            Ok(bytes) => Ok(EntryContent::Bytes(bytes)),
            Err(error) if is_locked(&error) => Ok(EntryContent::Opaque),
            Err(error) => Err(error),
        };
    }
    Ok(repository.read_blob_within(part.id, limit)?.map_or(EntryContent::Opaque, EntryContent::Bytes))
}

struct Zip(ZipArchive<BufReader<File>>);

#[derive(Debug, Clone, Copy)]
struct ZipEntry {
    index: usize,
    crc32: u32,
    size: u64,
}

impl PartialEq for ZipEntry {
    fn eq(&self, other: &Self) -> bool {
        (self.crc32, self.size) == (other.crc32, other.size)
    }
}

impl Zip {
    fn of(package: &StoredPackage<'_>, file: &FileEntry) -> Result<Option<Self>> {
        let cannot = |error| Error::io("write to", Path::new("the directory for temporary files"), error);
        let mut scratch = tempfile::tempfile().map_err(cannot)?;
        package.stream(file, &Silent, &mut |bytes| {
            interrupt::check()?;
            scratch.write_all(bytes).map_err(cannot)
        })?;
        let opened = ZipArchive::new(BufReader::new(scratch)).ok();
        Ok(opened.filter(|zip| zip.len() <= MAX_ENTRIES).map(Self))
    }

    fn entries(&mut self) -> Result<BTreeMap<String, ZipEntry>> {
        let mut entries = BTreeMap::new();
        for index in 0..self.0.len() {
            let entry = self
                .0
                .by_index_raw(index)
                .map_err(|error| Error::refused("a zip in the package can't be read").because(error))?;
            if !entry.is_dir() {
                let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
                entries.insert(name, ZipEntry { index, crc32: entry.crc32(), size: entry.size() });
            }
        }
        Ok(entries)
    }

    fn read(&mut self, entry: ZipEntry, limit: u64) -> EntryContent {
        let Some(file) = self.0.by_index(entry.index).ok().filter(|file| file.size() <= limit) else {
            return EntryContent::Opaque;
        };
        let mut bytes = Vec::new();
        match file.take(limit + 1).read_to_end(&mut bytes) {
            Ok(read) if read as u64 <= limit => EntryContent::Bytes(bytes),
            _ => EntryContent::Opaque,
        }
    }
}
