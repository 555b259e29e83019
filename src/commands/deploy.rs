//! `deploy` and `rollback`: the same, but for what they start from.

mod several;

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::package::Report as Packaged;
use super::{framework_output, installing, name, storage};
use crate::cli::TargetsArgs;
use crate::deploy::apply::{Applying, apply};
use crate::deploy::checks;
use crate::deploy::choices::Choices;
use crate::deploy::goal::Goal;
use crate::deploy::plan::Plan;
use crate::deploy::second_stack::SecondStack;
use crate::deploy::several::{Selection, command_line};
use crate::deploy::shared;
use crate::deploy::unpackaged::{Unpackaged, unpackaged};
use crate::error::{Error, Kind, Result};
use crate::packaging::make::{Making, make};
use crate::store::deployments::Action;
use crate::text::table::{Column, Table};
use crate::ui::Ui;
use crate::workspace::{Wanted, Workspace};

/// Deploy a recorded package
///
/// Checks the package's commit out into a worktree of its own, installs the plugins of its lockfile, and hands the framework
/// a copy of the exact package: nothing is built again. The plugins run again, as at every deploy.
///
/// With --all, or --service given several times, one plan is made for all: they are deployed in the order that their stacks' exports
/// and imports ask for, none if one is blocked, and no further than the first that fails. A service whose package is live already
/// is left alone, and so is one whose package would change nothing live, unless --again is given.
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::EXIT_STATUS)]
pub struct DeployArgs {
    /// A commit, or a package's id
    #[arg(default_value = "HEAD", value_name = "REF")]
    revision: String,
    /// Package the commit first where it has no package yet; on a terminal, this is asked
    #[arg(long)]
    package: bool,
    #[command(flatten)]
    act: ActArgs,
}

/// Roll back to a recorded package
///
/// The same as deploy, for an earlier package: its commit's source, its commit's plugins, its exact bytes. Without REF, the
/// previous successful deployment of the target; on a terminal, a choice of its packages.
///
/// With --all, or --service given several times, several services are rolled back to REF by one plan: in the order that their
/// stacks' exports and imports ask for, none if one is blocked, and no further than the first that fails. A service whose package
/// is live already is left alone, and so is one whose package would change nothing live, unless --again is given.
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::EXIT_STATUS)]
pub struct RollbackArgs {
    /// A commit, or a package's id [default: the previous successful deployment]
    #[arg(value_name = "REF")]
    revision: Option<String>,
    /// Roll back to deployment number N in `git slsart history`
    #[arg(long, value_name = "N", conflicts_with_all = ["revision", "undo"])]
    to: Option<usize>,
    /// Undo the last rollback: make live again what was live before it
    #[arg(long, conflicts_with = "revision")]
    undo: bool,
    #[command(flatten)]
    act: ActArgs,
}

/// What to do where a question can't be asked.
const NOBODY_TO_ASK: &str = "say --yes to act without being asked, or --dry-run to see the plan";

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
struct ActArgs {
    /// Why: kept in the target's history
    #[arg(short, long, value_name = "REASON")]
    message: Option<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Only show the plan, with what is blocked; exit status 1 then
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Go on although the plugin (or the framework) NAME is not what was recorded; may be given several times
    #[arg(long, value_name = "NAME")]
    allow_plugin_drift: Vec<String>,
    /// Do not take the lock on the remote, by which other machines see this deployment
    #[arg(long)]
    no_lock: bool,
    /// Deploy although git slsart finds no AWS credentials that are valid: for a framework that finds them elsewhere
    #[arg(long)]
    no_credentials: bool,
    /// Go on although AWS, by the dates known here, does not take the Lambda runtime NAME any more; may be given several times
    #[arg(long, value_name = "NAME")]
    allow_runtime: Vec<String>,
    /// Go on although the credentials are for the account NUMBER, and the last proven deployment was in another
    #[arg(long, value_name = "NUMBER")]
    allow_account: Vec<String>,
    /// Go on although the S3 object at URL, or the container image of that name, is missing, which the package needs and no deploy
    /// uploads; may be given several times
    #[arg(long, value_name = "URL")]
    allow_missing: Vec<String>,
    /// Let the stateful resource with this logical id be deleted or replaced; kept in the history; may be given several times
    #[arg(long, value_name = "LOGICAL_ID")]
    allow_delete: Vec<String>,
    /// Create a second stack where the service was renamed; the stack of its old name stays as it is
    #[arg(long)]
    new_stack: bool,
    /// Of several services, deploy those too whose package is live already or would change nothing live
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    target: TargetsArgs,
}

