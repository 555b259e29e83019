//! What a remote has, and how that and what is here become one.

mod note_union;
pub(super) mod presence;
pub mod tracking;
pub mod travel;
