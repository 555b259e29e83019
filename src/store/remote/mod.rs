//! What a remote has, and how that and what is here become one.

pub(super) mod merge;
mod note_union;
pub(super) mod presence;
pub mod tracking;
mod updates;