impl ActArgs {
    /// The options that let what a check blocks pass, with their values.
    fn allowed(&self) -> [(&'static str, &[String]); 4] {
        static GIVEN: [String; 1] = [String::new()];
        let given = |is_given| if is_given { GIVEN.as_slice() } else { &[] };
        [
            (checks::ALLOW_NO_CREDENTIALS, given(self.no_credentials)),
            (checks::ALLOW_RUNTIME, &self.allow_runtime),
            (checks::ALLOW_ACCOUNT, &self.allow_account),
            (checks::ALLOW_MISSING, &self.allow_missing),
        ]
    }
}

impl TargetsArgs {
    /// Whether several services may be meant.
    fn are_several(&self) -> bool {
        self.all || self.service.len() > 1
    }

    /// The values, checked; of services, the only one.
    fn wanted(&self) -> Result<Wanted> {
        Ok(Wanted {
            service: self.service.first().filter(|_| !self.are_several()).cloned(),
            stage: self.stage.as_deref().map(name).transpose()?,
            region: self.region.as_deref().map(name).transpose()?,
            offers_all: true,
        })
    }
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
    if args.act.target.are_several() {
        let remark = shared::look(workspace, args.act.no_lock)?;
        let plan = || several::plan(Action::Deploy, &args.revision, &args.act, workspace);
        let several = planned(args, workspace, ui, plan)?;
        return several::act(several, remark, &args.revision, &args.act, workspace, ui);
    }
    let remark = shared::look(workspace, args.act.no_lock)?;
    let wanted = args.act.target.wanted()?;
    let plan = || Plan::of(workspace, Action::Deploy, &args.revision, &wanted);
    let mut plan = planned(args, workspace, ui, plan)?;
    plan.warnings.extend(remark);
    act(plan, &args.act, workspace, ui)
}

pub(super) fn rollback(args: &RollbackArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    if args.act.target.are_several() {
        let revision = args.revision.as_deref().ok_or_else(several::needs_commit)?;
        let remark = shared::look(workspace, args.act.no_lock)?;
        let several = several::plan(Action::Rollback, revision, &args.act, workspace)?;
        return several::act(several, remark, revision, &args.act, workspace, ui);
    }
    let mut wanted = args.act.target.wanted()?;
    if ui.can_ask() && !args.act.yes {
        wanted.service = pick_service(&wanted, args.revision.as_deref(), workspace, ui)?;
    }
    let remark = shared::look(workspace, args.act.no_lock)?;
    let mut plan = match (&args.revision, args.to) {
        (Some(revision), _) => Plan::of(workspace, Action::Rollback, revision, &wanted)?,
        (None, Some(number)) => Plan::back(workspace, Goal::Number(number), &wanted)?,
        (None, None) if args.undo => Plan::back(workspace, Goal::Undone, &wanted)?,
        // Who says yes beforehand wants the one that can be known beforehand.
        (None, None) if ui.can_ask() && !args.act.yes => pick(workspace, &wanted, ui)?,
        (None, None) => Plan::back(workspace, Goal::Previous, &wanted)?,
    };
    plan.warnings.extend(remark);
    act(plan, &args.act, workspace, ui)
}

/// Asks for the service, where it could be several.
fn pick_service(
    wanted: &Wanted,
    revision: Option<&str>,
    workspace: &Workspace<'_>,
    ui: &Ui,
) -> Result<Option<String>> {
    let services = workspace.to_choose_from(wanted, revision)?;
    if services.is_empty() {
        return Ok(wanted.service.clone());
    }
    let mut rows = Table::new([Column::ragged()]);
    services.iter().for_each(|service| rows.line([service.to_string()]));
    let index = ui.pick("Which service", &rows, 0, None)?;
    Ok(Some(services[index].path.to_string()))
}

/// The plan, after packaging what the commit has no package of.
///
/// # Errors
/// Those of the plan, where that must not be packaged.
fn planned<T>(
    args: &DeployArgs,
    workspace: &Workspace<'_>,
    ui: &Ui,
    plan: impl Fn() -> Result<T>,
) -> Result<T> {
    match plan() {
        Err(error) if error.kind == Kind::NotRecorded => {
            package_first(args, workspace, ui, error)?;
            plan()
        }
        plan => plan,
    }
}

/// Packages what there is no package of, if that is wanted; `missing` is the error that says so.
fn package_first(args: &DeployArgs, workspace: &Workspace<'_>, ui: &Ui, missing: Error) -> Result<()> {
    let target = &args.act.target;
    let selection = if target.all { Selection::All } else { Selection::Named(target.service.clone()) };
    // That something else is wrong is said by the error.
    let missed = unpackaged(workspace, &args.revision, &selection, &target.wanted()?).unwrap_or_default();
    if missed.is_empty() {
        return Err(missing);
    }
    if !args.package {
        if !ui.can_ask() || args.act.yes || args.act.dry_run {
            return Err(missing.hint(format!("to package it first: {}", with_package(args))));
        }
        let commit = workspace.repository.short_id(missed[0].commit);
        let names: Vec<_> = missed
            .iter()
            .map(|one| format!("{} · {} · {}", one.service.path, one.stage, one.region))
            .collect();
        let question = format!("{commit} has no package for {}. Package it now?", names.join(", "));
        ui.confirm(&format_args!(""), &question, "say --package to package it first")?;
    }
    let making = Making {
        in_place: false,
        allow_dirty: false,
        again: false,
        storage: storage(None, workspace),
        installing: installing(ui),
        packaging: framework_output(ui),
    };
    for Unpackaged { commit, service, stage, region } in &missed {
        let made = make(workspace, *commit, service, stage, region, making)?;
        ui.show(&Packaged { packages: vec![made], repeatable: false, storage: None });
    }
    Ok(())
}

/// The same command, to paste.
fn with_package(args: &DeployArgs) -> String {
    let target = &args.act.target;
    let mut options = vec!["--package"];
    options.extend(target.all.then_some("--all"));
    options.extend(target.service.iter().flat_map(|service| ["--service", service.as_str()]));
    options.extend(target.stage.iter().flat_map(|stage| ["-s", stage.as_str()]));
    options.extend(target.region.iter().flat_map(|region| ["-r", region.as_str()]));
    command_line(Action::Deploy, &args.revision, options.into_iter())
}

/// Asks for the package to go back to.
fn pick<'r>(workspace: &Workspace<'r>, wanted: &Wanted, ui: &Ui) -> Result<Plan<'r>> {
    let choices = Choices::of(workspace, wanted)?;
    let question = format!("Roll {} back to", choices.target);
    let index = ui.pick(&question, &choices.table, choices.first, choices.remark.as_deref())?;
    choices.plan(workspace, index)
}

