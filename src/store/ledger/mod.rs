//! Facts about packages and deployments: notes, records, marks and locks. Knows nothing of a package's content.

pub mod bans;
pub(super) mod chain;
pub mod deployments;
pub(super) mod filter;
pub mod histories;
pub mod locks;
pub mod marks;
pub(super) mod note;
pub mod note_line;
pub(super) mod note_tree;
pub(super) mod notes;
pub(super) mod packages;
pub mod pins;
pub mod proof;
