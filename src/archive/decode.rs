//! Puts a zip together again.

use std::borrow::Cow;
use std::io::{self, BufWriter, Read, Write};
use std::num::NonZeroUsize;

use flate2::Crc;

use super::assemble::end_record;
use super::deflate::Deflater;
use super::error::{Error, Failure, Result};
use super::place::Place;
use super::pool::{self, Made, Work};
use super::recipe::{Facts, Item, Kind, Recipe, corrected};
use super::scan::{CENTRAL, Fields, LOCAL};
use super::{LARGE, MAX_NESTED};

/// Bytes that are gathered before `out` has them: thousands of small entries are not as many calls.
const WRITTEN_AT_ONCE: usize = 128 << 10;

pub trait Source: Sync {
    /// Opens one content. Called from several threads, in any order. An error ends the decoding.
    fn open(&self, place: &Place) -> std::result::Result<Opened<'_>, Failure>;
}

pub enum Opened<'a> {
    Bytes(Cow<'a, [u8]>),
    Reader { size: u64, reader: Box<dyn Read + 'a> },
}

/// Writes the archive of a recipe: the original bytes, if the source has the original contents. The caller proves that by hashing what is
/// written.
///
/// Memory is bounded by some 10 MiB a thread; more than four threads are not used. Never writes more than `limit` bytes: that is an error.
pub fn decode(
    recipe: &[u8],
    source: &dyn Source,
    out: &mut dyn Write,
    limit: u64,
    threads: NonZeroUsize,
) -> Result<()> {
    let mut out = BufWriter::with_capacity(WRITTEN_AT_ONCE, out);
    let decoder = Decoder { recipe: Recipe::read(recipe)?, source, inside: None };
    decoder.run(&mut out, limit, threads.get().min(4))?;
    Ok(out.flush()?)
}

struct Decoder<'a> {
    recipe: Recipe,
    source: &'a dyn Source,
    inside: Option<Place>,
}

