//! Removing locks that were left behind on a remote, once a person has seen whose they are.

use std::fmt;

use jiff::Timestamp;

use crate::deploy::execute::lock::{self, LocalLock};
use crate::error::{Error, Result};
use crate::git::Oid;
use crate::git::remote::Moved;
use crate::process::Patience;
use crate::store::locks::{self, Lock};
use crate::text::style::{BOLD, DIM};
use crate::text::words::{ago, line};
use crate::workspace::{Wanted, Workspace};

/// A lock that is about to be removed.
#[derive(Debug)]
pub struct Unlocking {
    /// The remote that it is on.
    pub remote: String,
    /// What it says.
    pub lock: Lock,
    commit: Oid,
    now: Timestamp,
}

/// The lock of the one target that is meant; `None` where it is free.
///
/// # Errors
/// When the remote can't be reached, and when several are meant.
pub fn find(workspace: &Workspace<'_>, wanted: &Wanted) -> Result<Option<Unlocking>> {
    let Some(remote) = lock::remote(workspace)? else {
        return Err(Error::refused("there is no remote that holds locks")
            .hint("a lock on this machine ends with the process that holds it"));
    };
    let filter = workspace.target(wanted, None)?;
    let mut found = Vec::new();
    for (name, commit) in workspace.repository.ask_remote_refs(&remote, locks::PATTERN)? {
        let Some(lock) = lock::read(workspace, &remote, &name, commit) else {
            workspace.progress.warn(&format!(
                "who holds {name} can't be read; to remove it: git push --force-with-lease={name}:{commit} {remote} :{name}"
            ));
            continue;
        };
        if filter.matches(&lock.target) && lock.ref_name() == name {
            let now = workspace.context.clock.now();
            found.push(Unlocking { remote: remote.clone(), lock, commit, now });
        }
    }
    if found.is_empty() {
        workspace.need_known_target(&filter, wanted, "unlock")?;
    }
    if found.len() > 1 {
        let list: Vec<_> = found.iter().map(|found| found.lock.target.to_string()).collect();
        return Err(Error::refused("several targets are locked")
            .hint(format!("name one with --service, --stage and --region: {}", list.join("; "))));
    }
    Ok(found.pop())
}

/// Removes it, if it is still the same.
pub fn remove(workspace: &Workspace<'_>, unlocking: &Unlocking) -> Result<()> {
    let Unlocking { remote, lock, commit, .. } = unlocking;
    let _local = LocalLock::take(workspace, &lock.target, "git slsart unlock")?;
    let moved = workspace.repository.move_remote_ref(
        remote,
        &lock.ref_name(),
        (Some(*commit), None),
        Patience::UntilInterrupted,
    )?;
    match moved {
        Moved::Done => Ok(()),
        Moved::Elsewhere => Err(Error::refused(format!(
            "the lock on {remote} has changed: it was released or taken meanwhile"
        ))
        .hint("run the command again to see who holds it now")),
        Moved::Refused(why) | Moved::Unreachable(why) => {
            Err(Error::refused(format!("the lock on {remote} can't be removed"))
                .because(std::io::Error::other(why)))
        }
    }
}

impl fmt::Display for Unlocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { remote, lock, now, .. } = self;
        writeln!(f, "{BOLD}Lock{BOLD:#}      {} on {remote}", lock.target)?;
        writeln!(
            f,
            "{BOLD}Held{BOLD:#}      by {} on {}, taken {}  {DIM}{}{DIM:#}",
            line(&lock.by),
            line(&lock.host),
            ago(lock.since, *now),
            lock::purpose(lock)
        )
    }
}
