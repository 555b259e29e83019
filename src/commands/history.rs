//! `history`.

mod signatures;

use std::fmt;

use clap::Args;
use jiff::Timestamp;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use signatures::Signatures;

use super::args::TargetArgs;
use super::mark::Marked;
use super::signature::Signed;
use super::{never_asked, write_narrowed};
use crate::deploy::history;
use crate::error::Result;
use crate::git::Oid;
use crate::package::manifest::Target;
use crate::store::deployments::{Deployment, Effect, Outcome, Phase};
use crate::store::histories::History;
use crate::store::proof::{Proof, ProofVerdict};
use crate::text::style::{BOLD, COMMIT, DIM, ERROR, GOOD, WARNING};
use crate::text::table::{Column, Table};
use crate::text::words::{ago, count, line, person, seconds};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Show the deployments of a target, the live one marked
///
/// Each deployment has a fixed number: `git slsart rollback --to N` rolls back to its package. Each line ends with the
/// proof: whether AWS had the recorded code afterwards. With --verbose, also shows how long each phase took.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The most deployments to show of a target
    #[arg(short = 'n', long, default_value_t = 20, value_name = "COUNT")]
    max_count: usize,
    /// Also check the signatures of the records, as `git verify-commit` does
    #[arg(long)]
    verify: bool,
    /// Include all services, not only the current directory's
    #[arg(short, long, conflicts_with = "service")]
    all: bool,
    #[command(flatten)]
    target: TargetArgs,
}

/// The column of the commit, below which stands what more there is to a deployment.
const COMMIT_COLUMN: usize = 4;

/// Number, whether it is live, action, outcome, commit, subject, whether it is banned, when, how long, by whom, proof, reason.
const COLUMNS: [Column; 12] = [
    Column::right(),
    Column::left().style(GOOD),
    Column::left().rank(1),
    Column::left(),
    Column::left().style(COMMIT),
    Column::ragged().cut().rank(3),
    Column::ragged().after(" ").style(WARNING),
    Column::ragged().rank(2).style(DIM),
    Column::ragged().after(" ").rank(7).style(DIM),
    Column::ragged().after(" ").rank(5).style(DIM),
    Column::ragged().after(", ").rank(6).style(DIM),
    Column::ragged().after(" — ").cut().rank(4).style(DIM),
];

#[derive(Debug, Serialize)]
struct HistoryReport {
    targets: Vec<TargetHistory>,
    /// The current directory's service, where only its deployments are listed and there are others.
    service: Option<String>,
    /// How to ask the remote that was never asked.
    #[serde(skip)]
    ask: Option<String>,
    #[serde(skip)]
    verbose: bool,
    #[serde(skip)]
    now: Timestamp,
}

#[derive(Debug, Serialize)]
struct TargetHistory {
    target: Target,
    /// Whether a deployment after the live one may have changed what is live.
    uncertain: bool,
    #[serde(skip)]
    doubt: Option<String>,
    /// How many records could not be read.
    #[serde(rename = "unread_count")]
    unread: usize,
    deployments: Vec<DeploymentRow>,
}

#[derive(Debug, Serialize)]
struct DeploymentRow {
    live: bool,
    /// What `rollback --to` calls it.
    number: usize,
    /// Why its package is not to be deployed.
    banned: Option<Marked>,
    #[serde(skip)]
    short: String,
    subject: String,
    #[serde(flatten, serialize_with = "in_shared_names")]
    deployment: Deployment,
    /// The signatures of its records, newest first.
    signatures: Option<Vec<Signed>>,
}

pub(crate) fn run(args: &HistoryArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let wanted = args.target.wanted()?;
    let filter = workspace.listed(&wanted, args.all)?;
    let mut targets = workspace.store().histories().targets()?;
    targets.retain(|target| filter.matches(target));
    if targets.is_empty() && wanted.is_narrow() {
        workspace.need_known(&filter)?;
    }
    let service = workspace.narrowed_to(&wanted, &filter)?;
    let mut signed = Signatures::default();
    if args.verify {
        targets.iter().try_for_each(|target| signed.add(workspace, target))?;
    }
    let sections = targets.into_iter().map(|target| section(args, target, &signed, workspace));
    let targets = sections.collect::<Result<Vec<_>>>()?;
    let now = workspace.context.clock.now();
    let ask = never_asked(workspace)?;
    ui.report(&HistoryReport { targets, service, ask, verbose: ui.is_verbose(), now })?;
    signed.check()
}

fn section(
    args: &HistoryArgs,
    target: Target,
    signed: &Signatures,
    workspace: &Workspace<'_>,
) -> Result<TargetHistory> {
    let History { deployments, unread } = workspace.store().histories().of(&target)?;
    let bans = workspace.store().bans().all()?;
    let live = history::live(&deployments).map(|live| live.id.clone());
    let doubt = history::doubt(&deployments, workspace.context.clock.now());
    let doubt = doubt.map(|doubt| format!("{doubt}; to check: {}", workspace.slsart(&["live"], &target)));
    let first = history::number(&deployments, 0);
    let row = |(index, deployment): (usize, Deployment)| {
        let repository = workspace.repository;
        let commit = Oid::from_str(&deployment.commit).ok();
        let subject = commit.and_then(|commit| repository.commit(commit).ok()).map(|commit| commit.subject);
        DeploymentRow {
            live: live.as_ref() == Some(&deployment.id),
            number: first - index,
            banned: commit.and_then(|commit| bans.get(&(commit, deployment.package)).map(Marked::from)),
            short: commit.map(|commit| repository.short_id(commit)).unwrap_or_default(),
            subject: subject.unwrap_or_default(),
            signatures: args.verify.then(|| signed.of(&deployment)),
            deployment,
        }
    };
    let deployments = deployments.into_iter().take(args.max_count).enumerate().map(row).collect();
    Ok(TargetHistory { target, uncertain: doubt.is_some(), doubt, unread, deployments })
}

