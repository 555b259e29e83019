//! `verify`.

use std::fmt;

use clap::Args;
use serde::Serialize;

use crate::cli::TargetArgs;
use crate::error::{Error, Kind, Result};
use crate::package::manifest::Target;
use crate::progress::Progress as _;
use crate::store::{Damage, Found};
use crate::text::style::{BOLD, COMMIT, ERROR, GOOD};
use crate::text::words::count;
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
}

pub(super) fn run(args: &VerifyArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let filter = workspace.filter(&args.target.wanted()?);
    let store = workspace.store();
    let mut found = Vec::new();
    if args.all {
        let listing = store.all(&filter)?;
        for (commit, line) in &listing.unread {
            ui.warn(&format!("the note of {commit} has a line that this git-slsart can't read: {line}"));
        }
        found = listing.found;
    } else {
        for revision in &args.revisions {
            // Every package of the commit, whatever its target.
            let of_commit = match workspace.repository.resolve(revision) {
                Ok(commit) => store.packages_of(commit, &filter)?,
                Err(_) => Vec::new(),
            };
            match of_commit.as_slice() {
                [] => found.push(workspace.find(revision, &filter)?),
                _ => found.extend(of_commit),
            }
        }
    }
    ui.progress().phase(&format!("Verifying {}", count(found.len(), "package")));
    ui.progress().expect_bytes(found.iter().map(|found| found.line.size).sum());
    let packages = found.iter().map(|found| verify(workspace, found)).collect::<Result<Vec<_>>>()?;
    let damaged = packages.iter().filter(|row| !row.damages.is_empty()).count();
    let report = Report { intact: packages.len() - damaged, damaged, packages };
    ui.report(&report)?;
    if damaged == 0 {
        return Ok(());
    }
    Err(Error::integrity(format!(
        "{damaged} of {} {} damaged",
        count(report.packages.len(), "package"),
        if damaged == 1 { "is" } else { "are" }
    ))
    .hint("a copy of this repository may have them whole: compare with `git slsart verify --all` there"))
}

fn verify(workspace: &Workspace<'_>, found: &Found) -> Result<Row> {
    let Found { commit, line } = found;
    let opened = workspace.store().open(*commit, line);
    let damages = match opened.and_then(|package| package.verify(workspace.progress)) {
        Ok(damages) => damages,
        Err(error) if error.kind == Kind::Integrity => {
            vec![Damage { path: "manifest.toml".to_owned(), problem: error.message }]
        }
        Err(error) => return Err(error),
    };
    Ok(Row {
        commit: commit.to_string(),
        package: line.package.to_string(),
        target: line.target.clone(),
        damages,
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Row { commit, package, target, damages } in &self.packages {
            let (style, word) =
                if damages.is_empty() { (GOOD, "✓ intact ") } else { (ERROR, "✗ damaged") };
            writeln!(
                f,
                "{style}{word}{style:#}  {COMMIT}{}{COMMIT:#}  {BOLD}{}{BOLD:#}  {target}",
                &commit[..7],
                &package[..8]
            )?;
            for damage in damages {
                writeln!(f, "           {}", damage.problem)?;
            }
        }
        if self.packages.is_empty() { writeln!(f, "no packages here") } else { Ok(()) }
    }
}
