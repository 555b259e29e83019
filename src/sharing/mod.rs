//! Shares packages: sends packages, notes, histories, bans and toolchains to a remote and fetches them, each only if the other side lacks
//! it. Notes and histories of both sides are merged; nothing is overwritten on either.

mod fetch;
mod on_demand;
mod push;
mod push_policy;
mod records;
mod seen;

use serde::Serialize;

pub use fetch::{FetchReport, FetchScope, fetch};
pub use on_demand::{fetch_package, find, is_elsewhere, open};
pub use push::{PushReport, PushSelection, Unsent, push};
pub use push_policy::{SecretStatus, secret_status, undecided, ways_to_decide};
pub use records::{fetch_records, send_records};
pub use seen::seen;

use crate::config::RemoteChoice;
use crate::error::{Error, Result};
use crate::git::transfer::Depth;
use crate::package::PackageId;
use crate::package::manifest::Target;
use crate::store::MergeReport;
use crate::store::NotedPackage;
use crate::store::tracking::refspecs;
use crate::workspace::Workspace;

/// A package that was sent or fetched, or was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageRef {
    pub commit: String,
    pub package: PackageId,
    pub target: Target,
    pub size: u64,
}

impl From<&NotedPackage> for PackageRef {
    fn from(found: &NotedPackage) -> Self {
        let NotedPackage { commit, line } = found;
        Self {
            commit: commit.to_string(),
            package: line.package,
            target: line.target.clone(),
            size: line.size,
        }
    }
}

/// The remote for sharing packages: the named one, else as `slsart.toml` has it. Fails if there is none, or several fit.
pub fn remote(workspace: &Workspace<'_>, named: Option<&str>) -> Result<String> {
    let Workspace { repository, config, .. } = workspace;
    let named = match (named, &config.share.remote) {
        (Some(named), _) => named,
        (None, RemoteChoice::Named(named)) => {
            repository
                .need_remote(named)
                .map_err(|error| error.hint("`remote` in [share] of slsart.toml names it"))?;
            named
        }
        (None, RemoteChoice::Nowhere) => {
            return Err(Error::refused("`remote` in [share] of slsart.toml is \"none\"")
                .hint("to push all the same: git slsart push REMOTE"));
        }
        (None, RemoteChoice::Auto) => return usual(workspace),
    };
    repository.need_remote(named)?;
    Ok(named.to_owned())
}

fn usual(workspace: &Workspace<'_>) -> Result<String> {
    if let Some(remote) = workspace.repository.usual_remote() {
        return Ok(remote);
    }
    let remotes = workspace.repository.remotes();
    if remotes.is_empty() {
        return Err(Error::refused("this repository has no remote")
            .hint("add one: git remote add origin URL")
            .hint("or share packages as files: git slsart export REF FILE")
            .hint("to import packages from a file: git slsart import FILE"));
    }
    Err(Error::refused("there are several remotes, and none is `origin`")
        .hint(format!("name one: {}", remotes.join(", ")))
        .hint("or set `remote` in [share] of slsart.toml"))
}

/// The remote for sharing packages, if it was never asked for its packages.
pub fn never_asked(workspace: &Workspace<'_>) -> Result<Option<String>> {
    let Ok(remote) = remote(workspace, None) else { return Ok(None) };
    let is_asked =
        seen(workspace.repository, &remote).is_some() || workspace.store().tracking(&remote).is_known()?;
    Ok((!is_asked).then_some(remote))
}

pub fn refresh(workspace: &Workspace<'_>, remote: &str) -> Result<MergeReport> {
    let Workspace { repository, progress, .. } = workspace;
    repository.fetch(remote, &refspecs(remote), (Depth::Whole, true), *progress)?;
    seen::note(workspace, remote);
    integrate(workspace, remote)
}

/// Merges the fetched notes and records of `remote`; asks no remote.
pub fn integrate(workspace: &Workspace<'_>, remote: &str) -> Result<MergeReport> {
    workspace.store().tracking(remote).merge()
}

fn remotes(workspace: &Workspace<'_>, found: &NotedPackage) -> Vec<String> {
    let share = remote(workspace, None).ok();
    let mut remotes = workspace.repository.remotes();
    let store = workspace.store();
    let known: Vec<String> = (remotes.iter())
        .filter(|remote| store.tracking(remote).has(found).unwrap_or(false))
        .cloned()
        .collect();
    remotes.sort_by_key(|remote| (!known.contains(remote), Some(remote) != share.as_ref()));
    remotes
}

/// A shallow clone is not deepened for a package: its source is enough, or the commit below it if there were uncommitted changes.
fn depth(workspace: &Workspace<'_>, found: &NotedPackage) -> Depth {
    let Workspace { repository, .. } = workspace;
    if !repository.is_shallow() || repository.has(found.commit) {
        return Depth::Whole;
    }
    Depth::Commits(if found.line.dirty_tree.is_some() { 3 } else { 2 })
}

/// Starts a phase in which git may ask for a password: nothing is drawn before it reports progress.
fn phase(workspace: &Workspace<'_>, name: &str) {
    workspace.progress.phase(name);
    workspace.progress.pause();
}
