//! The recipe: what of a zip is neither an entry's content nor foreseeable from it.

use std::collections::HashMap;

use super::columns::{Reader, Writer};
use super::deflate::Settings;
use super::error::{Error, Result};
use super::place::Place;
use super::scan::{DESCRIBED, Descriptor, Fields, MAX_ENTRIES, MAX_REST};

/// What a recipe begins with; the last byte is the version.
const MAGIC: &[u8; 5] = b"slzr\x01";
/// Kinds of settings in one zip.
const MAX_SETTINGS: usize = 64;
const MAX_NAMES: usize = 64 << 20;

/// How an entry's data come from its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It has no data: its bytes are in a gap.
    Absent = 0,
    /// The content is the data, whatever the method.
    Raw = 1,
    /// The same, and the entry is stored.
    Stored = 2,
    Deflated = 3,
}

/// Where an entry's content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// Under its name.
    Tree = 0,
    /// Under its number.
    Unnameable = 1,
    None = 2,
}

/// What is known of an entry once its data are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) start: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) settings: u32,
    pub(super) location: Location,
    pub(super) nested: bool,
    /// Of a large content, CRC and packed size; of a raw one, CRC and size.
    pub(super) known: Option<(u32, u32)>,
    pub(super) made: u32,
    pub(super) fields: Fields,
    pub(super) internal: u32,
    pub(super) external: u32,
    pub(super) disk: u32,
    /// How the local header's CRC and sizes are foreseen.
    pub(super) shape: u32,
    pub(super) descriptor: Descriptor,
    /// In the directory, what is not as foreseen: CRC, packed size, size, offset.
    pub(super) central: [Option<u32>; 4],
    /// In the local header: version, flags, method, time, CRC, packed size, size.
    pub(super) local: [Option<u32>; 7],
    pub(super) local_name: Option<Vec<u8>>,
    pub(super) name: Vec<u8>,
    pub(super) extra: u32,
    pub(super) local_extra: u32,
    pub(super) comment: u32,
}

impl Item {
    /// The directory's CRC, sizes and offset, as foreseen.
    pub(super) fn foreseen(facts: &Facts, base: u64) -> [u32; 4] {
        let offset = facts.start.checked_sub(base).map_or(0, short);
        [facts.crc, short(facts.packed), short(facts.size), offset]
    }

    /// The local header's fields, as a shape foresees them.
    pub(super) fn foreseen_local(&self, shape: u32, facts: &Facts) -> [u32; 7] {
        let Fields { needed, flags, method, stamp, .. } = self.fields;
        let [crc, packed, size] = match shape {
            0 if flags & DESCRIBED != 0 => [0, 0, 0],
            2 => [0, u32::MAX, u32::MAX],
            3 => [facts.crc, u32::MAX, u32::MAX],
            _ => [facts.crc, short(facts.packed), short(facts.size)],
        };
        [needed.into(), flags.into(), method.into(), stamp, crc, packed, size]
    }

    /// Where the content is, of the entry of this number. None: it has none.
    pub(super) fn place(&self, number: usize) -> Result<Option<Place>> {
        Ok(match (self.kind, self.location) {
            (Kind::Absent, _) | (_, Location::None) => None,
            (Kind::Raw, _) => Some(Place::raw(number)),
            (_, Location::Unnameable) => Some(Place::unnameable(number)),
            (_, Location::Tree) => {
                Some(Place::tree(&self.name).ok_or(Error::Recipe("a name is not a path"))?)
            }
        })
    }
}

pub(super) fn exceptions<const N: usize>(foreseen: [u32; N], real: [u32; N]) -> [Option<u32>; N] {
    let mut differ = [None; N];
    for ((differ, foreseen), real) in differ.iter_mut().zip(foreseen).zip(real) {
        *differ = (foreseen != real).then_some(real);
    }
    differ
}

/// What was foreseen, but for the exceptions.
pub(super) fn corrected<const N: usize>(mut foreseen: [u32; N], exceptions: &[Option<u32>; N]) -> [u32; N] {
    for (value, exception) in foreseen.iter_mut().zip(exceptions) {
        *value = exception.unwrap_or(*value);
    }
    foreseen
}

