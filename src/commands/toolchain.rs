//! `toolchain save`, `list` and `drop`: the installed plugins that are kept for a rollback without a registry.

use std::fmt;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;

use super::installing;
use crate::error::Result;
use crate::package::Machine;
use crate::package::manifest::{LockfileEntry, Tool};
use crate::packaging::snapshots::{self, Kept, Saving, SnapshotListing};
use crate::service::ServicePath;
use crate::store::toolchains::Toolchain;
use crate::text::style::{BOLD, COMMIT, DIM, WARNING};
use crate::text::table::{Column, Table};
use crate::text::words::{ago, bytes, count, line, short};
use crate::ui::Ui;
use crate::workspace::{Wanted, Workspace};

/// Save installed plugins in the repository, so that a rollback needs no registry
///
/// A toolchain is what the package manager installed for a commit: its `node_modules`, byte for byte. Deploy and rollback
/// restore it if it fits the machine (system, processor, C library, node), and install from the lockfile otherwise. By
/// default, those of deployed packages are saved: `[toolchain] snapshot` in slsart.toml.
#[derive(Debug, Args)]
pub struct ToolchainArgs {
    #[command(subcommand)]
    command: ToolchainCommand,
}

#[derive(Debug, Subcommand)]
enum ToolchainCommand {
    Save(SaveArgs),
    List(ToolchainListArgs),
    Drop(DropArgs),
}

/// Install a commit's plugins in a separate worktree, and save them
#[derive(Debug, Args)]
struct SaveArgs {
    /// The commit
    #[arg(value_name = "REF", default_value = "HEAD")]
    revision: String,
    /// The service: its directory in the repository, or its name
    #[arg(long, value_name = "PATH|NAME")]
    service: Option<String>,
    /// Only show what would be saved
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// List the saved toolchains
#[derive(Debug, Args)]
struct ToolchainListArgs {}

/// Delete toolchains; git's garbage collection frees the space
///
/// A toolchain that a deployed package needs is not dropped.
#[derive(Debug, Args)]
struct DropArgs {
    /// Ids, or beginnings of them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Also drop toolchains of deployed packages: a rollback to them then needs the registry
    #[arg(long)]
    although_deployed: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Only show what would be dropped
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(crate) fn run(args: &ToolchainArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    match &args.command {
        ToolchainCommand::Save(args) => save(args, workspace, ui),
        ToolchainCommand::List(ToolchainListArgs {}) => list(workspace, ui),
        ToolchainCommand::Drop(args) => drop(args, workspace, ui),
    }
}

#[derive(Debug, Serialize)]
struct SaveReport {
    dry_run: bool,
    commit: String,
    subject: String,
    path: ServicePath,
    lockfile: LockfileEntry,
    /// What is kept now; `None` where that is only planned.
    toolchain: Option<SnapshotRow>,
    /// Whether it was not kept before.
    new: bool,
    #[serde(skip)]
    package_manager: &'static str,
    /// Whether nothing had to be done.
    #[serde(skip)]
    already: bool,
}

#[derive(Debug, Serialize)]
struct SnapshotRow {
    id: String,
    saved: Timestamp,
    file_count: usize,
    size: u64,
    /// Paths from the repository's top.
    parts: Vec<String>,
    package_manager: Option<Tool>,
    machine: Machine,
}

impl From<Toolchain> for SnapshotRow {
    fn from(toolchain: Toolchain) -> Self {
        let Toolchain { id, saved, files, size, parts, package_manager, machine, .. } = toolchain;
        Self { id, saved, file_count: files, size, parts, package_manager, machine }
    }
}

fn save(args: &SaveArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let commit = workspace.repository.resolve(&args.revision)?;
    let wanted = Wanted { service: args.service.clone(), ..Wanted::default() };
    let service = workspace.service(commit, &wanted)?;
    let Saving { commit: of, subject, path, lockfile, package_manager, kept } =
        snapshots::plan_save(workspace, commit, &service)?;
    let already = kept.is_some();
    let toolchain = kept.map(SnapshotRow::from);
    let dry_run = args.dry_run;
    let mut report = SaveReport {
        dry_run,
        commit: of,
        subject,
        path,
        lockfile,
        toolchain,
        new: false,
        package_manager,
        already,
    };
    if !dry_run && !already {
        let (toolchain, new) = snapshots::save(workspace, commit, &service.path, installing(ui))?;
        (report.toolchain, report.new) = (Some(toolchain.into()), new);
    }
    ui.done(&report, dry_run)
}

#[derive(Debug, Serialize)]
struct ToolchainsReport {
    #[serde(flatten)]
    listing: SnapshotListing,
    #[serde(skip)]
    at: Timestamp,
}

fn list(workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    ui.report(&ToolchainsReport { listing: snapshots::list(workspace)?, at: workspace.context.clock.now() })
}

#[derive(Debug, Serialize)]
struct DropReport {
    dry_run: bool,
    toolchains: Vec<Kept>,
    #[serde(skip)]
    at: Timestamp,
}

fn drop(args: &DropArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let toolchains = snapshots::plan_drop(workspace, &args.ids, args.although_deployed)?;
    let mut report = DropReport { dry_run: true, toolchains, at: workspace.context.clock.now() };
    if args.dry_run {
        return ui.report(&report);
    }
    if !args.yes {
        ui.confirm(&report, "Drop them?", "--yes goes on without a question; --dry-run only shows the plan")?;
    }
    snapshots::drop_all(workspace, &report.toolchains)?;
    report.dry_run = false;
    ui.done(&report, false)
}

impl fmt::Display for SaveReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lockfile, package_manager, .. } = self;
        let (commit, subject) = (short(&self.commit, 7), line(&self.subject));
        match &self.toolchain {
            Some(SnapshotRow { id, file_count, size, .. }) if !self.already => {
                let word = if self.new { "Kept " } else { "Known" };
                writeln!(
                    f,
                    "{BOLD}{word}{BOLD:#}     {BOLD}{}{BOLD:#}  {} · {}  {DIM}{package_manager} of {COMMIT}{commit}{COMMIT:#}  {subject}{DIM:#}",
                    short(id, 12),
                    count(*file_count, "file"),
                    bytes(*size)
                )
            }
            Some(SnapshotRow { id, .. }) => {
                writeln!(
                    f,
                    "{DIM}saved already for{DIM:#} {COMMIT}{commit}{COMMIT:#}  {BOLD}{}{BOLD:#}",
                    short(id, 12)
                )
            }
            None => writeln!(
                f,
                "{BOLD}Keep{BOLD:#}      what {package_manager} installs from {} of {COMMIT}{commit}{COMMIT:#}  {subject}",
                line(&lockfile.path)
            ),
        }
    }
}

