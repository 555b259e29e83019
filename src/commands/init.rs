//! `init` and `uninstall`.

use clap::Args;

use crate::error::Result;
use crate::setup;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Set this repository up: slsart.toml, git's configuration, the post-commit hook
///
/// Writes a commented slsart.toml when there is none, tells git to leave package refs out of decorations, and puts a marked
/// block into the post-commit hook, beside what is in it. Run twice, nothing changes. `git slsart uninstall` takes it back.
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::EXIT_STATUS)]
pub struct InitArgs {
    /// Only say what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Take back what init did; recorded packages stay
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::EXIT_STATUS)]
pub struct UninstallArgs {
    /// Only say what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(super) fn init(args: &InitArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    ui.report(&setup::init(workspace, args.dry_run)?)
}

pub(super) fn uninstall(args: &UninstallArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    ui.report(&setup::uninstall(workspace, args.dry_run)?)
}
