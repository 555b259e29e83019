//! `package`.

use std::fmt;
use std::io;

use clap::Args;
use serde::Serialize;

use super::{framework_output, installing, storage};
use crate::cli::{Storage, TargetArgs};
use crate::error::{Error, Kind, Result};
use crate::packaging::Summary;
use crate::packaging::make::{Making, make};
use crate::service::ServicePath;
use crate::text::style::{BOLD, COMMIT, DIM, WARNING};
use crate::text::words::{bytes, count, line, short};
use crate::ui::Ui;
use crate::workspace::{Wanted, Workspace, no_service};

/// Package a commit and record the package
///
/// Checks the commit out into a worktree of its own, installs the plugins of its own lockfile, runs its own framework, and
/// records what that made. Your working tree is not touched. A commit that has a package for the stage and region keeps it,
/// unless --again is given.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(after_long_help = crate::cli::EXIT_STATUS)]
pub struct PackageArgs {
    /// The commit to package
    #[arg(default_value = "HEAD")]
    commit: String,
    /// Package every service of the commit
    #[arg(short, long, conflicts_with = "service")]
    all: bool,
    /// Package the working tree as it is, with what is installed in it
    #[arg(long)]
    in_place: bool,
    /// With --in-place: although it has changes; the package is marked
    #[arg(long, requires = "in_place")]
    allow_dirty: bool,
    /// Package again what has been packaged
    #[arg(long)]
    again: bool,
    /// How the package is kept [default: from slsart.toml]
    #[arg(long, value_name = "HOW")]
    storage: Option<Storage>,
    #[command(flatten)]
    target: TargetArgs,
}

/// What was packaged.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) packages: Vec<Summary>,
    /// Whether `--again` would have packaged what was recorded already.
    #[serde(skip)]
    pub(super) repeatable: bool,
    /// The form that was asked for, which what was recorded already may not have.
    #[serde(skip)]
    pub(super) storage: Option<Storage>,
}

pub(super) fn run(args: &PackageArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let wanted = Wanted { offers_all: true, ..args.target.wanted()? };
    let commit = workspace.repository.resolve(&args.commit)?;
    let services =
        if args.all { workspace.services(commit)? } else { vec![workspace.service(commit, &wanted)?] };
    if services.is_empty() {
        return Err(no_service());
    }
    let making = Making {
        in_place: args.in_place,
        allow_dirty: args.allow_dirty,
        again: args.again,
        storage: storage(args.storage, workspace),
        installing: installing(ui),
        packaging: framework_output(ui),
    };
    let mut packages = Vec::new();
    let mut failures = Vec::new();
    let mut stopped = None;
    for service in &services {
        let stage = workspace.stage(&wanted, Some(service))?;
        let region = workspace.region(&wanted, Some(service))?;
        match make(workspace, commit, service, &stage, &region, making) {
            Ok(summary) => packages.push(summary),
            Err(error) if !args.all || error.kind == Kind::Interrupted => {
                stopped = Some(error);
                break;
            }
            // One service must not hide the others' results.
            Err(error) => failures.push((&service.path, error)),
        }
    }
    if !packages.is_empty() {
        ui.done(&Report { packages, repeatable: true, storage: args.storage }, false)?;
    }
    match stopped.or_else(|| all_in_one(failures, services.len())) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// One error for what went wrong with some of `total` services, of the first one's kind.
fn all_in_one(failures: Vec<(&ServicePath, Error)>, total: usize) -> Option<Error> {
    let kind = failures.first()?.1.kind;
    let mut error =
        Error::new(kind, format!("{} of {} could not be packaged", failures.len(), count(total, "service")));
    let mut reasons = Vec::new();
    for (path, failure) in failures {
        reasons.push(format!("{path}: {failure}"));
        reasons.extend(failure.causes());
        for hint in failure.hints {
            if !error.hints.contains(&hint) {
                error.hints.push(hint);
            }
        }
    }
    Some(error.because(io::Error::other(reasons.join("\n"))))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for package in &self.packages {
            let Summary { commit, subject, target, size, file_count, dirty, already, left_out, .. } = package;
            let word = if *already { "Already " } else { "Recorded" };
            let id = short(&package.package, 8);
            writeln!(
                f,
                "{BOLD}{word}{BOLD:#}  {target}  package {id} · {file_count} files · {}",
                bytes(*size)
            )?;
            write!(f, "{BOLD}Commit{BOLD:#}    {COMMIT}{}{COMMIT:#}  {}", short(commit, 7), line(subject))?;
            writeln!(
                f,
                "{}",
                if *dirty {
                    format!("  {WARNING}with uncommitted changes{WARNING:#}")
                } else {
                    String::new()
                }
            )?;
            if *already {
                let again =
                    if self.repeatable { "; to package it again: git slsart package --again" } else { "" };
                let form = match self.storage {
                    Some(Storage::Git) => "; to keep it in git objects: git slsart migrate --to git",
                    Some(Storage::Lfs) => "; to keep it in LFS: git slsart migrate --to lfs",
                    Some(Storage::Auto) | None => "",
                };
                writeln!(f, "{DIM}nothing was done{again}{form}{DIM:#}")?;
            }
            if !left_out.is_empty() {
                writeln!(f, "{DIM}left out, as no part of a package: {}{DIM:#}", line(&left_out.join(", ")))?;
            }
        }
        Ok(())
    }
}
