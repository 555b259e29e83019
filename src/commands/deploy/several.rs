//! `deploy` and `rollback` of several services: one plan, one question, one report.

use std::collections::BTreeSet;

use super::options::{ActArgs, DeployReport, NOBODY_TO_ASK};
use crate::deploy::fleet::packages::{Selection, command_line};
use crate::deploy::fleet::plan::FleetPlan;
use crate::deploy::fleet::run::{FleetReport, apply};
use crate::deploy::preflight::checks;
use crate::deploy::preflight::second_stack::SecondStack;
use crate::error::{Error, Result};
use crate::store::deployments::Action;
use crate::text::words::count;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// The plan for the services that the command line names.
pub(super) fn plan<'r>(
    action: Action,
    revision: &str,
    args: &ActArgs,
    workspace: &Workspace<'r>,
) -> Result<FleetPlan<'r>> {
    let target = &args.target;
    let selection = if target.all { Selection::All } else { Selection::Named(target.service.clone()) };
    FleetPlan::of(workspace, action, revision, &selection, &target.wanted()?, args.again)
}

/// Shows the plan, asks, and carries it out.
pub(super) fn act(
    mut several: FleetPlan<'_>,
    remark: Option<String>,
    revision: &str,
    args: &ActArgs,
    workspace: &Workspace<'_>,
    ui: &Ui,
) -> Result<()> {
    let action = several.action;
    if let Some(first) = several.steps.first_mut() {
        first.remarks.extend(remark);
    }
    let mut second = Vec::new();
    for plan in several.to_do_mut() {
        let stack = SecondStack::of(workspace, plan)?;
        second.extend(args.warn_of(stack, plan, ui));
    }
    several.check_names(&args.allow_plugin_drift)?;
    for (option, values) in args.allowed() {
        several.allow(option, values);
    }
    several.allow_deletion(&args.allow_delete)?;
    let mut passes = several.pass();
    if args.dry_run || args.yes || !ui.can_ask() {
        passes = passes.and_then(|()| second.first().map_or(Ok(()), |second| Err(second.refusal())));
    }
    if args.dry_run {
        ui.report(&DeployReport { dry_run: true, what: &several })?;
        return passes;
    }
    if args.yes || passes.is_err() || several.to_do().next().is_none() {
        ui.show(&several);
        passes?;
    } else {
        ask(&several, &second, workspace, ui)?;
    }
    let mut results = apply(workspace, &several, &args.applying(ui))?;
    ui.done(&DeployReport { dry_run: false, what: &results }, results.failure.is_some())?;
    let Some(error) = results.failure.take() else { return Ok(()) };
    Err(ways(error, &results, &line(action, revision, args, &results)))
}

/// The error for a rollback of several services that names no commit: each has a history of its own.
pub(super) fn needs_commit() -> Error {
    Error::usage("a rollback of several services needs a REF: each of them has a history of its own")
        .hint("name the commit that all go back to: git slsart rollback REF --all")
        .hint("`git slsart log` lists the packages")
        .hint("one service alone goes back without a REF: git slsart rollback --service NAME")
}

/// Asks once; of each protected stage, its name.
fn ask(several: &FleetPlan<'_>, second: &[SecondStack], workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let names: Vec<_> = several.to_do().map(|plan| plan.target.service.as_str()).collect();
    let second = second.iter().map(SecondStack::question);
    let go_on = format!("Go on with {} ({})?", count(names.len(), "service"), names.join(", "));
    let question = second.chain([go_on]).collect::<Vec<_>>().join(" ");
    let stages: BTreeSet<_> = several.to_do().map(|plan| &plan.target.stage).collect();
    let mut guarded = stages.into_iter().filter(|stage| workspace.config.deploy.protected.contains(stage));
    let Some(first) = guarded.next() else { return ui.confirm(several, &question, NOBODY_TO_ASK) };
    ui.confirm_word(several, &question, first.as_str(), NOBODY_TO_ASK)?;
    guarded.try_for_each(|stage| ui.confirm_word(&format_args!(""), &question, stage.as_str(), NOBODY_TO_ASK))
}

/// Adds the commands that go on, and that go back.
fn ways(error: Error, results: &FleetReport, again: &str) -> Error {
    let error = error.hint(format!("once that is mended, to go on (what is done is left alone): {again}"));
    let back = results.back.iter().enumerate().map(|(index, command)| {
        let head = if index == 0 { "to go back" } else { "and then" };
        format!("{head}: {command}")
    });
    error.hints(back)
}

/// The command line that goes on: what was given, as far as it says what is to be done and is still needed.
fn line(action: Action, revision: &str, args: &ActArgs, results: &FleetReport) -> String {
    let target = &args.target;
    let options = [
        ("--service", target.service.iter().collect()),
        ("-s", Vec::from_iter(&target.stage)),
        ("-r", Vec::from_iter(&target.region)),
        ("--allow-plugin-drift", args.allow_plugin_drift.iter().collect()),
        (checks::ALLOW_RUNTIME, args.allow_runtime.iter().collect()),
        (checks::ALLOW_ACCOUNT, args.allow_account.iter().collect()),
        (checks::ALLOW_MISSING, args.allow_missing.iter().collect()),
        ("--allow-delete", results.still_allowed.iter().collect()),
    ];
    let options =
        options.iter().flat_map(|(name, values)| values.iter().flat_map(|value| [*name, value.as_str()]));
    let flags = [(target.all, "--all"), (args.no_credentials, checks::ALLOW_NO_CREDENTIALS)];
    let flags = flags.into_iter().filter_map(|(is_given, flag)| is_given.then_some(flag));
    command_line(action, revision, flags.chain(options))
}
