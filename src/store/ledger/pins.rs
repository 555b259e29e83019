//! Packages that somebody wants kept, whatever is pruned.

use serde::{Deserialize, Serialize};

use super::marks::{Mark, MarkState};
use crate::store::names;

/// Whether a package is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinState {
    /// It is.
    Pinned,
    /// Not for this reason any more.
    Lifted,
}

/// A record: a package was pinned, or its pin lifted.
pub type Pin = Mark<PinState>;

impl MarkState for PinState {
    const REFS: &'static str = names::PINS;
    const FILE: &'static str = "pin.toml";
    const UNREAD: &'static str =
        "a pin is damaged, or of a newer git-slsart: whether the package is pinned is not known";
    const SET: Self = Self::Pinned;
    const COMMAND: &'static str = "pin";
    const DONE: &'static str = "pinned";
}
