//! Objects that are whole in packs, read one after another. libgit2 sets up an inflater for each and copies its output twice, which is
//! most of the time for small objects; and it looks for each as a loose object first.

use std::fs;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use flate2::{Decompress, FlushDecompress, Status};
use git2::{ObjectType, Oid};

use super::entry::{MAX_HEAD_BYTES, invalid, read_head};
use super::file::Pack;
use super::index::From;

const MAX_PACKS: usize = 64;
/// Bytes that are read at once: several objects, which mostly follow each other in the order of reading.
const READ_AT_ONCE: usize = 32 * 1024;
/// Bytes of them before the object asked for: several threads wrote the objects, in no fixed order.
const BEFORE: u64 = 8 * 1024;

/// The packs of a repository, as they were when it was opened. There may be newer ones.
#[derive(Debug, Default)]
pub(in crate::git) struct Packs(Vec<Pack>);

/// Reads objects out of packs, with a buffer of its own: one for each thread.
pub(in crate::git) struct PackReader {
    packs: Arc<Packs>,
    last: usize,
    buffer: Vec<u8>,
    at: (usize, u64),
    inflater: Decompress,
}

impl Packs {
    /// Opens the packs in these directories. One that can't be opened is left out.
    pub(in crate::git) fn open(directories: &[PathBuf]) -> Self {
        let entries = directories.iter().filter_map(|objects| fs::read_dir(objects.join("pack")).ok());
        let mut found: Vec<(SystemTime, PathBuf)> = entries
            .flatten()
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "idx"))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        found.sort_by(|one, other| other.cmp(one));
        let paths = found.into_iter().take(MAX_PACKS).map(|(_, path)| path.with_extension("pack"));
        Self(paths.filter_map(|path| Pack::open(path).ok()).collect())
    }

    /// Whether an index has the object beyond its pack's end. libgit2 believes it, and reads past the end.
    pub(in crate::git) fn misplaces(&self, id: Oid) -> bool {
        let mut places = self.0.iter().filter_map(|pack| Some((pack, pack.index.find(id).ok()??)));
        places.any(|(pack, offset)| offset >= pack.end())
    }
}

impl PackReader {
    pub(in crate::git) fn new(packs: Arc<Packs>) -> Self {
        Self { packs, last: 0, buffer: Vec::new(), at: (0, 0), inflater: Decompress::new(true) }
    }

    pub(in crate::git) fn packs(&self) -> Arc<Packs> {
        Arc::clone(&self.packs)
    }

    /// The content of an object of `kind` with at most `limit` bytes that is whole in one of the packs; else `None`: libgit2 may find it
    /// elsewhere, or reports the error.
    pub(in crate::git) fn read(&mut self, id: Oid, kind: ObjectType, limit: u64) -> Option<Vec<u8>> {
        let packs = Arc::clone(&self.packs);
        let count = packs.0.len();
        let mut tried = (self.last..count).chain(0..self.last.min(count));
        let (number, offset) =
            tried.find_map(|number| Some((number, packs.0[number].index.find(id).ok()??)))?;
        self.last = number;
        self.read_at(number, &packs.0[number], offset, kind, limit).ok()?
    }

    fn read_at(
        &mut self,
        number: usize,
        pack: &Pack,
        offset: u64,
        kind: ObjectType,
        limit: u64,
    ) -> io::Result<Option<Vec<u8>>> {
        let head = read_head(&mut self.bytes(number, pack, offset, MAX_HEAD_BYTES)?)?;
        if head.kind.name() != Some(kind.str()) || head.size > limit {
            return Ok(None);
        }
        let size = usize::try_from(head.size).map_err(io::Error::other)?;
        // One more: only with room left does the inflater reach the end of its stream.
        let mut content = Vec::with_capacity(size + 1);
        let mut place = offset + head.length;
        self.inflater.reset(true);
        loop {
            let before = self.inflater.total_in();
            let start = self.start(number, pack, place, 1)?;
            let input = &self.buffer[start..];
            let status = self.inflater.decompress_vec(input, &mut content, FlushDecompress::Finish)?;
            place += self.inflater.total_in() - before;
            match status {
                Status::StreamEnd => return Ok((content.len() == size).then_some(content)),
                _ if content.len() > size || self.inflater.total_in() == before => return Ok(None),
                _ => {}
            }
        }
    }

    fn bytes(&mut self, number: usize, pack: &Pack, offset: u64, count: usize) -> io::Result<&[u8]> {
        let start = self.start(number, pack, offset, count)?;
        Ok(&self.buffer[start..])
    }

