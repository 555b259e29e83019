//! Reading objects: their bytes, whole or in parts; trees and paths.

pub(in crate::git) mod blob;
pub(in crate::git) mod blob_readers;
pub(in crate::git) mod compare;
pub(in crate::git) mod loose;
pub mod pack;
pub(in crate::git) mod tree_draft;

use std::cell::RefCell;
use std::io;
use std::io::Read as _;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;

use blob::{Blob, MAX_HELD};
use loose::Loose;
use pack::{PackReader, Packs, open_whole_blob};

use crate::error::{Error, Result};
use crate::git::{MODE_TREE, Oid, Repository, TreeEntry, failed, missing_object};

/// Most bytes of a tree: more than a million entries.
const MAX_TREE_BYTES: u64 = 64 * 1024 * 1024;
/// Most bytes of a commit: a merge of many thousand, or a long message.
const MAX_COMMIT_BYTES: u64 = 16 * 1024 * 1024;
/// Most files of a source tree that are listed.
const MAX_FILES: usize = 2_000_000;
const ID_BYTES: usize = 20;

pub(super) struct Objects<'r> {
    pub(super) handle: &'r git2::Repository,
    pub(super) directories: &'r [PathBuf],
    pub(super) packs: Arc<Packs>,
}

impl Objects<'_> {
    /// The content of an object of `kind`; `None` when it has more than `limit` bytes.
    pub(super) fn read(&self, id: Oid, kind: git2::ObjectType, limit: u64) -> Result<Option<Vec<u8>>> {
        if let Some(loose) = self.loose(id, kind)? {
            if loose.size > limit {
                return Ok(None);
            }
            return loose.read().map(Some).map_err(|error| damaged(id, error));
        }
        let name = if kind == git2::ObjectType::Blob { "object" } else { kind.str() };
        let missing = |error| missing_object(name, id, error);
        self.check_place(id)?;
        let odb = self.handle.odb().map_err(|error| failed("cannot read the object store", error))?;
        // The size comes first, from the object's header: an object that is too large is never unpacked.
        let (size, found) = read_header(&odb, id).map_err(missing)?;
        if found != kind {
            return Err(Error::integrity(format!("the object {id} is not a {}", kind.str())));
        }
        if size as u64 > limit {
            return Ok(None);
        }
        Ok(Some(odb.read(id).map_err(missing)?.data().to_vec()))
    }

    /// Opens a blob, in parts if it is large.
    pub(super) fn open(&self, id: Oid) -> Result<Blob> {
        if let Some(Loose { size, reader, .. }) = self.loose(id, git2::ObjectType::Blob)? {
            return Ok(Blob::Stream { size, reader });
        }
        self.check_place(id)?;
        let missing = |error| missing_object("object", id, error);
        let odb = self.handle.odb().map_err(|error| failed("cannot read the object store", error))?;
        let (size, _) = read_header(&odb, id).map_err(missing)?;
        // libgit2 reads packed objects into memory only.
        if size as u64 > MAX_HELD
            && let Some((size, reader)) =
                open_whole_blob(self.directories, id).map_err(|error| damaged(id, error))?
        {
            return Ok(Blob::Stream { size, reader });
        }
        Ok(Blob::Bytes(odb.read(id).map_err(missing)?.data().to_vec()))
    }

    /// Refuses an object that makes libgit2 hang.
    pub(super) fn check_place(&self, id: Oid) -> Result<()> {
        if self.packs.misplaces(id) {
            return Err(damaged(id, io::Error::new(io::ErrorKind::InvalidData, "a pack's index is damaged")));
        }
        Ok(())
    }

    /// Refuses a commit that is damaged, which can make libgit2 hang, or too large to be one.
    pub(super) fn check_commit(&self, id: Oid) -> Result<()> {
        let too_large = || {
            Error::integrity(format!(
                "the commit {id} has more than the {MAX_COMMIT_BYTES} bytes that are allowed"
            ))
        };
        if let Some(loose) = loose::open(self.directories, id).ok().flatten() {
            if loose.size > MAX_COMMIT_BYTES {
                return Err(too_large());
            }
            return loose.read().map(drop).map_err(|error| damaged(id, error));
        }
        let odb = self.handle.odb().map_err(|error| failed("cannot read the object store", error))?;
        match odb.read_header(id) {
            Ok((size, _)) if size as u64 > MAX_COMMIT_BYTES => Err(too_large()),
            // The reader reports a missing one.
            _ => Ok(()),
        }
    }

    fn loose(&self, id: Oid, kind: git2::ObjectType) -> Result<Option<Loose>> {
        match loose::open(self.directories, id).map_err(|error| damaged(id, error))? {
            Some(loose) if loose.kind != kind.str() => {
                Err(Error::integrity(format!("the object {id} is not a {}", kind.str())))
            }
            loose => Ok(loose),
        }
    }
}

