//! The objects of one recording, as one pack: existing objects are not written again, new versions are written as deltas. May be filled
//! from several threads.

use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use flate2::Compression;
use flate2::read::ZlibEncoder;
use git2::{OdbLookupFlags, Oid};
use sha1::{Digest as _, Sha1};

use super::delta;
use super::entry::Kind;
use super::file::Pack;
use super::own::{Kept, OwnPacks};
use super::writer::{Finished, Writer, Written};
use crate::error::{Error, Result};
use crate::git::objects::{blob_readers, read_header};
use crate::git::permissions::SharedPermissions;
use crate::git::{MODE_TREE, Repository, TreeEntry, data_dir, failed};

/// Sizes in bytes of objects that are tried as deltas. Finding one takes half as much memory as the base again.
const DIFFERENCES: std::ops::RangeInclusive<usize> = 128..=32 * 1024 * 1024;
/// The longest chain of deltas, as git's own `pack.depth`; a version beyond is a delta to the bottom of its chain.
const MAX_DEPTH: u32 = 50;
const MAX_TAKEN: u64 = 16 * 1024 * 1024;
/// A pack of at most so many bytes is taken over whatever that saves.
const TAKEN_ANYWAY: u64 = 256 * 1024;
/// A larger one only where it has at most so many times the bytes that it saves: writing is cheap, keeping is not.
const TAKEN_FOR: u64 = 32;
/// Least bytes of a base that is written once more, for the sake of the differences to come and of the next `git gc`.
const MIN_COPIED: usize = 64 * 1024;

/// Objects to be written as one pack.
pub struct Batch {
    directory: PathBuf,
    marks: PathBuf,
    shared: SharedPermissions,
    reader: Mutex<git2::Repository>,
    state: Mutex<BatchState>,
    author: String,
    committer: String,
}

#[derive(Default)]
struct BatchState {
    /// Created by the first write.
    writer: Option<Writer>,
    /// Read when first needed.
    own: Option<OwnPacks>,
}

/// Packs whose objects are all in a newer pack, which is kept from `git gc` as long as this value lives.
#[must_use = "they stay beside the new one unless they are removed"]
pub struct Replaced {
    own: Option<OwnPacks>,
    paths: Vec<PathBuf>,
    kept: Option<Kept>,
}

pub type Opener<'a> = &'a dyn Fn() -> io::Result<Box<dyn Read + 'a>>;

impl Replaced {
    /// Removes them, once refs lead to the new pack.
    pub fn remove(self) {
        drop(self.kept);
        if let Some(own) = &self.own {
            own.remove(&self.paths);
        }
    }
}

impl Repository {
    pub fn batch(&self) -> Result<Batch> {
        let reader = blob_readers::open(self.inner.path())?;
        let objects = self.common_dir().join("objects");
        let (author, committer) = self.signatures().map_err(|error| {
            failed("cannot read your name and e-mail address from git's configuration", error)
        })?;
        Ok(Batch {
            directory: objects.join("pack"),
            marks: data_dir(self).join("packs"),
            shared: self.shared_permissions(),
            reader: Mutex::new(reader),
            state: Mutex::default(),
            author: signature_line(&author),
            committer: signature_line(&committer),
        })
    }
}

impl Batch {
    /// Adds a blob.
    ///
    /// # Arguments
    /// `earlier`: an earlier version of it, when one is known.
    pub fn blob(&self, bytes: &[u8], earlier: Option<Oid>) -> Result<Oid> {
        self.add(Kind::Blob, bytes, None, earlier)
    }

    /// Adds a blob whose raw deflate stream is at hand, as in an archive's entry: the stream is kept as it is.
    pub fn blob_deflated(&self, bytes: &[u8], deflated: &[u8], earlier: Option<Oid>) -> Result<Oid> {
        self.add(Kind::Blob, bytes, Some(deflated), earlier)
    }

