//! A file of a package as git objects, and back: the entry `files/<path>` in a package's tree. A blob there is the file as it is, a tree
//! is an archive taken apart.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use super::writer::Writer;
use super::{encryption, zip_tree};
use crate::error::{Error, Result};
use crate::git::{MODE_FILE, MODE_TREE, Oid, Repository, TreeDraft, TreeEntry};
use crate::package::Sha256;
use crate::package::id::Hasher;
use crate::package::manifest::FileEntry;
use crate::secrets::{Identities, MAX_SEALED};

const MAX_HELD: u64 = 8 * 1024 * 1024;

#[derive(Debug)]
pub(in crate::store) enum Written {
    Object(Oid, i32),
    /// An encrypted file.
    Sealed(Oid),
    /// A pointer to an object in the LFS store.
    Pointer(Oid),
    /// An archive's objects.
    Archive(zip_tree::Parts),
}

impl Written {
    pub(in crate::store) fn insert_into(self, tree: &mut TreeDraft, place: &str) {
        match self {
            Self::Object(id, mode) => tree.insert(place, id, mode),
            Self::Sealed(id) => tree.insert(&format!("{place}/{}", encryption::FOLDER), id, MODE_FILE),
            Self::Pointer(id) => tree.insert(place, id, MODE_FILE),
            Self::Archive(parts) => {
                for (below, id) in parts {
                    tree.insert(&format!("{place}/{below}"), id, MODE_FILE);
                }
            }
        }
    }
}

impl Writer<'_> {
    /// Writes the file at `path` as objects. `earlier`: the entry at the same place in an earlier package.
    pub(in crate::store) fn write(
        &self,
        path: &Path,
        file: &FileEntry,
        earlier: Option<&TreeEntry>,
    ) -> Result<Written> {
        let before = |mode: i32| earlier.filter(|entry| entry.mode == mode).map(|entry| entry.id);
        if file.size <= MAX_HELD {
            let bytes = held(path, file)?;
            let (parts, ()) =
                zip_tree::write(*self, &file.path, &bytes.as_slice(), before(MODE_TREE), || ())?;
            if let Some(parts) = parts {
                return Ok(Written::Archive(parts));
            }
            let seals = self.recorder.is_some_and(|recorder| recorder.file(&file.path, &bytes));
            return self.write_held(&bytes, seals, before(MODE_FILE));
        }
        let unreadable = |error| Error::io("read", path, error);
        let source = File::open(path).map_err(unreadable)?;
        let hash = || File::open(path).and_then(|mut file| Sha256::of_reader(&mut file));
        let (parts, hashed) = zip_tree::write(*self, &file.path, &source, before(MODE_TREE), hash)?;
        if hashed.map_err(unreadable)? != (file.sha256, file.size) {
            return Err(changed(path));
        }
        match parts {
            Some(parts) => Ok(Written::Archive(parts)),
            None => self.write_large(path, file),
        }
    }

    fn write_held(&self, bytes: &[u8], seals: bool, earlier: Option<Oid>) -> Result<Written> {
        self.progress.advance(bytes.len() as u64);
        if seals {
            self.seal(bytes)
        } else {
            Ok(Written::Object(self.batch.blob(bytes, earlier)?, MODE_FILE))
        }
    }

    fn write_large(&self, path: &Path, file: &FileEntry) -> Result<Written> {
        if self.seals_large(path, file)? {
            if file.size > MAX_SEALED {
                return Err(encryption::too_large(&file.path));
            }
            return self.write_held(&held(path, file)?, true, None);
        }
        // It is hashed each time it is read: for the object's id, and to be written.
        let hashers = RefCell::new(Vec::new());
        let open = || -> io::Result<Box<dyn Read + '_>> {
            hashers.borrow_mut().push(Hasher::default());
            Ok(Box::new(Hashing { file: File::open(path)?, hashers: &hashers }))
        };
        let id = self.batch.blob_stream(file.size, &open, None)?;
        if hashers.take().into_iter().any(|hasher| hasher.finish() != (file.sha256, file.size)) {
            return Err(changed(path));
        }
        self.progress.advance(file.size);
        Ok(Written::Object(id, MODE_FILE))
    }

    fn seal(&self, bytes: &[u8]) -> Result<Written> {
        let recorder = self.recorder.ok_or_else(|| Error::bug("there are no recipients to encrypt to"))?;
        let id = recorder.sealer().write(self.batch, bytes, |id| self.repository.has(id))?;
        Ok(Written::Sealed(id))
    }

    /// Whether a file that is not held in memory must be encrypted. That reads it once more; JSON, as JSON.
    fn seals_large(&self, path: &Path, file: &FileEntry) -> Result<bool> {
        let Some(recorder) = self.recorder else { return Ok(false) };
        let looked = if file.size <= MAX_SEALED && file.path.to_ascii_lowercase().ends_with(".json") {
            fs::read(path).map(|bytes| recorder.file(&file.path, &bytes))
        } else {
            recorder.large_file(&file.path, path)
        };
        looked.map_err(|error| Error::io("read", path, error))
    }
}

