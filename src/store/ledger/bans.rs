//! Packages that somebody marked as bad.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::git::Oid;
use crate::package::PackageId;
use crate::store::Store;
use crate::store::ledger::marks::{self, Mark};
use crate::store::names;

/// Whether a package may be deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It may not.
    Banned,
    /// It may again.
    Lifted,
}

/// A record: a package was banned, or its ban lifted.
pub type Ban = Mark<State>;

impl marks::State for State {
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

impl Store<'_> {
    /// The ban of a package of `commit`, if it is banned.
    ///
    /// # Errors
    /// When that can't be read: then nobody knows whether it may be deployed.
    pub fn ban(&self, commit: Oid, package: PackageId) -> Result<Option<Ban>> {
        self.mark(commit, package)
    }

    /// All packages that are banned.
    pub fn bans(&self) -> Result<BTreeMap<(Oid, PackageId), Ban>> {
        self.marks()
    }
}
