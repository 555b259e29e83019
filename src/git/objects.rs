//! Blobs and trees, read.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};

use flate2::read::ZlibDecoder;

use super::pack::open_whole_blob;
use super::{MODE_TREE, Oid, Repository, TreeEntry, failed, missing_object};
use crate::error::{Error, Result};

/// Most bytes of a loose object's header, `blob <size>` and a zero.
const MOST_HEADER_BYTES: u64 = 32;

/// Most bytes of a blob that is read out of a pack into memory where it can be had in parts.
const MOST_HELD: u64 = 8 * 1024 * 1024;

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

    /// Hands the content of a blob of `size` bytes to `take`, in parts where it is large.
    ///
    /// # Errors
    /// [`crate::error::Kind::Integrity`] when it can't be read, or a packed one has another size: nothing is unpacked then.
    pub fn read_parts(&self, id: Oid, size: u64, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut reader = match self.loose_blob(id).map_err(|error| damaged(id, error))? {
            Some(reader) => Box::new(reader) as Box<dyn io::Read>,
            None if size > MOST_HELD => match self.packed_blob(id, size)? {
                Some(reader) => reader,
                None => return take(self.whole_blob(id, size)?.content()),
            },
            None => return take(self.whole_blob(id, size)?.content()),
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

    /// A blob of `size` bytes, out of a pack and in memory.
    fn whole_blob(&self, id: Oid, size: u64) -> Result<git2::Blob<'_>> {
        let odb = self.inner.odb().map_err(|error| failed("cannot read the object store", error))?;
        let (found, _) = odb.read_header(id).map_err(|error| missing_object("object", id, error))?;
        check_size(id, found as u64, size)?;
        self.inner.find_blob(id).map_err(|error| missing_object("object", id, error))
    }

    /// A blob of `size` bytes that stands whole in a pack, in parts: libgit2 reads packed objects into memory only.
    fn packed_blob(&self, id: Oid, size: u64) -> Result<Option<Box<dyn io::Read + Send>>> {
        let objects = self.common_dir().join("objects");
        let found = open_whole_blob(&objects, id).map_err(|error| damaged(id, error))?;
        found.map(|(found, reader)| check_size(id, found, size).map(|()| reader)).transpose()
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

fn check_size(id: Oid, found: u64, size: u64) -> Result<()> {
    if found == size {
        return Ok(());
    }
    Err(Error::integrity(format!("the object {id} has {found} bytes and should have {size}")))
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
