//! What a zip is made of, exactly: every byte of the file belongs to an entry, to the central directory or to a gap.
//!
//! Sources: APPNOTE.TXT 6.3.10 (4.3 the structures, 4.5.3 zip64). Nothing is believed that the bytes don't say: an entry whose
//! local header is not where the directory says, or that reaches into another, is absent and its bytes are a gap.

use std::io;

use super::bytes::{self, Bytes};
use super::content::Deflated;

/// No entry claims more, packed or not.
const MAX_ENTRY: u64 = 2 << 30;
/// All entries together claim no more.
const MAX_SUM: u64 = 8 << 30;
pub(super) const MAX_ENTRIES: usize = 200_000;
/// No central directory is larger, and no bytes that are in no entry are more.
pub(super) const MAX_REST: u64 = 16 << 20;

const END_SIZE: usize = 22;
const CENTRAL_SIZE: usize = 46;
pub(super) const LOCAL_SIZE: usize = 30;
const END: [u8; 4] = *b"PK\x05\x06";
pub(super) const CENTRAL: [u8; 4] = *b"PK\x01\x02";
pub(super) const LOCAL: [u8; 4] = *b"PK\x03\x04";
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";
const END64_AT: [u8; 4] = *b"PK\x06\x07";
const END64: [u8; 4] = *b"PK\x06\x06";

pub(super) const ENCRYPTED: u16 = 1;
/// Flag: a data descriptor follows.
pub(super) const DESCRIBED: u16 = 8;

/// The fields that a local header shares with the central directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) needed: u16,
    pub(super) flags: u16,
    pub(super) method: u16,
    /// DOS time, and date in the upper half.
    pub(super) stamp: u32,
    pub(super) crc: u32,
    pub(super) packed: u32,
    pub(super) size: u32,
}

impl Fields {
    fn read(at: &[u8]) -> Self {
        Self {
            needed: u16_at(at, 0),
            flags: u16_at(at, 2),
            method: u16_at(at, 4),
            stamp: u32_at(at, 6),
            crc: u32_at(at, 10),
            packed: u32_at(at, 14),
            size: u32_at(at, 18),
        }
    }

    pub(super) fn write(&self, to: &mut Vec<u8>) {
        for half in [self.needed, self.flags, self.method] {
            to.extend(half.to_le_bytes());
        }
        for word in [self.stamp, self.crc, self.packed, self.size] {
            to.extend(word.to_le_bytes());
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) made: u16,
    pub(super) fields: Fields,
    pub(super) disk: u16,
    pub(super) internal: u16,
    pub(super) external: u32,
    /// As it stands in the directory.
    pub(super) offset: u32,
    pub(super) name: Vec<u8>,
    pub(super) extra: Vec<u8>,
    pub(super) comment: Vec<u8>,
    /// Bytes of the content, as claimed.
    pub(super) size: u64,
    /// Bytes in the file.
    pub(super) packed: u64,
    /// What stands at the offset; none: the entry has no bytes of its own.
    pub(super) local: Option<Local>,
}

impl Entry {
    /// Whether deflate may make its data again.
    pub(super) fn is_deflated(&self) -> bool {
        self.local.is_some() && self.fields.method == 8 && self.fields.flags & ENCRYPTED == 0
    }

    pub(super) fn stream<'a>(&self, archive: &'a dyn Bytes, memory: Option<&'a [u8]>) -> Deflated<'a> {
        let at = self.local.as_ref().map_or(0, |local| local.data);
        Deflated { memory, archive, at, size: self.packed }
    }
}

/// An entry's own bytes: header, data, descriptor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Local {
    pub(super) start: u64,
    pub(super) fields: Fields,
    pub(super) name: Vec<u8>,
    pub(super) extra: Vec<u8>,
    pub(super) data: u64,
    pub(super) descriptor: Descriptor,
    pub(super) end: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Descriptor {
    #[default]
    None = 0,
    Signed = 1,
    Bare = 2,
    Signed64 = 3,
    Bare64 = 4,
}

impl Descriptor {
    const ALL: [Self; 5] = [Self::None, Self::Signed, Self::Bare, Self::Signed64, Self::Bare64];

    pub(super) fn from_number(number: u32) -> Option<Self> {
        Self::ALL.get(number as usize).copied()
    }

