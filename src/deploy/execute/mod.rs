//! Carrying out a plan under its locks, and what the history says of it afterwards.

pub(crate) mod apply;
mod copy;
pub(crate) mod history_sync;
pub(crate) mod lock;
pub(crate) mod settle;
pub(crate) mod unlock;
