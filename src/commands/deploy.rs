//! `deploy` and `rollback`: the same, but for what they start from.

mod options;

use std::collections::BTreeSet;

use clap::Args;
use options::{ActArgs, NOBODY_TO_ASK, Report};

use super::args::storage;
use super::package::PackageReport;
use super::{framework_output, installing};
use crate::deploy::execute::history_sync;
use crate::deploy::fleet::plan::FleetPlan;
use crate::deploy::fleet::run::{FleetReport, apply};
use crate::deploy::fleet::unpackaged::{Unpackaged, unpackaged};
use crate::deploy::preflight::choices::Choices;
use crate::deploy::preflight::plan::Plan;
use crate::deploy::preflight::rollback_target::RollbackTarget;
use crate::deploy::preflight::second_stack::SecondStack;
use crate::error::{Error, Kind, Result};
use crate::packaging::jobs::check_unclaimed;
use crate::packaging::make::{Making, make};
use crate::store::deployments::Action;
use crate::text::command::slsart;
use crate::text::table::{Column, Table};
use crate::text::words::count;
use crate::ui::Ui;
use crate::workspace::{Wanted, Workspace};

/// Deploy a recorded package
///
/// Checks the package's commit out into a separate worktree, installs the plugins of its lockfile, and gives the framework a
/// copy of the exact package: nothing is built again. Plugin hooks run again, as in every deploy.
///
/// With --all, or with several --service, one plan covers all services. They are deployed in the order that the exports and
/// imports of their stacks need. If one is blocked, none is deployed; if one fails, the rest is not started. A service whose
/// package is live already, or would change nothing live, is left alone, unless --again is given.
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// A commit, or a package's id
    #[arg(default_value = "HEAD", value_name = "REF")]
    revision: String,
    /// Package the commit first if it has no package; on a terminal, deploy asks
    #[arg(long)]
    package: bool,
    #[command(flatten)]
    act: ActArgs,
}

/// Roll back to a recorded package
///
/// Deploys an earlier package: the source and the plugins of its commit, and its exact bytes. Without REF, rolls back to the
/// previous successful deployment of the target; on a terminal, offers a list of its packages.
///
/// With --all, or with several --service, one plan rolls all services back to REF, in the order that the exports and imports
/// of their stacks need. If one is blocked, none is deployed; if one fails, the rest is not started. A service whose package
/// is live already, or would change nothing live, is left alone, unless --again is given.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// A commit, or a package's id [default: the previous successful deployment]
    #[arg(value_name = "REF")]
    revision: Option<String>,
    /// Roll back to deployment number N in `git slsart history`
    #[arg(long, value_name = "N", conflicts_with_all = ["revision", "undo"], value_parser = deployment_number)]
    to: Option<usize>,
    /// Undo the last rollback: deploy what was live before it
    #[arg(long, conflicts_with = "revision")]
    undo: bool,
    #[command(flatten)]
    act: ActArgs,
}

pub(crate) fn deploy(args: &DeployArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let DeployArgs { revision, act: options, .. } = args;
    let (selection, wanted) = (options.target.selection(), options.target.wanted()?);
    let remark = history_sync::look(workspace, options.no_lock)?;
    let plan = || FleetPlan::of(workspace, Action::Deploy, revision, &selection, &wanted, options.again);
    let plan = match plan() {
        Err(error) if error.kind == Kind::NotRecorded => {
            package_first(args, workspace, ui, error)?;
            plan()?
        }
        plan => plan?,
    };
    act(plan, remark, revision, options, workspace, ui)
}

pub(crate) fn rollback(args: &RollbackArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let RollbackArgs { revision, act: options, .. } = args;
    let (selection, mut wanted) = (options.target.selection(), options.target.wanted()?);
    let is_asked = ui.can_ask() && !options.yes;
    if !selection.is_single() && revision.is_none() {
        return Err(needs_commit());
    }
    if selection.is_single() && is_asked {
        wanted.service = pick_service(&wanted, revision.as_deref(), workspace, ui)?;
    }
    let remark = history_sync::look(workspace, options.no_lock)?;
    let plan = match (revision, args.to) {
        (Some(revision), _) => {
            FleetPlan::of(workspace, Action::Rollback, revision, &selection, &wanted, options.again)?
        }
        (None, Some(number)) => Plan::back(workspace, RollbackTarget::Number(number), &wanted)?.into(),
        (None, None) if args.undo => Plan::back(workspace, RollbackTarget::Undone, &wanted)?.into(),
        // Who says yes beforehand wants the one that can be known beforehand.
        (None, None) if is_asked => pick(workspace, &wanted, ui)?.into(),
        (None, None) => Plan::back(workspace, RollbackTarget::Previous, &wanted)?.into(),
    };
    act(plan, remark, revision.as_deref().unwrap_or_default(), options, workspace, ui)
}

fn deployment_number(text: &str) -> std::result::Result<usize, String> {
    text.parse().map_err(|_| {
        let rollback = slsart(["rollback", text]);
        format!("--to takes a number of `git slsart history`; for a commit: {rollback}")
    })
}