    #[allow(clippy::cast_possible_truncation, reason = "a short descriptor has 32 bits of a size")]
    pub(super) fn write(self, crc: u32, packed: u64, size: u64, to: &mut Vec<u8>) {
        if matches!(self, Self::Signed | Self::Signed64) {
            to.extend(DESCRIPTOR);
        }
        match self {
            Self::None => {}
            Self::Signed | Self::Bare => {
                for word in [crc, packed as u32, size as u32] {
                    to.extend(word.to_le_bytes());
                }
            }
            Self::Signed64 | Self::Bare64 => {
                to.extend(crc.to_le_bytes());
                to.extend(packed.to_le_bytes());
                to.extend(size.to_le_bytes());
            }
        }
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// In the directory's order.
    pub(super) entries: Vec<Entry>,
    pub(super) directory: u64,
    pub(super) directory_end: u64,
    /// What offsets are less than the truth by: the size of a prefix that was put before a finished zip.
    pub(super) base: u64,
    pub(super) size: u64,
}

impl Scan {
    /// Reads the structure. None: no zip, or one that is not worth the trouble.
    pub(super) fn read(bytes: &dyn Bytes) -> io::Result<Option<Self>> {
        let size = bytes.size()?;
        let Some((end_at, end)) = find_end(bytes, size)? else { return Ok(None) };
        let Some(mut scan) = locate(bytes, size, end_at, &end)? else { return Ok(None) };
        let length = scan.directory_end - scan.directory;
        if length > MAX_REST {
            return Ok(None);
        }
        let directory = bytes::read(bytes, scan.directory, usize::try_from(length).unwrap_or_default())?;
        let Some(read) = entries(&directory) else { return Ok(None) };
        scan.directory_end = scan.directory + read.1 as u64;
        scan.entries = read.0;
        if scan.entries.is_empty() || !scan.attach(bytes)? {
            return Ok(None);
        }
        Ok(Some(scan))
    }

    /// Finds each entry's own bytes; returns whether the whole is within bounds.
    fn attach(&mut self, bytes: &dyn Bytes) -> io::Result<bool> {
        let (mut sum, mut extent, mut headers) = (0, 0, 0);
        for entry in &mut self.entries {
            if entry.size > MAX_ENTRY || entry.packed > MAX_ENTRY {
                return Ok(false);
            }
            sum += entry.size;
            let offset = entry.zip64(42).saturating_add(self.base);
            if offset < self.directory {
                entry.local = local(bytes, entry, offset, self.directory)?;
                headers += entry.local.as_ref().map_or(0, |local| local.name.len() + local.extra.len());
            }
            if sum > MAX_SUM || headers as u64 > MAX_REST {
                return Ok(false);
            }
        }
        let mut end = 0;
        for index in self.order() {
            let entry = &mut self.entries[index];
            let Some(local) = &entry.local else { break };
            if local.start < end {
                entry.local = None;
            } else {
                end = local.end;
                extent += local.end - local.start;
            }
        }
        let present = self.entries.iter().any(|entry| entry.local.is_some());
        let rest = self.size - extent - (self.directory_end - self.directory);
        Ok(present && rest <= MAX_REST)
    }

