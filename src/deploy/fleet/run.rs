//! Carrying out a plan: all locks first, then one after the other, and no further than the first that fails.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use super::packages::command;
use super::plan::FleetPlan;
use super::step::StepState;
use crate::deploy::execute::apply::{DeployOptions, DeployReport, carry_out, way_back};
use crate::deploy::execute::history_sync;
use crate::deploy::execute::lock::{self, LockGuard};
use crate::deploy::preflight::guard::Changes;
use crate::deploy::preflight::plan::Plan;
use crate::error::{Error, Kind, Result};
use crate::package::manifest::Target;
use crate::process::interrupt;
use crate::store::Filter;
use crate::store::deployments::{Action, Effect};
use crate::text::style::{BOLD, COMMIT, DIM, ERROR};
use crate::text::words::line;
use crate::workspace::Workspace;

/// What became of the services of a plan.
#[derive(Debug)]
pub struct FleetReport {
    /// A row a service, in the order of the plan.
    pub rows: Vec<Row>,
    /// The commands that go back from what was changed, in their order.
    pub back: Vec<String>,
    /// What was allowed to be deleted, as `SERVICE:ID`, of the services that it did not come to.
    pub still_allowed: Vec<String>,
    /// What stopped it.
    pub failure: Option<Error>,
    is_single: bool,
}

impl Serialize for FleetReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.rows.first().filter(|_| self.is_single) {
            Some(row) => row.done.serialize(serializer),
            None => BTreeMap::from([("services", &self.rows)]).serialize(serializer),
        }
    }
}

/// What became of a service.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The service, stage and region.
    pub target: Target,
    /// What became of it.
    pub outcome: End,
    /// What was done, as of a service alone; none unless it succeeded.
    pub done: Option<DeployReport>,
    /// Why it failed.
    pub error: Option<String>,
    /// The name of what is live already.
    #[serde(skip)]
    label: String,
}

/// What became of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Its package is live.
    Succeeded,
    /// It failed.
    Failed,
    /// The user stopped it.
    Interrupted,
    /// It was not started, since one before it failed.
    NotStarted,
    /// Its package was live already.
    AlreadyLive,
    /// Its package has the code and the template that are live.
    Unchanged,
    /// The commit has no such service.
    NotInCommit,
}

/// Takes the locks of all targets, then carries out one plan after the other until one fails.
///
/// # Errors
/// When a lock can't be taken: nothing was started then. What fails later is in the results, but for a single service, whose error it is.
pub fn apply(
    workspace: &Workspace<'_>,
    several: &FleetPlan<'_>,
    options: &DeployOptions,
) -> Result<FleetReport> {
    let Workspace { progress, .. } = *workspace;
    let mut plans: Vec<&Plan<'_>> = several.steps.iter().filter_map(|step| step.plan.as_ref()).collect();
    // Always in the same order, so that of two concurrent runs one gets all locks.
    plans.sort_by(|one, other| one.target.cmp(&other.target));
    let total = several.to_do().count();
    let purposes: Vec<_> = plans.iter().map(|plan| plan.purpose()).collect();
    let held = if total == 0 { Vec::new() } else { lock::take(workspace, &purposes, options.no_lock)? };
    let remote = held.iter().find_map(LockGuard::remote);
    if total > 0 {
        let planned = plans.iter().map(|plan| (&plan.target, &plan.watermark));
        history_sync::check_unmoved(workspace, planned, remote)?;
    }
    let (rows, back, still_allowed) = (Vec::new(), Vec::new(), Vec::new());
    let is_single = several.single().is_some();
    let mut results = FleetReport { rows, back, still_allowed, failure: None, is_single };
    let mut changed: Vec<&Plan<'_>> = Vec::new();
    for step in &several.steps {
        let mut row = Row::new(step.target.clone(), step.state);
        if step.state == StepState::ToDo && results.failure.is_none() {
            results.failure = interrupt::check().err();
        }
        if let (StepState::ToDo, Some(plan), None) = (step.state, &step.plan, &results.failure) {
            if !is_single {
                progress.phase(&format!("{} of {total}: {}", step.place.unwrap_or(1), step.target));
            }
            let outcome = carry_out(workspace, plan, options, remote);
            if outcome.is_ok() || has_changed(workspace, plan) {
                changed.push(plan);
            }
            match outcome {
                Ok(done) => (row.outcome, row.done) = (End::Succeeded, Some(done)),
                Err(error) => {
                    let is_interrupted = error.kind == Kind::Interrupted;
                    row.outcome = if is_interrupted { End::Interrupted } else { End::Failed };
                    row.error = Some(error.message.clone());
                    results.failure = Some(error);
                }
            }
        } else if let (StepState::AlreadyLive | StepState::Unchanged, Some(plan)) = (step.state, &step.plan) {
            row.label = format!("{COMMIT}{}{COMMIT:#}  {}", plan.restore.short, plan.restore.label);
        }
        if let (Some(plan), true) = (&step.plan, row.done.is_none()) {
            let allowed = plan.changes.iter().flat_map(Changes::allowed);
            results.still_allowed.extend(allowed.map(|id| format!("{}:{id}", plan.target.service)));
        }
        results.rows.push(row);
    }
    drop(held);
    if is_single && let Some(error) = results.failure {
        return Err(error);
    }
    results.back = ways_back(workspace, &changed);
    results.failure = results.failure.take().map(|error| results.explain(error));
    Ok(results)
}

