//! The git hooks: after a rewrite, before a push, after a merge or a checkout. The one after a commit is in `packaging::after_commit`. No
//! failure here makes git's own operation fail: it is only reported.

pub mod fetch;
pub mod input;
pub mod push;
pub mod rewrite;
