//! A blob that is being read: whole, or in parts where it is large.

use std::io::Read;

/// Most bytes of a blob that is read out of a pack into memory where it can be had in parts.
pub(super) const MAX_HELD: u64 = 4 * 1024 * 1024;

/// A blob that was opened.
pub enum Blob {
    /// All of it.
    Bytes(Vec<u8>),
    /// A large one.
    Stream {
        /// In bytes.
        size: u64,
        /// From the start.
        reader: Box<dyn Read + Send>,
    },
}
