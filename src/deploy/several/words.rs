//! What a plan for several services says.

use std::fmt;

use super::{After, Blocked, Several, State, Step};
use crate::deploy::order::{Conflict, Reason, Remark, Why};
use crate::error::Error;
use crate::package::manifest::Target;
use crate::text::style::{BOLD, COMMIT, DIM, ERROR, WARNING};
use crate::text::words::line;

/// Most reasons that are told of one place in the order.
const MAX_REASONS: usize = 3;

/// The stack that a remark is of, and the remark.
pub(super) fn remark(remark: &Remark, targets: &[Target]) -> (usize, String) {
    match remark {
        Remark::ExportedElsewhere { stack, export } => (
            *stack,
            format!("it imports {export}, which no service here exports: something else has to, already"),
        ),
        Remark::OtherValue { stack, importer, export } => (
            *stack,
            format!(
                "it exports {export} with another value, and {} imports it: CloudFormation refuses that where the value really changes",
                targets[*importer]
            ),
        ),
    }
}

/// The error for stacks that wait for each other.
pub(super) fn circular(circle: &[Reason], targets: &[Target]) -> Error {
    let mut names: Vec<_> = circle.iter().map(|reason| targets[reason.first].service.as_str()).collect();
    names.extend(names.first().copied());
    let error = Error::refused(format!(
        "these services wait for each other, and none can be the first: {}",
        names.join(" → ")
    ));
    let hints = circle.iter().map(|reason| {
        let after =
            After { target: targets[reason.first].clone(), why: reason.why, export: reason.export.clone() };
        format!("{} {after}", targets[reason.then].service)
    });
    error.hints(hints).hint("go by a commit in between, in which one of them does without the other's export")
}

impl Blocked {
    /// What to do about it.
    pub(super) fn hint(&self) -> &'static str {
        match self.conflict {
            Conflict::StillImported | Conflict::ImportedThen => {
                "CloudFormation removes no export that another stack imports: take that service along to a package that does without, \
                 or go to a commit that still has the export"
            }
            Conflict::ExportedTwice => "the name of an export is one stack's in its account and region",
        }
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, conflict, export } = self;
        let export = line(export);
        match conflict {
            Conflict::StillImported => {
                write!(f, "it would no longer export {export}, which {target} imports")
            }
            Conflict::ImportedThen => {
                write!(f, "it would no longer export {export}, which {target} is to import")
            }
            Conflict::ExportedTwice => write!(f, "it would export {export}, which {target} exports"),
        }
    }
}

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (service, export) = (&self.target.service, line(&self.export));
        match self.why {
            Why::Imports => write!(f, "imports {export} of {service}"),
            Why::Removes => write!(f, "removes {export}, which {service} imports until then"),
            Why::TakesOver => write!(f, "takes {export} over from {service}"),
        }
    }
}

impl fmt::Display for Several<'_> {
    /// All plans, then the order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for plan in self.to_do() {
            writeln!(f, "{plan}")?;
        }
        let width = self.steps.iter().map(|step| step.target.to_string().chars().count()).max().unwrap_or(0);
        for (index, step) in self.steps.iter().enumerate() {
            let head = if index == 0 { "Order" } else { "" };
            let place = step.step.map_or_else(|| "=".to_owned(), |step| step.to_string());
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

impl Step<'_> {
    /// Why it stands where it does, or why nothing is done with it.
    fn remark(&self) -> String {
        match (self.state, &self.plan) {
            (State::AlreadyLive, Some(plan)) => {
                let (short, label) = (&plan.restore.short, line(&plan.restore.label));
                format!("{COMMIT}{short}{COMMIT:#}  {label}  {DIM}is live already{DIM:#}")
            }
            (State::NotInCommit, _) => {
                format!("{DIM}is no service of that commit, and stays as it is{DIM:#}")
            }
            (State::Unchanged, Some(plan)) => {
                let (short, label) = (&plan.restore.short, line(&plan.restore.label));
                format!("{COMMIT}{short}{COMMIT:#}  {label}  {DIM}changes nothing that is live{DIM:#}")
            }
            (State::AlreadyLive | State::Unchanged, None) => String::new(),
            (State::ToDo, _) if self.after.is_empty() => String::new(),
            (State::ToDo, _) => {
                let mut all: Vec<_> = self.after.iter().take(MAX_REASONS).map(After::to_string).collect();
                if self.after.len() > MAX_REASONS {
                    all.push(format!("and {} more", self.after.len() - MAX_REASONS));
                }
                format!("{DIM}{}{DIM:#}", all.join("; "))
            }
        }
    }
}
