//! Objects, read: their bytes, whole or in parts; trees and what stands at a path.

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
/// The bytes of an object's id.
const ID_BYTES: usize = 20;

/// Reads objects of one repository through one of its handles.
pub(super) struct Objects<'r> {
    pub(super) handle: &'r git2::Repository,
    /// The directories of the objects: the repository's own, and those that it borrows from.
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
        // The size comes first, and from the object's header: nothing is unpacked that turns out too large.
        let (size, found) = read_header(&odb, id).map_err(missing)?;
        if found != kind {
            return Err(Error::integrity(format!("the object {id} is no {}", kind.str())));
        }
        if size as u64 > limit {
            return Ok(None);
        }
        Ok(Some(odb.read(id).map_err(missing)?.data().to_vec()))
    }

    /// Opens a blob, in parts where it is large and can be had so.
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

    /// Refuses an object that libgit2 must not be asked for.
    pub(super) fn check_place(&self, id: Oid) -> Result<()> {
        if self.packs.misplaces(id) {
            return Err(damaged(id, io::Error::new(io::ErrorKind::InvalidData, "a pack's index is damaged")));
        }
        Ok(())
    }

    /// Refuses a commit that is damaged, on which libgit2 may not come to an end, or too large to be one.
    pub(super) fn check_commit(&self, id: Oid) -> Result<()> {
        let too_large = || {
            Error::integrity(format!(
                "the commit {id} has more than the {MAX_COMMIT_BYTES} bytes it may have"
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
            // That it is missing, whoever reads it says.
            _ => Ok(()),
        }
    }

    fn loose(&self, id: Oid, kind: git2::ObjectType) -> Result<Option<Loose>> {
        match loose::open(self.directories, id).map_err(|error| damaged(id, error))? {
            Some(loose) if loose.kind != kind.str() => {
                Err(Error::integrity(format!("the object {id} is no {}", kind.str())))
            }
            loose => Ok(loose),
        }
    }
}

/// An object's size and kind, without its content. git2 takes it for a bug of its own, and panics, when a damaged pack has a kind
/// that there is none of.
pub(super) fn read_header(
    odb: &git2::Odb<'_>,
    id: Oid,
) -> std::result::Result<(usize, git2::ObjectType), git2::Error> {
    panic::catch_unwind(AssertUnwindSafe(|| odb.read_header(id)))
        .unwrap_or_else(|_| Err(git2::Error::from_str("it is of no kind that git knows")))
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

    /// Whether an object is in the object store; nothing of it is read.
    pub fn has(&self, id: Oid) -> bool {
        self.inner.odb().is_ok_and(|odb| odb.exists(id))
    }

    /// Reads a blob.
    ///
    /// # Errors
    /// [`crate::error::Kind::Integrity`] when it has more than `limit` bytes, or can't be read.
    pub fn read_blob(&self, id: Oid, limit: u64) -> Result<Vec<u8>> {
        self.read_blob_within(id, limit)?.ok_or_else(|| {
            Error::integrity(format!("object {id} has more than the {limit} bytes it may have"))
        })
    }

    /// Reads a blob; `None` when it has more than `limit` bytes.
    pub fn read_blob_within(&self, id: Oid, limit: u64) -> Result<Option<Vec<u8>>> {
        self.read_object(id, git2::ObjectType::Blob, limit)
    }

    /// Hands the content of a blob of `size` bytes to `take`, in parts where it is large.
    ///
    /// # Errors
    /// [`crate::error::Kind::Integrity`] when it can't be read, or has another size: nothing is unpacked then.
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

    /// The entries of a tree, in git's order.
    pub fn read_tree(&self, id: Oid) -> Result<Vec<TreeEntry>> {
        let bytes = self.read_object(id, git2::ObjectType::Tree, MAX_TREE_BYTES)?;
        let damaged = || {
            Error::integrity(format!("the tree {id} can't be read")).hint("`git fsck` shows what is damaged")
        };
        parse_tree(&bytes.ok_or_else(damaged)?).ok_or_else(damaged)
    }

    /// The entry `name` of a tree, or `None`.
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

    /// The paths of all files below `tree`, leaving out directories for which `enter` says no.
    pub fn list_files(&self, tree: Oid, enter: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        let mut paths = Vec::new();
        let mut pending = vec![(String::new(), tree)];
        while let Some((prefix, id)) = pending.pop() {
            for entry in self.read_tree(id)? {
                // A name that is not UTF-8 can't be one of the files this program looks for.
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

/// The id that a blob with this content has, without writing it.
pub fn blob_id(content: &[u8]) -> Result<Oid> {
    Oid::hash_object(git2::ObjectType::Blob, content)
        .map_err(|error| Error::bug("a blob can't be hashed").because(error))
}

/// Mode, a space, name, a zero, an id (`gitformat-index` and git's `tree-walk.c` have no more to say).
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

/// Old trees have files with other permissions; git takes each for one of two.
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

/// The files of one tree: a commit's source, read without checking it out.
#[derive(Clone, Copy)]
pub struct Source<'r> {
    repository: &'r Repository,
    tree: Oid,
}

impl<'r> Source<'r> {
    /// The files below `tree`.
    pub fn new(repository: &'r Repository, tree: Oid) -> Self {
        Self { repository, tree }
    }

    /// The object at `path`, or `None`.
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

    /// The paths of all files, leaving out directories for which `enter` says no.
    pub fn paths(&self, enter: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        self.repository.list_files(self.tree, enter)
    }
}
