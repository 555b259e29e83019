//! `package`.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::{framework_output, installing};
use crate::cli::TargetArgs;
use crate::error::Result;
use crate::packaging::Summary;
use crate::packaging::make::{Making, make};
use crate::text::style::{BOLD, COMMIT, DIM, WARNING};
use crate::text::words::bytes;
use crate::ui::Ui;
use crate::workspace::{Workspace, no_service};

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
}

pub(super) fn run(args: &PackageArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let wanted = args.target.wanted()?;
    let commit = workspace.repository.resolve(&args.commit)?;
    let services = if args.all {
        workspace.services(commit)?
    } else {
        vec![workspace.service(commit, wanted.service.as_deref())?]
    };
    if services.is_empty() {
        return Err(no_service());
    }
    let making = Making {
        in_place: args.in_place,
        allow_dirty: args.allow_dirty,
        again: args.again,
        installing: installing(ui),
        packaging: framework_output(ui),
    };
    let mut packages = Vec::new();
    for service in &services {
        let stage = workspace.stage(&wanted, Some(service))?;
        let region = workspace.region(&wanted, Some(service))?;
        packages.push(make(workspace, commit, service, &stage, &region, making)?);
    }
    ui.report(&Report { packages, repeatable: true })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for package in &self.packages {
            let Summary { commit, subject, target, size, files, dirty, already, left_out, .. } = package;
            let word = if *already { "Already " } else { "Recorded" };
            let id = &package.package[..8];
            writeln!(f, "{BOLD}{word}{BOLD:#}  {target}  package {id} · {files} files · {}", bytes(*size))?;
            write!(f, "{BOLD}Commit{BOLD:#}    {COMMIT}{}{COMMIT:#}  {subject}", &commit[..7])?;
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
                writeln!(f, "{DIM}nothing was done{again}{DIM:#}")?;
            }
            if !left_out.is_empty() {
                writeln!(f, "{DIM}left out, as no part of a package: {}{DIM:#}", left_out.join(", "))?;
            }
        }
        Ok(())
    }
}