/// A record in the names that all commands share; format and target are not the deployment's own.
fn in_shared_names<S: Serializer>(deployment: &Deployment, serializer: S) -> Result<S::Ok, S::Error> {
    let mut record = serde_json::to_value(deployment).map_err(S::Error::custom)?;
    if let Value::Object(record) = &mut record {
        record.retain(|name, _| !["format", "target"].contains(&name.as_str()));
        let phases = record.shift_remove("phase").unwrap_or_else(|| json!([]));
        record.insert("phases".to_owned(), phases);
    }
    record.serialize(serializer)
}

/// What was found in AWS afterwards, in a few words.
fn proven(proof: &Proof) -> String {
    let words = match proof.verdict {
        ProofVerdict::Proven => "proven",
        ProofVerdict::Mismatch => "differs from the package",
        ProofVerdict::Unproven => return "not proven".to_owned(),
    };
    match proof.functions {
        0 => words.to_owned(),
        all => format!("{words} ({} of {})", proof.as_recorded, count(all, "function")),
    }
}

/// What a deployment that did not succeed left in AWS, in a few words.
fn left(deployment: &Deployment) -> &'static str {
    match (deployment.outcome, deployment.effect()) {
        (Outcome::Succeeded | Outcome::Started, _) => "",
        (_, Effect::None) => "nothing changed",
        (_, Effect::Live) => "went live",
        (_, Effect::Unknown) => "effect unknown",
    }
}

impl fmt::Display for HistoryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.targets.is_empty() {
            let ask = self.ask.as_ref().map(|ask| format!("; {ask}")).unwrap_or_default();
            writeln!(f, "{DIM}nothing was deployed by git slsart here{ask}{DIM:#}")?;
        }
        // One table, so that the columns of all targets are aligned.
        let mut table = Table::new(COLUMNS);
        for TargetHistory { target, doubt, unread, deployments, .. } in &self.targets {
            table.text(format!("{BOLD}{target}{BOLD:#}"));
            for row in deployments {
                row.add_to(&mut table, self);
            }
            if *unread > 0 {
                let records = count(*unread, "record");
                table.text(format!(
                    "{WARNING}!{WARNING:#} {records} can't be read: damaged, or written by a newer git-slsart"
                ));
            }
            if let Some(doubt) = doubt {
                table.text(format!("{WARNING}!{WARNING:#} {}", line(doubt)));
            }
        }
        fmt::Display::fmt(&table, f)?;
        write_narrowed(f, self.service.as_deref(), "history")
    }
}

impl DeploymentRow {
    fn add_to(&self, table: &mut Table, report: &HistoryReport) {
        let Self { live, number, banned, short, subject, deployment, signatures, .. } = self;
        let (style, how) = match deployment.outcome {
            Outcome::Succeeded => (GOOD, "succeeded"),
            Outcome::Failed => (ERROR, "failed"),
            Outcome::Interrupted => (WARNING, "interrupted"),
            Outcome::Started => (WARNING, "not finished"),
        };
        let total: u64 = deployment.phases.iter().map(|phase| phase.milliseconds).sum();
        table.line([
            number.to_string(),
            if *live { "● live" } else { "" }.to_owned(),
            deployment.action.name().to_owned(),
            format!("{style}{how}{style:#}"),
            short.clone(),
            line(subject).into_owned(),
            if banned.is_some() { "banned" } else { "" }.to_owned(),
            ago(deployment.started, report.now),
            if total > 0 { format!("in {} s", seconds(total)) } else { String::new() },
            format!("by {}", line(person(&deployment.by))),
            deployment.proof.as_ref().map_or_else(|| left(deployment).to_owned(), proven),
            deployment.reason.as_deref().map(line).unwrap_or_default().into_owned(),
        ]);
        let mut note = |text: String| table.note(COMMIT_COLUMN, text);
        if !deployment.allowed_deletions.is_empty() {
            let ids = deployment.allowed_deletions.join(", ");
            note(format!("{WARNING}allowed to be deleted or replaced: {}{WARNING:#}", line(&ids)));
        }
        if let Some(error) = &deployment.error {
            note(format!("{DIM}{}{DIM:#}", line(error)));
        }
        if let Some(proof) = deployment.proof.as_ref().filter(|proof| proof.verdict == ProofVerdict::Unproven)
        {
            note(format!("{DIM}{}{DIM:#}", line(&proof.problems.join("; "))));
        }
        if report.verbose && !deployment.phases.is_empty() {
            let phase = |phase: &Phase| format!("{} {} s", line(&phase.name), seconds(phase.milliseconds));
            let phases = deployment.phases.iter().map(phase).collect::<Vec<_>>().join(" · ");
            note(format!("{DIM}{phases}{DIM:#}"));
        }
        signatures.iter().flat_map(|signatures| signatures::lines(signatures)).for_each(note);
    }
}
