//! Packages that somebody marked as bad.

use serde::{Deserialize, Serialize};

use super::marks::{Mark, MarkState};
use crate::store::names;

/// Whether a package may be deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BanState {
    /// It may not.
    Banned,
    /// It may again.
    Lifted,
}

/// A record: a package was banned, or its ban lifted.
pub type Ban = Mark<BanState>;

impl MarkState for BanState {
    const REFS: &'static str = names::BANS;
    const FILE: &'static str = "ban.toml";
    const UNREAD: &'static str =
        "a ban is damaged, or of a newer git-slsart: whether the package is banned is not known";

    fn is_set(self) -> bool {
        self == Self::Banned
    }

    fn command(self) -> &'static str {
        if self.is_set() { "ban" } else { "unban" }
    }

    fn done(self) -> &'static str {
        if self.is_set() { "banned" } else { "ban lifted" }
    }
}
