//! The steps of setting a repository up, and of taking that back.

use std::fmt;

use serde::Serialize;

use crate::error::Error;
use crate::text::style::{BOLD, DIM, ERROR, GOOD, WARNING};
use crate::text::words::line;

/// One thing that `init` or `uninstall` does.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    pub subject: String,
    pub action: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Create,
    Add,
    /// It is removed, or what was added to it is.
    Remove,
    Unchanged,
    /// It is left alone, for the reason that the remark gives.
    Skip,
    /// It could not be done, for the reason that the remark gives; what comes after it was done all the same.
    Fail,
}

/// What `init` or `uninstall` did, or would do.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether this is only said.
    pub dry_run: bool,
    pub found: Vec<String>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    pub next: Vec<String>,
}

impl Report {
    /// How many steps could not be done.
    pub fn failed(&self) -> usize {
        self.steps.iter().filter(|step| step.action == Action::Fail).count()
    }
}

pub(super) fn failed(subject: &str, error: &Error) -> Step {
    let remark = error.with_causes();
    Step { remark: Some(remark), ..step(subject, Action::Fail) }
}

pub(super) fn step(subject: &str, action: Action) -> Step {
    Step { subject: subject.to_owned(), action, remark: None }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `would remove`, or `left alone`, and a space.
        let width = if self.dry_run { 13 } else { 11 };
        for found in &self.found {
            writeln!(f, "{DIM}{:width$}{DIM:#}{}", "found", line(found))?;
        }
        for Step { subject, action, remark } in &self.steps {
            let (style, word) = match (action, self.dry_run) {
                (Action::Create, false) => (GOOD, "created"),
                (Action::Add, false) => (GOOD, "added"),
                (Action::Remove, false) => (GOOD, "removed"),
                (Action::Create, true) => (BOLD, "would create"),
                (Action::Add, true) => (BOLD, "would add"),
                (Action::Remove, true) => (BOLD, "would remove"),
                (Action::Unchanged, _) => (DIM, "unchanged"),
                (Action::Skip, _) => (WARNING, "left alone"),
                (Action::Fail, _) => (ERROR, "failed"),
            };
            write!(f, "{style}{word:width$}{style:#}{subject}")?;
            match remark {
                Some(remark) => writeln!(f, " ({})", line(remark))?,
                None => writeln!(f)?,
            }
        }
        for next in &self.next {
            writeln!(f, "{DIM}{:width$}{DIM:#}{next}", "next")?;
        }
        Ok(())
    }
}
