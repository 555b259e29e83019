//! Writing a tree out as the directory that it was. Writes only into directories that it creates: nothing existing is replaced, no link is
//! followed, no name leads out of the directory.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sha1::{Digest as _, Sha1};

use super::names::{escape, unescape};
#[cfg(doc)]
use super::scan::DirectoryScan;
use super::scan::{Listed, MAX_DEPTH};
use super::spread::spread;
use crate::error::{Error, Result};
use crate::git::{
    Blob, MODE_EXECUTABLE, MODE_FILE, MODE_LINK, MODE_TREE, Oid, Readers, Repository, TreeEntry,
};

/// Most files of a directory, those of its subdirectories included: a few forged trees can name billions.
const MAX_FILES: usize = 4_000_000;
const MAX_LINK_BYTES: usize = 64 * 1024;

/// The files and links to write into the created directories.
#[derive(Default)]
struct Wanted {
    files: Vec<(PathBuf, TreeEntry)>,
    links: Vec<(PathBuf, Oid)>,
    directories: usize,
}

impl Repository {
    /// Writes `tree`, as [`DirectoryScan::write`] made it, to `directory`, which must not exist and whose parent must.
    ///
    /// # Errors
    ///
    /// [`crate::error::Kind::Integrity`] when an object is missing or damaged, or a name could lead elsewhere. Files written before stay.
    pub fn restore_directory(&self, tree: Oid, directory: &Path) -> Result<()> {
        let mut wanted = Wanted::default();
        self.make_directories(tree, directory, 0, &mut wanted)?;
        let readers = self.readers();
        spread(wanted.files.len(), |index| {
            let (path, entry) = &wanted.files[index];
            write_file(&readers, path, entry)
        })?;
        // Last: while files are written, there is no link to follow out of the directory.
        spread(wanted.links.len(), |index| {
            let (path, id) = &wanted.links[index];
            write_link(&readers, path, *id)
        })?;
        Ok(())
    }

    /// Writes `entry`, a file of such a tree, to `path`, which must not exist and whose parent must.
    pub fn restore_file(&self, entry: &TreeEntry, path: &Path) -> Result<()> {
        write_file(&self.readers(), path, entry)
    }

    /// The entry at `path`, its names not escaped, in a directory that was written as `tree`; `None` if there is none.
    pub fn find_in_directory(&self, tree: Oid, path: &str) -> Result<Option<TreeEntry>> {
        let names: Vec<_> = path
            .split('/')
            .map(|name| String::from_utf8_lossy(&escape(name.as_bytes())).into_owned())
            .collect();
        self.find_path(tree, &names.join("/"))
    }

    /// The files and symbolic links of `tree`, as [`DirectoryScan::write`] made it, sorted by path as [`DirectoryScan::list`] has them.
    pub fn list_directory(&self, tree: Oid) -> Result<Vec<Listed>> {
        let mut listed = Vec::new();
        let mut pending = vec![(String::new(), tree, 0)];
        while let Some((prefix, id, depth)) = pending.pop() {
            for TreeEntry { name, id, mode } in self.read_tree(id)? {
                let name = unescape(&name).ok_or_else(|| odd(tree, "an invalid name"))?;
                let path = format!("{prefix}{}", String::from_utf8_lossy(name));
                match mode {
                    _ if name.is_empty() => {}
                    MODE_TREE if depth < MAX_DEPTH => pending.push((path + "/", id, depth + 1)),
                    _ => listed.push(Listed { path, id, mode }),
                }
            }
            if listed.len() + pending.len() > MAX_FILES {
                return Err(odd(tree, "too many entries"));
            }
        }
        listed.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        Ok(listed)
    }

    fn make_directories(&self, tree: Oid, path: &Path, depth: usize, wanted: &mut Wanted) -> Result<()> {
        fs::create_dir(path).map_err(|error| Error::io("create", path, error))?;
        wanted.directories += 1;
        for entry in self.read_tree(tree)? {
            let name = unescape(&entry.name).ok_or_else(|| odd(tree, "an invalid name"))?;
            if name.is_empty() {
                continue;
            }
            let place = path.join(OsStr::from_bytes(name));
            match entry.mode {
                MODE_TREE if depth < MAX_DEPTH => {
                    self.make_directories(entry.id, &place, depth + 1, wanted)?;
                }
                MODE_FILE | MODE_EXECUTABLE => wanted.files.push((place, entry)),
                MODE_LINK => wanted.links.push((place, entry.id)),
                _ => return Err(odd(tree, "an invalid entry")),
            }
            if wanted.files.len() + wanted.links.len() + wanted.directories > MAX_FILES {
                return Err(odd(tree, "too many entries"));
            }
        }
        Ok(())
    }
}

fn write_file(readers: &Readers, path: &Path, entry: &TreeEntry) -> Result<()> {
    let failed = |error| Error::io("write", path, error);
    let mode = if entry.mode == MODE_EXECUTABLE { 0o777 } else { 0o666 };
    let blob = readers.open(entry.id)?;
    let mut file = File::options().write(true).create_new(true).mode(mode).open(path).map_err(failed)?;
    let id = match blob {
        Blob::Bytes(bytes) => {
            file.write_all(&bytes).map_err(failed)?;
            hash(&bytes)
        }
        Blob::Stream { size, reader } => copy(reader, size, &mut file).map_err(failed)?,
    };
    if id == Some(entry.id) { Ok(()) } else { Err(damaged(entry.id)) }
}

/// Copies `reader` to `file`, and hashes it as a blob of `size` bytes.
fn copy(mut reader: Box<dyn Read + Send>, size: u64, file: &mut File) -> io::Result<Option<Oid>> {
    let mut hasher = Sha1::new_with_prefix(format!("blob {size}\0"));
    let mut buffer = vec![0; 128 * 1024];
    let mut left = size;
    loop {
        let count = reader.read(&mut buffer)?;
        let Some(rest) = left.checked_sub(count as u64) else { return Ok(None) };
        left = rest;
        if count == 0 {
            return Ok(Oid::from_bytes(&hasher.finalize()).ok());
        }
        hasher.update(&buffer[..count]);
        file.write_all(&buffer[..count])?;
    }
}

fn write_link(readers: &Readers, path: &Path, id: Oid) -> Result<()> {
    let target = match readers.open(id)? {
        Blob::Bytes(bytes) => bytes,
        Blob::Stream { reader, .. } => {
            let mut bytes = Vec::new();
            reader.take(MAX_LINK_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|_| damaged(id))?;
            bytes
        }
    };
    if hash(&target) != Some(id) {
        return Err(damaged(id));
    }
    std::os::unix::fs::symlink(OsStr::from_bytes(&target), path)
        .map_err(|error| Error::io("create", path, error))
}

/// libgit2's own hashing looks for collisions and takes five times as long.
fn hash(blob: &[u8]) -> Option<Oid> {
    let mut hasher = Sha1::new_with_prefix(format!("blob {}\0", blob.len()));
    hasher.update(blob);
    Oid::from_bytes(&hasher.finalize()).ok()
}

fn damaged(id: Oid) -> Error {
    Error::integrity(format!("the object {id} does not match its id"))
        .hint("`git fsck` shows what is damaged")
}

fn odd(tree: Oid, what: &str) -> Error {
    Error::integrity(format!("the tree {tree} was not written by git slsart: it has {what}"))
}
