//! A file of a package as git objects, and back: what stands at `files/<path>` in a package's tree.
//! A blob there is the file as it is. (A tree there is an archive taken apart; none is written yet.)

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, Result};
use crate::git::{MODE_FILE, Oid, Repository, TreeEntry};
use crate::package::id::Hasher;
use crate::package::manifest::FileEntry;

/// Writes the file at `path` as objects.
///
/// # Returns
/// The object to stand at the file's place in the package's tree, and its mode.
pub(super) fn write(repository: &Repository, path: &Path, file: &FileEntry) -> Result<(Oid, i32)> {
    let source = File::open(path).map_err(|error| Error::io("read", path, error))?;
    let mut source = Hashing { inner: source, hasher: Hasher::default() };
    let id = repository.write_stream(&mut source, file.size)?;
    if source.hasher.finish() == (file.sha256, file.size) {
        return Ok((id, MODE_FILE));
    }
    Err(changed(path))
}

pub(super) fn changed(path: &Path) -> Error {
    Error::refused(format!("'{}' changed while it was recorded: nothing was recorded", path.display()))
        .hint("see that nothing else writes to the package directory, and run the command again")
}

/// Hashes what is read through it.
struct Hashing {
    inner: File,
    hasher: Hasher,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

/// Hands the recorded bytes of `file` to `take`, and checks them at the end: what was taken counts only when this
/// returns `Ok`.
pub(super) fn read(
    repository: &Repository,
    entry: &TreeEntry,
    file: &FileEntry,
    take: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    if entry.mode != MODE_FILE {
        return Err(Error::integrity(format!(
            "'{}' is kept in a form that this git-slsart can't read",
            file.path
        ))
        .hint("install a newer git-slsart: cargo install git-slsart"));
    }
    let mut hasher = Hasher::default();
    let mut left = file.size;
    repository.read_parts(entry.id, file.size, &mut |bytes| {
        left = left.checked_sub(bytes.len() as u64).ok_or_else(|| different(file))?;
        hasher.update(bytes);
        take(bytes)
    })?;
    if hasher.finish() == (file.sha256, file.size) { Ok(()) } else { Err(different(file)) }
}

pub(super) fn different(file: &FileEntry) -> Error {
    Error::integrity(format!("'{}' is not what was recorded", file.path))
        .hint("`git fsck` shows what is damaged; a copy of the repository may have it whole")
}
