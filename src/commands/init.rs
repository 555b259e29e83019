//! `init` and `uninstall`.

use std::fs;

use clap::Args;

use crate::error::{Error, Result};
use crate::git::data_dir;
use crate::packaging::jobs::Jobs;
use crate::process::background::is_held;
use crate::setup;
use crate::text::command::slsart;
use crate::text::words::{count, short};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Set up this repository: slsart.toml and git hooks
///
/// Writes a commented slsart.toml if there is none, and adds a marked block to git's hooks, as `git slsart hooks install`
/// does. Hooks that are shared with other repositories are left alone. A second run changes nothing. `git slsart uninstall`
/// undoes it.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Only show what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Only print the slsart.toml with every key explained
    #[arg(long, conflicts_with = "dry_run")]
    print: bool,
}

/// Undo init; recorded packages stay
#[derive(Debug, Args)]
pub struct UninstallArgs {
    /// Only show what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(crate) fn init(args: &InitArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    if args.print && ui.is_json() {
        return Err(super::no_json());
    }
    if args.print {
        return ui.write(setup::default_file(workspace).as_bytes());
    }
    ui.done(&setup::init(workspace, args.dry_run)?, args.dry_run)?;
    super::warn_of_config(workspace, ui)
}

pub(crate) fn uninstall(args: &UninstallArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    check_unused(workspace)?;
    let report = setup::uninstall(workspace, args.dry_run);
    ui.done(&report, args.dry_run || report.failed() > 0)?;
    match report.failed() {
        0 => Ok(()),
        failed => Err(Error::refused(format!("{} could not be undone", count(failed, "thing")))
            .hint("fix the problems shown above, and run the command again")),
    }
}

/// Refuses while a background job or a deployment goes on: its locks would go.
fn check_unused(workspace: &Workspace<'_>) -> Result<()> {
    let jobs = Jobs::of(workspace.repository);
    if let Some(job) = jobs.all().into_iter().find(|job| job.lives) {
        let commit = short(&job.record.commit, 7);
        return Err(Error::refused(format!("a background job packages {commit}"))
            .hint(format!("to wait for it: {}", slsart(["jobs", "log", commit, "--follow"])))
            .hint(format!("to stop it: {}", slsart(["jobs", "stop"]))));
    }
    let locks = fs::read_dir(data_dir(workspace.repository).join("locks")).into_iter().flatten().flatten();
    if locks.into_iter().any(|lock| is_held(&lock.path())) {
        return Err(
            Error::refused("a deployment is running here").hint("wait until the deployment has ended")
        );
    }
    Ok(())
}
