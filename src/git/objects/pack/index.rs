//! A pack's index (`.idx`), version 2 as in git's documentation `gitformat-pack`: the positions of its objects.

#![allow(clippy::cast_possible_truncation, reason = "an id has 20 bytes, a pack fewer than 2³¹ objects")]

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use git2::Oid;
use sha1::{Digest as _, Sha1};

use super::entry::invalid;

const MAGIC: [u8; 8] = [0xff, b't', b'O', b'c', 0, 0, 0, 2];
const ID: u64 = 20;
/// Where the ids begin: after the magic and the fan-out table.
const IDS: u64 = 8 + 256 * 4;
/// Ids that are read at once in a search: a few dozen cost no more than one.
const READ_AT_ONCE: u64 = 64;
/// Most objects of a pack whose index is read whole.
const MAX_OBJECTS: u64 = 10_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) id: Oid,
    pub(super) offset: u64,
    /// The CRC-32 of its header and compressed bytes.
    pub(super) crc: u32,
}

/// An index that is read on demand: one of a million objects costs no more than a small one.
#[derive(Debug)]
pub(super) struct Index {
    file: File,
    /// The fan-out table: how many objects have a first byte no higher than each.
    counts: Box<[u32; 256]>,
    count: u64,
}

impl Index {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let mut bytes = [0; IDS as usize];
        file.read_exact_at(&mut bytes, 0)?;
        let Some(numbers) = bytes.strip_prefix(&MAGIC) else {
            return Err(invalid("it is not a pack index of version 2"));
        };
        let mut counts = Box::new([0; 256]);
        for (count, number) in counts.iter_mut().zip(numbers.as_chunks::<4>().0) {
            *count = u32::from_be_bytes(*number);
        }
        Ok(Self { count: u64::from(counts[255]), counts, file })
    }

    /// Where the object begins in the pack; `None` if it is not in it.
    pub(super) fn find(&self, id: Oid) -> io::Result<Option<u64>> {
        let first = usize::from(id.as_bytes()[0]);
        let mut low = if first == 0 { 0 } else { u64::from(self.counts[first - 1]) };
        let mut high = u64::from(self.counts[first]).min(self.count);
        let mut found = [0; ID as usize];
        while low + READ_AT_ONCE < high {
            let middle = low.midpoint(high);
            self.file.read_exact_at(&mut found, IDS + middle * ID)?;
            match found.as_slice().cmp(id.as_bytes()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.offset(middle).map(Some),
            }
        }
        let mut ids = [0; (READ_AT_ONCE * ID) as usize];
        let ids = &mut ids[..(high.saturating_sub(low) * ID) as usize];
        self.file.read_exact_at(ids, IDS + low * ID)?;
        let number = ids.chunks_exact(ID as usize).position(|found| found == id.as_bytes());
        number.map(|number| self.offset(low + number as u64)).transpose()
    }

    fn offset(&self, number: u64) -> io::Result<u64> {
        let short = number_at(&self.file, self.offsets() + number * 4)?;
        if short < 1 << 31 {
            return Ok(u64::from(short));
        }
        let mut long = [0; 8];
        let place = self.offsets() + self.count * 4 + u64::from(short & 0x7fff_ffff) * 8;
        self.file.read_exact_at(&mut long, place)?;
        Ok(u64::from_be_bytes(long))
    }

    fn offsets(&self) -> u64 {
        IDS + self.count * (ID + 4)
    }

    pub(super) fn places(&self) -> io::Result<Vec<Place>> {
        let size = self.offsets() + self.count * 4 - IDS;
        if self.count > MAX_OBJECTS || IDS + size > self.file.metadata()?.len() {
            return Err(invalid("the index is truncated or too large"));
        }
        let mut tables = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut tables, IDS)?;
        let count = tables.len() / (ID as usize + 8);
        let (ids, numbers) = tables.split_at(count * ID as usize);
        let (crcs, _) = numbers.as_chunks::<4>();
        let mut places = (ids.chunks_exact(ID as usize).zip(&crcs[..count]).enumerate())
            .map(|(number, (id, crc))| {
                let id = Oid::from_bytes(id).map_err(io::Error::other)?;
                let short = u32::from_be_bytes(crcs[count + number]);
                let offset = if short < 1 << 31 { u64::from(short) } else { self.offset(number as u64)? };
                Ok(Place { id, offset, crc: u32::from_be_bytes(*crc) })
            })
            .collect::<io::Result<Vec<Place>>>()?;
        places.sort_unstable_by_key(|place| place.offset);
        Ok(places)
    }
}

fn number_at(file: &File, place: u64) -> io::Result<u32> {
    let mut bytes = [0; 4];
    file.read_exact_at(&mut bytes, place)?;
    Ok(u32::from_be_bytes(bytes))
}

pub(super) fn write(out: &mut dyn Write, places: &mut [Place], pack: [u8; 20]) -> io::Result<()> {
    places.sort_unstable_by_key(|place| place.id);
    let mut bytes = MAGIC.to_vec();
    let mut counts = [0_u32; 256];
    for place in places.iter() {
        counts[usize::from(place.id.as_bytes()[0])] += 1;
    }
    let mut sum = 0;
    for count in counts {
        sum += count;
        bytes.extend(sum.to_be_bytes());
    }
    for place in places.iter() {
        bytes.extend(place.id.as_bytes());
    }
    for place in places.iter() {
        bytes.extend(place.crc.to_be_bytes());
    }
    let mut long = Vec::new();
    for place in places.iter() {
        let short = u32::try_from(place.offset).ok().filter(|offset| *offset < 1 << 31);
        let number = short.unwrap_or_else(|| {
            long.extend(place.offset.to_be_bytes());
            (long.len() / 8 - 1) as u32 | 1 << 31
        });
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend(long);
    bytes.extend(pack);
    let checksum = Sha1::digest(&bytes);
    bytes.extend(checksum);
    out.write_all(&bytes)
}

pub(super) fn checksum(file: &File, end: u64) -> io::Result<[u8; 20]> {
    let mut hasher = Sha1::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut place = 0;
    while place < end {
        let count = usize::try_from(end - place).map_or(buffer.len(), |left| left.min(buffer.len()));
        file.read_exact_at(&mut buffer[..count], place)?;
        hasher.update(&buffer[..count]);
        place += count as u64;
    }
    Ok(hasher.finalize().into())
}

pub(super) struct From<'f> {
    pub(super) file: &'f File,
    pub(super) place: u64,
}

impl io::Read for From<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.place)?;
        self.place += count as u64;
        Ok(count)
    }
}
