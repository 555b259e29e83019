//! `deploy` and `rollback`: the same, but for what they start from.

use clap::Args;

use super::{framework_output, installing};
use crate::cli::TargetArgs;
use crate::deploy::apply::{Applying, apply};
use crate::deploy::plan::Plan;
use crate::error::Result;
use crate::store::deployments::Action;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Deploy a recorded package
///
/// Checks the package's commit out into a worktree of its own, installs the plugins of its lockfile, and hands the framework
/// a copy of the exact package: nothing is built again. The plugins run again, as at every deploy.
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::EXIT_STATUS)]
pub struct DeployArgs {
    /// A commit, or a package's id
    #[arg(default_value = "HEAD", value_name = "REF")]
    revision: String,
    #[command(flatten)]
    act: ActArgs,
}

/// Roll back to a recorded package
///
/// The same as deploy, for an earlier package: its commit's source, its commit's plugins, its exact bytes. Without REF, the
/// previous successful deployment of the target.
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::EXIT_STATUS)]
pub struct RollbackArgs {
    /// A commit, or a package's id [default: the previous successful deployment]
    #[arg(value_name = "REF")]
    revision: Option<String>,
    #[command(flatten)]
    act: ActArgs,
}

#[derive(Debug, Args)]
struct ActArgs {
    /// Why: kept in the target's history
    #[arg(short, long, value_name = "REASON")]
    message: Option<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Only show the plan, what is blocked included; that is no failure
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Go on although the plugin (or the framework) NAME is not what was recorded; may be given several times
    #[arg(long, value_name = "NAME")]
    allow_plugin_drift: Vec<String>,
    /// Go on although AWS, by the dates known here, does not take the Lambda runtime NAME any more; may be given several times
    #[arg(long, value_name = "NAME")]
    allow_runtime: Vec<String>,
    /// Let the stateful resource with this logical id be deleted or replaced; may be given several times
    #[arg(long, value_name = "LOGICAL_ID")]
    allow_delete: Vec<String>,
    #[command(flatten)]
    target: TargetArgs,
}

pub(super) fn deploy(args: &DeployArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let plan = Plan::of(workspace, Action::Deploy, &args.revision, &args.act.target.wanted()?)?;
    act(plan, &args.act, workspace, ui)
}

pub(super) fn rollback(args: &RollbackArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let wanted = args.act.target.wanted()?;
    let plan = match &args.revision {
        Some(revision) => Plan::of(workspace, Action::Rollback, revision, &wanted)?,
        None => Plan::back(workspace, &wanted)?,
    };
    act(plan, &args.act, workspace, ui)
}

fn act(mut plan: Plan<'_>, args: &ActArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    plan.check_names(&args.allow_plugin_drift)?;
    plan.allow_runtimes(&args.allow_runtime);
    plan.allow_deletion(&args.allow_delete)?;
    let passes = plan.pass();
    if args.dry_run {
        ui.report(&plan)?;
        return passes;
    }
    if args.yes || passes.is_err() {
        ui.show(&plan);
        passes?;
    } else {
        ui.confirm(&plan, "Go on?", "say --yes to act without being asked, or --dry-run to see the plan")?;
    }
    let applying = Applying {
        reason: args.message.clone(),
        allowed_drift: args.allow_plugin_drift.clone(),
        installing: installing(ui),
        deploying: framework_output(ui),
    };
    ui.report(&apply(workspace, &plan, &applying)?)
}
