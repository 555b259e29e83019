//! Takes a zip apart. What is put in the sink is proven on the way: a stream that our deflate does not give again is put as it
//! is, and whatever else the file holds is in the recipe.

use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use flate2::Crc;

use super::assemble::{self, Outcome};
use super::bytes::{self, Bytes, Range};
use super::compare::Compare;
use super::content::{Body, Content, Deflated, inflate};
use super::deflate::{Deflater, Settings};
use super::error::{Error, Failure, Result};
use super::place::{self, Place};
use super::recipe::{Kind, Location};
use super::scan::{ENCRYPTED, Entry, Scan};
use super::{LARGE, MAX_NESTED, detect};

pub trait Sink: Sync {
    /// Takes one content, each place once. Called from several threads, in any order. An error ends the encoding.
    fn put(&self, place: &Place, content: &Content<'_>) -> std::result::Result<(), Failure>;
}

/// Takes a zip apart: contents go to the sink, and the recipe's bytes are returned. None: it is not a zip, or not one that is worth it, and
/// nothing was put.
///
/// Memory is bounded by some 10 MiB a thread; more than four threads are not used. The result does not depend on the threads.
pub fn encode(
    bytes: &dyn Bytes,
    sink: &dyn Sink,
    threads: NonZeroUsize,
    cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Vec<u8>>> {
    let Some(scan) = Scan::read(bytes)? else { return Ok(None) };
    let encoder = Encoder { bytes, scan: &scan, sink, inside: None, cancelled };
    encoder.run(threads.get().min(4)).map(Some)
}

struct Encoder<'a> {
    bytes: &'a dyn Bytes,
    scan: &'a Scan,
    sink: &'a dyn Sink,
    /// The entry that this archive is, of another.
    inside: Option<&'a Place>,
    cancelled: &'a (dyn Fn() -> bool + Sync),
}

impl Encoder<'_> {
    fn run(&self, threads: usize) -> Result<Vec<u8>> {
        let names: Vec<&[u8]> = self.scan.entries.iter().map(|entry| &entry.name[..]).collect();
        let wanted: Vec<bool> =
            self.scan.entries.iter().map(|entry| entry.local.is_some() && !empty(entry)).collect();
        let places = place::places(&names, &wanted);
        let likely = detect::likely(self.bytes, &self.scan.entries, &|| self.not_cancelled())?;
        let first = likely.first().copied();
        let mut outcomes =
            self.all(threads, |index, deflater| self.entry(index, &places, first.as_slice(), deflater))?;
        self.retry(&places, &likely, &mut outcomes)?;
        let raw = |index: usize, _: &mut _| {
            if outcomes[index].is_none() { self.raw(index).map(Some) } else { Ok(None) }
        };
        let raw = self.all(threads, raw)?;
        let outcomes: Vec<Outcome> =
            outcomes.into_iter().zip(raw).filter_map(|(one, other)| one.or(other)).collect();
        Ok(assemble::recipe(self.bytes, self.scan, &outcomes)?.write())
    }