/// The content of a file, if it still is what was hashed.
fn held(path: &Path, file: &FileEntry) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|source| source.take(file.size + 1).read_to_end(&mut bytes));
    read.map_err(|error| Error::io("read", path, error))?;
    let is_same = (Sha256::of(&bytes), bytes.len() as u64) == (file.sha256, file.size);
    if is_same { Ok(bytes) } else { Err(changed(path)) }
}

/// A file that is hashed while it is read.
struct Hashing<'a> {
    file: File,
    /// That of this reading is the last.
    hashers: &'a RefCell<Vec<Hasher>>,
}

impl Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        if let Some(last) = self.hashers.borrow_mut().last_mut() {
            last.update(&buffer[..count]);
        }
        Ok(count)
    }
}

pub(in crate::store) fn changed(path: &Path) -> Error {
    Error::refused(format!("'{}' changed while it was recorded: nothing was recorded", path.display()))
        .hint("make sure that nothing else writes to the package directory, and run the command again")
}

/// Passes the recorded bytes of `file` to `take`, and checks them at the end: they count only when this returns `Ok`.
pub(in crate::store) fn read(
    repository: &Repository,
    entry: &TreeEntry,
    file: &FileEntry,
    keys: &dyn Fn() -> Identities,
    take: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let mut checked = Checked { hasher: Hasher::default(), left: file.size, file, take };
    match entry.mode {
        MODE_FILE => repository.read_parts(entry.id, file.size, &mut |bytes| checked.take(bytes))?,
        MODE_TREE => match encryption::whole(repository, entry.id)? {
            Some(id) => checked.take(&encryption::open(repository, id, &keys(), file.size)?)?,
            None => zip_tree::read(repository, entry.id, file.size, keys, &mut checked)?,
        },
        _ => {
            return Err(Error::integrity(format!(
                "this git-slsart can't read the form that '{}' is stored in",
                file.path
            ))
            .hint("install a newer git-slsart: cargo install git-slsart"));
        }
    }
    if checked.hasher.finish() == (file.sha256, file.size) { Ok(()) } else { Err(different(file)) }
}

/// Hashes the bytes that pass through, and stops at the recorded size.
struct Checked<'a> {
    hasher: Hasher,
    left: u64,
    file: &'a FileEntry,
    take: &'a mut dyn FnMut(&[u8]) -> Result<()>,
}

impl Checked<'_> {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or_else(|| different(self.file))?;
        self.hasher.update(bytes);
        (self.take)(bytes)
    }
}

impl Write for Checked<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(in crate::store) fn different(file: &FileEntry) -> Error {
    Error::integrity(format!("'{}' is not what was recorded", file.path))
        .hint("`git fsck` shows what is damaged; another clone may have an intact copy")
}