    /// Adds a blob of `size` bytes without holding it in memory.
    ///
    /// # Arguments
    /// `content`: opens it; it is read twice. `deflated`: opens a raw deflate stream of it, where there is one.
    pub fn blob_stream(&self, size: u64, content: Opener<'_>, deflated: Option<Opener<'_>>) -> Result<Oid> {
        let mut checksum = simd_adler32::Adler32::new();
        let mut hasher = hasher("blob", size);
        let mut left = size;
        let mut bytes = content().map_err(|error| self.failed(error))?;
        let mut buffer = vec![0; 128 * 1024];
        loop {
            let count = bytes.read(&mut buffer).map_err(|error| self.failed(error))?;
            if count == 0 {
                break;
            }
            left = left.checked_sub(count as u64).ok_or_else(changed)?;
            hasher.update(&buffer[..count]);
            checksum.write(&buffer[..count]);
        }
        drop(bytes);
        if left > 0 {
            return Err(changed());
        }
        let id = object_id(hasher)?;
        if self.has(id) {
            return Ok(id);
        }
        let open = || -> io::Result<Box<dyn Read + '_>> {
            Ok(match deflated {
                Some(deflated) => {
                    let end = checksum.finish().to_be_bytes();
                    Box::new(ZLIB_HEAD.chain(deflated()?).chain(io::Cursor::new(end)))
                }
                None => Box::new(ZlibEncoder::new(content()?, Compression::default())),
            })
        };
        let mut compressed = open().map_err(|error| self.failed(error))?;
        self.append(&mut self.state(), id, Kind::Blob, size, 0, &mut compressed)?;
        Ok(id)
    }

    pub fn tree(&self, entries: Vec<TreeEntry>, earlier: Option<Oid>) -> Result<Oid> {
        self.add(Kind::Tree, &encode_tree(entries), None, earlier)
    }

    /// Adds a commit by this repository's user, now.
    pub fn commit(&self, tree: Oid, parents: &[Oid], message: &str) -> Result<Oid> {
        let mut text = format!("tree {tree}\n");
        for parent in parents {
            text += &format!("parent {parent}\n");
        }
        text += &format!("author {}\ncommitter {}\n\n{message}", self.author, self.committer);
        self.add(Kind::Commit, text.as_bytes(), None, None)
    }

    /// Writes the pack, whole and on disk. No ref leads to it yet.
    pub fn finish(self) -> Result<Replaced> {
        let mut state = self.state();
        let Some(mut writer) = state.writer.take() else {
            return Ok(Replaced { own: None, paths: Vec::new(), kept: None });
        };
        let write = || -> io::Result<Replaced> {
            let own = self.own(&mut state)?;
            // Smaller ones go along: each pack that stays is at least twice as large as all smaller ones.
            for pack in &own.packs {
                if pack.size > MAX_TAKEN.min(2 * writer.size()) {
                    break;
                }
                if !writer.replaced.contains(&pack.path) {
                    writer.take_over(pack)?;
                }
            }
            let Finished { path, replaced, kept } = writer.finish(&self.directory, self.shared)?;
            own.mark(&path);
            Ok(Replaced { own: state.own.take(), paths: replaced, kept })
        };
        write().map_err(|error| self.failed(error))
    }

    fn add(&self, kind: Kind, bytes: &[u8], deflated: Option<&[u8]>, earlier: Option<Oid>) -> Result<Oid> {
        let size = bytes.len() as u64;
        let mut hasher = hasher(kind.name().unwrap_or_default(), size);
        hasher.update(bytes);
        let id = object_id(hasher)?;
        if self.has(id) {
            return Ok(id);
        }
        let whole = match deflated {
            Some(deflated) => [ZLIB_HEAD, deflated, &simd_adler32::adler32(&bytes).to_be_bytes()].concat(),
            None => compress(bytes),
        };
        if let Some(earlier) = earlier
            && self.add_difference(id, kind, bytes, whole.len(), earlier)?
        {
            return Ok(id);
        }
        self.append(&mut self.state(), id, kind, size, 0, &mut &whole[..])?;
        Ok(id)
    }

    /// Adds an object as a delta to `earlier`, if that saves enough.
    fn add_difference(&self, id: Oid, kind: Kind, bytes: &[u8], whole: usize, earlier: Oid) -> Result<bool> {
        if !DIFFERENCES.contains(&bytes.len()) {
            return Ok(false);
        }
        let Some(earlier) = self.base_for(earlier) else { return Ok(false) };
        let Some(base) = self.read(kind, earlier) else { return Ok(false) };
        let Some(difference) = delta::difference(&base, bytes, bytes.len() / 2) else { return Ok(false) };
        let compressed = compress(&difference);
        if compressed.len() * 10 > whole * 7 {
            return Ok(false);
        }
        let mut state = self.state();
        let saved = whole - compressed.len();
        let Some(standing) = self.place_base(&mut state, kind, earlier, &base, saved, whole)? else {
            return Ok(false);
        };
        if standing.depth >= MAX_DEPTH {
            return Ok(false);
        }
        let position = state.writer.as_ref().map_or(0, Writer::size);
        let kind = Kind::Difference(position - standing.offset);
        let size = difference.len() as u64;
        self.append(&mut state, id, kind, size, standing.depth + 1, &mut &compressed[..])?;
        Ok(true)
    }

    /// The base for a delta to `earlier`: `earlier`, or the bottom of its chain if that is long.
    fn base_for(&self, earlier: Oid) -> Option<Oid> {
        let mut state = self.state();
        if state.writer.as_ref().is_some_and(|writer| writer.find(earlier).is_some()) {
            return Some(earlier);
        }
        let own = self.own(&mut state).ok()?;
        for pack in &own.packs {
            let Some(offset) = pack.index.find(earlier).ok()? else { continue };
            let (bottom, depth) = pack.bottom(offset).ok()?;
            return if depth < MAX_DEPTH { Some(earlier) } else { pack.id_at(bottom).ok()? };
        }
        Some(earlier)
    }

    /// Where the base is in this pack. It is copied into it if that is worth `saved` of `whole` bytes.
    fn place_base(
        &self,
        state: &mut BatchState,
        kind: Kind,
        id: Oid,
        base: &[u8],
        saved: usize,
        whole: usize,
    ) -> Result<Option<Written>> {
        let find = |state: &BatchState| state.writer.as_ref().and_then(|writer| writer.find(id));
        if let Some(written) = find(state) {
            return Ok(Some(written));
        }
        self.writer(state).map_err(|error| self.failed(error))?;
        if let BatchState { writer: Some(writer), own: Some(own) } = state {
            let holds = |pack: &&Pack| pack.index.find(id).is_ok_and(|offset| offset.is_some());
            let worth = TAKEN_ANYWAY.max(saved as u64 * TAKEN_FOR).min(MAX_TAKEN);
            if let Some(pack) = own.packs.iter().find(holds).filter(|pack| pack.size <= worth)
                && writer.take_over(pack).map_err(|error| self.failed(error))?
            {
                return Ok(writer.find(id));
            }
        }
        if base.len() < MIN_COPIED || saved * 4 < whole * 3 {
            return Ok(None);
        }
        self.append(state, id, kind, base.len() as u64, 0, &mut &compress(base)[..])?;
        Ok(find(state))
    }

    fn append(
        &self,
        state: &mut BatchState,
        id: Oid,
        kind: Kind,
        size: u64,
        depth: u32,
        compressed: &mut dyn Read,
    ) -> Result<()> {
        let writer = self.writer(state).map_err(|error| self.failed(error))?;
        // Another thread may have added the same content.
        if writer.find(id).is_some() {
            return Ok(());
        }
        writer.add(id, kind, size, depth, compressed).map_err(|error| self.failed(error))
    }

    fn writer<'s>(&self, state: &'s mut BatchState) -> io::Result<&'s mut Writer> {
        if state.writer.is_none() {
            self.shared.make_directory(&self.directory)?;
            state.writer = Some(Writer::create(&self.directory)?);
        }
        state.writer.as_mut().ok_or_else(|| io::Error::other("no pack was started"))
    }

    fn own<'s>(&self, state: &'s mut BatchState) -> io::Result<&'s mut OwnPacks> {
        if state.own.is_none() {
            state.own = Some(OwnPacks::claim(&self.directory, self.marks.clone(), self.shared));
        }
        state.own.as_mut().ok_or_else(|| io::Error::other("no packs were read"))
    }

    pub(in crate::git) fn has(&self, id: Oid) -> bool {
        if self.state().writer.as_ref().is_some_and(|writer| writer.find(id).is_some()) {
            return true;
        }
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.odb().is_ok_and(|odb| odb.exists_ext(id, OdbLookupFlags::NO_REFRESH))
    }

    /// The content of an object of `kind`; `None` if it is of another kind, too large for a delta, or can't be read.
    fn read(&self, kind: Kind, id: Oid) -> Option<Vec<u8>> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let odb = reader.odb().ok()?;
        let (size, found) = read_header(&odb, id).ok()?;
        if !DIFFERENCES.contains(&size) || Some(found.str()) != kind.name() {
            return None;
        }
        Some(odb.read(id).ok()?.data().to_vec())
    }

    fn state(&self) -> MutexGuard<'_, BatchState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::io("write to", &self.directory, error)
    }
}

