//! Packages that somebody marked as bad: one chain of records a package, so that who marked it, why, and who lifted that stay
//! known.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::chain::{Record, Signing};
use super::{Found, Store, names};
use crate::error::{Error, Result};
use crate::git::Oid;
use crate::git::signature::Verdict;
use crate::package::PackageId;
use crate::text::words::{line, person};

/// The version of the record's format.
const FORMAT: u32 = 1;
/// The file in a record's tree.
const FILE: &str = "ban.toml";
/// Most commits of a chain that are read before one says something.
const MOST_RECORDS: usize = 10_000;
/// Most bytes a record may have.
const MOST_BYTES: u64 = 1024 * 1024;

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// The version of the format.
    pub format: u32,
    /// What was done.
    pub state: State,
    /// The package's commit, 40 hexadecimal digits.
    pub commit: String,
    /// The package.
    pub package: PackageId,
    /// Who did it: `Name <email>`.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why, in the words of who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Ban {
    /// The record of what is done to a package.
    #[must_use]
    pub fn new(state: State, found: &Found, by: String, at: Timestamp, reason: Option<String>) -> Self {
        let (commit, package) = (found.commit.to_string(), found.line.package);
        Self { format: FORMAT, state, commit, package, by, at, reason }
    }
}

impl fmt::Display for Ban {
    /// `banned by Dana on 2026-01-05: loses orders`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.state == State::Banned { "banned" } else { "ban lifted" };
        write!(f, "{verb} by {} on {}", line(person(&self.by)), self.at.strftime("%Y-%m-%d"))?;
        self.reason.iter().try_for_each(|reason| write!(f, ": {}", line(reason)))
    }
}

impl Store<'_> {
    /// Appends a record to the package's chain.
    pub fn append_ban(&self, ban: &Ban) -> Result<()> {
        let text =
            toml::to_string(ban).map_err(|error| Error::bug("a record can't be written").because(error))?;
        let name = names::ban(&ban.commit, ban.package);
        let message = self.ban_message(ban);
        self.append_record(
            &Record { name: &name, file: FILE, text: &text, message: &message },
            Signing::Configured,
        )
    }

    /// The ban of a package of `commit`, if it is banned.
    ///
    /// # Errors
    /// When that can't be read: then nobody knows whether it may be deployed.
    pub fn ban(&self, commit: Oid, package: PackageId) -> Result<Option<Ban>> {
        let tip = self.repository.ref_target(&names::ban(&commit.to_string(), package))?;
        tip.map_or(Ok(None), |tip| self.ban_at(tip, (commit, package)))
    }

    /// All packages that are banned.
    pub fn bans(&self) -> Result<BTreeMap<(Oid, PackageId), Ban>> {
        let mut bans = BTreeMap::new();
        for (name, tip) in self.repository.refs_matching(names::BANS)? {
            let Some(key) = names::parse_ban(&name) else { continue };
            bans.extend(self.ban_at(tip, key)?.map(|ban| (key, ban)));
        }
        Ok(bans)
    }

    /// What the newest records of a chain say. Those that two machines wrote without knowing of each other are all newest, whatever
    /// their clocks say: a ban among them holds. Where signatures are required, a ban holds whoever wrote it, and is lifted only by
    /// somebody who is known.
    fn ban_at(&self, tip: Oid, (of, package): (Oid, PackageId)) -> Result<Option<Ban>> {
        let of = of.to_string();
        let mut pending = vec![tip];
        let mut seen = HashSet::new();
        let mut banned: Option<Ban> = None;
        while let Some(id) = pending.pop() {
            if !seen.insert(id) {
                continue;
            }
            if seen.len() > MOST_RECORDS {
                let what = "the records of a ban have no end: whether the package is banned is not known";
                return Err(Error::integrity(what).hint(format!("to see them: git log --graph {tip}")));
            }
            let commit = self.repository.commit(id)?;
            let Some(entry) = self.repository.tree_entry(commit.tree, FILE.as_bytes())? else {
                pending.extend(commit.parents);
                continue;
            };
            let unread = || {
                Error::integrity(
                    "a ban is damaged, or of a newer git-slsart: whether the package is banned is not known",
                )
                .hint(format!("to see it: git show {id}"))
            };
            let bytes = self.repository.read_blob(entry.id, MOST_BYTES)?;
            let text = String::from_utf8(bytes).map_err(|error| unread().because(error))?;
            let ban: Ban = toml::from_str(&text).map_err(|error| unread().because(error))?;
            if ban.format > FORMAT || (ban.commit.as_str(), ban.package) != (of.as_str(), package) {
                return Err(unread());
            }
            if ban.state == State::Lifted && !self.counts(id)? {
                pending.extend(commit.parents);
                continue;
            }
            let is_first = banned.as_ref().is_none_or(|known| ban.at < known.at);
            if ban.state == State::Banned && is_first {
                banned = Some(ban);
            }
        }
        Ok(banned)
    }

    /// Whether a record that lifts a ban does so.
    fn counts(&self, record: Oid) -> Result<bool> {
        Ok(!self.repository.trust().required
            || self.repository.signature_of(record)?.verdict == Verdict::Good)
    }

    fn ban_message(&self, ban: &Ban) -> String {
        let short =
            Oid::from_str(&ban.commit).map_or_else(|_| ban.commit.clone(), |id| self.repository.short_id(id));
        let verb = if ban.state == State::Banned { "ban" } else { "unban" };
        let reason = ban.reason.as_deref().map(str::trim).unwrap_or_default();
        let first = reason.lines().next().map(|line| format!(" — {line}")).unwrap_or_default();
        let more =
            reason.split_once('\n').map(|(_, more)| format!("\n{}\n", more.trim())).unwrap_or_default();
        format!(
            "{verb} {short} ({}){first}\n{more}\nPackage: {}\nBy: {}\n",
            ban.package.short(),
            ban.package,
            ban.by
        )
    }
}
