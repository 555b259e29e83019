//! `unlock`.

use std::fmt;

use clap::Args;
use serde::Serialize;

use crate::cli::TargetArgs;
use crate::deploy::unlock::{self, Unlocking};
use crate::error::Result;
use crate::text::style::{BOLD, DIM};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Remove the lock of a target that a deployment left behind on the remote
///
/// A deployment leaves its lock when it ends, however it ends. One that was killed, or whose machine lost its connection, does
/// not. See that nothing of it runs any more: a lock that is removed too early lets two deployments of a target run at once.
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::EXIT_STATUS)]
pub struct UnlockArgs {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Only show who holds it
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, Serialize)]
struct Report {
    /// The lock; `null` where nobody holds it.
    held: Option<Unlocking>,
    removed: bool,
}

pub(super) fn run(args: &UnlockArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let held = unlock::find(workspace, &args.target.wanted()?)?;
    let mut removed = false;
    if let Some(held) = held.as_ref().filter(|_| !args.dry_run) {
        if args.yes {
            ui.show(held);
        } else {
            ui.confirm(
                held,
                "Remove it?",
                "say --yes to act without being asked, or --dry-run to see who holds it",
            )?;
        }
        unlock::remove(workspace, held)?;
        removed = true;
    }
    ui.report(&Report { held, removed })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.held {
            None => writeln!(f, "{DIM}nobody holds the lock{DIM:#}"),
            Some(held) if self.removed => {
                writeln!(f, "{BOLD}Removed{BOLD:#}   the lock of {} on {}", held.lock.target, held.remote)
            }
            Some(held) => held.fmt(f),
        }
    }
}
