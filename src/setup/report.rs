//! The steps of setting a repository up, and of taking that back.

use std::fmt;

use serde::Serialize;

use crate::error::Error;
use crate::text::style::{BOLD, DIM, ERROR, GOOD, WARNING};
use crate::text::words::line;

/// One thing that `init` or `uninstall` does.
#[derive(Debug, Clone, Serialize)]
pub struct SetupStep {
    pub subject: String,
    pub action: SetupAction,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetupAction {
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
pub struct SetupReport {
    /// Whether this is only said.
    pub dry_run: bool,
    pub found: Vec<String>,
    /// The steps, in order.
    pub steps: Vec<SetupStep>,
    pub next: Vec<String>,
    /// What `uninstall` leaves, and the command that deletes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

impl SetupReport {
    /// How many steps could not be done.
    pub fn failed(&self) -> usize {
        self.steps.iter().filter(|step| step.action == SetupAction::Fail).count()
    }
}

pub(super) fn failed(subject: &str, error: &Error) -> SetupStep {
    let remark = error.with_causes();
    SetupStep { remark: Some(remark), ..step(subject, SetupAction::Fail) }
}

pub(super) fn step(subject: &str, action: SetupAction) -> SetupStep {
    SetupStep { subject: subject.to_owned(), action, remark: None }
}

impl fmt::Display for SetupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `would remove`, or `left alone`, and a space.
        let width = if self.dry_run { 13 } else { 11 };
        for found in &self.found {
            writeln!(f, "{DIM}{:width$}{DIM:#}{}", "found", line(found))?;
        }
        for SetupStep { subject, action, remark } in &self.steps {
            let (style, word) = match (action, self.dry_run) {
                (SetupAction::Create, false) => (GOOD, "created"),
                (SetupAction::Add, false) => (GOOD, "added"),
                (SetupAction::Remove, false) => (GOOD, "removed"),
                (SetupAction::Create, true) => (BOLD, "would create"),
                (SetupAction::Add, true) => (BOLD, "would add"),
                (SetupAction::Remove, true) => (BOLD, "would remove"),
                (SetupAction::Unchanged, _) => (DIM, "unchanged"),
                (SetupAction::Skip, _) => (WARNING, "left alone"),
                (SetupAction::Fail, _) => (ERROR, "failed"),
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
        if let Some(kept) = &self.kept {
            writeln!(f, "{DIM}{:width$}{DIM:#}{kept}", "kept")?;
        }
        Ok(())
    }
}
