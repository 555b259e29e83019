//! A pack on disk with its index: where an object is, the length of its delta chain, its content as a stream.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::PathBuf;

use flate2::bufread::ZlibDecoder;
use git2::Oid;

use super::entry::{Head, Kind, invalid, read_head};
use super::index::{From, Index, Place};

#[derive(Debug)]
pub(super) struct Pack {
    pub(super) path: PathBuf,
    pub(super) index: Index,
    pub(super) size: u64,
    pub(super) file: File,
}

impl Pack {
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let index = Index::open(&path.with_extension("idx"))?;
        let file = File::open(&path)?;
        let size = file.metadata()?.len();
        Ok(Self { path, index, size, file })
    }

    /// Its objects by position, all between the pack's header and its end.
    pub(super) fn places(&self) -> io::Result<Vec<Place>> {
        let places = self.index.places()?;
        let inside = |place: &Place| place.offset >= super::HEAD_BYTES && place.offset < self.end();
        if places.iter().all(inside) {
            Ok(places)
        } else {
            Err(invalid("the index does not belong to the pack"))
        }
    }

    pub(super) fn end(&self) -> u64 {
        self.size.saturating_sub(super::CHECKSUM_BYTES)
    }

    pub(super) fn head(&self, offset: u64) -> io::Result<Head> {
        let mut bytes = [0; super::entry::MAX_HEAD_BYTES];
        let mut from = From { file: &self.file, place: offset };
        let mut filled = 0;
        while filled < bytes.len() {
            match from.read(&mut bytes[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        read_head(&mut &bytes[..filled])
    }

    /// The object at the bottom of a delta chain, and the chain's length.
    pub(super) fn bottom(&self, offset: u64) -> io::Result<(u64, u32)> {
        let mut place = offset;
        let mut depth = 0;
        loop {
            match self.head(place)?.kind {
                Kind::Difference(distance) if distance > 0 && distance <= place => place -= distance,
                Kind::Difference(_) | Kind::DifferenceById => {
                    return Err(invalid("a delta's base is not in its pack"));
                }
                _ => return Ok((place, depth)),
            }
            depth += 1;
        }
    }

    pub(super) fn id_at(&self, offset: u64) -> io::Result<Option<Oid>> {
        Ok(self.places()?.iter().find(|place| place.offset == offset).map(|place| place.id))
    }
}

/// Streams the content of a blob that is whole in a pack of one of the directories, with its size; `None` if it is in none, or a delta.
pub(in crate::git) fn open_whole_blob(
    directories: &[PathBuf],
    id: Oid,
) -> io::Result<Option<(u64, Box<dyn Read + Send>)>> {
    let entries = directories.iter().filter_map(|objects| fs::read_dir(objects.join("pack")).ok());
    for entry in entries.flatten() {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "idx") {
            continue;
        }
        let Ok(index) = Index::open(&path) else { continue };
        let Some(offset) = index.find(id)? else { continue };
        // Another process may have repacked meanwhile.
        let Ok(pack) = Pack::open(path.with_extension("pack")) else { continue };
        let head = pack.head(offset)?;
        if head.kind == Kind::Blob {
            let compressed = Owned { file: pack.file, place: offset + head.length };
            return Ok(Some((head.size, Box::new(ZlibDecoder::new(BufReader::new(compressed))))));
        }
    }
    Ok(None)
}

struct Owned {
    file: File,
    place: u64,
}

impl Read for Owned {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut from = From { file: &self.file, place: self.place };
        let count = from.read(buffer)?;
        self.place = from.place;
        Ok(count)
    }
}
