//! `migrate`.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::args::FormArg as Wanted;
use super::packages::PackagesArgs;
use crate::error::Result;
use crate::package::manifest::Target;
use crate::package::storage::{Form, Placement, Storage};
use crate::progress::Progress as _;
use crate::store::{FormChange, StoredPackage};
use crate::text::style::{BOLD, COMMIT, DIM};
use crate::text::words::{bytes, count, line, short};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Convert recorded packages to Git LFS, or back to git objects
///
/// A package's id and content stay the same; only where its files are stored changes. Git's garbage collection removes the old copies.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    packages: PackagesArgs,
    /// What to convert to
    #[arg(long, value_name = "FORM")]
    to: Wanted,
    /// Only show what would be converted
    #[arg(short = 'n', long)]
    dry_run: bool,
}

#[derive(Debug, Serialize)]
struct MigrateReport {
    to: Form,
    dry_run: bool,
    packages: Vec<MigrateRow>,
    /// How many were kept so already.
    unchanged: usize,
}

#[derive(Debug, Clone, Serialize)]
struct MigrateRow {
    commit: String,
    package: String,
    target: Target,
    files: Vec<FormChange>,
}

pub(crate) fn run(args: &MigrateArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let (to, storage) = match args.to {
        Wanted::Git => (Form::Git, Storage::Git),
        Wanted::Lfs => (Form::Lfs, Storage::Lfs),
    };
    if to == Form::Lfs {
        workspace.repository.need_lfs()?;
    }
    let placement = Placement { storage, lfs_above: workspace.config.lfs_above, lfs_is_here: true };
    let found = args.packages.selected(workspace, ui)?;
    let mut plan: Vec<(StoredPackage<'_>, MigrateRow)> = Vec::new();
    for found in &found {
        let package = workspace.store().open(found.commit, &found.line)?;
        let files = package.changes(&placement)?;
        if !files.is_empty() {
            let row = MigrateRow {
                commit: found.commit.to_string(),
                package: found.line.package.to_string(),
                target: found.line.target.clone(),
                files,
            };
            plan.push((package, row));
        }
    }
    let unchanged = found.len() - plan.len();
    let rows = |plan: &[(StoredPackage<'_>, MigrateRow)]| plan.iter().map(|(_, row)| row.clone()).collect();
    let mut report = MigrateReport { to, dry_run: true, packages: rows(&plan), unchanged };
    if args.dry_run {
        return ui.report(&report);
    }
    if !plan.is_empty() {
        ui.show(&report);
        ui.progress().phase(&format!("Converting {}", count(plan.len(), "package")));
        let files = plan.iter().flat_map(|(_, row)| &row.files);
        ui.progress().expect_bytes(files.map(|file| file.size).sum());
    }
    let mut done = 0;
    let outcome = plan.iter().try_for_each(|(package, row)| {
        package.migrate(&row.files, workspace.progress)?;
        done += 1;
        workspace.store().lfs_objects().release_changed(package, &row.files)?;
        Ok(())
    });
    report.dry_run = false;
    report.packages.truncate(done);
    // What is converted stays so, whatever became of the next.
    if outcome.is_ok() || done > 0 {
        ui.done(&report, outcome.is_err())?;
    }
    outcome
}

impl fmt::Display for MigrateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.dry_run { "Convert  " } else { "Converted" };
        for MigrateRow { commit, package, target, files } in &self.packages {
            let (commit, package) = (short(commit, 7), short(package, 8));
            writeln!(
                f,
                "{BOLD}{word}{BOLD:#}  {COMMIT}{commit}{COMMIT:#}  {BOLD}{package}{BOLD:#}  {target}"
            )?;
            for FormChange { path, size, from, to } in files {
                writeln!(f, "           {}  {}  {DIM}{from} → {to}{DIM:#}", line(path), bytes(*size))?;
            }
        }
        if self.unchanged > 0 || self.packages.is_empty() {
            let already = count(self.unchanged, "package");
            writeln!(f, "{DIM}{already} kept in {} already{DIM:#}", self.to)?;
        }
        Ok(())
    }
}