/// A size or offset in 32 bits, or all ones for what has a zip64 field.
fn short(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Recipe {
    pub(super) settings: Vec<Settings>,
    pub(super) items: Vec<Item>,
    /// Numbers of the entries in the order of their bytes.
    pub(super) order: Vec<u32>,
    /// Extra fields and comments; the first is empty.
    pub(super) strings: Vec<Vec<u8>>,
    /// How many bytes stand before each entry in that order, and before the directory.
    pub(super) gaps: Vec<u32>,
    /// Those bytes.
    pub(super) between: Vec<u8>,
    /// What offsets are less than the truth by.
    pub(super) base: u64,
    /// Whether an end record as foreseen, less the length of its comment, follows the directory.
    pub(super) end: bool,
    pub(super) tail: Vec<u8>,
}

impl Recipe {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut to = Writer { bytes: MAGIC.to_vec() };
        to.number(self.items.len() as u64);
        to.number(self.settings.len() as u64);
        for settings in &self.settings {
            to.bytes.extend(settings.to_bytes());
        }
        let mut column = |value: &dyn Fn(&Item) -> u32| to.column(self.items.iter().map(value));
        column(&|item| item.kind as u32);
        column(&|item| item.settings);
        column(&|item| item.location as u32);
        column(&|item| item.nested.into());
        column(&|item| item.known.is_some().into());
        column(&|item| item.made);
        column(&|item| item.fields.needed.into());
        column(&|item| item.fields.flags.into());
        column(&|item| item.fields.method.into());
        column(&|item| item.fields.stamp);
        column(&|item| item.internal);
        column(&|item| item.external);
        column(&|item| item.disk);
        column(&|item| item.shape);
        column(&|item| item.descriptor as u32);
        column(&|item| mask(&item.central));
        column(&|item| mask(&item.local) | u32::from(item.local_name.is_some()) << 7);
        column(&|item| item.extra);
        column(&|item| item.local_extra);
        column(&|item| item.comment);
        to.column(self.order.iter().copied());
        to.column(self.gaps.iter().copied());
        let mut before: &[u8] = &[];
        for item in &self.items {
            let same = item.name.iter().zip(before).take_while(|(one, other)| one == other).count();
            to.number(same as u64);
            to.string(&item.name[same..]);
            before = &item.name;
        }
        to.number(self.strings.len() as u64 - 1);
        for string in &self.strings[1..] {
            to.string(string);
        }
        for item in &self.items {
            let known = item.known.map(|(crc, size)| [Some(crc), Some(size)]);
            let values = known.as_ref().map_or(&[][..], |known| &known[..]).iter();
            for value in values.chain(&item.central).chain(&item.local).flatten() {
                to.number(u64::from(*value));
            }
            if let Some(name) = &item.local_name {
                to.string(name);
            }
        }
        to.number(self.base);
        to.string(&self.between);
        to.number(self.end.into());
        to.string(&self.tail);
        to.bytes
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let mut from = Reader::new(bytes);
        match from.take(MAGIC.len())? {
            magic if magic == MAGIC => {}
            magic if magic.starts_with(&MAGIC[..4]) => {
                return Err(Error::Recipe("it was written by a newer version"));
            }
            _ => return Err(Error::Recipe("it is not a recipe")),
        }
        let count = from.count(MAX_ENTRIES)?;
        let settings = settings(&mut from)?;
        let [kind, setting, location, nested, known] = columns(&mut from, count)?;
        let [made, needed, flags, method, stamp] = columns(&mut from, count)?;
        let [internal, external, disk, shape, descriptor] = columns(&mut from, count)?;
        let [central, local, extra, local_extra, comment] = columns(&mut from, count)?;
        let order = from.column(count)?;
        let gaps = from.column(count + 1)?;
        let names = names(&mut from, count)?;
        let mut strings = vec![Vec::new()];
        for _ in 0..from.count(3 * count)? {
            strings.push(from.string()?.to_vec());
        }
        let string = |index: u32| {
            let known = (index as usize) < strings.len();
            if known { Ok(index) } else { Err(Error::Recipe("a string is missing")) }
        };
        let mut items = Vec::with_capacity(count);
        for (at, name) in names.into_iter().enumerate() {
            let kind = kind_of(kind[at])?;
            if kind == Kind::Deflated && setting[at] as usize >= settings.len() {
                return Err(Error::Recipe("settings are missing"));
            }
            let known = flag(known[at])?.then(|| Ok::<_, Error>((from.word()?, from.word()?))).transpose()?;
            if local[at] > 0xff
                || central[at] > 0xf
                || shape[at] > 3
                || (kind == Kind::Raw && known.is_none())
            {
                return Err(Error::Recipe("an entry is invalid"));
            }
            items.push(Item {
                kind,
                settings: setting[at],
                location: location_of(location[at])?,
                nested: flag(nested[at])?,
                known,
                made: half(made[at])?.into(),
                fields: Fields {
                    needed: half(needed[at])?,
                    flags: half(flags[at])?,
                    method: half(method[at])?,
                    stamp: stamp[at],
                    ..Fields::default()
                },
                internal: half(internal[at])?.into(),
                external: external[at],
                disk: half(disk[at])?.into(),
                shape: shape[at],
                descriptor: Descriptor::from_number(descriptor[at])
                    .ok_or(Error::Recipe("a descriptor is unknown"))?,
                central: masked(&mut from, central[at])?,
                local: masked(&mut from, local[at])?,
                local_name: (local[at] & 0x80 != 0)
                    .then(|| Ok::<_, Error>(from.string()?.to_vec()))
                    .transpose()?,
                name,
                extra: string(extra[at])?,
                local_extra: string(local_extra[at])?,
                comment: string(comment[at])?,
            });
        }
        let base = from.number()?;
        let between = from.string()?.to_vec();
        let end = flag(from.word()?)?;
        let tail = from.string()?.to_vec();
        from.end()?;
        let recipe = Self { settings, items, order, strings, gaps, between, base, end, tail };
        recipe.check()?;
        Ok(recipe)
    }

    fn check(&self) -> Result<()> {
        let mut seen = vec![false; self.items.len()];
        for &index in &self.order {
            match seen.get_mut(index as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(Error::Recipe("an entry comes twice")),
            }
        }
        let gaps: u64 = self.gaps.iter().map(|gap| u64::from(*gap)).sum();
        if gaps != self.between.len() as u64 || gaps > MAX_REST {
            return Err(Error::Recipe("the gaps don't match the stored bytes"));
        }
        let mut places = std::collections::HashSet::new();
        for (number, item) in self.items.iter().enumerate() {
            if let Some(place) = item.place(number)?
                && !places.insert(place)
            {
                return Err(Error::Recipe("two entries share an offset"));
            }
        }
        Ok(())
    }
}

