//! Fetches what this repository lacks: notes and records always, packages and their toolchains on request.

use std::collections::HashSet;

use serde::Serialize;

use super::{PackageRef, depth, phase, refresh};
use crate::error::{Error, Kind, Result};
use crate::git::Oid;
use crate::git::transfer::Depth;
use crate::store::MergeReport;
use crate::store::tracking::refspec_of;
use crate::store::{NotedPackage, StoredPackage};
use crate::text::command::slsart;
use crate::workspace::Workspace;

#[derive(Debug, Clone)]
pub enum FetchScope {
    Nothing,
    /// Those of these commits, in any way that [`Workspace::find_noted`] understands.
    Packages(Vec<String>),
    All,
}

#[derive(Debug, Serialize)]
pub struct FetchReport {
    pub remote: String,
    #[serde(flatten)]
    pub records: MergeReport,
    /// The packages whose content was fetched.
    pub packages: Vec<PackageRef>,
    /// Packages in the remote's notes that it does not have, or that can't be read.
    pub missing: Vec<Missing>,
    pub toolchains: usize,
}

#[derive(Debug, Serialize)]
pub struct Missing {
    #[serde(flatten)]
    pub package: PackageRef,
    pub why: String,
}

/// Fetches from `remote`; [`Kind::NotRecorded`] if it has nothing of the requested packages.
pub fn fetch(workspace: &Workspace<'_>, remote: &str, wish: &FetchScope) -> Result<FetchReport> {
    phase(workspace, &format!("Fetching notes and histories from {remote}"));
    let records = refresh(workspace, remote)?;
    let store = workspace.store();
    let wanted = match wish {
        FetchScope::Nothing => Vec::new(),
        FetchScope::All => store.tracking(remote).only_there()?,
        FetchScope::Packages(revisions) => {
            let mut wanted = Vec::new();
            for revision in revisions {
                wanted.extend(workspace.find_noted(revision)?);
            }
            wanted.retain(|found| store.packages().is_here(found).is_ok_and(|here| !here));
            wanted
        }
    };
    let mut fetched = FetchReport::new(remote, records);
    if !wanted.is_empty() {
        phase(workspace, &format!("Fetching packages from {remote}"));
    }
    get(workspace, remote, &wanted, &mut fetched)?;
    Ok(fetched)
}

pub(super) fn get(
    workspace: &Workspace<'_>,
    remote: &str,
    wanted: &[NotedPackage],
    fetched: &mut FetchReport,
) -> Result<()> {
    if wanted.iter().any(|found| depth(workspace, found) != Depth::Whole) {
        // A commit on a branch is fetched with that branch: else its history would end at the package's source.
        workspace.repository.fetch(remote, &[], (Depth::Whole, false), workspace.progress)?;
    }
    for how in [Depth::Whole, Depth::Commits(2), Depth::Commits(3)] {
        let some: Vec<&NotedPackage> = wanted.iter().filter(|found| depth(workspace, found) == how).collect();
        get_refs(workspace, remote, &some, how)?;
    }
    let (mut sources, mut here) = (HashSet::new(), Vec::new());
    for found in wanted {
        match check(workspace, found) {
            Ok(Some(package)) => {
                sources.insert(package.source);
                here.push((found, package));
            }
            Ok(None) => {
                let why = format!("{remote} does not have it");
                fetched.missing.push(Missing { package: found.into(), why });
            }
            Err(error) if error.kind == Kind::Integrity => {
                // Another remote may have an intact one: the damaged one must not stand in its way.
                workspace.repository.delete_ref(&found.ref_name())?;
                fetched.missing.push(Missing { package: found.into(), why: error.to_string() });
            }
            Err(error) => return Err(error),
        }
    }
    // Before anything that may fail: a package that is here is not asked for again.
    fetched.toolchains += get_toolchains(workspace, remote, &sources)?;
    for (found, package) in here {
        workspace.repository.complete(&[package.tree], workspace.progress)?;
        package.fetch_lfs_objects(workspace.progress)?;
        fetched.packages.push(found.into());
    }
    Ok(())
}

fn get_refs(workspace: &Workspace<'_>, remote: &str, wanted: &[&NotedPackage], how: Depth) -> Result<()> {
    let Workspace { repository, progress, .. } = workspace;
    let store = workspace.store();
    let mut names: Vec<String> = wanted.iter().map(|found| found.ref_name()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let specs = |names: &[String]| names.iter().map(|name| refspec_of(name)).collect::<Vec<_>>();
    let Err(error) = repository.fetch(remote, &specs(&names), (how, false), *progress) else { return Ok(()) };
    if error.kind == Kind::Interrupted {
        return Err(error);
    }
    // A missing ref would keep git from fetching the others.
    let there: HashSet<String> = store.packages().refs_on(remote)?.into_iter().collect();
    let asked = names.len();
    names.retain(|name| there.contains(name));
    match names.len() {
        0 => Ok(()),
        left if left == asked => Err(error),
        _ => repository.fetch(remote, &specs(&names), (how, false), *progress),
    }
}

/// The package, checked without reading its content; `None` if it was not fetched.
fn check<'r>(workspace: &Workspace<'r>, found: &NotedPackage) -> Result<Option<StoredPackage<'r>>> {
    let store = workspace.store();
    if !store.packages().is_here(found)? {
        return Ok(None);
    }
    store.open(found.commit, &found.line).map(Some)
}

fn get_toolchains(workspace: &Workspace<'_>, remote: &str, sources: &HashSet<Oid>) -> Result<usize> {
    let Workspace { repository, progress, .. } = workspace;
    if sources.is_empty() {
        return Ok(0);
    }
    let store = workspace.store();
    let here: HashSet<String> =
        store.toolchains().refs()?.into_iter().map(|toolchain| toolchain.name).collect();
    let specs: Vec<String> = (store.toolchains().refs_on(remote)?.iter())
        .filter(|toolchain| sources.contains(&toolchain.source) && !here.contains(&toolchain.name))
        .map(|toolchain| refspec_of(&toolchain.name))
        .collect();
    if !specs.is_empty() {
        phase(workspace, &format!("Fetching toolchains from {remote}"));
        repository.fetch(remote, &specs, (Depth::Whole, false), *progress)?;
    }
    Ok(specs.len())
}

impl FetchReport {
    pub(super) fn new(remote: &str, records: MergeReport) -> Self {
        let remote = remote.to_owned();
        Self { remote, records, packages: Vec::new(), missing: Vec::new(), toolchains: 0 }
    }

    /// An error for what was asked for and not fetched.
    pub fn complete(&self) -> Result<()> {
        let Some(Missing { package, why }) = self.missing.first() else { return Ok(()) };
        let others = match self.missing.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        Err(Error::not_recorded(format!(
            "package {}{others} was not fetched: {why}",
            package.package.short()
        ))
        .hint(format!("to send it from a machine that has it: {}", slsart(["push", &self.remote]))))
    }
}
