//! Blocks: symbols are gathered until the buffer is full, then written in the shortest of three ways.

use std::io::{self, Write};
use std::sync::LazyLock;

use super::trees::{
    Code, Cost, DISTANCE_EXTRA, DISTANCE_KIND, DISTANCES, END, FIXED_LENGTHS, LENGTH_EXTRA, LENGTHS,
    LENGTHS_KIND, LENGTHS_ORDER, LITERAL_KIND, LITERALS,
};

/// The length code of each match length less 3.
static LENGTH_CODES: [u8; 256] = {
    let mut codes = [0; 256];
    let (mut code, mut length) = (0, 0);
    while code < 28 {
        let mut step = 0;
        while step < 1 << LENGTH_EXTRA[code as usize] {
            codes[length] = code;
            length += 1;
            step += 1;
        }
        code += 1;
    }
    codes[255] = 28; // 258 has a code of its own, though 27 would reach it
    codes
};

/// The shortest length less 3 of each length code.
static LENGTH_BASES: [u8; 29] = {
    let mut bases = [0; 29];
    let mut code = 1;
    while code < 28 {
        bases[code] = bases[code - 1] + (1 << LENGTH_EXTRA[code - 1]);
        code += 1;
    }
    bases
};

static FIXED: LazyLock<(Code, Code)> = LazyLock::new(|| (Code::fixed(&FIXED_LENGTHS), Code::fixed(&[5; 30])));

/// The code of a distance less 1.
#[inline]
fn distance_code(distance: u32) -> usize {
    if distance < 4 {
        return distance as usize;
    }
    let high = distance.ilog2();
    (2 * high + ((distance >> (high - 1)) & 1)) as usize
}

/// The smallest distance less 1 of each distance code.
#[inline]
fn distance_base(code: usize) -> u32 {
    #[allow(clippy::cast_possible_truncation, reason = "codes are below 30")]
    let code = code as u32;
    if code < 4 { code } else { (2 + (code & 1)) << (code / 2 - 1) }
}

struct Frequencies {
    literals: [u16; LITERALS],
    distances: [u16; DISTANCES],
}

impl Default for Frequencies {
    fn default() -> Self {
        let mut frequencies = Self { literals: [0; LITERALS], distances: [0; DISTANCES] };
        frequencies.literals[END] = 1;
        frequencies
    }
}

#[derive(Default)]
pub(super) struct Blocks {
    /// A literal as itself; a match as its length less 3, and its distance in the upper half.
    symbols: Vec<u32>,
    full: usize,
    frequencies: Frequencies,
    bits: u64,
    count: u32,
    pending: Vec<u8>,
}

impl Blocks {
    /// Makes them ready for an input: zlib flushes one symbol before its buffer of `1 << (memLevel + 6)` is full.
    pub(super) fn clear(&mut self, mem_level: u32) {
        self.full = (1 << (mem_level + 6)) - 1;
        self.symbols.clear();
        self.pending.clear();
        self.frequencies = Frequencies::default();
        (self.bits, self.count) = (0, 0);
    }

    /// Takes in a literal; returns whether the buffer is full.
    #[inline]
    pub(super) fn literal(&mut self, byte: u8) -> bool {
        self.symbols.push(u32::from(byte));
        self.frequencies.literals[usize::from(byte)] += 1;
        self.symbols.len() == self.full
    }

    /// Takes in a match; returns whether the buffer is full.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "distances and lengths are below 1 << 16")]
    pub(super) fn copy(&mut self, distance: usize, length: usize) -> bool {
        let length = (length - 3) as u8;
        self.symbols.push((distance as u32) << 16 | u32::from(length));
        self.frequencies.literals[257 + usize::from(LENGTH_CODES[usize::from(length)])] += 1;
        self.frequencies.distances[distance_code(distance as u32 - 1)] += 1;
        self.symbols.len() == self.full
    }

    /// Writes the block of what was gathered. `plain` are its bytes and their number, the bytes only as far as the window
    /// still has them all.
    pub(super) fn flush(
        &mut self,
        plain: Option<&[u8]>,
        size: usize,
        last: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut cost = Cost::default();
        let literals = Code::build(&LITERAL_KIND, &self.frequencies.literals, &mut cost);
        let distances = Code::build(&DISTANCE_KIND, &self.frequencies.distances, &mut cost);
        let runs = [&literals, &distances].map(|code| runs(&code.lengths[..=code.last]));
        let mut frequencies = [0u16; LENGTHS];
        for run in runs.iter().flatten() {
            frequencies[usize::from(run.code)] += 1;
        }
        let lengths = Code::build(&LENGTHS_KIND, &frequencies, &mut cost);
        let sent = (3..LENGTHS).rev().find(|at| lengths.lengths[LENGTHS_ORDER[*at]] != 0).unwrap_or(2) + 1;
        cost.own += 3 * i64::try_from(sent).unwrap_or_default() + 14;
        let (own, fixed) = ((cost.own + 10) >> 3, (cost.fixed + 10) >> 3);
        let cheapest = own.min(fixed);
        let end = u64::from(last);
        match plain {
            Some(plain) if i64::try_from(size).is_ok_and(|size| size + 4 <= cheapest) => {
                self.stored(plain, last);
            }
            _ if fixed == cheapest => {
                self.send(2 | end, 3);
                self.compressed(&FIXED.0, &FIXED.1);
            }
            _ => {
                self.send(4 | end, 3);
                self.send(literals.last as u64 - 256, 5);
                self.send(distances.last as u64, 5);
                self.send(sent as u64 - 4, 4);
                for at in &LENGTHS_ORDER[..sent] {
                    self.send(u64::from(lengths.lengths[*at]), 3);
                }
                for run in runs.iter().flatten() {
                    let code = usize::from(run.code);
                    self.send(u64::from(lengths.bits[code]), u32::from(lengths.lengths[code]));
                    self.send(u64::from(run.extra), u32::from(run.extra_bits));
                }
                self.compressed(&literals, &distances);
            }
        }
        self.symbols.clear();
        self.frequencies = Frequencies::default();
        if last {
            self.align();
        }
        out.write_all(&self.pending)?;
        self.pending.clear();
        Ok(())
    }

