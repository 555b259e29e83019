//! Which signatures a repository trusts, and how it makes its own.

use std::cell::{Cell, OnceCell};
use std::path::PathBuf;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Whether a package must be signed to be deployed.
    pub required: bool,
    /// A file of allowed signers (ssh-keygen, "ALLOWED SIGNERS"), whose keys alone are trusted; `None` leaves it to git's own settings.
    pub signers: Option<PathBuf>,
}

#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) trust: OnceCell<Trust>,
    pub(super) is_unattended: Cell<bool>,
}
