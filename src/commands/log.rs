//! `log`.

use std::fmt;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::args::TargetArgs;
use super::mark::Marked;
use super::write_narrowed;
use super::{first_package, never_asked};
use crate::error::Result;
use crate::git::Repository;
use crate::git::revisions::Revisions;
use crate::package::manifest::{Target, Tool};
use crate::store::{Filter, Listing, NotedPackage};
use crate::text::style::{BOLD, COMMIT, DIM, WARNING};
use crate::text::table::{Column, Table};
use crate::text::words::{ago, bytes, line, short};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// List recorded packages, a line each
///
/// Follows the history from each REV as `git log` does, and lists the packages of its commits. With --all, also lists
/// packages of commits that are on no branch, newest first. In a service's directory, lists only the packages of that
/// service.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// Where to start, or ranges as in `v1.3.0..HEAD`
    #[arg(default_value = "HEAD", value_name = "REV")]
    revisions: Vec<String>,
    /// The most packages to list
    #[arg(short = 'n', long, default_value_t = 20, value_name = "COUNT")]
    max_count: usize,
    /// Every package of every commit, also of other services than the current directory's
    #[arg(short, long)]
    all: bool,
    /// Also packages that were pruned
    #[arg(long)]
    pruned: bool,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, Serialize)]
struct LogReport {
    packages: Vec<LogRow>,
    /// Whether there are more than were asked for.
    more: bool,
    /// Note lines that this program can't read.
    unread: Vec<Unread>,
    /// The current directory's service, where only its packages are listed and there are others.
    service: Option<String>,
    /// Whether only some services, stages or regions were asked for.
    #[serde(skip)]
    narrowed: bool,
    /// How to get some where there are none.
    #[serde(skip)]
    first: String,
    #[serde(skip)]
    now: Timestamp,
}

#[derive(Debug, Serialize)]
struct LogRow {
    commit: String,
    #[serde(skip)]
    short: String,
    subject: String,
    package: String,
    target: Target,
    size: u64,
    recorded: Timestamp,
    dirty: bool,
    node: Option<String>,
    framework: Option<Tool>,
    /// Why it is not to be deployed.
    banned: Option<Marked>,
    pinned: Option<Marked>,
    pruned: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct Unread {
    commit: String,
    line: String,
}

pub(crate) fn run(args: &LogArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let wanted = args.target.wanted()?;
    let filter = Filter { pruned: args.pruned, ..workspace.listed(&wanted, args.all)? };
    let store = workspace.store();
    let Listing { found, more, unread } = if args.all {
        store.packages().all(&filter)?
    } else {
        let Revisions { tips, hidden } = workspace.repository.revisions(&args.revisions)?;
        let commits = workspace.repository.history_without(&tips, &hidden)?;
        store.packages().along(commits, &filter, args.max_count)?
    };
    let (bans, pins) = (store.bans().all()?, store.pins().all()?);
    let marked = |found: &NotedPackage| {
        let key = (found.commit, found.line.package);
        (bans.get(&key).map(Marked::from), pins.get(&key).map(Marked::from))
    };
    let packages = found.iter().map(|found| row(workspace.repository, found, marked(found))).collect();
    let unread =
        unread.into_iter().map(|(commit, line)| Unread { commit: commit.to_string(), line }).collect();
    if found.is_empty() && wanted.is_narrow() {
        workspace.need_known(&filter)?;
    }
    let service = workspace.narrowed_to(&wanted, &filter)?;
    let narrowed = (wanted.is_narrow() || service.is_some()) && never_asked(workspace)?.is_none();
    let first = first_package(workspace)?;
    let now = workspace.context.clock.now();
    let report = LogReport { packages, more, unread, service, narrowed, first, now };
    ui.report(&report)?;
    for Unread { commit, line } in &report.unread {
        ui.warn(&format!(
            "the note of {} has a line that this git-slsart can't read: {line}",
            short(commit, 7)
        ));
    }
    Ok(())
}

fn row(
    repository: &Repository,
    found: &NotedPackage,
    (banned, pinned): (Option<Marked>, Option<Marked>),
) -> LogRow {
    let NotedPackage { commit, line } = found;
    LogRow {
        commit: commit.to_string(),
        short: repository.short_id(*commit),
        // The commit itself may be absent, in a shallow clone.
        subject: repository.commit(*commit).map(|commit| commit.subject).unwrap_or_default(),
        package: line.package.to_string(),
        target: line.target.clone(),
        size: line.size,
        recorded: line.recorded,
        dirty: line.dirty_tree.is_some(),
        node: line.node.clone(),
        framework: line.tool(),
        banned,
        pinned,
        pruned: line.pruned,
    }
}

impl fmt::Display for LogReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = self.packages.is_empty() && !self.more;
        if none && self.narrowed {
            return writeln!(
                f,
                "{DIM}no matching packages here; to list all packages: git slsart log --all{DIM:#}"
            );
        }
        if none {
            return writeln!(f, "{DIM}no packages here; {}{DIM:#}", self.first);
        }
        let mut table = Table::new([
            Column::left().style(COMMIT),
            Column::left().rank(1).style(BOLD),
            Column::left().rank(2),
            Column::right().rank(4),
            Column::left().rank(3).style(DIM),
            Column::ragged().cut(),
            Column::ragged().after(" ").style(WARNING),
        ]);
        for row in &self.packages {
            let marks = [
                ("dirty", row.dirty),
                ("banned", row.banned.is_some()),
                ("pinned", row.pinned.is_some()),
                ("pruned", row.pruned.is_some()),
            ];
            let marks = marks.into_iter().filter(|(_, is_set)| *is_set).map(|(word, _)| word);
            table.line([
                row.short.clone(),
                short(&row.package, 8).to_owned(),
                row.target.to_string(),
                bytes(row.size),
                ago(row.recorded, self.now),
                line(&row.subject).into_owned(),
                marks.collect::<Vec<_>>().join(" "),
            ]);
        }
        fmt::Display::fmt(&table, f)?;
        if self.more {
            writeln!(f, "{DIM}there are more: git slsart log -n COUNT{DIM:#}")?;
        }
        write_narrowed(f, self.service.as_deref(), "log")
    }
}
