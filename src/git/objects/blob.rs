//! A blob that is being read: whole, or in parts if it is large.

use std::io::Read;

/// A packed blob up to this size is read into memory, a larger one in parts if it can be.
pub(super) const MAX_HELD: u64 = 4 * 1024 * 1024;

pub enum Blob {
    Bytes(Vec<u8>),
    Stream { size: u64, reader: Box<dyn Read + Send> },
}
