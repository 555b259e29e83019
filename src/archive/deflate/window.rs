//! The window: 64 KiB of input, of which the later half slides down, and the chains of equal hashes in it.

use std::io::{self, Read};

use super::hash::StringHash;
use super::level::Level;

/// Half of the window, the farthest that deflate looks back.
const HALF: usize = 1 << 15;
const SIZE: usize = 2 * HALF;
/// Chains at most: as many as the longest hash has values.
const HEADS: usize = 1 << 16;
pub(super) const MAX_MATCH: usize = 258;
pub(super) const MIN_MATCH: usize = 3;
/// Less input ahead than this asks for more.
const AHEAD: usize = MAX_MATCH + MIN_MATCH + 1;
/// How far back a match may begin.
const FARTHEST: usize = HALF - AHEAD;
/// Room after the window for reading whole words; never written.
const ROOM: usize = 1024;

/// Input and chains. What is left in it after the end of input is part of what Node's hash reads, so nothing is cleared before
/// the next input.
pub(super) struct Window {
    bytes: Box<[u8; SIZE + ROOM]>,
    /// How many of the bytes have been written.
    used: usize,
    head: Box<[u16; HEADS]>,
    /// How many of the chains the present hash has.
    heads: usize,
    before: Box<[u16; HALF]>,
    pub(super) at: usize,
    pub(super) ahead: usize,
    /// Where the present block began; below 0 when that has slid out.
    pub(super) block: isize,
    /// Where the last match began, wrapping below 0.
    pub(super) found: usize,
    ended: bool,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            bytes: zeros(),
            used: 0,
            head: zeros(),
            heads: 0,
            before: zeros(),
            at: 0,
            ahead: 0,
            block: 0,
            found: 0,
            ended: false,
        }
    }
}

impl Window {
    /// Makes it what a new one is, for a hash of so many bits; what still is so is not touched.
    pub(super) fn clear(&mut self, bits: u32) {
        self.bytes[..self.used].fill(0);
        self.head[..self.heads].fill(0);
        self.heads = 1 << bits;
        self.before[..self.used.min(HALF)].fill(0);
        (self.used, self.at, self.ahead, self.block, self.found) = (0, 0, 0, 0, 0);
        self.ended = false;
    }

    /// Reads when little is ahead; returns whether anything is.
    #[inline]
    pub(super) fn fill(&mut self, input: &mut dyn Read) -> io::Result<bool> {
        if self.ahead < AHEAD {
            self.refill(input)?;
        }
        Ok(self.ahead > 0)
    }

