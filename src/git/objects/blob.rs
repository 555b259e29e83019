//! A blob that is being read: whole, or in parts where it is large.

use std::io::Read;

/// Most bytes of a blob that is read out of a pack into memory where it can be had in parts.
pub(super) const MAX_HELD: u64 = 4 * 1024 * 1024;

pub enum Blob {
    Bytes(Vec<u8>),
    Stream {
        /// In bytes.
        size: u64,
        reader: Box<dyn Read + Send>,
    },
}