/// An object's size and kind, without its content. git2 panics on a damaged pack with an unknown kind.
pub(super) fn read_header(
    odb: &git2::Odb<'_>,
    id: Oid,
) -> std::result::Result<(usize, git2::ObjectType), git2::Error> {
    panic::catch_unwind(AssertUnwindSafe(|| odb.read_header(id)))
        .unwrap_or_else(|_| Err(git2::Error::from_str("git does not know its kind")))
}

impl Repository {
    pub(super) fn objects(&self) -> Objects<'_> {
        let packs = self.pack_reader().borrow().packs();
        Objects { handle: &self.inner, directories: self.object_directories(), packs }
    }

    fn pack_reader(&self) -> &RefCell<PackReader> {
        let open = || RefCell::new(PackReader::new(Arc::new(Packs::open(self.object_directories()))));
        self.packs.get_or_init(open)
    }

    /// The content of an object of `kind`; `None` when it has more than `limit` bytes.
    fn read_object(&self, id: Oid, kind: git2::ObjectType, limit: u64) -> Result<Option<Vec<u8>>> {
        if let Some(bytes) = self.pack_reader().borrow_mut().read(id, kind, limit) {
            return Ok(Some(bytes));
        }
        self.objects().read(id, kind, limit)
    }

    /// Whether an object is here; it is not read.
    pub fn has(&self, id: Oid) -> bool {
        self.inner.odb().is_ok_and(|odb| odb.exists(id))
    }

    /// Reads a blob; one with more than `limit` bytes is an error ([`crate::error::Kind::Integrity`]).
    pub fn read_blob(&self, id: Oid, limit: u64) -> Result<Vec<u8>> {
        self.read_blob_within(id, limit)?.ok_or_else(|| {
            Error::integrity(format!("object {id} has more than the {limit} bytes that are allowed"))
        })
    }

    /// Reads a blob; `None` when it has more than `limit` bytes.
    pub fn read_blob_within(&self, id: Oid, limit: u64) -> Result<Option<Vec<u8>>> {
        self.read_object(id, git2::ObjectType::Blob, limit)
    }

    /// Passes the content of a blob to `take`, in parts if it is large. If it doesn't have `size` bytes, nothing is unpacked:
    /// [`crate::error::Kind::Integrity`].
    pub fn read_parts(&self, id: Oid, size: u64, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let check = |found: u64| {
            if found == size {
                return Ok(());
            }
            Err(Error::integrity(format!("the object {id} has {found} bytes and should have {size}")))
        };
        match self.objects().open(id)? {
            Blob::Bytes(bytes) => check(bytes.len() as u64).and_then(|()| take(&bytes)),
            Blob::Stream { size: found, mut reader } => {
                check(found)?;
                let mut buffer = vec![0; 128 * 1024];
                loop {
                    match reader.read(&mut buffer).map_err(|error| damaged(id, error))? {
                        0 => return Ok(()),
                        count => take(&buffer[..count])?,
                    }
                }
            }
        }
    }

    pub fn read_tree(&self, id: Oid) -> Result<Vec<TreeEntry>> {
        let bytes = self.read_object(id, git2::ObjectType::Tree, MAX_TREE_BYTES)?;
        let damaged = || {
            Error::integrity(format!("the tree {id} can't be read")).hint("`git fsck` shows what is damaged")
        };
        parse_tree(&bytes.ok_or_else(damaged)?).ok_or_else(damaged)
    }

    pub fn tree_entry(&self, tree: Oid, name: &[u8]) -> Result<Option<TreeEntry>> {
        Ok(self.read_tree(tree)?.into_iter().find(|entry| entry.name == name))
    }

    /// The object at `path` below `tree`, with its mode.
    pub fn find_path(&self, tree: Oid, path: &str) -> Result<Option<TreeEntry>> {
        let mut tree = tree;
        let mut names = path.split('/').peekable();
        while let Some(name) = names.next() {
            let Some(entry) = self.tree_entry(tree, name.as_bytes())? else { return Ok(None) };
            match names.peek() {
                None => return Ok(Some(entry)),
                Some(_) if entry.mode == MODE_TREE => tree = entry.id,
                Some(_) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The paths of all files below `tree`, except in directories for which `enter` returns false.
    pub fn list_files(&self, tree: Oid, enter: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        let mut paths = Vec::new();
        let mut pending = vec![(String::new(), tree)];
        while let Some((prefix, id)) = pending.pop() {
            for entry in self.read_tree(id)? {
                // This program looks for no files with such names.
                let Ok(name) = String::from_utf8(entry.name) else { continue };
                let path = format!("{prefix}{name}");
                if paths.len() + pending.len() > MAX_FILES {
                    return Err(Error::refused(format!("the tree {tree} has more than {MAX_FILES} files")));
                }
                if entry.mode == MODE_TREE {
                    if enter(&name) {
                        pending.push((path + "/", entry.id));
                    }
                } else if entry.mode != 0o160_000 {
                    paths.push(path);
                }
            }
        }
        paths.sort_unstable();
        Ok(paths)
    }
}

pub fn blob_id(content: &[u8]) -> Result<Oid> {
    Oid::hash_object(git2::ObjectType::Blob, content)
        .map_err(|error| Error::bug("a blob can't be hashed").because(error))
}

/// Mode, a space, name, a zero, an id (git's `tree-walk.c`).
fn parse_tree(bytes: &[u8]) -> Option<Vec<TreeEntry>> {
    let mut entries = Vec::with_capacity(bytes.len() / 40);
    let mut rest = bytes;
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ')?;
        let mode = i32::from_str_radix(std::str::from_utf8(&rest[..space]).ok()?, 8).ok()?;
        let zero = space + rest[space..].iter().position(|byte| *byte == 0)?;
        let (id, after) = rest[zero + 1..].split_at_checked(ID_BYTES)?;
        entries.push(TreeEntry {
            name: rest[space + 1..zero].to_vec(),
            id: Oid::from_bytes(id).ok()?,
            mode: plain_mode(mode),
        });
        rest = after;
    }
    Some(entries)
}

/// Old trees have files with other permissions; git reads each as one of two.
fn plain_mode(mode: i32) -> i32 {
    match mode & 0o170_000 {
        0o100_000 if mode & 0o100 != 0 => 0o100_755,
        0o100_000 => crate::git::MODE_FILE,
        other => other,
    }
}

pub(super) fn damaged(id: Oid, error: io::Error) -> Error {
    Error::integrity(format!("the object {id} can't be read"))
        .hint("`git fsck` shows what is damaged")
        .because(error)
}

#[derive(Clone, Copy)]
pub struct Source<'r> {
    repository: &'r Repository,
    tree: Oid,
}

impl<'r> Source<'r> {
    pub fn new(repository: &'r Repository, tree: Oid) -> Self {
        Self { repository, tree }
    }

    pub fn entry(&self, path: &str) -> Result<Option<TreeEntry>> {
        self.repository.find_path(self.tree, path)
    }

    /// The content of the file at `path`, or `None` when there is none, or it has more than `limit` bytes.
    pub fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        match self.entry(path)? {
            Some(entry) if entry.mode != MODE_TREE => self.repository.read_blob_within(entry.id, limit),
            _ => Ok(None),
        }
    }

    /// The paths of all files, except in directories for which `enter` returns false.
    pub fn paths(&self, enter: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        self.repository.list_files(self.tree, enter)
    }
}
