//! `check`.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::args::TargetArgs;
use super::jobs::wait_for_jobs;
use crate::deploy::preflight::checks::{self, Check, CheckVerdict};
use crate::error::{Error, Result};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Check that HEAD is ready to be deployed
///
/// Checks that HEAD is clean and packaged for the target, and that its package is intact. Compares the lockfile, the
/// installed plugins, the framework and node with those that made the package. Prints a line for each check; exit status 1
/// if one fails. Suits an npm `predeploy` script.
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, Serialize)]
struct CheckReport {
    ok: bool,
    checks: Vec<Check>,
}

pub(crate) fn run(args: &CheckArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let mut checks = checks::all(workspace, &args.target.wanted()?)?;
    wait_for_jobs(checks.iter_mut().filter_map(|check| check.hint.as_mut()), workspace.repository);
    let failed = checks.iter().filter(|check| check.verdict == CheckVerdict::Blocks).count();
    let total = checks.len();
    ui.report(&CheckReport { ok: failed == 0, checks })?;
    if failed == 0 { Ok(()) } else { Err(Error::refused(format!("{failed} of {total} checks failed"))) }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.checks.iter().try_for_each(|check| write!(f, "{check}"))
    }
}
