//! `prune`.

use std::fmt;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::args::TargetArgs;
use crate::error::{Error, Result};
use crate::package::PackageId;
use crate::package::manifest::Target;
use crate::package::storage::Size;
use crate::prune::plan::{From, PruneCandidate, PruneFate, PrunePlan, Scope};
use crate::prune::policy::{Age, PrunePolicy};
use crate::prune::{self, KeepReason};
use crate::sharing;
use crate::store::NotedPackage;
use crate::text::command::slsart;
use crate::text::style::{BOLD, COMMIT, DIM, HINT, WARNING};
use crate::text::table::{Column, Table};
use crate::text::words::{ago, bytes, count, line};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Remove old packages
///
/// Select packages by name, or by options that must all match. Packages are never removed if they are live, pinned or
/// banned, if a rollback without REF or an undo goes to them, or if any of this is unknown. A package that is on a remote
/// can be fetched again; any other is gone for good. Disk space is freed by git's garbage collection.
#[derive(Debug, Args)]
pub struct PruneArgs {
    /// Commits, or packages' ids
    #[arg(value_name = "REF", conflicts_with_all = ["keep_last", "older_than", "larger_than"])]
    revisions: Vec<String>,
    /// Keep the newest COUNT packages of each target
    #[arg(long, value_name = "COUNT")]
    keep_last: Option<usize>,
    /// Only packages recorded longer ago: 90d, 12w, 6mo, 1y
    #[arg(long, value_name = "AGE")]
    older_than: Option<Age>,
    /// Only packages larger than this: 50MB
    #[arg(long, value_name = "SIZE")]
    larger_than: Option<Size>,
    /// Remove them from a remote too [default: `remote` in [share] of slsart.toml, else `origin` or the only one]
    #[arg(long, value_name = "REMOTE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    remote: Option<String>,
    /// Include all services, not only the current directory's
    #[arg(short, long, conflicts_with = "service")]
    all: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Only show what would be removed
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, Serialize)]
struct PruneReport {
    dry_run: bool,
    packages: Vec<PrunedRow>,
    kept: Vec<KeptRow>,
    toolchain_count: usize,
    /// In bytes; `None` where git can't tell.
    frees: Option<u64>,
    /// Whose objects nothing keeps from `git lfs prune` any more.
    lfs_object_count: usize,
    lfs_size: u64,
    removed_from: Option<String>,
    /// The current directory's service, where only its packages are meant and there are others.
    service: Option<String>,
    #[serde(skip)]
    unknown: Vec<String>,
    #[serde(skip)]
    now: Timestamp,
}

#[derive(Debug, Serialize)]
struct PrunedRow {
    #[serde(flatten)]
    package: Described,
    fate: &'static str,
    remote: Option<String>,
}

#[derive(Debug, Serialize)]
struct KeptRow {
    #[serde(flatten)]
    package: Described,
    why: KeepReason,
}

#[derive(Debug, Serialize)]
struct Described {
    commit: String,
    subject: String,
    package: PackageId,
    target: Target,
    size: u64,
    recorded: Timestamp,
    #[serde(skip)]
    short: String,
}

pub(crate) fn run(args: &PruneArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let wanted = args.target.wanted()?;
    let filter = workspace.listed(&wanted, args.all)?;
    let is_narrowed = wanted.is_narrow();
    let PruneArgs { keep_last, older_than, larger_than, .. } = *args;
    let scope = if args.revisions.is_empty() {
        if !is_narrowed && keep_last.is_none() && older_than.is_none() && larger_than.is_none() {
            return Err(Error::usage("no packages are selected")
                .hint("for example: git slsart prune --keep-last 20 --older-than 90d --dry-run")
                .hint("or name them: git slsart prune REF"));
        }
        Scope::Policy(PrunePolicy { keep_last, older_than, larger_than })
    } else {
        Scope::Named(args.revisions.clone())
    };
    let now = workspace.context.clock.now();
    let remote = args.remote.as_deref().map(|name| Some(name).filter(|name| !name.is_empty()));
    let remote = remote.map(|name| sharing::remote(workspace, name)).transpose()?;
    workspace.progress.phase("Reading the packages and histories");
    let from = remote.map(|remote| From::ask(workspace, &remote)).transpose()?;
    let plan = PrunePlan::of(workspace, &scope, &filter, from.as_ref(), now)?;
    let mut report = PruneReport {
        dry_run: true,
        packages: plan.going.iter().map(|going| row(workspace, going)).collect(),
        kept: plan
            .kept
            .iter()
            .map(|(found, why)| KeptRow { package: package(workspace, found), why: *why })
            .collect(),
        toolchain_count: plan.toolchains.len(),
        frees: plan.frees,
        lfs_object_count: 0,
        lfs_size: 0,
        removed_from: from.as_ref().map(|from| from.remote.clone()),
        unknown: plan.unknown.clone(),
        service: workspace.narrowed_to(&wanted, &filter)?,
        now,
    };
    if plan.going.is_empty() && plan.kept.is_empty() && is_narrowed {
        workspace.need_known(&filter)?;
    }
    if args.dry_run || plan.going.is_empty() {
        report.dry_run = args.dry_run;
        return ui.done(&report, args.dry_run);
    }
    if args.yes {
        ui.show(&report);
    } else {
        let question = format!("Remove {}?", count(plan.going.len(), "package"));
        ui.confirm(&report, &question, "--yes goes on without a question; --dry-run only shows the plan")?;
    }
    workspace.progress.phase("Removing");
    let freed = prune::apply(workspace, &plan, from.as_ref(), now)?;
    report.dry_run = false;
    (report.lfs_object_count, report.lfs_size) = (freed.objects, freed.bytes);
    ui.done(&report, false)
}

