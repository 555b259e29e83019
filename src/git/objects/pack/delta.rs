//! Deltas between two versions of an object, in the format of git's packs (`gitformat-pack`, "Deltified representation"): copy from the
//! base, or insert.

#![allow(
    clippy::cast_possible_truncation,
    reason = "the format counts in bytes of seven and eight bits; bases have under 4 GiB"
)]

/// The bytes of the base that are looked up at once. Shorter matches save nothing over an insertion.
const BLOCK: usize = 16;
/// Most places in the base with the same hash that are tried.
const TRIES: usize = 32;
/// Most bytes that one copy stands for in every version of git.
const MAX_COPIED: usize = 0x1_0000;
const MAX_INSERTED: usize = 127;
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// The delta from `base` to `target`; `None` once it has more than `limit` bytes.
pub(super) fn difference(base: &[u8], target: &[u8], limit: usize) -> Option<Vec<u8>> {
    let blocks = Blocks::of(base)?;
    let mut out = Writer { bytes: Vec::new(), limit };
    out.size(base.len());
    out.size(target.len());
    let mut place = 0; // the next byte of the target that is looked up
    let mut done = 0; // the target's bytes that the difference makes so far
    let mut hash = Rolling::at(target, 0);
    while let Some(rolling) = hash {
        let found = blocks.longest(base, target, place, rolling.value);
        let Some(found) = found else {
            place += 1;
            hash = rolling.next(target, place);
            continue;
        };
        // What is the same before the match is copied too.
        let back = (target[done..place].iter().rev())
            .zip(base[..found.from].iter().rev())
            .take_while(|(one, other)| one == other)
            .count();
        out.insert(&target[done..place - back])?;
        out.copy(found.from - back, found.length + back)?;
        place += found.length;
        done = place;
        hash = Rolling::at(target, place);
    }
    out.insert(&target[done..])?;
    Some(out.bytes)
}

struct Writer {
    bytes: Vec<u8>,
    limit: usize,
}

impl Writer {
    fn size(&mut self, mut size: usize) {
        while size > 0x7f {
            self.bytes.push((size & 0x7f) as u8 | 0x80);
            size >>= 7;
        }
        self.bytes.push(size as u8);
    }

    fn insert(&mut self, bytes: &[u8]) -> Option<()> {
        for part in bytes.chunks(MAX_INSERTED) {
            self.bytes.push(part.len() as u8);
            self.bytes.extend_from_slice(part);
        }
        (self.bytes.len() <= self.limit).then_some(())
    }

    fn copy(&mut self, mut from: usize, mut length: usize) -> Option<()> {
        while length > 0 {
            let part = length.min(MAX_COPIED);
            let head = self.bytes.len();
            self.bytes.push(0x80);
            // A length of 64 KiB is encoded as zero.
            let numbers = [(from as u64, 4), (if part == MAX_COPIED { 0 } else { part as u64 }, 3)];
            let mut flag = 1;
            for (number, count) in numbers {
                for byte in &number.to_le_bytes()[..count] {
                    if *byte != 0 {
                        self.bytes.push(*byte);
                        self.bytes[head] |= flag;
                    }
                    flag <<= 1;
                }
            }
            from += part;
            length -= part;
        }
        (self.bytes.len() <= self.limit).then_some(())
    }
}

/// The hash of the block at a place of the target, moved on byte by byte.
#[derive(Clone, Copy)]
struct Rolling {
    value: u64,
}

impl Rolling {
    fn at(bytes: &[u8], place: usize) -> Option<Self> {
        let block = bytes.get(place..place + BLOCK)?;
        Some(Self {
            value: block
                .iter()
                .fold(0, |hash: u64, byte| hash.wrapping_mul(FACTOR).wrapping_add(u64::from(*byte) + 1)),
        })
    }

    /// The hash at `place`, one further than this one's.
    fn next(self, bytes: &[u8], place: usize) -> Option<Self> {
        const LEAVING: u64 = power(FACTOR, BLOCK as u32);
        let new = *bytes.get(place + BLOCK - 1)?;
        let old = u64::from(bytes[place - 1]) + 1;
        let value = self.value.wrapping_mul(FACTOR).wrapping_add(u64::from(new) + 1);
        Some(Self { value: value.wrapping_sub(old.wrapping_mul(LEAVING)) })
    }
}