    /// Where in the buffer the bytes from `offset` on begin: `count` of them, or as many as the pack has.
    fn start(&mut self, number: usize, pack: &Pack, offset: u64, count: usize) -> io::Result<usize> {
        let (held, begin) = self.at;
        let start = offset.checked_sub(begin).and_then(|start| usize::try_from(start).ok());
        if let Some(start) = start.filter(|start| held == number && start + count <= self.buffer.len()) {
            return Ok(start);
        }
        let goes_on = held == number && offset == begin + self.buffer.len() as u64;
        let begin = if goes_on { offset } else { offset.saturating_sub(BEFORE) };
        self.buffer.clear();
        self.at = (number, begin);
        From { file: &pack.file, place: begin }.take(READ_AT_ONCE as u64).read_to_end(&mut self.buffer)?;
        let start = usize::try_from(offset - begin).unwrap_or_default();
        if start <= self.buffer.len() { Ok(start) } else { Err(invalid("the pack is truncated")) }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tempfile::TempDir;

    use super::*;
    use crate::git::Repository;

    fn repository() -> (TempDir, Vec<(Oid, Vec<u8>)>) {
        let directory = tempfile::tempdir().unwrap();
        let made = git2::Repository::init(directory.path()).unwrap();
        let mut config = made.config().unwrap();
        config.set_str("user.name", "Ada").unwrap();
        config.set_str("user.email", "ada@example.com").unwrap();
        let batch = Repository::open(directory.path(), None, None).unwrap().batch().unwrap();
        let mut noise = 1_u32;
        let sizes = [0, 1, 15, 16, 700, 5_000, READ_AT_ONCE, 3 * READ_AT_ONCE, 300_000];
        let blobs = sizes.into_iter().cycle().take(200).enumerate().map(|(number, size)| {
            let mut bytes: Vec<u8> = std::iter::repeat_with(|| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                noise.to_be_bytes()[0] >> 4
            })
            .take(size)
            .collect();
            bytes.extend(number.to_string().bytes());
            (batch.blob(&bytes, None).unwrap(), bytes)
        });
        let blobs = blobs.collect();
        batch.finish().unwrap().remove();
        (directory, blobs)
    }

    fn reader(directory: &Path) -> PackReader {
        PackReader::new(Arc::new(Packs::open(&[directory.join(".git/objects")])))
    }

    fn pack(directory: &Path) -> PathBuf {
        let entries = fs::read_dir(directory.join(".git/objects/pack")).unwrap();
        let mut paths = entries.map(|entry| entry.unwrap().path());
        paths.find(|path| path.extension().is_some_and(|extension| extension == "pack")).unwrap()
    }

    #[test]
    fn objects_come_in_any_order() {
        let (directory, blobs) = repository();
        let mut reader = reader(directory.path());
        let back_and_forth = blobs.iter().zip(blobs.iter().rev()).flat_map(|(one, other)| [one, other]);
        for (id, bytes) in blobs.iter().chain(back_and_forth) {
            assert!(reader.read(*id, ObjectType::Blob, 1 << 20).as_ref() == Some(bytes), "{id}");
        }
    }

    #[test]
    fn what_is_not_wanted_is_not_read() {
        let (directory, blobs) = repository();
        let mut reader = reader(directory.path());
        let (id, bytes) = &blobs[5];
        assert_eq!(reader.read(*id, ObjectType::Tree, 1 << 20), None);
        assert_eq!(reader.read(*id, ObjectType::Blob, bytes.len() as u64 - 1), None);
        assert_eq!(reader.read(*id, ObjectType::Blob, bytes.len() as u64).as_ref(), Some(bytes));
        assert_eq!(reader.read(Oid::ZERO_SHA1, ObjectType::Blob, 1 << 20), None);
    }

    #[test]
    fn a_pack_that_is_cut_short_gives_what_it_has() {
        let (directory, blobs) = repository();
        let path = pack(directory.path());
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let mut reader = reader(directory.path());
        let read = |(id, bytes): &(Oid, Vec<u8>)| {
            let read = reader.read(*id, ObjectType::Blob, 1 << 20);
            assert!(read.is_none() || read.as_ref() == Some(bytes), "{id}");
            read.is_some()
        };
        let whole = blobs.iter().map(read).filter(|whole| *whole).count();
        assert!(whole > 0 && whole < blobs.len(), "{whole}");
    }

    #[test]
    fn no_flipped_byte_gives_other_bytes() {
        let (directory, blobs) = repository();
        let path = pack(directory.path());
        let sound = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let mut damaged = 0;
        for place in (12..3_000).step_by(7) {
            let mut bytes = sound.clone();
            bytes[place] ^= 0x55;
            fs::write(&path, &bytes).unwrap();
            let mut reader = reader(directory.path());
            for (id, bytes) in &blobs[..7] {
                match reader.read(*id, ObjectType::Blob, 1 << 20) {
                    Some(read) => assert!(read == *bytes, "{id}, {place}"),
                    None => damaged += 1,
                }
            }
        }
        assert!(damaged > 100, "{damaged}");
    }
}