    #[allow(clippy::cast_possible_truncation, reason = "a stored block has at most 65,535 bytes")]
    pub(super) fn stored(&mut self, plain: &[u8], last: bool) {
        self.send(u64::from(last), 3);
        self.align();
        let size = plain.len() as u16;
        self.pending.extend_from_slice(&size.to_le_bytes());
        self.pending.extend_from_slice(&(!size).to_le_bytes());
        self.pending.extend_from_slice(plain);
    }

    /// Hands over what is pending, after [`Blocks::stored`].
    pub(super) fn hand_over(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.pending)?;
        self.pending.clear();
        Ok(())
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half is what is sent")]
    fn send(&mut self, bits: u64, count: u32) {
        self.bits |= bits << self.count;
        self.count += count;
        if self.count >= 32 {
            self.pending.extend_from_slice(&(self.bits as u32).to_le_bytes());
            self.bits >>= 32;
            self.count -= 32;
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "the lowest byte is what is sent")]
    fn align(&mut self) {
        while self.count > 0 {
            self.pending.push(self.bits as u8);
            self.bits >>= 8;
            self.count = self.count.saturating_sub(8);
        }
        self.bits = 0;
    }

    fn compressed(&mut self, literals: &Code, distances: &Code) {
        // Code and extra bits of each length at once.
        let mut lengths = [(0u64, 0u32); 256];
        for (length, entry) in lengths.iter_mut().enumerate() {
            let code = usize::from(LENGTH_CODES[length]);
            let bits = u32::from(literals.lengths[257 + code]);
            let extra = if code == 28 { 0 } else { length as u64 - u64::from(LENGTH_BASES[code]) };
            *entry =
                (u64::from(literals.bits[257 + code]) | extra << bits, bits + u32::from(LENGTH_EXTRA[code]));
        }
        let symbols = std::mem::take(&mut self.symbols);
        for &symbol in &symbols {
            let (distance, low) = (symbol >> 16, (symbol & 0xff) as usize);
            if distance == 0 {
                self.send(u64::from(literals.bits[low]), u32::from(literals.lengths[low]));
            } else {
                let (bits, count) = lengths[low];
                self.send(bits, count);
                let code = distance_code(distance - 1);
                let length = u32::from(distances.lengths[code]);
                let extra = u64::from(distance - 1 - distance_base(code));
                let bits = u64::from(distances.bits[code]) | extra << length;
                self.send(bits, length + u32::from(DISTANCE_EXTRA[code]));
            }
        }
        self.symbols = symbols;
        self.send(u64::from(literals.bits[END]), u32::from(literals.lengths[END]));
    }
}

/// A code length or a repetition, as sent.
struct Run {
    code: u8,
    extra: u8,
    extra_bits: u8,
}

/// Code lengths, repetitions shortened as zlib does (`scan_tree`, `send_tree`).
fn runs(lengths: &[u8]) -> Vec<Run> {
    let mut runs = Vec::with_capacity(lengths.len());
    let plain = |code| Run { code, extra: 0, extra_bits: 0 };
    let (mut count, mut before) = (0u8, None);
    let (mut most, mut least) = if lengths[0] == 0 { (138, 3) } else { (7, 4) };
    for (at, &length) in lengths.iter().enumerate() {
        let next = lengths.get(at + 1).copied();
        count += 1;
        if count < most && next == Some(length) {
            continue;
        }
        if count < least {
            runs.extend((0..count).map(|_| plain(length)));
        } else if length != 0 {
            if before != Some(length) {
                runs.push(plain(length));
                count -= 1;
            }
            runs.push(Run { code: 16, extra: count - 3, extra_bits: 2 });
        } else if count <= 10 {
            runs.push(Run { code: 17, extra: count - 3, extra_bits: 3 });
        } else {
            runs.push(Run { code: 18, extra: count - 11, extra_bits: 7 });
        }
        count = 0;
        before = Some(length);
        (most, least) = match next {
            Some(0) => (138, 3),
            Some(next) if next == length => (6, 3),
            _ => (7, 4),
        };
    }
    runs
}
