//! What git's hooks run: after commits were rewritten, before a push, after a merge or a checkout. What comes after a commit is
//! packaging's (`packaging::after_commit`). Nothing here fails git's own command: failures are reported.

pub mod fetch;
pub mod input;
pub mod push;
pub mod rewrite;
