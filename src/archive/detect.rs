//! Which deflate settings made a zip: a few of its entries show. Settings are always tried in the same order.

use std::io::{self, Read};

use super::bytes::Bytes;
use super::compare::Compare;
use super::content::{Deflated, inflate};
use super::deflate::{Settings, deflate};
use super::error::Result;
use super::scan::Entry;

/// After so many entries in a row that no settings make again, another program made the zip.
pub(super) const MAX_FAILURES: usize = 2;
/// Bytes of an entry that are looked at, and when they tell nothing.
const PREFIXES: [u64; 2] = [1 << 20, 10 << 20];

/// The settings that make a few entries again, the likeliest first; empty when none do.
pub(super) fn likely(
    archive: &dyn Bytes,
    entries: &[Entry],
    not_cancelled: &dyn Fn() -> Result<()>,
) -> Result<Vec<Settings>> {
    let mut candidates = Settings::all();
    let mut found = false;
    for entry in samples(entries) {
        not_cancelled()?;
        let mut left = Vec::new();
        for limit in PREFIXES {
            let Some(prefix) = Prefix::read(archive, entry, limit) else { break };
            let mut told = false;
            left.clear();
            for settings in &candidates {
                not_cancelled()?;
                let (gives, compared) = prefix.given_by(*settings, not_cancelled);
                left.extend(gives.then_some(*settings));
                told |= compared;
            }
            // A block of zeros is megabytes long, and tells nothing before it is whole.
            if told {
                break;
            }
        }
        if !left.is_empty() {
            (candidates, found) = (left, true);
        }
        if found && candidates.len() == 1 {
            break;
        }
    }
    Ok(if found { candidates } else { Vec::new() })
}

/// Some entries, smaller ones first: they rule most settings out at little cost. The largest tells the others apart, since
/// small streams may be the same with several.
fn samples(entries: &[Entry]) -> Vec<&Entry> {
    let mut all: Vec<&Entry> = entries.iter().filter(|entry| entry.is_deflated() && entry.size > 0).collect();
    all.sort_by_key(|entry| std::cmp::Reverse(entry.size));
    let mut places = vec![all.len() / 2, all.len() / 4, all.len() / 16, 0];
    places.dedup();
    places.into_iter().filter_map(|place| all.get(place).copied()).collect()
}

struct Prefix<'a> {
    stream: Deflated<'a>,
    /// The plain bytes, if they are few.
    plain: Vec<u8>,
    size: u64,
    whole: bool,
}

impl<'a> Prefix<'a> {
    /// None: it does not inflate.
    fn read(archive: &'a dyn Bytes, entry: &Entry, limit: u64) -> Option<Self> {
        let stream = entry.stream(archive, None);
        let size = entry.size.min(limit);
        let mut plain = Vec::new();
        if limit == PREFIXES[0] {
            inflate(&stream).take(size).read_to_end(&mut plain).ok()?;
            if plain.len() as u64 != size {
                return None;
            }
        }
        Some(Self { stream, plain, size, whole: entry.size == size })
    }

    /// Whether these settings give the stream again, as far as the prefix tells, and whether it tells anything.
    fn given_by(&self, settings: Settings, not_cancelled: &dyn Fn() -> Result<()>) -> (bool, bool) {
        let mut compare = Compare::new(Box::new(io::BufReader::new(self.stream.reader())));
        let plain: Box<dyn Read + '_> = match &self.plain[..] {
            [] => Box::new(inflate(&self.stream).take(self.size)),
            plain => Box::new(plain),
        };
        let mut input: Box<dyn Read + '_> = if self.whole { plain } else { Box::new(plain.chain(Cut)) };
        let mut input = Asking { inner: &mut *input, not_cancelled };
        let done = deflate(settings, &mut input, &mut compare);
        (!compare.differs && (done.is_ok() || !self.whole), compare.differs || compare.any)
    }
}

/// Asks before each read whether to go on: an entry may be a bomb.
struct Asking<'a> {
    inner: &'a mut dyn Read,
    not_cancelled: &'a dyn Fn() -> Result<()>,
}

impl Read for Asking<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (self.not_cancelled)().map_err(io::Error::other)?;
        self.inner.read(buffer)
    }
}

/// Where the prefix ends, so that no end of the stream is written.
struct Cut;

impl Read for Cut {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("cut"))
    }
}
