//! The recipe of a zip whose entries are dealt with: what they don't foresee.

use super::LARGE;
use super::bytes::{self, Bytes};
use super::deflate::Settings;
use super::error::Result;
use super::recipe::{Facts, Item, Kind, Location, Recipe, Strings, exceptions};
use super::scan::{Fields, Local, Scan};

#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) kind: Kind,
    pub(super) location: Location,
    pub(super) settings: Option<Settings>,
    pub(super) nested: bool,
    pub(super) crc: u32,
    pub(super) size: u64,
}

pub(super) fn recipe(archive: &dyn Bytes, scan: &Scan, outcomes: &[Outcome]) -> Result<Recipe> {
    let mut strings = Strings::new();
    let mut settings: Vec<Settings> = Vec::new();
    for used in outcomes.iter().filter_map(|outcome| outcome.settings) {
        if !settings.contains(&used) {
            settings.push(used);
        }
    }
    let items =
        (0..outcomes.len()).map(|at| item(scan, at, &outcomes[at], &settings, &mut strings)).collect();
    let order = scan.order();
    let mut gaps = Vec::with_capacity(order.len() + 1);
    let (mut between, mut at) = (Vec::new(), 0);
    let starts =
        order.iter().map(|index| scan.entries[*index].local.as_ref().map(|local| (local.start, local.end)));
    for bounds in starts.chain([Some((scan.directory, scan.directory_end))]) {
        let (start, end) = bounds.unwrap_or((at, at));
        between.extend(bytes::read(archive, at, usize::try_from(start - at).unwrap_or_default())?);
        gaps.push(u32::try_from(start - at).unwrap_or_default());
        at = end;
    }
    let mut tail = bytes::read(archive, at, usize::try_from(scan.size - at).unwrap_or_default())?;
    let size = scan.directory_end - scan.directory;
    let foreseen = end_record(scan.entries.len(), size, scan.directory - scan.base);
    let end = tail.starts_with(&foreseen);
    if end {
        tail.drain(..foreseen.len());
    }
    let order = order.into_iter().map(|index| u32::try_from(index).unwrap_or_default()).collect();
    Ok(Recipe { settings, items, order, strings: strings.all, gaps, between, base: scan.base, end, tail })
}

/// The end record but for the length of its comment, if it needs no zip64.
pub(super) fn end_record(count: usize, size: u64, offset: u64) -> Vec<u8> {
    let count = u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes();
    let [size, offset] = [size, offset].map(|value| u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes());
    [&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &size, &offset].concat()
}

fn item(scan: &Scan, at: usize, outcome: &Outcome, settings: &[Settings], strings: &mut Strings) -> Item {
    let entry = &scan.entries[at];
    let absent = Local::default();
    let local = entry.local.as_ref().unwrap_or(&absent);
    let packed = if entry.local.is_some() { entry.packed } else { 0 };
    let facts = Facts { crc: outcome.crc, packed, size: outcome.size, start: local.start };
    let known = match outcome.kind {
        Kind::Raw => Some((outcome.crc, u32::try_from(outcome.size).unwrap_or(u32::MAX))),
        Kind::Stored | Kind::Deflated if outcome.size > LARGE => {
            Some((outcome.crc, u32::try_from(packed).unwrap_or(u32::MAX)))
        }
        _ => None,
    };
    let index = outcome.settings.and_then(|used| settings.iter().position(|other| *other == used));
    let number = |value: usize| u32::try_from(value).unwrap_or_default();
    let mut item = Item {
        kind: outcome.kind,
        settings: number(index.unwrap_or_default()),
        location: outcome.location,
        nested: outcome.nested,
        known,
        made: entry.made.into(),
        fields: Fields { crc: 0, packed: 0, size: 0, ..entry.fields },
        internal: entry.internal.into(),
        external: entry.external,
        disk: entry.disk.into(),
        shape: 0,
        descriptor: local.descriptor,
        central: [None; 4],
        local: [None; 7],
        local_name: None,
        name: entry.name.clone(),
        extra: strings.number(&entry.extra),
        local_extra: strings.number(&local.extra),
        comment: strings.number(&entry.comment),
    };
    let Fields { crc, packed, size, .. } = entry.fields;
    item.central = exceptions(Item::foreseen(&facts, scan.base), [crc, packed, size, entry.offset]);
    if entry.local.is_some() {
        let Fields { needed, flags, method, stamp, crc, packed, size } = local.fields;
        let real = [needed.into(), flags.into(), method.into(), stamp, crc, packed, size];
        let by_shape = (0..4).map(|shape| (shape, exceptions(item.foreseen_local(shape, &facts), real)));
        let best = by_shape.min_by_key(|(_, exceptions)| exceptions.iter().flatten().count());
        (item.shape, item.local) = best.unwrap_or_default();
        item.local_name = (local.name != entry.name).then(|| local.name.clone());
    }
    item
}
