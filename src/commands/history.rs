//! `history`.

use std::fmt;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::TargetArgs;
use crate::deploy::history;
use crate::error::Result;
use crate::git::{Oid, Repository};
use crate::package::manifest::Target;
use crate::store::deployments::{Action, Deployment, History, Outcome};
use crate::text::style::{BOLD, COMMIT, DIM, ERROR, GOOD, WARNING};
use crate::text::words::{ago, line, person, seconds};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Show the deployments of a target, the live one marked
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::EXIT_STATUS)]
pub struct HistoryArgs {
    /// The most deployments to show of a target
    #[arg(short = 'n', long, default_value_t = 20, value_name = "COUNT")]
    max_count: usize,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, Serialize)]
struct Report {
    targets: Vec<Section>,
    #[serde(skip)]
    now: Timestamp,
}

#[derive(Debug, Serialize)]
struct Section {
    target: Target,
    /// Whether something began after the live deployment and did not end well.
    uncertain: bool,
    /// How many records could not be read.
    unread: usize,
    deployments: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    live: bool,
    #[serde(skip)]
    short: String,
    subject: String,
    #[serde(flatten)]
    deployment: Deployment,
}

pub(super) fn run(args: &HistoryArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let filter = workspace.filter(&args.target.wanted()?);
    let mut targets = workspace.store().deployed_targets()?;
    targets.retain(|target| filter.matches(target));
    let sections = targets
        .into_iter()
        .map(|target| {
            let History { deployments, unread } = workspace.store().history(&target)?;
            let live = history::live(&deployments).map(|live| live.id.clone());
            let uncertain = history::is_uncertain(&deployments);
            let rows = deployments
                .into_iter()
                .take(args.max_count)
                .map(|deployment| row(workspace.repository, deployment, live.as_deref()));
            Ok(Section { target, uncertain, unread, deployments: rows.collect() })
        })
        .collect::<Result<Vec<_>>>()?;
    ui.report(&Report { targets: sections, now: workspace.context.clock.now() })
}

fn row(repository: &Repository, deployment: Deployment, live: Option<&str>) -> Row {
    let commit = Oid::from_str(&deployment.commit).ok();
    let subject = commit.and_then(|commit| repository.commit(commit).ok()).map(|commit| commit.subject);
    Row {
        live: live == Some(&deployment.id),
        short: commit.map(|commit| repository.short_id(commit)).unwrap_or_default(),
        subject: subject.unwrap_or_default(),
        deployment,
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.targets.is_empty() {
            return writeln!(f, "{DIM}nothing was deployed by git slsart here{DIM:#}");
        }
        for Section { target, uncertain, unread, deployments } in &self.targets {
            writeln!(f, "{BOLD}{target}{BOLD:#}")?;
            for Row { live, short, subject, deployment } in deployments {
                let mark = if *live { format!("{GOOD}● live{GOOD:#}") } else { "      ".to_owned() };
                let verb = match deployment.action {
                    Action::Deploy => "deploy  ",
                    Action::Rollback => "rollback",
                };
                let (style, how) = match deployment.outcome {
                    Outcome::Succeeded => (GOOD, "succeeded  "),
                    Outcome::Failed => (ERROR, "failed     "),
                    Outcome::Interrupted => (WARNING, "interrupted"),
                    Outcome::Started => (WARNING, "not ended  "),
                };
                let total: u64 = deployment.phases.iter().map(|phase| phase.milliseconds).sum();
                let took = if total > 0 { format!(" in {} s", seconds(total)) } else { String::new() };
                let reason = deployment
                    .reason
                    .as_ref()
                    .map(|reason| format!(" — {}", line(reason)))
                    .unwrap_or_default();
                writeln!(
                    f,
                    "{mark}  {verb}  {style}{how}{style:#}  {COMMIT}{short}{COMMIT:#}  {}  {DIM}{}{took} by {}{reason}{DIM:#}",
                    line(subject),
                    ago(deployment.started, self.now),
                    line(person(&deployment.by)),
                )?;
                if let Some(error) = &deployment.error {
                    writeln!(f, "                               {DIM}{}{DIM:#}", line(error))?;
                }
            }
            if *unread > 0 {
                writeln!(
                    f,
                    "{WARNING}!{WARNING:#} records that can't be read, damaged or of a newer git-slsart: {unread}"
                )?;
            }
            if *uncertain {
                writeln!(
                    f,
                    "{WARNING}!{WARNING:#} a later deployment goes on or did not end well: what is live is not certain"
                )?;
            }
        }
        Ok(())
    }
}