    /// Entries in the order of their bytes, those without at the end.
    pub(super) fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_by_key(|&index| self.entries[index].local.as_ref().map_or(u64::MAX, |local| local.start));
        order
    }
}

impl Entry {
    /// A size or offset, from the zip64 field where the short one (at 20, 24 or 42 of the record) says so.
    fn zip64(&self, at: usize) -> u64 {
        let short = [(24, self.fields.size), (20, self.fields.packed), (42, self.offset)];
        let mut skip = 0;
        for (field, value) in short {
            if field == at {
                if value != u32::MAX {
                    return u64::from(value);
                }
                let long = field_64(&self.extra).and_then(|long| long.get(skip..skip + 8));
                return long
                    .and_then(|long| long.first_chunk())
                    .map_or(u64::from(value), |long| u64::from_le_bytes(*long));
            }
            skip += if value == u32::MAX { 8 } else { 0 };
        }
        0
    }
}

/// The zip64 field of an extra.
fn field_64(extra: &[u8]) -> Option<&[u8]> {
    let mut rest = extra;
    while rest.len() >= 4 {
        let size = usize::from(u16_at(rest, 2));
        let field = rest.get(4..4 + size)?;
        if u16_at(rest, 0) == 1 {
            return Some(field);
        }
        rest = &rest[4 + size..];
    }
    None
}

/// The end record: the last one whose comment fits, one that ends with the file before one that does not.
fn find_end(bytes: &dyn Bytes, size: u64) -> io::Result<Option<(u64, Vec<u8>)>> {
    let tail = size.min(END_SIZE as u64 + 65_535 + 1024);
    let start = size - tail;
    let tail = bytes::read(bytes, start, usize::try_from(tail).unwrap_or_default())?;
    let fits = |at: &usize| {
        tail[*at..].starts_with(&END) && u16_at(&tail, at + 4) == 0 && u16_at(&tail, at + 6) == 0
    };
    let candidates: Vec<usize> =
        (0..(tail.len() + 1).saturating_sub(END_SIZE)).rev().filter(fits).take(16).collect();
    let comment_end = |at: usize| at + END_SIZE + usize::from(u16_at(&tail, at + 20));
    let exact = candidates.iter().find(|at| comment_end(**at) == tail.len());
    let found = exact.or_else(|| candidates.iter().find(|at| comment_end(**at) <= tail.len()));
    Ok(found.map(|at| (start + *at as u64, tail[*at..*at + END_SIZE].to_vec())))
}

fn locate(bytes: &dyn Bytes, size: u64, end_at: u64, end: &[u8]) -> io::Result<Option<Scan>> {
    let (mut length, mut offset, mut limit) =
        (u64::from(u32_at(end, 12)), u64::from(u32_at(end, 16)), end_at);
    if let Some(at) = end_at.checked_sub(20) {
        let pointer = bytes::read(bytes, at, 20)?;
        let record = pointer.get(8..).and_then(|at| at.first_chunk()).map_or(0, |at| u64::from_le_bytes(*at));
        if pointer.starts_with(&END64_AT) && record.checked_add(56).is_some_and(|end| end <= at) {
            let long = bytes::read(bytes, record, 56)?;
            if long.starts_with(&END64) {
                let word = |at: usize| long[at..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
                (length, offset, limit) = (word(40), word(48), record);
            }
        }
    }
    let signed = |at: u64| -> io::Result<bool> {
        let mut start = [0; 4];
        Ok(bytes.read_at(&mut start, at)? == 4 && start == CENTRAL)
    };
    let scan = |directory: u64, base: u64| Scan {
        directory,
        directory_end: directory + length,
        base,
        size,
        ..Scan::default()
    };
    // Right before the end record, whatever stands before the zip; else where the record says.
    if let Some(start) = limit.checked_sub(length)
        && let Some(base) = start.checked_sub(offset)
        && signed(start)?
    {
        return Ok(Some(scan(start, base)));
    }
    let inside = offset.checked_add(length).is_some_and(|end| end <= limit);
    Ok(if inside && signed(offset)? { Some(scan(offset, 0)) } else { None })
}

/// The entries of a central directory, and where they end.
fn entries(directory: &[u8]) -> Option<(Vec<Entry>, usize)> {
    let (mut entries, mut at) = (Vec::new(), 0);
    while directory[at..].starts_with(&CENTRAL) {
        let Some(fixed) = directory.get(at..at + CENTRAL_SIZE) else { break };
        let [name, extra, comment] = [28, 30, 32].map(|field| usize::from(u16_at(fixed, field)));
        let (names, extras) = (at + CENTRAL_SIZE, at + CENTRAL_SIZE + name);
        let (comments, next) = (extras + extra, extras + extra + comment);
        if next > directory.len() {
            break;
        }
        let mut entry = Entry {
            made: u16_at(fixed, 4),
            fields: Fields::read(&fixed[6..]),
            disk: u16_at(fixed, 34),
            internal: u16_at(fixed, 36),
            external: u32_at(fixed, 38),
            offset: u32_at(fixed, 42),
            name: directory[names..extras].to_vec(),
            extra: directory[extras..comments].to_vec(),
            comment: directory[comments..next].to_vec(),
            ..Entry::default()
        };
        (entry.size, entry.packed) = (entry.zip64(24), entry.zip64(20));
        entries.push(entry);
        if entries.len() > MAX_ENTRIES {
            return None;
        }
        at = next;
    }
    Some((entries, at))
}

/// What stands where the directory says that an entry is.
fn local(bytes: &dyn Bytes, entry: &Entry, start: u64, limit: u64) -> io::Result<Option<Local>> {
    // Mostly the names are alike, and one read gets it all.
    let mut head = vec![0; LOCAL_SIZE + entry.name.len() + 64];
    let read = bytes.read_at(&mut head, start)?;
    head.truncate(read);
    if read < LOCAL_SIZE || !head.starts_with(&LOCAL) {
        return Ok(None);
    }
    let (name, extra) = (usize::from(u16_at(&head, 26)), usize::from(u16_at(&head, 28)));
    let length = LOCAL_SIZE + name + extra;
    let data = start + length as u64;
    let Some(end) = data.checked_add(entry.packed).filter(|end| *end <= limit) else { return Ok(None) };
    if head.len() < length {
        head = bytes::read(bytes, start, length)?;
    }
    let mut local = Local {
        start,
        fields: Fields::read(&head[4..]),
        name: head[LOCAL_SIZE..LOCAL_SIZE + name].to_vec(),
        extra: head[LOCAL_SIZE + name..length].to_vec(),
        data,
        descriptor: Descriptor::None,
        end,
    };
    if local.fields.flags & DESCRIBED != 0 {
        let mut after = [0; 24];
        let room = usize::try_from(limit - end).unwrap_or(usize::MAX).min(24);
        let read = bytes.read_at(&mut after[..room], end)?;
        for descriptor in Descriptor::ALL {
            let mut expected = Vec::with_capacity(24);
            descriptor.write(entry.fields.crc, entry.packed, entry.size, &mut expected);
            if !expected.is_empty() && after[..read].starts_with(&expected) {
                local.descriptor = descriptor;
                local.end = end + expected.len() as u64;
                break;
            }
        }
    }
    Ok(Some(local))
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
