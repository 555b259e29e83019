//! Pins: packages that a user protects from `prune`.

use serde::{Deserialize, Serialize};

use super::marks::{Mark, MarkState};
use crate::store::names;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinState {
    Pinned,
    Lifted,
}

pub type Pin = Mark<PinState>;

impl MarkState for PinState {
    const REFS: &'static str = names::PINS;
    const FILE: &'static str = "pin.toml";
    const UNREAD: &'static str =
        "a pin can't be read: it is damaged, or written by a newer git-slsart; the package may be pinned";
    const SET: Self = Self::Pinned;
    const COMMAND: &'static str = "pin";
    const DONE: &'static str = "pinned";
}