/// The error for a rollback of several services that names no commit: each has a history of its own.
fn needs_commit() -> Error {
    Error::usage("a rollback of several services needs a REF: each service has its own history")
        .hint("name the commit for all services: git slsart rollback REF --all")
        .hint("`git slsart log` lists the packages")
        .hint("to roll back one service without a REF: git slsart rollback --service NAME")
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

/// Packages what there is no package of, if that is wanted; `missing` is the error that says so.
fn package_first(args: &DeployArgs, workspace: &Workspace<'_>, ui: &Ui, missing: Error) -> Result<()> {
    let target = &args.act.target;
    // That something else is wrong is said by the error.
    let missed =
        unpackaged(workspace, &args.revision, &target.selection(), &target.wanted()?).unwrap_or_default();
    if missed.is_empty() {
        return Err(missing);
    }
    let slip = workspace.mistyped(&target.wanted()?)?;
    // A dry run records nothing.
    if !args.package || args.act.dry_run {
        if !ui.can_ask() || args.act.yes || args.act.dry_run {
            let first = slip.is_none().then(|| {
                let allowed = &args.act.allow_delete;
                let command =
                    args.act.command_line(Action::Deploy, &args.revision, Some("--package"), allowed);
                if args.package {
                    "--dry-run does not package: package the commit first".to_owned()
                } else {
                    format!("to package it and deploy it: {command}")
                }
            });
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

/// Asks for the package to go back to.
fn pick<'r>(workspace: &Workspace<'r>, wanted: &Wanted, ui: &Ui) -> Result<Plan<'r>> {
    let choices = Choices::of(workspace, wanted)?;
    let question = format!("Roll {} back to", choices.target);
    let index = ui.pick(&question, &choices.table, choices.first, choices.remark.as_deref())?;
    choices.plan(workspace, index)
}

/// Shows the plan, asks, carries it out and reports.
///
/// # Arguments
/// `remark`: what is to be known of the history that it was made with. `revision`: that several services go to.
fn act(
    mut plan: FleetPlan<'_>,
    remark: Option<String>,
    revision: &str,
    args: &ActArgs,
    workspace: &Workspace<'_>,
    ui: &Ui,
) -> Result<()> {
    plan.warn(remark);
    let mut second = Vec::new();
    for plan in plan.to_do_mut() {
        second.extend(args.warn_of(
            SecondStack::of(workspace, &plan.package, plan.live.as_ref().map(|live| live.since))?,
            plan,
            ui,
        ));
    }
    plan.check_names(&args.allow_plugin_drift)?;
    for (option, values) in args.allowed() {
        plan.allow(option, values);
    }
    plan.allow_deletion(&args.allow_delete)?;
    let mut passes = plan.pass();
    // A question can stand for the option only where it is asked.
    if args.dry_run || args.yes || !ui.can_ask() {
        let unmet = |()| second.first().map_or(Ok(()), |second| Err(second.refusal(workspace.context)));
        passes = passes.and_then(unmet);
    }
    if args.dry_run {
        ui.report(&Report { dry_run: true, what: &plan })?;
        return passes;
    }
    if args.yes || passes.is_err() || plan.to_do().next().is_none() {
        ui.show(&plan);
        passes?;
    } else {
        ask(&plan, &second, workspace, ui)?;
    }
    let mut report = apply(workspace, &plan, &args.applying(ui))?;
    ui.done(&Report { dry_run: false, what: &report }, report.failure.is_some())?;
    let Some(error) = report.failure.take() else { return Ok(()) };
    let again = args.command_line(plan.action, revision, None, &report.still_allowed);
    Err(ways(error, &report, &again))
}

/// Asks once; of each protected stage, its name.
fn ask(plan: &FleetPlan<'_>, second: &[SecondStack], workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let mut questions: Vec<_> = second.iter().map(SecondStack::question).collect();
    match plan.single() {
        Some(single) if second.is_empty() => questions.push(format!("Go on with {}?", single.target)),
        Some(_) => {}
        None => {
            let names: Vec<_> = plan.to_do().map(|plan| plan.target.service.as_str()).collect();
            questions.push(format!("Go on with {} ({})?", count(names.len(), "service"), names.join(", ")));
        }
    }
    let question = questions.join(" ");
    let stages: BTreeSet<_> = plan.to_do().map(|plan| &plan.target.stage).collect();
    let mut guarded = stages.into_iter().filter(|stage| workspace.config.deploy.protected.contains(stage));
    let Some(first) = guarded.next() else { return ui.confirm(plan, &question, NOBODY_TO_ASK) };
    ui.confirm_word(plan, &question, first.as_str(), NOBODY_TO_ASK)?;
    guarded.try_for_each(|stage| ui.confirm_word(&format_args!(""), &question, stage.as_str(), NOBODY_TO_ASK))
}

/// Adds the commands that go on, and that go back.
fn ways(error: Error, results: &FleetReport, again: &str) -> Error {
    let error =
        error.hint(format!("once that is fixed, to continue with the services that are left: {again}"));
    let back = results.back.iter().enumerate().map(|(index, command)| {
        let head = if index == 0 { "to go back" } else { "and then" };
        format!("{head}: {command}")
    });
    error.hints(back)
}