/// Strings by number, each once.
#[derive(Default)]
pub(super) struct Strings {
    numbers: HashMap<Vec<u8>, u32>,
    pub(super) all: Vec<Vec<u8>>,
}

impl Strings {
    pub(super) fn new() -> Self {
        let mut strings = Self::default();
        strings.number(&[]);
        strings
    }

    pub(super) fn number(&mut self, string: &[u8]) -> u32 {
        if let Some(number) = self.numbers.get(string) {
            return *number;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.numbers.insert(string.to_vec(), number);
        self.all.push(string.to_vec());
        number
    }
}

fn mask<const N: usize>(exceptions: &[Option<u32>; N]) -> u32 {
    exceptions.iter().enumerate().map(|(bit, exception)| u32::from(exception.is_some()) << bit).sum()
}

fn masked<const N: usize>(from: &mut Reader<'_>, mask: u32) -> Result<[Option<u32>; N]> {
    let mut exceptions = [None; N];
    for (bit, exception) in exceptions.iter_mut().enumerate() {
        if mask >> bit & 1 != 0 {
            *exception = Some(from.word()?);
        }
    }
    Ok(exceptions)
}

fn columns<const N: usize>(from: &mut Reader<'_>, count: usize) -> Result<[Vec<u32>; N]> {
    let mut columns = [const { Vec::new() }; N];
    for column in &mut columns {
        *column = from.column(count)?;
    }
    Ok(columns)
}

fn settings(from: &mut Reader<'_>) -> Result<Vec<Settings>> {
    let mut settings = Vec::new();
    for _ in 0..from.count(MAX_SETTINGS)? {
        let bytes = *from.take(2)?.first_chunk().ok_or(Error::Recipe("it is truncated"))?;
        settings.push(Settings::from_bytes(bytes).ok_or(Error::Recipe("it was written by a newer version"))?);
    }
    Ok(settings)
}

fn names(from: &mut Reader<'_>, count: usize) -> Result<Vec<Vec<u8>>> {
    let (mut names, mut sum): (Vec<Vec<u8>>, _) = (Vec::with_capacity(count), 0);
    for _ in 0..count {
        let before = names.last().map_or(&[][..], |name| &name[..]);
        let same = from.count(before.len())?;
        let mut name = before[..same].to_vec();
        name.extend_from_slice(from.string()?);
        sum += name.len();
        if name.len() > 65_535 || sum > MAX_NAMES {
            return Err(Error::Recipe("the names are too long"));
        }
        names.push(name);
    }
    Ok(names)
}

fn kind_of(number: u32) -> Result<Kind> {
    let kinds = [Kind::Absent, Kind::Raw, Kind::Stored, Kind::Deflated];
    kinds.get(number as usize).copied().ok_or(Error::Recipe("a kind is unknown"))
}

fn location_of(number: u32) -> Result<Location> {
    let locations = [Location::Tree, Location::Unnameable, Location::None];
    locations.get(number as usize).copied().ok_or(Error::Recipe("a place is unknown"))
}

fn flag(number: u32) -> Result<bool> {
    if number < 2 { Ok(number == 1) } else { Err(Error::Recipe("a flag is neither 0 nor 1")) }
}

fn half(number: u32) -> Result<u16> {
    u16::try_from(number).map_err(|_| Error::Recipe("a field is too large"))
}
