//! `live`.

use std::fmt;

use clap::Args;

use super::args::TargetArgs;
use crate::deploy::execute::settle;
use crate::deploy::observe::live::{Answer, LiveCandidate, LiveReport};
use crate::error::{Error, Result};
use crate::text::style::{BOLD, COMMIT, DIM, GOOD, WARNING};
use crate::text::words::{ago, count, line, person, short};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Show which commit is live in AWS
///
/// Asks AWS which code the target's functions run, and looks for it among the recorded packages. Prints the commit, or the
/// commits with the same code, or that no recorded package matches. Lists functions whose settings differ from the recorded
/// ones.
///
/// Exit status 4: what is live differs from the history.
#[derive(Debug, Args)]
pub struct LiveArgs {
    #[command(flatten)]
    target: TargetArgs,
}

pub(crate) fn run(args: &LiveArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let report = settle::look(workspace, &args.target.wanted()?)?;
    ui.report(&report)?;
    match (&report.history, report.as_history_says) {
        (Some(history), Some(false)) => {
            let message =
                format!("what is live differs from the history: {} {}", history.short, history.label);
            let again = workspace.slsart(&["deploy", short(&history.package, 8)], &report.target);
            Err(Error::integrity(message.trim_end()).hint(format!("to deploy that again: {again}")))
        }
        _ => Ok(()),
    }
}

impl fmt::Display for LiveReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, account, stack, at, .. } = self;
        writeln!(f, "{BOLD}Target{BOLD:#}    {target}  {DIM}account {account}{DIM:#}")?;
        let changed = stack.changed.map(|changed| format!("  {DIM}updated {}{DIM:#}", ago(changed, *at)));
        writeln!(
            f,
            "{BOLD}Stack{BOLD:#}     {}  {}{}",
            stack.name,
            stack.status,
            changed.unwrap_or_default()
        )?;
        match self.answer {
            Answer::Recorded => writeln!(f, "{BOLD}Live{BOLD:#}      {}", self.first())?,
            Answer::SameCode => {
                for (index, package) in self.packages.iter().enumerate() {
                    let head = if index == 0 { format!("{BOLD}Live{BOLD:#}      ") } else { " ".repeat(10) };
                    writeln!(f, "{head}same code as {}", self.name(package))?;
                }
            }
            Answer::NotRecorded => {
                let when = self.last_changed.map_or_else(String::new, |changed| {
                    format!(": last changed {} ({changed}) by a console or another tool", ago(changed, *at))
                });
                writeln!(f, "{BOLD}Live{BOLD:#}      {WARNING}not recorded here{WARNING:#}{when}")?;
                let more = if self.more { ", and there are more" } else { "" };
                writeln!(f, "          {DIM}{} searched{more}{DIM:#}", count(self.searched, "package"))?;
            }
        }
        if let Some(history) = &self.history {
            let since = ago(history.since, *at);
            let by = line(person(&history.by));
            let (style, sign) =
                if self.as_history_says == Some(true) { (GOOD, "✓") } else { (WARNING, "!") };
            writeln!(
                f,
                "{BOLD}History{BOLD:#}   {style}{sign}{style:#} {COMMIT}{}{COMMIT:#}  {}  {DIM}deployed {since} by {by}{DIM:#}",
                history.short,
                line(&history.label),
            )?;
        }
        for (index, drift) in self.drift.iter().enumerate() {
            let head = if index == 0 { format!("{BOLD}Drift{BOLD:#}     ") } else { " ".repeat(10) };
            writeln!(
                f,
                "{head}{WARNING}~{WARNING:#} {}  {} {} → {}",
                line(&drift.function),
                drift.what,
                line(&drift.recorded),
                line(&drift.live)
            )?;
        }
        Ok(())
    }
}

impl LiveReport {
    fn first(&self) -> String {
        self.packages.first().map(|package| self.name(package)).unwrap_or_default()
    }

    /// A package for people; its target only where it is another.
    fn name(&self, package: &LiveCandidate) -> String {
        let LiveCandidate { short: commit, label, package, target, .. } = package;
        let elsewhere = if *target == self.target { String::new() } else { format!(" · {target}") };
        let package = short(package, 8);
        format!("{COMMIT}{commit}{COMMIT:#}  {}  {DIM}package {package}{elsewhere}{DIM:#}", line(label))
    }
}
