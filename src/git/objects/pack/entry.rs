//! An object's header in a pack, as in git's documentation `gitformat-pack`: kind, size, and the base of a delta.

#![allow(clippy::cast_possible_truncation, reason = "the format counts in parts of four and seven bits")]

use std::io::{self, Read};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Commit,
    Tree,
    Blob,
    Tag,
    /// A delta to the object that begins so many bytes before.
    Difference(u64),
    /// A delta to an object by id, which may be in the pack.
    DifferenceById,
}

/// The header of a packed object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) kind: Kind,
    /// The size of the uncompressed data in bytes: the object, or the delta.
    pub(super) size: u64,
    /// The size of the header, in bytes.
    pub(super) length: u64,
}

/// Most bytes of a header: ten for the size, then ten for a distance or twenty for an id.
pub(super) const MAX_HEAD_BYTES: usize = 30;

impl Kind {
    /// The name that is hashed before the content; `None` for deltas.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Commit => Some("commit"),
            Self::Tree => Some("tree"),
            Self::Blob => Some("blob"),
            Self::Tag => Some("tag"),
            Self::Difference(_) | Self::DifferenceById => None,
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::Commit => 1,
            Self::Tree => 2,
            Self::Blob => 3,
            Self::Tag => 4,
            Self::Difference(_) => 6,
            Self::DifferenceById => 7,
        }
    }
}

/// The header of an object of `kind` and `size`, without the id of a base.
pub(super) fn write_head(kind: Kind, size: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(MAX_HEAD_BYTES);
    let mut left = size >> 4;
    let first = kind.number() << 4 | low_bits(size, 0x0f);
    bytes.push(if left > 0 { first | 0x80 } else { first });
    while left > 0 {
        let byte = low_bits(left, 0x7f);
        left >>= 7;
        bytes.push(if left > 0 { byte | 0x80 } else { byte });
    }
    if let Kind::Difference(distance) = kind {
        write_distance(distance, &mut bytes);
    }
    bytes
}

/// Seven bits a byte, the most significant first; each byte but the last adds one to its value.
fn write_distance(distance: u64, bytes: &mut Vec<u8>) {
    let mut digits = vec![low_bits(distance, 0x7f)];
    let mut left = distance >> 7;
    while left > 0 {
        left -= 1;
        digits.push(low_bits(left, 0x7f) | 0x80);
        left >>= 7;
    }
    bytes.extend(digits.iter().rev());
}

fn low_bits(value: u64, mask: u8) -> u8 {
    (value & u64::from(mask)) as u8
}

/// Reads an object's header; an invalid one is [`io::ErrorKind::InvalidData`].
pub(super) fn read_head(bytes: &mut dyn Read) -> io::Result<Head> {
    let mut length = 0;
    let mut next = || -> io::Result<u8> {
        let mut byte = [0];
        bytes.read_exact(&mut byte)?;
        length += 1;
        Ok(byte[0])
    };
    let mut byte = next()?;
    let number = byte >> 4 & 7;
    let mut size = u64::from(byte & 0x0f);
    let mut shift = 4;
    while byte & 0x80 != 0 {
        byte = next()?;
        if shift > 57 {
            return Err(invalid("an object's size is out of range"));
        }
        size |= u64::from(byte & 0x7f) << shift;
        shift += 7;
    }
    let kind = match number {
        1 => Kind::Commit,
        2 => Kind::Tree,
        3 => Kind::Blob,
        4 => Kind::Tag,
        6 => {
            let mut byte = next()?;
            let mut distance = u64::from(byte & 0x7f);
            while byte & 0x80 != 0 {
                byte = next()?;
                distance = distance
                    .checked_add(1)
                    .and_then(|distance| distance.checked_mul(128))
                    .map(|distance| distance | u64::from(byte & 0x7f))
                    .ok_or_else(|| invalid("a delta's base is out of range"))?;
            }
            Kind::Difference(distance)
        }
        7 => Kind::DifferenceById,
        _ => return Err(invalid("an object's kind is unknown")),
    };
    Ok(Head { kind, size, length })
}

pub(super) fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn heads_come_back(size in 0..u64::MAX >> 4, distance in 1..u64::MAX >> 8, which in 0..3_usize) {
            let kind = [Kind::Tree, Kind::Blob, Kind::Difference(distance)][which];
            let bytes = write_head(kind, size);
            prop_assert!(bytes.len() <= MAX_HEAD_BYTES);
            let head = read_head(&mut &bytes[..]).unwrap();
            prop_assert_eq!((head.kind, head.size, head.length), (kind, size, bytes.len() as u64));
        }

        #[test]
        fn any_bytes_are_a_head_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(head) = read_head(&mut &bytes[..]) {
                prop_assert!(head.length <= MAX_HEAD_BYTES.min(bytes.len()) as u64);
            }
        }
    }
}
