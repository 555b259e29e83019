//! Locks of targets that other machines see: a ref on a remote, and a commit with the lock's holder. Owns the commit; `deploy` takes and
//! releases the ref.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::deployments::Action;
use crate::error::{Error, Result};
use crate::git::{MODE_FILE, Oid, Repository, TreeEntry};
use crate::package::PackageId;
use crate::package::manifest::Target;
use crate::store::names;

const FORMAT: u32 = 1;
const FILE: &str = "lock.toml";
const MAX_BYTES: u64 = 64 * 1024;
pub const PATTERN: &str = "refs/slsart-locks/*";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    pub format: u32,
    /// Identifies the lock.
    pub id: String,
    pub action: Action,
    pub target: Target,
    /// The package's commit, 40 hexadecimal digits.
    pub commit: String,
    pub package: PackageId,
    /// `Name <email>`.
    pub by: String,
    pub host: String,
    pub since: Timestamp,
}

impl Lock {
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

    pub fn ref_name(&self) -> String {
        ref_of(&self.target)
    }
}

pub fn ref_of(target: &Target) -> String {
    names::lock(target)
}

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

    pub fn read(&self, commit: Oid) -> Result<Lock> {
        let unread =
            || Error::integrity("the lock can't be read: it is damaged, or written by a newer git-slsart");
        let tree = self.repository.commit(commit)?.tree;
        let entry = self.repository.tree_entry(tree, FILE.as_bytes())?.ok_or_else(unread)?;
        let text = self.repository.read_blob(entry.id, MAX_BYTES)?;
        let text = String::from_utf8(text).map_err(|error| unread().because(error))?;
        let lock: Lock = toml::from_str(&text).map_err(|error| unread().because(error))?;
        if lock.format <= FORMAT { Ok(lock) } else { Err(unread()) }
    }
}
