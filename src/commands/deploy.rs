//! `deploy` and `rollback`: the same, but for what they start from.

mod options;
mod several;

use clap::Args;
use options::{ActArgs, DeployReport, NOBODY_TO_ASK};

use super::args::storage;
use super::package::PackageReport;
use super::{framework_output, installing};
use crate::deploy::execute::apply::apply;
use crate::deploy::execute::history_sync;
use crate::deploy::fleet::packages::{Selection, command_line};
use crate::deploy::fleet::unpackaged::{Unpackaged, unpackaged};
use crate::deploy::preflight::choices::Choices;
use crate::deploy::preflight::plan::Plan;
use crate::deploy::preflight::rollback_target::RollbackTarget;
use crate::deploy::preflight::second_stack::SecondStack;
use crate::error::{Error, Kind, Result};
use crate::packaging::jobs::check_unclaimed;
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

pub(crate) fn deploy(args: &DeployArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    if args.act.target.are_several() {
        let remark = history_sync::look(workspace, args.act.no_lock)?;
        let plan = || several::plan(Action::Deploy, &args.revision, &args.act, workspace);
        let several = planned(args, workspace, ui, plan)?;
        return several::act(several, remark, &args.revision, &args.act, workspace, ui);
    }
    let remark = history_sync::look(workspace, args.act.no_lock)?;
    let wanted = args.act.target.wanted()?;
    let plan = || Plan::of(workspace, Action::Deploy, &args.revision, &wanted);
    let mut plan = planned(args, workspace, ui, plan)?;
    plan.warnings.extend(remark);
    act(plan, &args.act, workspace, ui)
}

pub(crate) fn rollback(args: &RollbackArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    if args.act.target.are_several() {
        let revision = args.revision.as_deref().ok_or_else(several::needs_commit)?;
        let remark = history_sync::look(workspace, args.act.no_lock)?;
        let several = several::plan(Action::Rollback, revision, &args.act, workspace)?;
        return several::act(several, remark, revision, &args.act, workspace, ui);
    }
    let mut wanted = args.act.target.wanted()?;
    if ui.can_ask() && !args.act.yes {
        wanted.service = pick_service(&wanted, args.revision.as_deref(), workspace, ui)?;
    }
    let remark = history_sync::look(workspace, args.act.no_lock)?;
    let mut plan = match (&args.revision, args.to) {
        (Some(revision), _) => Plan::of(workspace, Action::Rollback, revision, &wanted)?,
        (None, Some(number)) => Plan::back(workspace, RollbackTarget::Number(number), &wanted)?,
        (None, None) if args.undo => Plan::back(workspace, RollbackTarget::Undone, &wanted)?,
        // Who says yes beforehand wants the one that can be known beforehand.
        (None, None) if ui.can_ask() && !args.act.yes => pick(workspace, &wanted, ui)?,
        (None, None) => Plan::back(workspace, RollbackTarget::Previous, &wanted)?,
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
    for service in &services {
        rows.line([service.to_string()]);
    }
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
    let slip = workspace.mistyped(&target.wanted()?)?;
    // A dry run records nothing.
    if !args.package || args.act.dry_run {
        if !ui.can_ask() || args.act.yes || args.act.dry_run {
            let first = slip.is_none().then(|| format!("to package it first: {}", with_package(args)));
            return Err(missing.hints(first));
        }
        let commit = workspace.repository.short_id(missed[0].commit);
        let names: Vec<_> = missed
            .iter()
            .map(|one| format!("{} · {} · {}", one.service.path, one.stage, one.region))
            .collect();
        let question = format!("{commit} has no package for {}. Package it now?", names.join(", "));
        // What is wrong with a mistyped name stands before the question.
        let hints = missing.hints.iter().fold(String::new(), |all, hint| all + "hint: " + hint + "\n");
        ui.confirm(&format_args!("{missing}\n{hints}"), &question, "say --package to package it first")?;
    } else if let Some(slip) = slip {
        ui.warn(&slip);
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
        check_unclaimed(workspace, *commit, service, stage, region)?;
        let made = make(workspace, *commit, service, stage, region, making)?;
        ui.show(&PackageReport { packages: vec![made], again: Vec::new(), storage: None });
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
    let second = args.warn_of(second, &mut plan, ui);
    plan.check_names(&args.allow_plugin_drift)?;
    for (option, values) in args.allowed() {
        plan.allow(option, values);
    }
    plan.allow_deletion(&args.allow_delete)?;
    let mut passes = plan.pass();
    // A question can stand for the option only where it is asked.
    if args.dry_run || args.yes || !ui.can_ask() {
        passes = passes.and_then(|()| second.as_ref().map_or(Ok(()), |second| Err(second.refusal())));
    }
    if args.dry_run {
        ui.report(&DeployReport { dry_run: true, what: &plan })?;
        return passes;
    }
    if args.yes || passes.is_err() {
        ui.show(&plan);
        passes?;
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
    ui.done(&DeployReport { dry_run: false, what: &apply(workspace, &plan, &args.applying(ui))? }, false)
}
