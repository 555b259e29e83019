//! `unlock`.

use std::fmt;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::args::TargetArgs;
use crate::deploy::execute::unlock::{self, Unlocking};
use crate::error::Result;
use crate::package::PackageId;
use crate::package::manifest::Target;
use crate::store::deployments::Action;
use crate::store::locks::Lock;
use crate::text::style::{BOLD, DIM};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Remove a stale lock of a target from the remote
///
/// A deployment releases its lock when it ends. If it was killed, or its machine lost the connection, the lock stays. Make
/// sure that the deployment has stopped: if you remove its lock too early, two deployments of a target can run at once.
#[derive(Debug, Args)]
pub struct UnlockArgs {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Only show the lock holder
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, Serialize)]
struct UnlockReport {
    /// The lock; `None` where it is free.
    held: Option<HeldLock>,
    removed: bool,
    #[serde(skip)]
    found: Option<Unlocking>,
}

#[derive(Debug, Serialize)]
struct HeldLock {
    remote: String,
    id: String,
    action: Action,
    target: Target,
    commit: String,
    package: PackageId,
    by: String,
    host: String,
    since: Timestamp,
}

impl From<&Unlocking> for HeldLock {
    fn from(found: &Unlocking) -> Self {
        let Lock { id, action, target, commit, package, by, host, since, .. } = found.lock.clone();
        Self { remote: found.remote.clone(), id, action, target, commit, package, by, host, since }
    }
}

pub(crate) fn run(args: &UnlockArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let found = unlock::find(workspace, &args.target.wanted()?)?;
    let mut removed = false;
    if let Some(held) = found.as_ref().filter(|_| !args.dry_run) {
        if args.yes {
            ui.show(held);
        } else {
            ui.confirm(
                held,
                "Remove it?",
                "--yes removes it without a question; --dry-run only shows who holds it",
            )?;
        }
        unlock::remove(workspace, held)?;
        removed = true;
    }
    ui.done(&UnlockReport { held: found.as_ref().map(HeldLock::from), removed, found }, args.dry_run)
}

impl fmt::Display for UnlockReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            None => writeln!(f, "{DIM}the lock is free{DIM:#}"),
            Some(held) if self.removed => {
                writeln!(f, "{BOLD}Removed{BOLD:#}   the lock of {} on {}", held.lock.target, held.remote)
            }
            Some(held) => held.fmt(f),
        }
    }
}