const fn power(factor: u64, exponent: u32) -> u64 {
    let mut product = 1_u64;
    let mut count = 0;
    while count < exponent {
        product = product.wrapping_mul(factor);
        count += 1;
    }
    product
}

struct Match {
    from: usize,
    length: usize,
}

/// The blocks of a base by their hashes.
struct Blocks {
    shift: u32,
    heads: Vec<u32>,
    earlier: Vec<u32>,
}

impl Blocks {
    fn of(base: &[u8]) -> Option<Self> {
        let count = base.len() / BLOCK;
        u32::try_from(base.len()).ok()?;
        let bits = (count.max(16)).ilog2() + 1;
        let mut this =
            Self { shift: 64 - bits, heads: vec![0; 1 << bits], earlier: Vec::with_capacity(count) };
        for number in 0..count {
            let Some(hash) = Rolling::at(base, number * BLOCK) else { break };
            let slot = this.slot(hash.value);
            this.earlier.push(this.heads[slot]);
            this.heads[slot] = number as u32 + 1;
        }
        Some(this)
    }

    fn slot(&self, hash: u64) -> usize {
        (hash.wrapping_mul(FACTOR) >> self.shift) as usize
    }

    fn longest(&self, base: &[u8], target: &[u8], place: usize, hash: u64) -> Option<Match> {
        let mut best: Option<Match> = None;
        let mut next = self.heads[self.slot(hash)];
        for _ in 0..TRIES {
            let Some(number) = next.checked_sub(1) else { break };
            let from = number as usize * BLOCK;
            let length = same(&base[from..], &target[place..]);
            if length >= BLOCK && best.as_ref().is_none_or(|best| length > best.length) {
                best = Some(Match { from, length });
            }
            next = self.earlier[number as usize];
        }
        best
    }
}

fn same(one: &[u8], other: &[u8]) -> usize {
    let words = one.chunks_exact(16).zip(other.chunks_exact(16)).take_while(|(one, other)| one == other);
    let start = words.count() * 16;
    let rest = one[start..].iter().zip(&other[start..]).take_while(|(one, other)| one == other);
    start + rest.count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a difference makes of a base, as git's documentation has it.
    fn apply(base: &[u8], difference: &[u8]) -> Vec<u8> {
        let mut bytes = difference.iter().copied();
        let mut size = || {
            let mut value = 0;
            for shift in (0..).step_by(7) {
                let byte = bytes.next().unwrap();
                value |= usize::from(byte & 0x7f) << shift;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            value
        };
        assert_eq!(size(), base.len());
        let expected = size();
        let mut made = Vec::new();
        while let Some(head) = bytes.next() {
            if head & 0x80 == 0 {
                made.extend(bytes.by_ref().take(usize::from(head)));
                continue;
            }
            let mut number = |from: u32, count: u32| {
                (0..count)
                    .filter(|bit| head >> (from + bit) & 1 == 1)
                    .fold(0, |sum, bit| sum | usize::from(bytes.next().unwrap()) << (8 * bit))
            };
            let (from, length) = (number(0, 4), number(4, 3));
            made.extend_from_slice(&base[from..from + if length == 0 { MAX_COPIED } else { length }]);
        }
        assert_eq!(made.len(), expected);
        made
    }

    proptest! {
        #[test]
        fn a_difference_makes_the_target(
            base in proptest::collection::vec(0_u8..4, 0..600),
            edits in proptest::collection::vec((any::<u16>(), 0_usize..80, proptest::collection::vec(0_u8..4, 0..80)), 0..6),
        ) {
            let mut target = base.clone();
            for (place, removed, added) in edits {
                let start = usize::from(place) % (target.len() + 1);
                let end = (start + removed).min(target.len());
                target.splice(start..end, added);
            }
            let found = difference(&base, &target, usize::MAX).unwrap();
            prop_assert_eq!(apply(&base, &found), target);
        }
    }

    #[test]
    fn long_copies_and_limits() {
        let base: Vec<u8> =
            (0..300_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let mut target = base.clone();
        target.splice(400_000..400_010, *b"changed here");
        let found = difference(&base, &target, 1000).unwrap();
        assert_eq!(apply(&base, &found), target);
        assert!(found.len() < 200, "{}", found.len());
        assert_eq!(difference(&base, &target, 10), None);
        assert_eq!(difference(&[], &target, 1000), None);
        assert_eq!(apply(&[], &difference(&[], b"new", 1000).unwrap()), b"new");
    }
}
