//! A file of a package in Git LFS: a pointer at `files/<path>`, its content in the LFS store. The forms are specified in
//! docs/format.md; the `git lfs` command is `git`'s.

pub(in crate::store) mod objects;
mod pointer;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use objects::Incoming;

use crate::error::{Error, Result};
use crate::git::{Batch, MODE_FILE, Oid, Repository, TreeEntry, blob_id};
use crate::package::id::Hasher;
use crate::package::manifest::FileEntry;
use crate::package::storage::Form;
use crate::progress::Progress;
use crate::secrets::Identities;
use crate::store::codec::content::{self, Written};

/// Tells stock git which files of a package are in LFS; at the top of the package's tree.
pub(in crate::store) const ATTRIBUTES: &str = ".gitattributes";

/// The form of the file `entry` of a package's tree. A blob is a pointer only if it is exactly the pointer to what the manifest lists for
/// the file: any other pointer is content.
pub(in crate::store) fn form(entry: &TreeEntry, file: &FileEntry) -> Result<Form> {
    let pointer = entry.mode == MODE_FILE && blob_id(pointer::pointer(file).as_bytes())? == entry.id;
    Ok(if pointer { Form::Lfs } else { Form::Git })
}

/// Puts the file at `path` into the local LFS store. Returns its pointer.
pub(in crate::store) fn write(
    repository: &Repository,
    batch: &Batch,
    path: &Path,
    file: &FileEntry,
) -> Result<Written> {
    if objects::find(repository, file)?.is_some() {
        objects::keep(repository, file)?;
        return write_pointer(batch, file);
    }
    let mut incoming = Incoming::new(repository, file)?;
    in_parts(path, &mut |bytes| incoming.take(bytes))?;
    if incoming.finish()? { write_pointer(batch, file) } else { Err(content::changed(path)) }
}

/// Moves the file `entry` of a package's tree from git objects into the local LFS store. Returns its pointer.
pub(in crate::store) fn take_over(
    repository: &Repository,
    batch: &Batch,
    entry: &TreeEntry,
    file: &FileEntry,
) -> Result<Written> {
    let mut incoming = Incoming::new(repository, file)?;
    content::read(repository, entry, file, &Identities::default, &mut |bytes| incoming.take(bytes))?;
    if incoming.finish()? { write_pointer(batch, file) } else { Err(content::different(file)) }
}

/// Passes the content of `file`, which is in LFS, to `take`, and checks it at the end as [`content::read`] does. If it is not on this
/// machine, remotes are asked for the ref `name`.
pub(in crate::store) fn read(
    repository: &Repository,
    name: &str,
    file: &FileEntry,
    progress: &dyn Progress,
    take: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let path = objects::obtain(repository, name, file, progress)?;
    let mut hasher = Hasher::default();
    in_parts(&path, &mut |bytes| {
        hasher.update(bytes);
        take(bytes)
    })?;
    if hasher.finish() == (file.sha256, file.size) { Ok(()) } else { Err(content::different(file)) }
}

/// The blob of the `.gitattributes` for the files in LFS at `paths`; `None` if none is needed.
pub(in crate::store) fn write_attributes<'a>(
    batch: &Batch,
    paths: impl Iterator<Item = &'a str>,
) -> Result<Option<Oid>> {
    let text = pointer::attributes(paths);
    if text.is_empty() { Ok(None) } else { batch.blob(text.as_bytes(), None).map(Some) }
}

fn write_pointer(batch: &Batch, file: &FileEntry) -> Result<Written> {
    batch.blob(pointer::pointer(file).as_bytes(), None).map(Written::Pointer)
}

fn in_parts(path: &Path, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let cannot = |error| Error::io("read", path, error);
    let mut content = File::open(path).map_err(cannot)?;
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match content.read(&mut buffer).map_err(cannot)? {
            0 => return Ok(()),
            count => take(&buffer[..count])?,
        }
    }
}
