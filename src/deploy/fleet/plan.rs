//! One plan for all services that are deployed together, decided before the first of them starts, in an order that their stacks' exports and
//! imports allow. A single service is a fleet of one: it has no order, and its plan is shown alone.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use serde::{Serialize, Serializer};

use super::packages::{self, Selection};
use super::step::{After, Blocked, Step, StepState};
use super::{render, stacks};
use crate::deploy::fleet::order::{Block, Order, Reason, order};
use crate::deploy::preflight::guard::Changes;
use crate::deploy::preflight::plan::Plan;
use crate::error::{Error, Kind, Result};
use crate::package::manifest::Target;
use crate::store::deployments::Action;
use crate::text::style::{BOLD, ERROR, WARNING};
use crate::text::words::{count, line};
use crate::workspace::{Wanted, Workspace};

/// What is about to be done with one service or several.
pub struct FleetPlan<'r> {
    /// Those that are deployed, in their order; then those that are not.
    pub steps: Vec<Step<'r>>,
    pub action: Action,
    is_single: bool,
}

impl<'r> From<Plan<'r>> for FleetPlan<'r> {
    fn from(plan: Plan<'r>) -> Self {
        let (after, blocks, remarks) = (Vec::new(), Vec::new(), Vec::new());
        let (action, target) = (plan.action, plan.target.clone());
        let step =
            Step { place: Some(1), state: StepState::ToDo, target, after, blocks, remarks, plan: Some(plan) };
        Self { steps: vec![step], action, is_single: true }
    }
}

impl Serialize for FleetPlan<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.single() {
            Some(plan) => plan.serialize(serializer),
            None => BTreeMap::from([("services", &self.steps)]).serialize(serializer),
        }
    }
}

impl fmt::Display for FleetPlan<'_> {
    /// All plans, then the order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(plan) = self.single() {
            return plan.fmt(f);
        }
        for plan in self.to_do() {
            writeln!(f, "{plan}")?;
        }
        let width = self.steps.iter().map(|step| step.target.to_string().chars().count()).max().unwrap_or(0);
        for (index, step) in self.steps.iter().enumerate() {
            let head = if index == 0 { "Order" } else { "" };
            let place = step.place.map_or_else(|| "=".to_owned(), |step| step.to_string());
            let target = step.target.to_string();
            let (target, remark) = match step.remark() {
                remark if remark.is_empty() => (target, remark),
                remark => (format!("{target:width$}"), format!("  {remark}")),
            };
            writeln!(f, "{BOLD}{head:10}{BOLD:#}{place:>2}  {target}{remark}")?;
            for blocked in &step.blocks {
                writeln!(f, "{:14}{ERROR}✗{ERROR:#} {blocked}", "")?;
            }
            for remark in &step.remarks {
                writeln!(f, "{:14}{WARNING}!{WARNING:#} {}", "", line(remark))?;
            }
        }
        Ok(())
    }
}

