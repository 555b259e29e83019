//! What only the git program can do: it runs filters, hooks and credential helpers, signs commits, and speaks to remotes.

pub mod commit_signature;
pub(in crate::git) mod commit_signing;
pub mod lfs;
mod outgoing;
pub mod pack_import;
pub mod remote;
mod status;
pub mod transfer;
pub mod worktree;
