//! Packages that somebody wants kept, whatever is pruned.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::git::Oid;
use crate::package::PackageId;
use crate::store::Store;
use crate::store::ledger::marks::{self, Mark};
use crate::store::names;

/// Whether a package is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is.
    Pinned,
    /// Not for this reason any more.
    Lifted,
}

/// A record: a package was pinned, or its pin lifted.
pub type Pin = Mark<State>;

impl marks::State for State {
    const REFS: &'static str = names::PINS;
    const FILE: &'static str = "pin.toml";
    const UNREAD: &'static str =
        "a pin is damaged, or of a newer git-slsart: whether the package is pinned is not known";

    fn is_set(self) -> bool {
        self == Self::Pinned
    }

    fn command(self) -> &'static str {
        if self.is_set() { "pin" } else { "unpin" }
    }

    fn done(self) -> &'static str {
        if self.is_set() { "pinned" } else { "pin lifted" }
    }
}

impl Store<'_> {
    /// The pin of a package of `commit`, if it is pinned.
    ///
    /// # Errors
    /// When that can't be read.
    pub fn pin(&self, commit: Oid, package: PackageId) -> Result<Option<Pin>> {
        self.mark(commit, package)
    }

    /// All packages that are pinned.
    pub fn pins(&self) -> Result<BTreeMap<(Oid, PackageId), Pin>> {
        self.marks()
    }
}