impl<'r> FleetPlan<'r> {
    /// The plan to deploy the packages that `revision` has of the services that are selected.
    ///
    /// # Arguments
    /// `again`: whether packages are deployed too that are live already, or would change nothing live.
    ///
    /// # Errors
    /// When a service has no package there, and when their stacks wait for each other in a circle.
    pub fn of(
        workspace: &Workspace<'r>,
        action: Action,
        revision: &str,
        selection: &Selection,
        wanted: &Wanted,
        again: bool,
    ) -> Result<Self> {
        let found = packages::find(workspace, action, revision, selection, wanted)?;
        if let ([found], true) = (found.as_slice(), selection.is_single()) {
            return Ok(Plan::of_found(workspace, action, found)?.into());
        }
        let mut plans = Vec::new();
        let mut states = Vec::new();
        for found in &found {
            let plan = Plan::of_found(workspace, action, found)?;
            let is_live = plan.live.as_ref().is_some_and(|live| live.package == plan.restore.package);
            states.push(match () {
                () if plan.uncertain || again => StepState::ToDo,
                () if is_live => StepState::AlreadyLive,
                () if plan.changes.as_ref().is_some_and(Changes::is_nothing) => StepState::Unchanged,
                () => StepState::ToDo,
            });
            plans.push(plan);
        }
        let stacks = stacks::of(workspace, &plans, &states)?;
        let order = order(&stacks.all).map_err(|circle| render::circular(&circle, &stacks.targets))?;
        let mut remarks = stacks.remarks;
        for remark in &order.remarks {
            let (stack, text) = render::remark(remark, &stacks.targets);
            remarks[stack].push(text);
        }
        let mut steps: Vec<Step<'r>> = Vec::new();
        let all = plans.into_iter().zip(states).zip(remarks).enumerate();
        for (at, ((plan, state), remarks)) in all {
            let place = order.steps.iter().position(|other| *other == at).map(|place| place + 1);
            steps.push(Step {
                place,
                state,
                target: plan.target.clone(),
                after: after(&order, at, &stacks.targets),
                blocks: blocks(&order, at, &stacks.targets),
                remarks,
                plan: Some(plan),
            });
        }
        steps.sort_by_key(|step| step.place.unwrap_or(usize::MAX));
        if *selection == Selection::All {
            let left = packages::left_alone(workspace, &steps)?.into_iter();
            steps.extend(left.map(Step::left_alone));
        }
        Ok(Self { steps, action, is_single: false })
    }

