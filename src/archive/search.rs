//! Whose deflate made a zip: a few of its entries tell, and the order in which settings are tried is always the same.

use std::io::{self, Read};

use super::content::inflate;
use super::deflate::{Settings, deflate};
use super::encode::{Compare, Encoder, deflated};
use super::error::Result;
use super::scan::Entry;

/// After so many entries in a row that nothing gives again, the zip is somebody else's.
pub(super) const ENOUGH: usize = 2;
/// Bytes of an entry that are looked at.
const PREFIX: usize = 1 << 20;

/// The settings that give a few entries again, the likeliest first. None: no entry was given again.
pub(super) fn likely(encoder: &Encoder<'_>) -> Result<Vec<Settings>> {
    let mut candidates = Settings::all();
    let mut found = false;
    for entry in samples(&encoder.scan.entries) {
        encoder.not_cancelled()?;
        let mut left = Vec::new();
        let Some(plain) = prefix(encoder, entry) else { continue };
        for settings in &candidates {
            if gives(encoder, entry, &plain, *settings) {
                left.push(*settings);
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

/// The largest entry, which tells settings apart best, and some that are smaller: other programs' small streams may be the
/// same.
fn samples(entries: &[Entry]) -> Vec<&Entry> {
    let mut all: Vec<&Entry> = entries.iter().filter(|entry| deflated(entry) && entry.size > 0).collect();
    all.sort_by_key(|entry| std::cmp::Reverse(entry.size));
    let mut places = vec![0, all.len() / 16, all.len() / 4, all.len() / 2];
    places.dedup();
    places.into_iter().filter_map(|place| all.get(place).copied()).collect()
}

fn prefix(encoder: &Encoder<'_>, entry: &Entry) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let limit = entry.size.min(PREFIX as u64);
    inflate(&encoder.stream(entry, None)).take(limit).read_to_end(&mut plain).ok()?;
    (plain.len() as u64 == limit).then_some(plain)
}

/// Whether these settings give the stream again, as far as the prefix tells.
fn gives(encoder: &Encoder<'_>, entry: &Entry, plain: &[u8], settings: Settings) -> bool {
    let expected = io::BufReader::new(encoder.stream(entry, None).reader());
    let mut compare = Compare::new(Box::new(expected));
    let whole = plain.len() as u64 == entry.size;
    let mut input: Box<dyn Read + '_> = if whole { Box::new(plain) } else { Box::new(plain.chain(Cut)) };
    let done = deflate(settings, &mut input, &mut compare);
    !compare.differs && (done.is_ok() || !whole)
}

/// Where the prefix ends, so that no end of the stream is written.
struct Cut;

impl Read for Cut {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("cut"))
    }
}
