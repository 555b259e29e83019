//! Blobs and trees: writing them as they come, reading them in parts.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};

use flate2::read::ZlibDecoder;
use rustix::fs::statvfs;

use super::{MODE_TREE, Oid, Repository, TreeEntry, failed, missing_object};
use crate::error::{Error, Result};

/// Most bytes of a loose object's header, `blob <size>` and a zero.
const MOST_HEADER_BYTES: u64 = 32;

/// A tree to be written, grown path by path.
#[derive(Debug, Default)]
pub struct TreeDraft {
    entries: Vec<(String, Node)>,
}

#[derive(Debug)]
enum Node {
    Directory(TreeDraft),
    Object(Oid, i32),
}

impl TreeDraft {
    /// Puts an object at `path`, whose components are separated by `/`. A later object takes an earlier one's place.
    pub fn insert(&mut self, path: &str, id: Oid, mode: i32) {
        let (name, rest) = path.split_once('/').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let index = self.entries.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.entries.push((name.to_owned(), Node::Directory(Self::default())));
            self.entries.len() - 1
        });
        match (rest, &mut self.entries[index].1) {
            (Some(rest), Node::Directory(directory)) => directory.insert(rest, id, mode),
            (Some(rest), node) => {
                let mut directory = Self::default();
                directory.insert(rest, id, mode);
                *node = Node::Directory(directory);
            }
            (None, node) => *node = Node::Object(id, mode),
        }
    }

    /// Writes the tree and those below it.
    pub fn write(&self, repository: &Repository) -> Result<Oid> {
        let mut entries = Vec::with_capacity(self.entries.len());
        for (name, node) in &self.entries {
            let (id, mode) = match node {
                Node::Directory(directory) => (directory.write(repository)?, MODE_TREE),
                Node::Object(id, mode) => (*id, *mode),
            };
            entries.push(TreeEntry { name: name.clone().into_bytes(), id, mode });
        }
        repository.write_tree(&entries)
    }
}

impl Repository {
    /// The entry `name` of a tree, or `None`.
    pub fn tree_entry(&self, tree: Oid, name: &[u8]) -> Result<Option<TreeEntry>> {
        let tree = self.inner.find_tree(tree).map_err(|error| missing_object("tree", tree, error))?;
        let Ok(text) = std::str::from_utf8(name) else { return Ok(None) };
        Ok(tree.get_name(text).map(|entry| TreeEntry {
            name: name.to_vec(),
            id: entry.id(),
            mode: entry.filemode(),
        }))
    }

    /// Writes a tree like `base` with some of its entries set or, with `None`, removed.
    pub fn edit_tree(&self, base: Option<Oid>, changes: &[(&str, Option<TreeEntry>)]) -> Result<Oid> {
        let edit = || -> std::result::Result<Oid, git2::Error> {
            let base = base.map(|id| self.inner.find_tree(id)).transpose()?;
            let mut builder = self.inner.treebuilder(base.as_ref())?;
            for (name, entry) in changes {
                match entry {
                    Some(entry) => drop(builder.insert(*name, entry.id, entry.mode)?),
                    None => builder.remove(*name)?,
                }
            }
            builder.write()
        };
        edit().map_err(|error| failed("cannot write to the object store", error))
    }

    /// Writes `size` bytes from `content` as a blob, without holding it in memory.
    pub fn write_stream(&self, content: &mut dyn io::Read, size: u64) -> Result<Oid> {
        let size =
            usize::try_from(size).map_err(|error| Error::refused("the file is too large").because(error))?;
        let mut write = || -> io::Result<Oid> {
            let odb = self.inner.odb().map_err(io::Error::other)?;
            let mut writer = odb.writer(size, git2::ObjectType::Blob).map_err(io::Error::other)?;
            io::copy(&mut content.take(size as u64), &mut writer)?;
            writer.finalize().map_err(io::Error::other)
        };
        write().map_err(|error| {
            let text = error.to_string().to_ascii_lowercase();
            let this = Error::refused("cannot write to the object store");
            // libgit2 says no more than "write error" of a full disk.
            let room = statvfs(self.common_dir()).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
            let full = text.contains("no space left")
                || error.kind() == io::ErrorKind::StorageFull
                || room.is_ok_and(|room| room < size as u64);
            let this = if full { this.hint("the disk is full: free some space and run the command again; what was recorded before is untouched") } else { this };
            this.because(error)
        })
    }

    /// Hands the content of a blob of `size` bytes to `take`, in parts where it can be read so.
    ///
    /// # Errors
    /// [`crate::error::Kind::Integrity`] when it can't be read, or a packed one has another size: nothing is unpacked then.
    pub fn read_parts(&self, id: Oid, size: u64, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        // A loose object can be read in parts; one in a pack can't, with libgit2.
        let Some(mut reader) = self.loose_blob(id).map_err(|error| damaged(id, error))? else {
            let odb = self.inner.odb().map_err(|error| failed("cannot read the object store", error))?;
            let (found, _) = odb.read_header(id).map_err(|error| missing_object("object", id, error))?;
            if found as u64 != size {
                return Err(Error::integrity(format!(
                    "the object {id} has {found} bytes and should have {size}"
                )));
            }
            let blob = self.inner.find_blob(id).map_err(|error| missing_object("object", id, error))?;
            return take(blob.content());
        };
        let mut buffer = vec![0; 128 * 1024];
        loop {
            let count = reader.read(&mut buffer).map_err(|error| damaged(id, error))?;
            if count == 0 {
                return Ok(());
            }
            take(&buffer[..count])?;
        }
    }

    /// Reads a blob; `None` when it has more than `limit` bytes.
    pub(super) fn read_blob_within(&self, id: Oid, limit: u64) -> Result<Option<Vec<u8>>> {
        let Some(mut reader) = self.loose_blob(id).map_err(|error| damaged(id, error))? else {
            let odb = self.inner.odb().map_err(|error| failed("cannot read the object store", error))?;
            // The size comes first, and from the object's header: nothing is unpacked that turns out too large.
            let (size, _) = odb.read_header(id).map_err(|error| missing_object("object", id, error))?;
            if size as u64 > limit {
                return Ok(None);
            }
            let blob = self.inner.find_blob(id).map_err(|error| missing_object("object", id, error))?;
            return Ok(Some(blob.content().to_vec()));
        };
        let mut content = Vec::new();
        (&mut reader)
            .take(limit.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(|error| damaged(id, error))?;
        Ok((content.len() as u64 <= limit).then_some(content))
    }

    /// The content of a blob that is a file of its own in this repository; `None` when it isn't.
    ///
    /// libgit2 does not read it: on a file that is cut short it never ends.
    fn loose_blob(&self, id: Oid) -> io::Result<Option<impl io::Read + use<>>> {
        let name = id.to_string();
        let Ok(file) = File::open(self.common_dir().join("objects").join(&name[..2]).join(&name[2..])) else {
            return Ok(None);
        };
        let mut reader = BufReader::new(ZlibDecoder::new(file));
        let mut header = Vec::new();
        (&mut reader).take(MOST_HEADER_BYTES).read_until(0, &mut header)?;
        if header.starts_with(b"blob ") && header.ends_with(b"\0") {
            return Ok(Some(reader));
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "it is no blob"))
    }
}

/// The id that a blob with this content has, without writing it.
pub fn blob_id(content: &[u8]) -> Result<Oid> {
    Oid::hash_object(git2::ObjectType::Blob, content)
        .map_err(|error| Error::bug("a blob can't be hashed").because(error))
}

fn damaged(id: Oid, error: io::Error) -> Error {
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
    #[must_use]
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