/// Whether the deployment that just failed may have changed what is live.
fn has_changed(workspace: &Workspace<'_>, plan: &Plan<'_>) -> bool {
    let newest = workspace.store().histories().of(&plan.target).ok();
    let newest = newest.and_then(|known| known.deployments.into_iter().next());
    newest.is_some_and(|newest| newest.effect() != Effect::None)
}

/// The commands that make live again what was live before the plans in `changed`: one where one commit has all of it, else one a
/// service, from the last to the first.
fn ways_back(workspace: &Workspace<'_>, changed: &[&Plan<'_>]) -> Vec<String> {
    let all: Vec<_> = changed
        .iter()
        .rev()
        .filter_map(|plan| Some((*plan, plan.live.as_ref()?)))
        .filter(|(plan, live)| live.package != plan.restore.package)
        .collect();
    if let [(first, live), _, ..] = all.as_slice() {
        let is_of_it = |plan: &Plan<'_>, package: &str| {
            let filter = Filter { region: None, ..Filter::of(&plan.target) };
            let found = workspace.find(&live.commit, &filter);
            plan.target.stage == first.target.stage
                && found.is_ok_and(|found| found.line.package.to_string() == package)
        };
        if all.iter().all(|(plan, other)| other.commit == live.commit && is_of_it(plan, &other.package)) {
            let services: Vec<_> = all.iter().map(|(plan, _)| &plan.target).collect();
            let stage = first.target.stage.as_str();
            return vec![command(Action::Rollback, &live.short, &services, Some(stage))];
        }
    }
    all.iter().map(|(plan, live)| way_back(workspace, &plan.target, live)).collect()
}

impl Row {
    fn new(target: Target, state: StepState) -> Self {
        let outcome = match state {
            StepState::ToDo => End::NotStarted,
            StepState::AlreadyLive => End::AlreadyLive,
            StepState::Unchanged => End::Unchanged,
            StepState::NotInCommit => End::NotInCommit,
        };
        Self { target, outcome, done: None, error: None, label: String::new() }
    }
}

impl FleetReport {
    /// The error that stopped it, with what is where.
    fn explain(&self, mut error: Error) -> Error {
        let named = |wanted: &[End]| {
            let rows = self.rows.iter().filter(|row| wanted.contains(&row.outcome));
            let names = rows.map(|row| row.target.service.as_str()).collect::<Vec<_>>();
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        };
        if let Some(row) = self.rows.iter().find(|row| row.outcome == End::Failed) {
            error.message = format!("{}: {}", row.target, error.message);
        }
        error.hint(format!(
            "done: {}; failed: {}; not started: {}",
            named(&[End::Succeeded]),
            named(&[End::Failed, End::Interrupted]),
            named(&[End::NotStarted]),
        ))
    }
}

impl fmt::Display for FleetReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Row { target, outcome, done, error, label } in &self.rows {
            let error = error.as_deref().unwrap_or_default();
            match (outcome, done) {
                (_, Some(done)) => done.fmt(f)?,
                (End::Failed, _) => {
                    writeln!(f, "{ERROR}Failed{ERROR:#}    {target}  {}", line(error))?;
                }
                (End::Interrupted, _) => writeln!(f, "{ERROR}Stopped{ERROR:#}   {target}")?,
                (End::AlreadyLive, _) => writeln!(f, "{BOLD}Already{BOLD:#}   {label} on {target}")?,
                (End::Unchanged, _) => {
                    writeln!(
                        f,
                        "{BOLD}Left{BOLD:#}      {target}  {DIM}{label}{DIM} would change nothing live{DIM:#}"
                    )?;
                }
                (End::NotInCommit, _) => {
                    writeln!(
                        f,
                        "{BOLD}Left{BOLD:#}      {target}  {DIM}not a service of that commit{DIM:#}"
                    )?;
                }
                (End::NotStarted | End::Succeeded, None) => {
                    writeln!(f, "{BOLD}Left{BOLD:#}      {target}  {DIM}not started{DIM:#}")?;
                }
            }
        }
        if self
            .rows
            .iter()
            .all(|row| matches!(row.outcome, End::AlreadyLive | End::Unchanged | End::NotInCommit))
        {
            writeln!(f, "{DIM}nothing was done; to deploy all the same: --again{DIM:#}")?;
        }
        if self.failure.is_none() {
            for (index, command) in self.back.iter().enumerate() {
                let head = if index == 0 { "Undo" } else { "" };
                writeln!(f, "{BOLD}{head:10}{BOLD:#}{command}")?;
            }
        }
        Ok(())
    }
}
