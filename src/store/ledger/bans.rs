//! Bans: packages that a user has marked as bad.

use serde::{Deserialize, Serialize};

use super::marks::{Mark, MarkState};
use crate::store::names;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BanState {
    Banned,
    Lifted,
}

pub type Ban = Mark<BanState>;

impl MarkState for BanState {
    const REFS: &'static str = names::BANS;
    const FILE: &'static str = "ban.toml";
    const UNREAD: &'static str =
        "a ban can't be read: it is damaged, or written by a newer git-slsart; the package may be banned";
    const SET: Self = Self::Banned;
    const COMMAND: &'static str = "ban";
    const DONE: &'static str = "banned";
}