/// What is kept, each after `word`.
fn table_of(word: &str, all: &[Kept], at: Timestamp) -> Table {
    let mut table = Table::new([
        Column::left(),
        Column::left().style(BOLD),
        Column::ragged(),
        Column::ragged().rank(1),
        Column::ragged().rank(2).style(DIM),
        Column::ragged().after(" · ").rank(3).style(DIM),
    ]);
    for Kept { id, saved, file_count, size, lockfile, machine, misfit, commits, deployed, .. } in all {
        let libc = if machine.libc.is_empty() {
            String::new()
        } else {
            format!("-{}", machine.libc.replace(' ', "-"))
        };
        table.line([
            word.to_owned(),
            short(id, 12).to_owned(),
            format!("{} · {}", count(*file_count, "file"), bytes(*size)),
            format!("{}-{}{libc} node {}", machine.os, machine.arch, machine.node),
            line(&lockfile.path).into_owned(),
            ago(*saved, at),
        ]);
        let needed =
            if deployed.is_empty() { String::new() } else { format!(", {} deployed", deployed.len()) };
        let few = commits.iter().take(5).map(|commit| short(commit, 7)).collect::<Vec<_>>().join(" ");
        let commits = count(commits.len(), "commit");
        table.note(1, format!("  {DIM}{commits}{needed}: {COMMIT}{few}{COMMIT:#}{DIM:#}"));
        if let Some(why) = misfit {
            table.note(1, format!("  {WARNING}does not fit here:{WARNING:#} {}", line(why)));
        }
    }
    table
}

impl fmt::Display for ToolchainsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SnapshotListing { toolchains, unread } = &self.listing;
        if toolchains.is_empty() {
            writeln!(
                f,
                "{DIM}no toolchain is saved here yet; to save one: git slsart toolchain save{DIM:#}"
            )?;
        }
        fmt::Display::fmt(&table_of("", toolchains, self.at), f)?;
        unread.iter().try_for_each(|name| writeln!(f, "{WARNING}!{WARNING:#} {} can't be read", line(name)))
    }
}

impl fmt::Display for DropReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.dry_run { "Drop   " } else { "Dropped" };
        fmt::Display::fmt(&table_of(word, &self.toolchains, self.at), f)
    }
}