    /// Does something for every entry, on several threads; returns what it returned, in the entries' order.
    fn all<T: Send>(
        &self,
        threads: usize,
        act: impl Fn(usize, &mut Deflater) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let count = self.scan.entries.len();
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let done = Mutex::new(Vec::with_capacity(count));
        let work = || {
            let mut deflater = Deflater::default();
            while !stop.load(Ordering::Relaxed) {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    break;
                }
                let result = self.not_cancelled().and_then(|()| act(index, &mut deflater));
                stop.fetch_or(result.is_err(), Ordering::Relaxed);
                if let Ok(mut done) = done.lock() {
                    done.push((index, result));
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.min(count) {
                scope.spawn(work);
            }
            work();
        });
        let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        done.sort_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, result)| result).collect()
    }

    /// Entries that the likeliest settings don't give again get the others, until a few in a row have none.
    fn retry(
        &self,
        places: &[Option<Place>],
        likely: &[Settings],
        outcomes: &mut [Option<Outcome>],
    ) -> Result<()> {
        let mut order: Vec<Settings> = likely.iter().skip(1).copied().collect();
        let known = order.len();
        order.extend(Settings::all().into_iter().filter(|settings| !likely.contains(settings)));
        let (mut failed, mut deflater) = (0, Deflater::default());
        for (index, outcome) in outcomes.iter_mut().enumerate() {
            if outcome.is_some() || !self.scan.entries[index].is_deflated() {
                continue;
            }
            self.not_cancelled()?;
            let few = self.scan.entries[index].size > LARGE && !likely.is_empty();
            let candidates = if few { &order[..known.clamp(1, 8)] } else { &order[..] };
            *outcome = self.entry(index, places, candidates, &mut deflater)?;
            match outcome.and_then(|outcome| outcome.settings) {
                Some(settings) => {
                    failed = 0;
                    order.retain(|other| *other != settings);
                    order.insert(0, settings);
                }
                None => failed += 1,
            }
            if failed >= detect::MAX_FAILURES {
                break;
            }
        }
        Ok(())
    }

    fn not_cancelled(&self) -> Result<()> {
        if (self.cancelled)() { Err(Error::Cancelled) } else { Ok(()) }
    }

    fn put(&self, place: &Place, content: &Content<'_>) -> Result<()> {
        let place = self.inside.map_or_else(|| place.clone(), |inside| inside.inside(place));
        self.sink.put(&place, content).map_err(|source| Error::Content { place: place.to_string(), source })
    }

    /// One entry: its content, if the settings give its data again. None: they don't, and nothing was put.
    fn entry(
        &self,
        index: usize,
        places: &[Option<Place>],
        candidates: &[Settings],
        deflater: &mut Deflater,
    ) -> Result<Option<Outcome>> {
        let entry = &self.scan.entries[index];
        let Some(local) = &entry.local else {
            return Ok(Some(Outcome {
                kind: Kind::Absent,
                location: Location::None,
                settings: None,
                nested: false,
                crc: 0,
                size: 0,
            }));
        };
        let location = match &places[index] {
            _ if empty(entry) => Location::None,
            Some(_) => Location::Tree,
            None => Location::Unnameable,
        };
        let place = places[index].clone().unwrap_or_else(|| Place::unnameable(index));
        let target = Target { location, place };
        if entry.is_deflated() {
            if candidates.is_empty() {
                return Ok(None);
            }
            let fits =
                usize::try_from(entry.packed.max(entry.size)).ok().filter(|size| *size as u64 <= LARGE);
            return match fits {
                Some(_) => self.small(entry, &target, candidates, deflater),
                None => self.large(entry, &target, candidates, deflater),
            };
        }
        if entry.fields.method != 0 || entry.fields.flags & ENCRYPTED != 0 || entry.packed != entry.size {
            return Ok(None);
        }
        if entry.size <= LARGE {
            let plain = bytes::read(self.bytes, local.data, usize::try_from(entry.size).unwrap_or_default())?;
            return self.plain(&target, &plain, None, None).map(Some);
        }
        let mut crc =
            Checked { inner: Range::new(self.bytes, local.data, entry.size), crc: Crc::new(), encoder: self };
        io::copy(&mut crc, &mut io::sink()).map_err(|error| self.or_cancelled(error))?;
        let crc = crc.crc.sum();
        let content =
            Content { size: entry.size, body: Body::Stored(self.bytes, local.data), deflated: None };
        self.streamed(&target, &content, None, crc).map(Some)
    }

    fn small(
        &self,
        entry: &Entry,
        target: &Target,
        candidates: &[Settings],
        deflater: &mut Deflater,
    ) -> Result<Option<Outcome>> {
        let at = entry.local.as_ref().map_or(0, |local| local.data);
        let packed = bytes::read(self.bytes, at, usize::try_from(entry.packed).unwrap_or_default())?;
        let stream = entry.stream(self.bytes, Some(&packed));
        let mut plain = Vec::with_capacity(usize::try_from(entry.size).unwrap_or_default());
        let mut decoder = inflate(&stream).take(entry.size + 1);
        if decoder.read_to_end(&mut plain).is_err() || plain.len() as u64 != entry.size {
            return Ok(None);
        }
        for settings in candidates {
            let mut compare = Compare::new(Box::new(&packed[..]));
            let done = deflater.run(*settings, &mut &plain[..], &mut compare);
            if done.is_ok() && compare.whole()? {
                return self.plain(target, &plain, Some(stream), Some(*settings)).map(Some);
            }
        }
        Ok(None)
    }

    fn large(
        &self,
        entry: &Entry,
        target: &Target,
        candidates: &[Settings],
        deflater: &mut Deflater,
    ) -> Result<Option<Outcome>> {
        let stream = entry.stream(self.bytes, None);
        for settings in candidates {
            let plain = inflate(&stream).take(entry.size + 1);
            let mut plain = Checked { inner: plain, crc: Crc::new(), encoder: self };
            let mut compare = Compare::new(Box::new(io::BufReader::with_capacity(1 << 16, stream.reader())));
            let done = deflater.run(*settings, &mut plain, &mut compare);
            self.not_cancelled()?;
            let (crc, size) = (plain.crc.sum(), u64::from(plain.crc.amount()));
            if done.is_ok() && compare.whole()? && size == entry.size {
                let content = Content { size, body: Body::Deflated(stream), deflated: Some(stream) };
                return self.streamed(target, &content, Some(*settings), crc).map(Some);
            }
        }
        Ok(None)
    }

    fn plain(
        &self,
        target: &Target,
        plain: &[u8],
        deflated: Option<Deflated<'_>>,
        settings: Option<Settings>,
    ) -> Result<Outcome> {
        let mut crc = Crc::new();
        crc.update(plain);
        let nested = self.nested(target, &plain)?;
        let size = plain.len() as u64;
        if !nested && target.location != Location::None {
            self.put(&target.place, &Content { size, body: Body::Memory(plain), deflated })?;
        }
        Ok(target.outcome(settings, nested, crc.sum(), size))
    }

    fn streamed(
        &self,
        target: &Target,
        content: &Content<'_>,
        settings: Option<Settings>,
        crc: u32,
    ) -> Result<Outcome> {
        let mut nested = false;
        if self.inside.is_none() && content.size <= MAX_NESTED {
            let mut start = [0; 4];
            content.reader()?.read_exact(&mut start)?;
            if start.starts_with(b"PK") {
                let mut file = tempfile::tempfile()?;
                io::copy(&mut content.reader()?, &mut file)?;
                nested = self.nested(target, &file)?;
            }
        }
        if !nested {
            self.put(&target.place, content)?;
        }
        Ok(target.outcome(settings, nested, crc, content.size))
    }

    /// Takes an entry apart that is itself a zip; returns whether it is one.
    fn nested(&self, target: &Target, bytes: &dyn Bytes) -> Result<bool> {
        if self.inside.is_some() || target.location == Location::None {
            return Ok(false);
        }
        let Some(scan) = Scan::read(bytes)? else { return Ok(false) };
        let Self { sink, cancelled, .. } = *self;
        let recipe = Encoder { bytes, scan: &scan, sink, inside: Some(&target.place), cancelled }.run(1)?;
        let content = Content { size: recipe.len() as u64, body: Body::Memory(&recipe), deflated: None };
        self.put(&target.place.inside(&Place::recipe()), &content)?;
        Ok(true)
    }

    fn raw(&self, index: usize) -> Result<Outcome> {
        let entry = &self.scan.entries[index];
        let at = entry.local.as_ref().map_or(0, |local| local.data);
        let memory;
        let body = if entry.packed <= LARGE {
            memory = bytes::read(self.bytes, at, usize::try_from(entry.packed).unwrap_or_default())?;
            Body::Memory(&memory)
        } else {
            Body::Stored(self.bytes, at)
        };
        self.put(&Place::raw(index), &Content { size: entry.packed, body, deflated: None })?;
        let crc = entry.fields.crc;
        Ok(Outcome {
            kind: Kind::Raw,
            location: Location::Tree,
            settings: None,
            nested: false,
            crc,
            size: entry.size,
        })
    }

    fn or_cancelled(&self, error: io::Error) -> Error {
        self.not_cancelled().err().unwrap_or(Error::Io(error))
    }
}

/// Whether an entry is a folder, and needs no place.
fn empty(entry: &Entry) -> bool {
    entry.size == 0 && entry.name.ends_with(b"/")
}

struct Target {
    location: Location,
    place: Place,
}

impl Target {
    fn outcome(&self, settings: Option<Settings>, nested: bool, crc: u32, size: u64) -> Outcome {
        let kind = if settings.is_some() { Kind::Deflated } else { Kind::Stored };
        Outcome { kind, location: self.location, settings, nested, crc, size }
    }
}

/// Reads, and reckons the CRC of what was read.
struct Checked<'a, R> {
    inner: R,
    crc: Crc,
    encoder: &'a Encoder<'a>,
}

impl<R: Read> Read for Checked<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if (self.encoder.cancelled)() {
            return Err(io::Error::other("cancelled"));
        }
        let count = self.inner.read(buffer)?;
        self.crc.update(&buffer[..count]);
        Ok(count)
    }
}