pub(in crate::git) fn encode_tree(mut entries: Vec<TreeEntry>) -> Vec<u8> {
    // git sorts a directory as if its name ended in a slash.
    let key = |entry: &TreeEntry| {
        let end: &[u8] = if entry.mode == MODE_TREE { b"/" } else { b"" };
        [&entry.name, end].concat()
    };
    entries.sort_by_cached_key(key);
    let mut bytes = Vec::new();
    for entry in &entries {
        let _ = write!(bytes, "{:o} ", entry.mode);
        bytes.extend(&entry.name);
        bytes.push(0);
        bytes.extend(entry.id.as_bytes());
    }
    bytes
}

/// A zlib header: deflate, a window of 32 KiB, no compression level (RFC 1950).
const ZLIB_HEAD: &[u8] = &[0x78, 0x01];

fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::with_capacity(bytes.len() / 3 + 64);
    // Reading from and writing to memory can't fail.
    let _ = ZlibEncoder::new(bytes, Compression::default()).read_to_end(&mut compressed);
    compressed
}

fn hasher(kind: &str, size: u64) -> Sha1 {
    Sha1::new_with_prefix(format!("{kind} {size}\0"))
}

fn object_id(hasher: Sha1) -> Result<Oid> {
    Oid::from_bytes(&hasher.finalize()).map_err(|error| failed("cannot make an object id", error))
}

fn changed() -> Error {
    Error::refused("a file changed while it was recorded: nothing was recorded")
        .hint("make sure that nothing else writes to the package directory, and run the command again")
}

fn signature_line(signature: &git2::Signature<'_>) -> String {
    let when = signature.when();
    let offset = when.offset_minutes();
    format!(
        "{} <{}> {} {}{:02}{:02}",
        String::from_utf8_lossy(signature.name_bytes()),
        String::from_utf8_lossy(signature.email_bytes()),
        when.seconds(),
        if offset < 0 { '-' } else { '+' },
        offset.abs() / 60,
        offset.abs() % 60,
    )
}
