//! How a recipe writes numbers and bytes: columns, so that like stands beside like and two releases' recipes differ little.

use super::error::{Error, Result};

#[derive(Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
}

impl Writer {
    /// A number: seven bits a byte, lowest first, the eighth says that more follow (LEB128).
    #[allow(clippy::cast_possible_truncation, reason = "seven bits are what is wanted")]
    pub(super) fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    pub(super) fn string(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    /// A column: runs of equal differences from the value before (first: from 0), each as count and difference, the
    /// difference's sign in its lowest bit.
    pub(super) fn column(&mut self, values: impl Iterator<Item = u32>) {
        let (mut run, mut before) = (None::<(u64, u32)>, 0u32);
        for value in values {
            let difference = zigzag(value.wrapping_sub(before));
            before = value;
            match &mut run {
                Some((count, same)) if *same == difference => *count += 1,
                run => {
                    if let Some((count, difference)) = run.replace((1, difference)) {
                        self.run(count, difference);
                    }
                }
            }
        }
        if let Some((count, difference)) = run {
            self.run(count, difference);
        }
    }

    fn run(&mut self, count: u64, difference: u32) {
        self.number(count);
        self.number(u64::from(difference));
    }
}

fn zigzag(difference: u32) -> u32 {
    (difference << 1) ^ (difference.cast_signed() >> 31).cast_unsigned()
}

/// Reads a recipe. Allocates no more than its bytes can fill, and a count of entries that is bounded.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Error::Recipe("it is truncated"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// A number in the only way in which it may be written.
    pub(super) fn number(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..63).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                if byte == 0 && shift > 0 {
                    return Err(Error::Recipe("a number is longer than it must be"));
                }
                return Ok(value);
            }
        }
        Err(Error::Recipe("a number is too large"))
    }

    pub(super) fn word(&mut self) -> Result<u32> {
        u32::try_from(self.number()?).map_err(|_| Error::Recipe("a number is too large"))
    }

    pub(super) fn count(&mut self, most: usize) -> Result<usize> {
        let count = usize::try_from(self.number()?).ok().filter(|count| *count <= most);
        count.ok_or(Error::Recipe("a count is too large"))
    }

    pub(super) fn string(&mut self) -> Result<&'a [u8]> {
        let size = self.count(self.rest.len())?;
        self.take(size)
    }

    pub(super) fn column(&mut self, count: usize) -> Result<Vec<u32>> {
        let (mut values, mut before) = (Vec::with_capacity(count), 0u32);
        while values.len() < count {
            let run = self.count(count - values.len())?;
            let difference = self.word()?;
            let difference = (difference >> 1) ^ (difference & 1).wrapping_neg();
            if run == 0 {
                return Err(Error::Recipe("a run is empty"));
            }
            for _ in 0..run {
                before = before.wrapping_add(difference);
                values.push(before);
            }
        }
        Ok(values)
    }

    pub(super) fn end(&self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(Error::Recipe("something follows it")) }
    }
}
