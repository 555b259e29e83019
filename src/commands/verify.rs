//! `verify`.

use std::fmt;

use clap::Args;
use serde::Serialize;

use crate::cli::TargetArgs;
use crate::error::{ANOTHER_COPY, Error, Kind, Result};
use crate::package::manifest::Target;
use crate::progress::Progress as _;
use crate::store::{Damage, Filter, Found};
use crate::text::style::{BOLD, COMMIT, ERROR, GOOD, WARNING};
use crate::text::words::{count, line as shown, short};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Read packages back and compare every byte with what was recorded
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::EXIT_STATUS)]
pub struct VerifyArgs {
    /// Commits, or packages' ids
    #[arg(value_name = "REF", default_value = "HEAD", conflicts_with = "all")]
    revisions: Vec<String>,
    /// Every package of every commit
    #[arg(short, long)]
    all: bool,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, Serialize)]
struct Report {
    packages: Vec<Row>,
    intact: usize,
    damaged: usize,
}

#[derive(Debug, Serialize)]
struct Row {
    commit: String,
    package: String,
    target: Target,
    damages: Vec<Damage>,
    /// Why this program can't judge it.
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<String>,
}

pub(super) fn run(args: &VerifyArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let filter = workspace.filter(&args.target.wanted()?);
    let found = selected(&args.revisions, args.all, &filter, workspace, ui)?;
    ui.progress().phase(&format!("Verifying {}", count(found.len(), "package")));
    ui.progress().expect_bytes(found.iter().map(|found| found.line.size).sum());
    let packages = found.iter().map(|found| verify(workspace, found)).collect::<Result<Vec<_>>>()?;
    let intact = packages.iter().filter(|row| row.damages.is_empty() && row.unread.is_none()).count();
    let damaged = packages.iter().filter(|row| !row.damages.is_empty()).count();
    let report = Report { packages, intact, damaged };
    ui.report(&report)?;
    verdict(&report)
}

/// The packages that are meant: every one of each commit, whatever its target.
pub(super) fn selected(
    revisions: &[String],
    all: bool,
    filter: &Filter,
    workspace: &Workspace<'_>,
    ui: &Ui,
) -> Result<Vec<Found>> {
    let store = workspace.store();
    let mut found = Vec::new();
    if all {
        let listing = store.all(filter)?;
        for (commit, line) in &listing.unread {
            ui.warn(&format!(
                "the note of {} has a line that this git-slsart can't read: {line}",
                short(&commit.to_string(), 7)
            ));
        }
        found = listing.found;
    } else {
        for revision in revisions {
            let of_commit = match workspace.repository.resolve(revision) {
                Ok(commit) => store.packages_of(commit, filter)?,
                Err(_) => Vec::new(),
            };
            match of_commit.as_slice() {
                [] => found.push(workspace.find(revision, filter)?),
                _ => found.extend(of_commit),
            }
        }
    }
    Ok(found)
}

fn verdict(report: &Report) -> Result<()> {
    let damaged = report.damaged;
    let unread = report.packages.iter().filter(|row| row.unread.is_some()).count();
    if damaged == 0 && unread == 0 {
        return Ok(());
    }
    if damaged == 0 {
        return Err(Error::refused(format!("{} can't be read by this git-slsart", count(unread, "package")))
            .hint("install a newer git-slsart: cargo install git-slsart"));
    }
    Err(Error::integrity(format!(
        "{damaged} of {} {} damaged",
        count(report.packages.len(), "package"),
        if damaged == 1 { "is" } else { "are" }
    ))
    .hint(ANOTHER_COPY))
}

fn verify(workspace: &Workspace<'_>, found: &Found) -> Result<Row> {
    let Found { commit, line } = found;
    let (damages, unread) = match workspace.store().open(*commit, line) {
        Ok(package) => (package.verify(workspace.progress)?, None),
        Err(error) if error.kind == Kind::Integrity => {
            (vec![Damage { path: "manifest.toml".to_owned(), problem: error.message }], None)
        }
        // A later version recorded it: the others can still be judged.
        Err(error) if error.kind == Kind::Refused => (Vec::new(), Some(error.message)),
        Err(error) => return Err(error),
    };
    Ok(Row {
        commit: commit.to_string(),
        package: line.package.to_string(),
        target: line.target.clone(),
        damages,
        unread,
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Row { commit, package, target, damages, unread } in &self.packages {
            let (style, word) = match unread {
                Some(_) => (WARNING, "? unread "),
                None if damages.is_empty() => (GOOD, "✓ intact "),
                None => (ERROR, "✗ damaged"),
            };
            writeln!(
                f,
                "{style}{word}{style:#}  {COMMIT}{}{COMMIT:#}  {BOLD}{}{BOLD:#}  {target}",
                short(commit, 7),
                short(package, 8)
            )?;
            for problem in damages.iter().map(|damage| &damage.problem).chain(unread) {
                writeln!(f, "           {}", shown(problem))?;
            }
        }
        if self.packages.is_empty() { writeln!(f, "no packages here") } else { Ok(()) }
    }
}
