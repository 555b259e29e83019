//! `deploy` and `rollback`: the same, but for what they start from.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::{framework_output, installing};
use crate::cli::TargetArgs;
use crate::deploy::apply::{Applying, apply};
use crate::deploy::choices::Choices;
use crate::deploy::goal::Goal;
use crate::deploy::plan::Plan;
use crate::error::Result;
use crate::store::deployments::Action;
use crate::ui::Ui;
use crate::workspace::{Wanted, Workspace};

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
/// previous successful deployment of the target; on a terminal, a choice of its packages.
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::EXIT_STATUS)]
pub struct RollbackArgs {
    /// A commit, or a package's id [default: the previous successful deployment]
    #[arg(value_name = "REF")]
    revision: Option<String>,
    /// Go to the deployment that `git slsart history` shows the number N for
    #[arg(long, value_name = "N", conflicts_with_all = ["revision", "undo"])]
    to: Option<usize>,
    /// Undo the last rollback: make live again what was live before it
    #[arg(long, conflicts_with = "revision")]
    undo: bool,
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
    /// Do not take the lock on the remote, by which other machines see this deployment
    #[arg(long)]
    no_lock: bool,
    /// Go on although AWS, by the dates known here, does not take the Lambda runtime NAME any more; may be given several times
    #[arg(long, value_name = "NAME")]
    allow_runtime: Vec<String>,
    /// Let the stateful resource with this logical id be deleted or replaced; may be given several times
    #[arg(long, value_name = "LOGICAL_ID")]
    allow_delete: Vec<String>,
    #[command(flatten)]
    target: TargetArgs,
}

/// A plan, or what was done.
#[derive(Serialize)]
struct Report<'a, T> {
    /// Whether nothing was done.
    dry_run: bool,
    #[serde(flatten)]
    what: &'a T,
}

impl<T: fmt::Display> fmt::Display for Report<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)
    }
}

pub(super) fn deploy(args: &DeployArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let plan = Plan::of(workspace, Action::Deploy, &args.revision, &args.act.target.wanted()?)?;
    act(plan, &args.act, workspace, ui)
}

pub(super) fn rollback(args: &RollbackArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let wanted = args.act.target.wanted()?;
    let plan = match (&args.revision, args.to) {
        (Some(revision), _) => Plan::of(workspace, Action::Rollback, revision, &wanted)?,
        (None, Some(number)) => Plan::back(workspace, Goal::Number(number), &wanted)?,
        (None, None) if args.undo => Plan::back(workspace, Goal::Undone, &wanted)?,
        // Who says yes beforehand wants the one that can be known beforehand.
        (None, None) if ui.can_ask() && !args.act.yes => pick(workspace, &wanted, ui)?,
        (None, None) => Plan::back(workspace, Goal::Previous, &wanted)?,
    };
    act(plan, &args.act, workspace, ui)
}

/// Asks for the package to go back to.
fn pick<'r>(workspace: &Workspace<'r>, wanted: &Wanted, ui: &Ui) -> Result<Plan<'r>> {
    let choices = Choices::of(workspace, wanted)?;
    let question = format!("Roll {} back to", choices.target);
    let index = ui.pick(&question, &choices.rows, choices.first(), choices.remark().as_deref())?;
    choices.plan(workspace, index)
}

fn act(mut plan: Plan<'_>, args: &ActArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    plan.check_names(&args.allow_plugin_drift)?;
    plan.allow_runtimes(&args.allow_runtime);
    plan.allow_deletion(&args.allow_delete)?;
    let passes = plan.pass();
    if args.dry_run {
        ui.report(&Report { dry_run: true, what: &plan })?;
        return passes;
    }
    if args.yes || passes.is_err() {
        ui.show(&plan);
        passes?;
    } else {
        let question = format!("Go on with {}?", plan.target);
        let hint = "say --yes to act without being asked, or --dry-run to see the plan";
        if workspace.config.deploy.protected.contains(&plan.target.stage) {
            ui.confirm_word(&plan, &question, plan.target.stage.as_str(), hint)?;
        } else {
            ui.confirm(&plan, &question, hint)?;
        }
    }
    let applying = Applying {
        reason: args.message.clone(),
        allowed_drift: args.allow_plugin_drift.clone(),
        no_lock: args.no_lock,
        installing: installing(ui),
        deploying: framework_output(ui),
    };
    ui.report(&Report { dry_run: false, what: &apply(workspace, &plan, &applying)? })
}