impl Decoder<'_> {
    fn run(&self, out: &mut dyn Write, limit: u64, threads: usize) -> Result<()> {
        let mut out = Limited { out, written: 0, limit };
        let mut facts = vec![Facts::default(); self.recipe.items.len()];
        let mut between = &self.recipe.between[..];
        let mut gaps = self.recipe.gaps.iter().map(|gap| *gap as usize);
        let mut deflater = None;
        let work = Work {
            count: self.recipe.items.len(),
            small: &|rank| self.small(rank),
            make: &|rank, deflater| self.make(rank, deflater),
        };
        pool::in_order(&work, threads, |rank, made| {
            out.put(take(&mut between, gaps.next()))?;
            let number = self.recipe.order[rank] as usize;
            let start = out.written;
            facts[number] = match made {
                Some(made) => {
                    out.put(&made.bytes)?;
                    made.facts
                }
                None => self.stream(number, deflater.get_or_insert_default(), &mut out)?,
            };
            if self.recipe.items[number].kind != Kind::Absent {
                facts[number].start = start;
            }
            Ok(())
        })?;
        out.put(take(&mut between, gaps.next()))?;
        let directory = out.written;
        let mut record = Vec::new();
        for (item, facts) in self.recipe.items.iter().zip(&facts) {
            record.clear();
            self.central(item, facts, &mut record)?;
            out.put(&record)?;
        }
        if self.recipe.end {
            let offset = directory.checked_sub(self.recipe.base).ok_or(Error::Recipe("the base is wrong"))?;
            out.put(&end_record(self.recipe.items.len(), out.written - directory, offset))?;
        }
        out.put(&self.recipe.tail)
    }

    /// Whether an entry is made in memory, and by any thread.
    fn small(&self, rank: usize) -> bool {
        let item = &self.recipe.items[self.recipe.order[rank] as usize];
        matches!(item.kind, Kind::Stored | Kind::Deflated) && item.known.is_none()
    }

    fn make(&self, rank: usize, deflater: &mut Deflater) -> Result<Made> {
        let number = self.recipe.order[rank] as usize;
        let item = &self.recipe.items[number];
        let plain = self.content(item, number)?;
        let mut crc = Crc::new();
        crc.update(&plain);
        let mut bytes = Vec::new();
        let mut facts =
            Facts { crc: crc.sum(), packed: plain.len() as u64, size: plain.len() as u64, start: 0 };
        if item.kind == Kind::Deflated {
            // A header is as long whatever the facts are.
            self.header(item, &facts, &mut bytes)?;
            let header = bytes.len();
            bytes.reserve(plain.len() / 2);
            deflater.run(self.recipe.settings[item.settings as usize], &mut &plain[..], &mut bytes)?;
            facts.packed = (bytes.len() - header) as u64;
            let mut real = Vec::with_capacity(header);
            self.header(item, &facts, &mut real)?;
            bytes[..header].copy_from_slice(&real);
        } else {
            self.header(item, &facts, &mut bytes)?;
            bytes.extend_from_slice(&plain);
        }
        describe(item, &facts, &mut bytes);
        Ok(Made { bytes, facts })
    }

    fn content(&self, item: &Item, number: usize) -> Result<Cow<'_, [u8]>> {
        let Some(place) = item.place(number)? else { return Ok(Cow::Borrowed(&[])) };
        let changed = || Error::Changed { place: place.to_string() };
        if item.nested {
            let mut bytes = Vec::new();
            self.nested(&place, &mut bytes, LARGE)?;
            return Ok(Cow::Owned(bytes));
        }
        self.open(&place)?.whole(LARGE)?.ok_or_else(changed)
    }

    fn nested(&self, place: &Place, out: &mut dyn Write, limit: u64) -> Result<()> {
        if self.inside.is_some() {
            return Err(Error::Recipe("an archive in an archive has another"));
        }
        let recipe = place.inside(&Place::recipe());
        let changed = || Error::Changed { place: recipe.to_string() };
        let bytes = self.open(&recipe)?.whole(MAX_NESTED)?.ok_or_else(changed)?;
        let inner =
            Decoder { recipe: Recipe::read(&bytes)?, source: self.source, inside: Some(place.clone()) };
        inner.run(out, limit, 1)
    }

    fn stream(&self, number: usize, deflater: &mut Deflater, out: &mut Limited<'_>) -> Result<Facts> {
        let item = &self.recipe.items[number];
        let (Some((crc, size)), Some(place)) = (item.known, item.place(number)?) else {
            return if item.kind == Kind::Absent {
                Ok(Facts::default())
            } else {
                Err(Error::Recipe("a place is missing"))
            };
        };
        let mut file;
        let opened = if item.nested && item.kind != Kind::Raw {
            file = tempfile::tempfile()?;
            self.nested(&place, &mut file, MAX_NESTED)?;
            io::Seek::rewind(&mut file)?;
            Opened::Reader { size: file.metadata()?.len(), reader: Box::new(file) }
        } else {
            self.open(&place)?
        };
        let (plain, reader) = opened.stream();
        let mut facts = Facts { crc, packed: plain, size: u64::from(size), start: 0 };
        if item.kind != Kind::Raw {
            facts = Facts { crc, packed: u64::from(size), size: plain, start: 0 };
        }
        let mut header = Vec::new();
        self.header(item, &facts, &mut header)?;
        out.put(&header)?;
        let begun = out.written;
        let mut reader = Counted { inner: reader.take(plain), crc: Crc::new(), count: 0 };
        let done = if item.kind == Kind::Deflated {
            deflater.run(self.recipe.settings[item.settings as usize], &mut reader, out)
        } else {
            io::copy(&mut reader, out).map(|_| ())
        };
        done.map_err(|error| out.or_too_large(error))?;
        let same = reader.count == plain
            && out.written - begun == facts.packed
            && (item.kind == Kind::Raw || reader.crc.sum() == crc);
        if !same {
            return Err(Error::Changed { place: place.to_string() });
        }
        let mut descriptor = Vec::new();
        describe(item, &facts, &mut descriptor);
        out.put(&descriptor)?;
        Ok(facts)
    }

    fn open(&self, place: &Place) -> Result<Opened<'_>> {
        let place = self.inside.as_ref().map_or_else(|| place.clone(), |inside| inside.inside(place));
        self.source.open(&place).map_err(|source| Error::Content { place: place.to_string(), source })
    }

    #[allow(clippy::cast_possible_truncation, reason = "the first three are read as 16 bits")]
    fn header(&self, item: &Item, facts: &Facts, to: &mut Vec<u8>) -> Result<()> {
        let real = corrected(item.foreseen_local(item.shape, facts), &item.local);
        let [needed, flags, method, stamp, crc, packed, size] = real;
        let fields = Fields {
            needed: needed as u16,
            flags: flags as u16,
            method: method as u16,
            stamp,
            crc,
            packed,
            size,
        };
        let name = item.local_name.as_ref().unwrap_or(&item.name);
        let extra = &self.recipe.strings[item.local_extra as usize];
        to.extend(LOCAL);
        fields.write(to);
        to.extend(length(name)?);
        to.extend(length(extra)?);
        to.extend_from_slice(name);
        to.extend_from_slice(extra);
        Ok(())
    }

    #[allow(clippy::cast_possible_truncation, reason = "what is 16 bits was read as 16 bits")]
    fn central(&self, item: &Item, facts: &Facts, to: &mut Vec<u8>) -> Result<()> {
        let [crc, packed, size, offset] = corrected(Item::foreseen(facts, self.recipe.base), &item.central);
        let [extra, comment] = [item.extra, item.comment].map(|string| &self.recipe.strings[string as usize]);
        to.extend(CENTRAL);
        to.extend((item.made as u16).to_le_bytes());
        Fields { crc, packed, size, ..item.fields }.write(to);
        to.extend(length(&item.name)?);
        to.extend(length(extra)?);
        to.extend(length(comment)?);
        to.extend((item.disk as u16).to_le_bytes());
        to.extend((item.internal as u16).to_le_bytes());
        to.extend(item.external.to_le_bytes());
        to.extend(offset.to_le_bytes());
        for bytes in [&item.name, extra, comment] {
            to.extend_from_slice(bytes);
        }
        Ok(())
    }
}

