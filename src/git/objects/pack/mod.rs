//! Packs of our own writing: everything that one recording adds is one pack, new versions of what is large as differences
//! to the ones before. Stock git reads and repacks them like its own.
//!
//! A difference must stand in one pack with its base (`gitformat-pack`). So a new pack takes over the earlier ones of ours
//! that hold the bases it needs, byte for byte, and those that are small beside it: a release costs what it changes, not
//! its whole size until the next `git gc`; `git gc` keeps the differences; and the number of packs grows with the logarithm
//! of the recordings.

mod batch;
mod delta;
mod entry;
mod file;
mod index;
mod own;
mod reader;
mod writer;

pub(in crate::git) use batch::encode_tree;
pub use batch::{Batch, Opener, Replaced};
pub(in crate::git) use file::open_whole_blob;
pub(in crate::git) use own::KEPT;
pub(in crate::git) use own::is_older;
pub(in crate::git) use reader::{PackReader, Packs};

/// The bytes of a pack before its first object.
const HEAD_BYTES: u64 = 12;
/// The bytes of a pack after its last.
const CHECKSUM_BYTES: u64 = 20;
