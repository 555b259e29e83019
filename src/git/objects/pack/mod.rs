//! Packs of our own writing: one pack a recording, with new versions of large objects as deltas. Stock git reads and repacks them.
//!
//! A delta must be in one pack with its base (`gitformat-pack`). So a new pack takes over our earlier packs that hold the bases it needs,
//! byte for byte, and those that are small beside it. A release then costs what it changes, not its whole size until the next `git gc`;
//! `git gc` keeps the deltas; and the number of packs grows with the logarithm of the recordings.

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

const HEAD_BYTES: u64 = 12;
const CHECKSUM_BYTES: u64 = 20;