impl<'a> Opened<'a> {
    /// All of it, if it is no more than a limit and as long as it says.
    pub(super) fn whole(self, limit: u64) -> Result<Option<Cow<'a, [u8]>>> {
        match self {
            Self::Bytes(bytes) => Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= limit)),
            Self::Reader { size, .. } if size > limit => Ok(None),
            Self::Reader { size, reader } => {
                let mut bytes = Vec::new();
                reader.take(size + 1).read_to_end(&mut bytes)?;
                Ok((bytes.len() as u64 == size).then_some(Cow::Owned(bytes)))
            }
        }
    }

    fn stream(self) -> (u64, Box<dyn Read + 'a>) {
        match self {
            Self::Bytes(bytes) => (bytes.len() as u64, Box::new(io::Cursor::new(bytes))),
            Self::Reader { size, reader } => (size, reader),
        }
    }
}

fn length(bytes: &[u8]) -> Result<[u8; 2]> {
    u16::try_from(bytes.len()).map(u16::to_le_bytes).map_err(|_| Error::Recipe("a string is too long"))
}

/// Writes the descriptor, which repeats the directory's CRC, whether that is right or not.
fn describe(item: &Item, facts: &Facts, to: &mut Vec<u8>) {
    item.descriptor.write(item.central[0].unwrap_or(facts.crc), facts.packed, facts.size, to);
}

/// The next bytes of a gap; the recipe's reader saw that there are so many.
fn take<'a>(between: &mut &'a [u8], size: Option<usize>) -> &'a [u8] {
    let (taken, rest) = between.split_at(size.unwrap_or_default().min(between.len()));
    *between = rest;
    taken
}

/// Counts what is read, and reckons its CRC.
struct Counted<R> {
    inner: R,
    crc: Crc,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.crc.update(&buffer[..count]);
        self.count += count as u64;
        Ok(count)
    }
}

struct Limited<'a> {
    out: &'a mut dyn Write,
    written: u64,
    limit: u64,
}

impl Limited<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(|error| self.or_too_large(error))
    }

    fn or_too_large(&self, error: io::Error) -> Error {
        if error.kind() == io::ErrorKind::FileTooLarge {
            Error::TooLarge(self.limit)
        } else {
            Error::Io(error)
        }
    }
}

impl Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.limit - self.written < bytes.len() as u64 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.out.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