    fn refill(&mut self, input: &mut dyn Read) -> io::Result<()> {
        loop {
            let mut room = SIZE - self.ahead - self.at;
            if self.at >= HALF + FARTHEST {
                self.bytes.copy_within(HALF..SIZE - room, 0);
                self.found = self.found.wrapping_sub(HALF);
                self.at -= HALF;
                self.block -= HALF.cast_signed();
                slide(&mut self.head[..self.heads]);
                slide(&mut self.before[..]);
                room += HALF;
            }
            if self.ended {
                return Ok(());
            }
            let start = self.at + self.ahead;
            let mut read = 0;
            while read < room {
                match input.read(&mut self.bytes[start + read..start + room]) {
                    Ok(0) => {
                        self.ended = true;
                        break;
                    }
                    Ok(count) => read += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            self.ahead += read;
            self.used = self.used.max(start + read);
            if self.ahead >= AHEAD || self.ended {
                return Ok(());
            }
        }
    }

    #[inline]
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.bytes[at]
    }

    /// The bytes of the present block, if the window has them all.
    pub(super) fn plain(&self) -> Option<&[u8]> {
        usize::try_from(self.block).ok().map(|block| &self.bytes[block..self.at])
    }

    pub(super) fn block_size(&self) -> usize {
        self.at.wrapping_sub(self.block.cast_unsigned())
    }

    /// Puts the string at a position into its chain; returns the one before it, 0 if there is none.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "positions are below 1 << 16")]
    pub(super) fn insert(&mut self, hash: &impl StringHash, at: usize) -> usize {
        let next = u32::from_le_bytes(load(&self.bytes, at, 0));
        let head = &mut self.head[hash.hash(next) as usize % HEADS];
        let before = *head;
        self.before[at % HALF] = before;
        *head = at as u16;
        usize::from(before)
    }

    /// Whether a string is near enough to be matched.
    #[inline]
    pub(super) fn near(&self, candidate: usize) -> bool {
        candidate != 0 && self.at - candidate <= FARTHEST
    }

    /// The longest match of a chain, as zlib finds it: not the longest there is, but the first good enough. Returns its
    /// length, `best` if none is longer; where it begins is in `found`.
    #[inline]
    pub(super) fn longest(&mut self, level: Level, mut candidate: usize, mut best: usize) -> usize {
        let mut chain = level.chain;
        if best >= level.good {
            chain >>= 2;
        }
        let nice = level.nice.min(self.ahead);
        let limit = self.at.saturating_sub(FARTHEST);
        let bytes = &*self.bytes;
        // What is longer than the best has its last bytes too; those are looked at first.
        let mut tail = Tail::new(bytes, self.at, best);
        loop {
            if tail.fits(bytes, candidate) {
                let length = common(bytes, self.at, candidate);
                if length > best {
                    self.found = candidate;
                    best = length;
                    if length >= nice {
                        break;
                    }
                    tail = Tail::new(bytes, self.at, best);
                }
            }
            candidate = usize::from(self.before[candidate % HALF]);
            chain -= 1;
            if candidate <= limit || chain == 0 {
                break;
            }
        }
        best.min(self.ahead)
    }
}

#[allow(clippy::unnecessary_box_returns, reason = "it is too large for the stack")]
/// An array of zeros that was never on the stack.
fn zeros<T: Clone + Default, const N: usize>() -> Box<[T; N]> {
    vec![T::default(); N].into_boxed_slice().try_into().unwrap_or_else(|_| unreachable!("it has N elements"))
}

/// Bytes of the window from a position on, which masks keep inside it: no check is left in the loop.
#[inline]
fn load<const N: usize>(bytes: &[u8; SIZE + ROOM], at: usize, offset: usize) -> [u8; N] {
    let at = (at & (SIZE - 1)) + (offset & 0x1ff);
    bytes[at..].first_chunk().copied().unwrap_or([0; N])
}

/// The last bytes that a match must have to be longer than the best.
struct Tail {
    offset: usize,
    mask: u32,
    bytes: u32,
}

impl Tail {
    #[inline]
    fn new(bytes: &[u8; SIZE + ROOM], at: usize, best: usize) -> Self {
        let (offset, mask) = if best >= MIN_MATCH { (best - MIN_MATCH, u32::MAX) } else { (0, 0x00ff_ffff) };
        Self { offset, mask, bytes: u32::from_le_bytes(load(bytes, at, offset)) & mask }
    }

    #[inline]
    fn fits(&self, bytes: &[u8; SIZE + ROOM], candidate: usize) -> bool {
        u32::from_le_bytes(load(bytes, candidate, self.offset)) & self.mask == self.bytes
    }
}

/// How many bytes two strings have in common, up to [`MAX_MATCH`].
#[inline]
fn common(bytes: &[u8; SIZE + ROOM], one: usize, other: usize) -> usize {
    let word = |at, offset| u64::from_le_bytes(load(bytes, at, offset));
    let mut at = 0;
    while at < MAX_MATCH {
        let different = word(one, at) ^ word(other, at);
        if different != 0 {
            return MAX_MATCH.min(at + different.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    MAX_MATCH
}

/// Positions after the window slid; those that slid out become 0, which is none.
#[allow(clippy::cast_possible_truncation, reason = "half of the window fits")]
fn slide(positions: &mut [u16]) {
    for position in positions {
        *position = position.saturating_sub(HALF as u16);
    }
}