fn row(workspace: &Workspace<'_>, going: &PruneCandidate) -> PrunedRow {
    let (fate, remote) = match &going.fate {
        PruneFate::Gone => ("gone", None),
        PruneFate::Copy(remote) => ("copy", Some(remote.clone())),
        PruneFate::Leftover => ("leftover", None),
    };
    PrunedRow { package: package(workspace, &going.found), fate, remote }
}

fn package(workspace: &Workspace<'_>, found: &NotedPackage) -> Described {
    let NotedPackage { commit, line } = found;
    Described {
        commit: commit.to_string(),
        subject: workspace.repository.commit(*commit).map(|commit| commit.subject).unwrap_or_default(),
        package: line.package,
        target: line.target.clone(),
        size: line.size,
        recorded: line.recorded,
        short: workspace.repository.short_id(*commit),
    }
}

impl fmt::Display for PruneReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.dry_run && !self.packages.is_empty() {
            return self.done(f);
        }
        if let Some(service) = &self.service {
            writeln!(f, "{DIM}only {}; for all services: --all{DIM:#}", line(service))?;
        }
        let mut table = Table::new([
            Column::left().style(BOLD),
            Column::left().style(COMMIT),
            Column::left().rank(2),
            Column::left().rank(1),
            Column::right().rank(4),
            Column::left().rank(3).style(DIM),
            Column::ragged().cut(),
            Column::ragged(),
        ]);
        let mut write = |word: &str, row: &Described, more: String| {
            table.line([
                format!("{word:8}"),
                row.short.clone(),
                row.package.short(),
                row.target.to_string(),
                bytes(row.size),
                ago(row.recorded, self.now),
                line(&row.subject).into_owned(),
                more,
            ]);
        };
        for row in &self.packages {
            let more = match (row.fate, &row.remote) {
                ("copy", Some(remote)) => {
                    format!("{DIM}only the local copy; {} has the package{DIM:#}", line(remote))
                }
                ("leftover", _) => format!("{DIM}the rest of a pruned package{DIM:#}"),
                _ => match &self.removed_from {
                    Some(remote) => format!("{WARNING}gone for good, from {} too{WARNING:#}", line(remote)),
                    None => format!("{WARNING}gone for good{WARNING:#}"),
                },
            };
            write("Remove", &row.package, more);
        }
        for KeptRow { package, why } in &self.kept {
            write("Keep", package, format!("{DIM}{}{DIM:#}", why.words()));
        }
        fmt::Display::fmt(&table, f)?;
        if self.packages.is_empty() {
            return writeln!(f, "{DIM}there is nothing to remove{DIM:#}");
        }
        if self.toolchain_count > 0 {
            let toolchains = count(self.toolchain_count, "toolchain");
            writeln!(f, "{BOLD}{:8}{BOLD:#}  {toolchains} that only these packages need", "Remove")?;
        }
        let frees = match self.frees {
            Some(size) => {
                format!("about {} on disk; objects that other packages share stay", bytes(size))
            }
            None => "size unknown: git 2.31 and a clone with all objects would show it".to_owned(),
        };
        writeln!(f, "{BOLD}{:8}{BOLD:#}  {frees}", "Frees")?;
        let is_gone = self.removed_from.is_none() && self.packages.iter().any(|row| row.fate == "gone");
        if is_gone && !self.unknown.is_empty() {
            let (remotes, first) = (self.unknown.join(", "), &self.unknown[0]);
            writeln!(
                f,
                "{WARNING}!{WARNING:#} the packages of {} are not known here, and the next push marks these as pruned there; to ask first: {}",
                line(&remotes),
                slsart(["fetch", first])
            )?;
        }
        Ok(())
    }
}

impl PruneReport {
    fn done(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packages = count(self.packages.len(), "package");
        let toolchains = match self.toolchain_count {
            0 => String::new(),
            number => format!(" and {}", count(number, "toolchain")),
        };
        let size =
            self.frees.map(|size| format!("  {DIM}about {} on disk{DIM:#}", bytes(size))).unwrap_or_default();
        writeln!(f, "{BOLD}Removed{BOLD:#}   {packages}{toolchains}{size}")?;
        writeln!(
            f,
            "{HINT}hint:{HINT:#} the space is freed when git collects garbage; to free all of it now: git gc --prune=now"
        )?;
        if let Some(remote) = &self.removed_from {
            let remote = line(remote);
            writeln!(
                f,
                "{HINT}hint:{HINT:#} {remote} frees its space when its host collects garbage, and keeps LFS objects"
            )?;
        }
        if self.lfs_object_count > 0 {
            let objects = count(self.lfs_object_count, "LFS object");
            let size = bytes(self.lfs_size);
            let stay = if self.lfs_object_count == 1 { "stays" } else { "stay" };
            writeln!(
                f,
                "{HINT}hint:{HINT:#} {objects} ({size}) {stay} until git-lfs finds that nothing needs them: git lfs prune"
            )?;
        }
        Ok(())
    }
}
