//! A remote's packages and records, and merging them with what is here.

pub(super) mod merge;
mod note_union;
pub(super) mod presence;
pub mod tracking;
mod updates;
