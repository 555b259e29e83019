//! `package`.

use std::fmt;
use std::io;

use clap::Args;
use serde::Serialize;

use super::args::{StorageArg, TargetArgs, storage};
use super::{framework_output, installing};
use crate::error::{Error, Kind, Result};
use crate::packaging::Summary;
use crate::packaging::jobs::check_unclaimed;
use crate::packaging::make::{Making, make};
use crate::service::Service;
use crate::text::style::{BOLD, COMMIT, DIM, WARNING};
use crate::text::words::{bytes, count, line, short};
use crate::ui::Ui;
use crate::workspace::{Wanted, Workspace, name_of, no_service};

/// Package a commit and record the package
///
/// Checks the commit out into a separate worktree, installs the plugins of its lockfile, runs its framework, and records the
/// package. Your working tree is not touched. A commit that has a package for the stage and region keeps it, unless --again
/// is given.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct PackageArgs {
    /// The commits to package, or ranges as in `v1.3.0..HEAD`
    #[arg(default_value = "HEAD", value_name = "COMMIT")]
    commits: Vec<String>,
    /// Package every service of the commit
    #[arg(short, long, conflicts_with = "service")]
    all: bool,
    /// Package the working tree as it is, with what is installed in it
    #[arg(long)]
    in_place: bool,
    /// With --in-place, package uncommitted changes too; the package is marked as dirty
    #[arg(long, requires = "in_place")]
    allow_dirty: bool,
    /// Package again a commit that has a package
    #[arg(long)]
    again: bool,
    /// How the package is kept [default: from slsart.toml]
    #[arg(long, value_name = "HOW")]
    storage: Option<StorageArg>,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, Serialize)]
pub(super) struct PackageReport {
    pub(super) packages: Vec<Summary>,
    /// For each, the command that packages it although it was recorded already; none where none does.
    #[serde(skip)]
    pub(super) again: Vec<String>,
    /// The form that was asked for, which what was recorded already may not have.
    #[serde(skip)]
    pub(super) storage: Option<StorageArg>,
}

pub(crate) fn run(args: &PackageArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let wanted = Wanted { offers_all: true, ..args.target.wanted()? };
    let commits = workspace.repository.commits_of(&args.commits)?;
    if commits.is_empty() {
        return Err(Error::refused(format!("'{}' has no commits", args.commits.join(" "))));
    }
    let making = Making {
        in_place: args.in_place,
        allow_dirty: args.allow_dirty,
        again: args.again,
        storage: storage(args.storage, workspace),
        installing: installing(ui),
        packaging: framework_output(ui),
    };
    let services = |commit| -> Result<Vec<Service>> {
        let services =
            if args.all { workspace.services(commit)? } else { vec![workspace.service(commit, &wanted)?] };
        if services.is_empty() { Err(no_service()) } else { Ok(services) }
    };
    let again = |commit, service: &Service| -> Result<String> {
        let short =
            (workspace.repository.head() != Some(commit)).then(|| workspace.repository.short_id(commit));
        let in_place = args.in_place.then_some("--in-place");
        let words: Vec<&str> = short.as_deref().into_iter().chain(["--again"]).chain(in_place).collect();
        let stage = workspace.stage(&wanted, Some(service))?;
        Ok(workspace.package_command(
            &words,
            (&service.path, name_of(service)),
            &stage,
            wanted.region.as_ref(),
        ))
    };
    if let Some(slip) = workspace.mistyped(&wanted)? {
        ui.warn(&slip);
    }
    let one = |commit, service: &Service| {
        let stage = workspace.stage(&wanted, Some(service))?;
        let region = workspace.region(&wanted, Some(service))?;
        if !args.in_place {
            check_unclaimed(workspace, commit, service, &stage, &region)?;
        }
        make(workspace, commit, service, &stage, &region, making)
    };
    // One must not hide the others' results.
    let (mut packages, mut commands, mut failures, mut total) = (Vec::new(), Vec::new(), Vec::new(), 0);
    'all: for commit in &commits {
        let short = workspace.repository.short_id(*commit);
        let services = match services(*commit) {
            Ok(services) => services,
            Err(error) => {
                total += 1;
                failures.push((short, error));
                continue;
            }
        };
        total += services.len();
        for service in &services {
            match one(*commit, service) {
                Ok(summary) => {
                    packages.push(summary);
                    commands.push(again(*commit, service)?);
                }
                Err(error) => {
                    let is_end = error.kind == Kind::Interrupted;
                    let of = if commits.len() > 1 {
                        format!("{short} {}", service.path)
                    } else {
                        service.path.to_string()
                    };
                    failures.push((of, error));
                    if is_end {
                        break 'all;
                    }
                }
            }
        }
    }
    if !packages.is_empty() {
        ui.done(&PackageReport { packages, again: commands, storage: args.storage }, false)?;
    }
    match failures.pop() {
        Some((_, error)) if total == 1 || error.kind == Kind::Interrupted => Err(error),
        Some(last) => {
            failures.push(last);
            Err(all_in_one(failures, total))
        }
        None => Ok(()),
    }
}

/// One error for what went wrong with some of `total` packages, of the first one's kind.
fn all_in_one(failures: Vec<(String, Error)>, total: usize) -> Error {
    let kind = failures.first().map_or(Kind::Refused, |(_, error)| error.kind);
    let mut error =
        Error::new(kind, format!("{} of {} were not packaged", failures.len(), count(total, "package")));
    let mut reasons = Vec::new();
    for (of, failure) in failures {
        reasons.push(format!("{of}: {failure}"));
        reasons.extend(failure.causes());
        for hint in failure.hints {
            if !error.hints.contains(&hint) {
                error.hints.push(hint);
            }
        }
    }
    error.because(io::Error::other(reasons.join("\n")))
}

impl fmt::Display for PackageReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, package) in self.packages.iter().enumerate() {
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
                let again = self.again.get(index);
                let again = again.map(|again| format!("; to package it again: {again}")).unwrap_or_default();
                let form = match self.storage {
                    Some(StorageArg::Git) => "; to keep it in git objects: git slsart migrate --to git",
                    Some(StorageArg::Lfs) => "; to keep it in LFS: git slsart migrate --to lfs",
                    Some(StorageArg::Auto) | None => "",
                };
                writeln!(f, "{DIM}nothing was done{again}{form}{DIM:#}")?;
            }
            if !left_out.is_empty() {
                writeln!(
                    f,
                    "{DIM}left out, since they are not part of a package: {}{DIM:#}",
                    line(&left_out.join(", "))
                )?;
            }
        }
        Ok(())
    }
}