    /// The plan of a single service; none where several were selected.
    pub fn single(&self) -> Option<&Plan<'r>> {
        self.steps.first().filter(|_| self.is_single)?.plan.as_ref()
    }

    /// Adds what has to be known before any of it is done.
    pub fn warn(&mut self, remark: Option<String>) {
        let Some(first) = self.steps.first_mut() else { return };
        let shown = first.plan.as_mut().filter(|_| self.is_single).map(|plan| &mut plan.warnings);
        shown.unwrap_or(&mut first.remarks).extend(remark);
    }

    /// The plans that are carried out, in their order.
    pub fn to_do(&self) -> impl Iterator<Item = &Plan<'r>> {
        self.steps.iter().filter(|step| step.state == StepState::ToDo).filter_map(|step| step.plan.as_ref())
    }

    /// The same, to be changed.
    pub fn to_do_mut(&mut self) -> impl Iterator<Item = &mut Plan<'r>> {
        self.steps
            .iter_mut()
            .filter(|step| step.state == StepState::ToDo)
            .filter_map(|step| step.plan.as_mut())
    }

    /// Refuses names, of plugins that may drift, that none of the packages knows a plugin by.
    pub fn check_names(&self, names: &[String]) -> Result<()> {
        if let Some(plan) = self.single() {
            return plan.check_names(names);
        }
        let plans = || self.steps.iter().filter_map(|step| step.plan.as_ref());
        let known = |name: &String| plans().any(|plan| plan.check_names(std::slice::from_ref(name)).is_ok());
        match names.iter().find(|name| !known(name)) {
            Some(name) => Err(Error::usage(format!("none of the packages has a plugin '{name}'"))),
            None => Ok(()),
        }
    }

    /// Lets what the checks block pass, as [`Plan::allow`] does, in every plan.
    pub fn allow(&mut self, option: &str, values: &[String]) {
        self.to_do_mut().for_each(|plan| plan.allow(option, values));
    }

    /// Lets resources that hold data be deleted or replaced, by their logical ids, or by `SERVICE:ID` where several services have one
    /// of that id to lose.
    ///
    /// # Errors
    /// Usage, when an id is unknown or ambiguous.
    pub fn allow_deletion(&mut self, ids: &[String]) -> Result<()> {
        let mut allowed: Vec<Vec<String>> = self.to_do().map(|_| Vec::new()).collect();
        for text in ids {
            if let Some(at) = self.losing(text)? {
                allowed[at].push(text.rsplit(':').next().unwrap_or(text).to_owned());
            }
        }
        self.to_do_mut().zip(allowed).try_for_each(|(plan, ids)| plan.allow_deletion(&ids))
    }

    /// Which of the plans, counted from 0, would lose what `text` names; none where nothing of that name is to be lost.
    fn losing(&self, text: &str) -> Result<Option<usize>> {
        let (service, id) = text.rsplit_once(':').map_or((None, text), |(service, id)| (Some(service), id));
        let is_meant = |target: &Target| {
            service.is_none_or(|name| name == target.service.as_str() || name == target.path.as_str())
        };
        let all: Vec<_> = self.to_do().enumerate().filter(|(_, plan)| is_meant(&plan.target)).collect();
        let changes = || all.iter().filter_map(|(at, plan)| Some((*at, *plan, plan.changes.as_ref()?)));
        let loses = |changes: &Changes| changes.blocked().any(|one| one.id == id);
        let losing: Vec<_> = changes().filter(|(_, _, changes)| loses(changes)).collect();
        match losing.as_slice() {
            [(at, ..)] => Ok(Some(*at)),
            [] if all.is_empty() && service.is_some() => {
                Err(Error::usage(format!("'{text}' names no service of this plan")))
            }
            [] if changes().any(|(_, _, changes)| changes.knows(id)) => Ok(None),
            // The parser reports what is wrong with it.
            [] => Ok(all.first().map(|(at, _)| *at)),
            several => {
                let each =
                    several.iter().map(|(_, plan, _)| format!("--allow-delete {}:{id}", plan.target.service));
                Err(Error::usage(format!("several services would lose a resource '{id}'"))
                    .hint(format!("name the service too: {}", each.collect::<Vec<_>>().join(" "))))
            }
        }
    }

    /// Refuses to start any where one of them must not.
    ///
    /// # Errors
    /// One for all that blocks; [`Kind::Integrity`] where a package is damaged.
    pub fn pass(&self) -> Result<()> {
        if let Some(plan) = self.single() {
            return plan.pass();
        }
        let mut kind = Kind::Refused;
        let (mut reasons, mut hints) = (Vec::new(), Vec::<String>::new());
        let mut services = 0;
        for step in self.steps.iter().filter(|step| step.state == StepState::ToDo) {
            let before = reasons.len();
            let service = &step.target.service;
            if let Some(Err(error)) = step.plan.as_ref().map(Plan::pass) {
                if error.kind == Kind::Integrity {
                    kind = Kind::Integrity;
                }
                reasons.push(format!("{service}: {error}"));
                hints.extend(error.hints);
            }
            for blocked in &step.blocks {
                reasons.push(format!("{service}: {blocked}"));
                hints.push(blocked.hint().to_owned());
            }
            services += usize::from(reasons.len() > before);
        }
        if reasons.is_empty() {
            return Ok(());
        }
        let verb = if self.action == Action::Deploy { "deployed" } else { "rolled back" };
        let all = count(self.to_do().count(), "service");
        let mut error = Error::new(kind, format!("{services} of {all} can't be {verb}: none is started"));
        for hint in hints {
            if !error.hints.contains(&hint) {
                error.hints.push(hint);
            }
        }
        Err(error.because(io::Error::other(reasons.join("\n"))))
    }
}

/// Why a stack stands where it does; what would only have been better, and is not so, is no reason.
fn after(order: &Order, at: usize, targets: &[Target]) -> Vec<After> {
    let place = |at: usize| order.steps.iter().position(|other| *other == at);
    let kept = |reason: &&Reason| reason.then == at && place(reason.first) < place(at);
    let after = |reason: &Reason| After {
        target: targets[reason.first].clone(),
        why: reason.why,
        export: reason.export.clone(),
    };
    order.reasons.iter().filter(kept).map(after).collect()
}

fn blocks(order: &Order, at: usize, targets: &[Target]) -> Vec<Blocked> {
    let blocked = |block: &Block| Blocked {
        target: targets[block.other].clone(),
        conflict: block.conflict,
        export: block.export.clone(),
    };
    order.blocks.iter().filter(|block| block.stack == at).map(blocked).collect()
}
