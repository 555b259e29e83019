//! `hooks`: how git's hooks stand, putting them in and taking them out.

use clap::{Args, Subcommand, ValueEnum};

use crate::error::{Error, Result};
use crate::setup::{self, managers};
use crate::text::words::count;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Show, install or uninstall the git hooks
///
/// The hooks are post-commit, post-rewrite and pre-push, and, if `[fetch] hooks` is set, post-merge and post-checkout. A
/// marked block is added to each; existing lines stay. Files that a hook manager (husky, lefthook, pre-commit) or the
/// repository itself owns are not written: `hooks install --print` prints the lines for them. docs/howto-hooks.md says
/// what each hook does.
#[derive(Debug, Args)]
pub struct HooksArgs {
    #[command(subcommand)]
    command: Option<HooksCommand>,
}

#[derive(Debug, Subcommand)]
enum HooksCommand {
    Status(HooksStatusArgs),
    Install(InstallArgs),
    Uninstall(HooksUninstallArgs),
}

/// Show whether each hook runs git slsart, and which program runs it [default]
#[derive(Debug, Args)]
struct HooksStatusArgs {}

/// Install the hooks; existing lines stay
///
/// `git slsart init` does this too. A second run changes nothing.
#[derive(Debug, Args)]
struct InstallArgs {
    /// Only show what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Only print the lines for a hook manager, and where to write them [default: the one that is found]
    #[arg(long, value_name = "MANAGER", num_args = 0..=1, conflicts_with = "dry_run")]
    #[expect(clippy::option_option, reason = "the option without a value is another thing than no option")]
    print: Option<Option<ManagerArg>>,
}

/// Uninstall the hooks
#[derive(Debug, Args)]
struct HooksUninstallArgs {
    /// Only show what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A hook manager.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ManagerArg {
    /// husky 5 and later: scripts in .husky
    Husky,
    /// husky 4 and earlier: commands in package.json
    #[value(name = "husky-4")]
    Husky4,
    /// lefthook.yml
    Lefthook,
    /// .pre-commit-config.yaml
    PreCommit,
    /// Shell scripts, for a directory that core.hooksPath names and for any other manager
    Shell,
}

impl From<ManagerArg> for managers::Manager {
    fn from(manager: ManagerArg) -> Self {
        match manager {
            ManagerArg::Husky => Self::Husky,
            ManagerArg::Husky4 => Self::Husky4,
            ManagerArg::Lefthook => Self::Lefthook,
            ManagerArg::PreCommit => Self::PreCommit,
            ManagerArg::Shell => Self::Shell,
        }
    }
}

pub(crate) fn run(args: &HooksArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    match &args.command {
        None | Some(HooksCommand::Status(HooksStatusArgs {})) => ui.report(&setup::hooks_status(workspace)?),
        Some(HooksCommand::Install(InstallArgs { print: Some(_), .. })) if ui.is_json() => {
            Err(super::no_json())
        }
        Some(HooksCommand::Install(InstallArgs { print: Some(manager), .. })) => {
            ui.write(setup::hooks_snippet(workspace, manager.map(Into::into))?.as_bytes())
        }
        Some(HooksCommand::Install(args)) => {
            ui.done(&setup::install_hooks(workspace, args.dry_run)?, args.dry_run)
        }
        Some(HooksCommand::Uninstall(args)) => {
            let report = setup::uninstall_hooks(workspace, args.dry_run)?;
            ui.done(&report, args.dry_run || report.failed() > 0)?;
            match report.failed() {
                0 => Ok(()),
                failed => Err(Error::refused(format!("{} could not be removed", count(failed, "hook")))
                    .hint("fix the problems shown above, and run the command again")),
            }
        }
    }
}
