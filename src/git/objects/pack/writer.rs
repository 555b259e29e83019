//! A pack that is being written: objects, then its checksum and its index. It has no name before it is whole and on disk.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use git2::Oid;
use tempfile::TempPath;

use super::entry::{Kind, invalid, read_head, write_head};
use super::file::Pack;
use super::index::{self, Place};
use super::own::{Kept, unfinished};
use super::{CHECKSUM_BYTES, HEAD_BYTES};
use crate::git::permissions::SharedPermissions;

/// Where an object begins in the pack that is being written, and the length of its delta chain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    pub(super) offset: u64,
    pub(super) depth: u32,
}

#[derive(Debug)]
pub(super) struct Finished {
    pub(super) path: PathBuf,
    pub(super) replaced: Vec<PathBuf>,
    pub(super) kept: Option<Kept>,
}

#[derive(Debug)]
pub(super) struct Writer {
    file: BufWriter<File>,
    path: TempPath,
    position: u64,
    places: Vec<Place>,
    written: HashMap<Oid, Written>,
    pub(super) replaced: Vec<PathBuf>,
}

impl Writer {
    pub(super) fn create(directory: &Path) -> io::Result<Self> {
        let file = unfinished(directory)?;
        let (file, path) = file.into_parts();
        let mut file = BufWriter::with_capacity(256 * 1024, file);
        file.write_all(b"PACK\0\0\0\x02\0\0\0\0")?;
        Ok(Self {
            file,
            path,
            position: HEAD_BYTES,
            places: Vec::new(),
            written: HashMap::new(),
            replaced: Vec::new(),
        })
    }

    pub(super) fn find(&self, id: Oid) -> Option<Written> {
        self.written.get(&id).copied()
    }

    pub(super) fn size(&self) -> u64 {
        self.position
    }

    /// Adds an object that is not in it yet.
    ///
    /// # Arguments
    /// `size`: of the object's content, in bytes, or of the difference's. `compressed`: a zlib stream of it.
    pub(super) fn add(
        &mut self,
        id: Oid,
        kind: Kind,
        size: u64,
        depth: u32,
        compressed: &mut dyn Read,
    ) -> io::Result<()> {
        let offset = self.position;
        let result = self.append(&write_head(kind, size), compressed);
        match result {
            Ok((crc, length)) => {
                self.position += length;
                self.places.push(Place { id, offset, crc });
                self.written.insert(id, Written { offset, depth });
                Ok(())
            }
            Err(error) => {
                // The next object overwrites what was written of this one.
                self.file.seek(SeekFrom::Start(offset))?;
                Err(error)
            }
        }
    }

    fn append(&mut self, head: &[u8], compressed: &mut dyn Read) -> io::Result<(u32, u64)> {
        let mut hasher = crc32fast::Hasher::new();
        let mut length = head.len() as u64;
        hasher.update(head);
        self.file.write_all(head)?;
        let mut buffer = [0; 16 * 1024];
        loop {
            let count = compressed.read(&mut buffer)?;
            if count == 0 {
                return Ok((hasher.finalize(), length));
            }
            hasher.update(&buffer[..count]);
            self.file.write_all(&buffer[..count])?;
            length += count as u64;
        }
    }

    /// Takes over all objects of another pack, byte for byte, so the distances of its deltas stay the same.
    ///
    /// # Returns
    ///
    /// False if an object is in both, or the pack is damaged.
    pub(super) fn take_over(&mut self, pack: &Pack) -> io::Result<bool> {
        let Some(objects) = self.read_whole(pack).ok().flatten() else { return Ok(false) };
        let (places, bytes) = objects;
        if let Err(error) = self.file.write_all(&bytes) {
            self.file.seek(SeekFrom::Start(self.position))?;
            return Err(error);
        }
        let shift = self.position - HEAD_BYTES;
        let mut depths: HashMap<u64, u32> = HashMap::with_capacity(places.len());
        for place in places {
            let offset = place.offset + shift;
            let start = usize::try_from(place.offset - HEAD_BYTES).unwrap_or(usize::MAX);
            let depth = match read_head(&mut bytes.get(start..).unwrap_or_default()).map(|head| head.kind) {
                Ok(Kind::Difference(distance)) => {
                    let below = place.offset.checked_sub(distance).and_then(|base| depths.get(&base));
                    below.copied().unwrap_or(u32::MAX).saturating_add(1)
                }
                _ => 0,
            };
            depths.insert(place.offset, depth);
            self.written.insert(place.id, Written { offset, depth });
            self.places.push(Place { offset, ..place });
        }
        self.position += bytes.len() as u64;
        self.replaced.push(pack.path.clone());
        Ok(true)
    }

    /// The positions and bytes of a pack's objects, if its index is right and none is in this pack.
    fn read_whole(&self, pack: &Pack) -> io::Result<Option<(Vec<Place>, Vec<u8>)>> {
        let places = pack.places()?;
        if places.iter().any(|place| self.written.contains_key(&place.id)) {
            return Ok(None);
        }
        let length = pack.end().checked_sub(HEAD_BYTES).ok_or_else(|| invalid("the pack is truncated"))?;
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        pack.file.read_exact_at(&mut bytes, HEAD_BYTES)?;
        let ends = places.iter().skip(1).map(|place| place.offset).chain([pack.end()]);
        let mut from = 0;
        for (place, end) in places.iter().zip(ends) {
            let to = usize::try_from(end - HEAD_BYTES).map_err(io::Error::other)?;
            if place.offset != from as u64 + HEAD_BYTES
                || bytes.get(from..to).is_none_or(|object| crc32fast::hash(object) != place.crc)
            {
                return Ok(None);
            }
            from = to;
        }
        Ok(Some((places, bytes)))
    }

    /// Gives the pack its name in `directory`, whole and on disk.
    pub(super) fn finish(mut self, directory: &Path, shared: SharedPermissions) -> io::Result<Finished> {
        let count = u32::try_from(self.places.len()).map_err(io::Error::other)?;
        self.file.flush()?;
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.set_len(self.position)?;
        file.write_all_at(&count.to_be_bytes(), 8)?;
        let checksum = index::checksum(&file, self.position)?;
        file.write_all_at(&checksum, self.position)?;
        debug_assert_eq!(checksum.len() as u64, CHECKSUM_BYTES);
        file.sync_all()?;
        let mut index_file = unfinished(directory)?;
        index::write(&mut index_file, &mut self.places, checksum)?;
        index_file.as_file().sync_all()?;
        let name = Oid::from_bytes(&checksum).map_err(io::Error::other)?;
        let path = directory.join(format!("pack-{name}.pack"));
        let kept = Kept::new(&path);
        shared.read_only_file(&self.path)?;
        shared.read_only_file(index_file.path())?;
        self.path.persist(&path).map_err(|error| error.error)?;
        // With its index, the pack is there.
        index_file.persist(path.with_extension("idx")).map_err(|error| error.error)?;
        File::open(directory).and_then(|directory| directory.sync_all())?;
        self.replaced.retain(|replaced| *replaced != path);
        Ok(Finished { path, replaced: self.replaced, kept })
    }
}
