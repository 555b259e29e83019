//! Which signatures a repository trusts, and how it makes its own.

use std::cell::{Cell, OnceCell};
use std::path::PathBuf;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Whether what is to be deployed has to be signed.
    pub required: bool,
    /// A file of allowed signers (ssh-keygen, "ALLOWED SIGNERS"), whose keys alone are known; `None` leaves it to git's own settings.
    pub signers: Option<PathBuf>,
}

/// How signatures are made and judged in a repository.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) trust: OnceCell<Trust>,
    pub(super) is_unattended: Cell<bool>,
}
