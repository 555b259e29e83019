//! A file of a package as git objects, and back: what stands at `files/<path>` in a package's tree.
//! A blob there is the file as it is. (A tree there is an archive taken apart; none is written yet.)

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, Result};
use crate::git::{Batch, MODE_FILE, Oid, Repository, TreeEntry};
use crate::package::id::Hasher;
use crate::package::manifest::FileEntry;

/// Most bytes of a file that is held in memory.
const MOST_HELD: u64 = 8 * 1024 * 1024;

/// What was written for a file.
#[derive(Debug)]
pub(super) struct Written {
    /// The object to stand at the file's place in the package's tree.
    pub(super) id: Oid,
    /// Its mode there.
    pub(super) mode: i32,
}

/// Writes the file at `path` as objects.
///
/// # Arguments
/// `earlier`: what stands at the same place in an earlier package.
pub(super) fn write(
    batch: &Batch,
    path: &Path,
    file: &FileEntry,
    earlier: Option<TreeEntry>,
) -> Result<Written> {
    let unreadable = |error| Error::io("read", path, error);
    let earlier = earlier.filter(|entry| entry.mode == MODE_FILE).map(|entry| entry.id);
    let id = if file.size <= MOST_HELD {
        let mut bytes = Vec::new();
        let source = File::open(path).map_err(unreadable)?;
        source.take(file.size + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        let mut hasher = Hasher::default();
        hasher.update(&bytes);
        if hasher.finish() != (file.sha256, file.size) {
            return Err(changed(path));
        }
        batch.blob(&bytes, earlier)?
    } else {
        let open = || -> io::Result<Box<dyn Read>> { Ok(Box::new(File::open(path)?)) };
        let id = batch.blob_stream(file.size, &open, None)?;
        let mut hasher = Hasher::default();
        let mut source = File::open(path).map_err(unreadable)?;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let count = source.read(&mut buffer).map_err(unreadable)?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
        }
        if hasher.finish() != (file.sha256, file.size) {
            return Err(changed(path));
        }
        id
    };
    Ok(Written { id, mode: MODE_FILE })
}

pub(super) fn changed(path: &Path) -> Error {
    Error::refused(format!("'{}' changed while it was recorded: nothing was recorded", path.display()))
        .hint("see that nothing else writes to the package directory, and run the command again")
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