fn act(mut plan: Plan<'_>, args: &ActArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let second = SecondStack::of(workspace, &plan)?;
    plan.warnings.extend(second.as_ref().map(ToString::to_string));
    let second = second.filter(|second| second.is_new() && !args.new_stack);
    plan.check_names(&args.allow_plugin_drift)?;
    for (option, values) in args.allowed() {
        plan.allow(option, values);
    }
    plan.allow_deletion(&args.allow_delete)?;
    let passes = plan.pass();
    if args.dry_run {
        ui.report(&Report { dry_run: true, what: &plan })?;
        return passes;
    }
    if args.yes || passes.is_err() {
        ui.show(&plan);
        passes?;
        if let Some(second) = second {
            return Err(second.refusal());
        }
    } else {
        let question =
            second.map_or_else(|| format!("Go on with {}?", plan.target), |second| second.question());
        let hint = NOBODY_TO_ASK;
        if workspace.config.deploy.protected.contains(&plan.target.stage) {
            ui.confirm_word(&plan, &question, plan.target.stage.as_str(), hint)?;
        } else {
            ui.confirm(&plan, &question, hint)?;
        }
    }
    ui.done(&Report { dry_run: false, what: &apply(workspace, &plan, &applying(args, ui))? }, false)
}

fn applying(args: &ActArgs, ui: &Ui) -> Applying {
    Applying {
        reason: args.message.clone(),
        allowed_drift: args.allow_plugin_drift.clone(),
        allowed_deletions: args.allow_delete.clone(),
        no_lock: args.no_lock,
        installing: installing(ui),
        deploying: framework_output(ui),
    }
}
