//! What a plan for several services says.

use std::fmt;

use super::step::{After, Blocked, Step, StepState};
use crate::deploy::fleet::order::{Conflict, Reason, Remark, Why};
use crate::error::Error;
use crate::package::manifest::Target;
use crate::text::style::{COMMIT, DIM};
use crate::text::words::line;

/// The most reasons that are shown for one place in the order.
const MAX_REASONS: usize = 3;

/// The stack that a remark is of, and the remark.
pub(in crate::deploy) fn remark(remark: &Remark, targets: &[Target]) -> (usize, String) {
    match remark {
        Remark::ExportedElsewhere { stack, export } => (
            *stack,
            format!(
                "it imports {export}, which no service here exports: another stack must export it already"
            ),
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
pub(in crate::deploy) fn circular(circle: &[Reason], targets: &[Target]) -> Error {
    let mut names: Vec<_> = circle.iter().map(|reason| targets[reason.first].service.as_str()).collect();
    names.extend(names.first().copied());
    let error =
        Error::refused(format!("these services depend on each other in a circle: {}", names.join(" → ")));
    let hints = circle.iter().map(|reason| {
        let after =
            After { target: targets[reason.first].clone(), why: reason.why, export: reason.export.clone() };
        format!("{} {after}", targets[reason.then].service)
    });
    error
        .hints(hints)
        .hint("go through a commit in between, where one of them does not import from the other")
}

impl Blocked {
    /// What to do about it.
    pub(in crate::deploy) fn hint(&self) -> &'static str {
        match self.conflict {
            Conflict::StillImported | Conflict::ImportedThen => {
                "CloudFormation does not remove an export that another stack imports: include that service, with a package that does not import it, or choose a commit that still has the export"
            }
            Conflict::ExportedTwice => "an export's name is unique in its account and region",
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

impl Step<'_> {
    /// Why it stands where it does, or why nothing is done with it.
    pub(super) fn remark(&self) -> String {
        match (self.state, &self.plan) {
            (StepState::AlreadyLive, Some(plan)) => {
                let (short, label) = (&plan.restore.short, line(&plan.restore.label));
                format!("{COMMIT}{short}{COMMIT:#}  {label}  {DIM}is live already{DIM:#}")
            }
            (StepState::NotInCommit, _) => {
                format!("{DIM}is not a service of that commit, and is left alone{DIM:#}")
            }
            (StepState::Unchanged, Some(plan)) => {
                let (short, label) = (&plan.restore.short, line(&plan.restore.label));
                format!("{COMMIT}{short}{COMMIT:#}  {label}  {DIM}would change nothing live{DIM:#}")
            }
            (StepState::AlreadyLive | StepState::Unchanged, None) => String::new(),
            (StepState::ToDo, _) if self.after.is_empty() => String::new(),
            (StepState::ToDo, _) => {
                let mut all: Vec<_> = self.after.iter().take(MAX_REASONS).map(After::to_string).collect();
                if self.after.len() > MAX_REASONS {
                    all.push(format!("and {} more", self.after.len() - MAX_REASONS));
                }
                format!("{DIM}{}{DIM:#}", all.join("; "))
            }
        }
    }
}
