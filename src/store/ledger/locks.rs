//! Locks of targets that other machines see: a ref on a remote, and the commit that says who holds it. What is here is the
//! commit; taking and leaving the ref is the deployment's.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::deployments::Action;
use crate::error::{Error, Result};
use crate::git::{MODE_FILE, Oid, Repository, TreeEntry};
use crate::package::PackageId;
use crate::package::manifest::Target;
use crate::store::names;

/// The version of the format.
const FORMAT: u32 = 1;
/// The file in a lock's tree.
const FILE: &str = "lock.toml";
/// Most bytes that it may have.
const MAX_BYTES: u64 = 64 * 1024;
/// Which refs are locks, as `git ls-remote` has it.
pub const PATTERN: &str = "refs/slsart-locks/*";

/// Who holds the lock of a target, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The version of the format.
    pub format: u32,
    /// Tells locks apart.
    pub id: String,
    /// What is done.
    pub action: Action,
    /// To what.
    pub target: Target,
    /// The package's commit, 40 hexadecimal digits.
    pub commit: String,
    /// The package.
    pub package: PackageId,
    /// Who does it: `Name <email>`.
    pub by: String,
    /// On which machine.
    pub host: String,
    /// Since when.
    pub since: Timestamp,
}

impl Lock {
    /// The lock for what is about to be done.
    pub fn new(
        action: Action,
        target: Target,
        (commit, package): (Oid, PackageId),
        (by, host): (String, String),
        since: Timestamp,
    ) -> Self {
        let id = format!("{}-{}", since.as_nanosecond(), std::process::id());
        Self { format: FORMAT, id, action, target, commit: commit.to_string(), package, by, host, since }
    }

    /// The ref that it is kept under.
    pub fn ref_name(&self) -> String {
        ref_of(&self.target)
    }
}

/// The ref of a target's lock.
pub fn ref_of(target: &Target) -> String {
    names::lock(target)
}

/// Commits of locks.
#[derive(Clone, Copy)]
pub struct Locks<'r> {
    repository: &'r Repository,
}

impl<'r> Locks<'r> {
    pub(in crate::store) fn new(repository: &'r Repository) -> Self {
        Self { repository }
    }

    /// Writes the commit of a lock; no ref here leads to it.
    pub fn write(&self, lock: &Lock) -> Result<Oid> {
        let text =
            toml::to_string(lock).map_err(|error| Error::bug("a lock can't be written").because(error))?;
        let batch = self.repository.batch()?;
        let blob = batch.blob(text.as_bytes(), None)?;
        let tree = batch.tree(vec![TreeEntry { name: FILE.into(), id: blob, mode: MODE_FILE }], None)?;
        let Lock { action, target, by, host, .. } = lock;
        let message = format!("lock {target}: {}\n\nBy: {by}\nOn: {host}\n", action.name());
        let commit = batch.commit(tree, &[], &message)?;
        batch.finish()?.remove();
        Ok(commit)
    }

    /// What the commit of a lock says.
    pub fn read(&self, commit: Oid) -> Result<Lock> {
        let unread = || Error::integrity("the lock is damaged, or of a newer git-slsart");
        let tree = self.repository.commit(commit)?.tree;
        let entry = self.repository.tree_entry(tree, FILE.as_bytes())?.ok_or_else(unread)?;
        let text = self.repository.read_blob(entry.id, MAX_BYTES)?;
        let text = String::from_utf8(text).map_err(|error| unread().because(error))?;
        let lock: Lock = toml::from_str(&text).map_err(|error| unread().because(error))?;
        if lock.format <= FORMAT { Ok(lock) } else { Err(unread()) }
    }
}
