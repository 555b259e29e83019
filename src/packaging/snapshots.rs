//! Managing toolchain snapshots: listing them with the packages that need them, adding and removing.

use jiff::Timestamp;
use serde::Serialize;

use super::checkout::{Checkout, InstallMode};
use crate::error::{Error, Result};
use crate::git::{Oid, Source};
use crate::package::Machine;
use crate::package::manifest::LockfileEntry;
use crate::process::Output;
use crate::service::{Service, ServicePath};
use crate::store::toolchains::{StoredToolchain, Toolchain};
use crate::toolchain::{Lockfile, Programs, install};
use crate::workspace::Workspace;

#[derive(Debug, Clone, Serialize)]
pub struct Kept {
    pub id: String,
    pub saved: Timestamp,
    pub file_count: usize,
    pub size: u64,
    pub lockfile: LockfileEntry,
    pub machine: Machine,
    pub misfit: Option<String>,
    pub commits: Vec<String>,
    pub deployed: Vec<String>,
    #[serde(skip)]
    stored: Vec<StoredToolchain>,
}

#[derive(Debug, Serialize)]
pub struct SnapshotListing {
    /// Newest first.
    pub toolchains: Vec<Kept>,
    pub unread: Vec<String>,
}

/// All toolchains, those of one content on one kind of machine together.
pub fn list(workspace: &Workspace<'_>) -> Result<SnapshotListing> {
    let store = workspace.store();
    let found = store.toolchains().all()?;
    let deployed = store.histories().deployed_sources()?;
    // Without node nothing can be deployed, but the list still works.
    let here = install::machine(&Programs::usual(), &workspace.context.cwd).ok();
    let mut toolchains: Vec<Kept> = Vec::new();
    for stored in found.stored {
        let Toolchain { id, source, machine, .. } = &stored.toolchain;
        let is_deployed = deployed.contains(source);
        let place = toolchains
            .iter()
            .position(|kept| kept.id == *id && kept.machine.incompatibility(machine).is_none());
        let place = place.unwrap_or_else(|| {
            let misfit = here.as_ref().and_then(|here| machine.incompatibility(here));
            toolchains.push(Kept::of(&stored.toolchain, misfit));
            toolchains.len() - 1
        });
        let kept = &mut toolchains[place];
        kept.commits.push(source.clone());
        kept.deployed.extend(Some(source.clone()).filter(|_| is_deployed));
        kept.stored.push(stored);
    }
    Ok(SnapshotListing { toolchains, unread: found.unread })
}

impl Kept {
    fn of(toolchain: &Toolchain, misfit: Option<String>) -> Self {
        Self {
            id: toolchain.id.clone(),
            saved: toolchain.saved,
            file_count: toolchain.files,
            size: toolchain.size,
            lockfile: toolchain.lockfile.clone(),
            machine: toolchain.machine.clone(),
            misfit,
            commits: Vec::new(),
            deployed: Vec::new(),
            stored: Vec::new(),
        }
    }
}

/// The snapshots whose ids begin with `ids`. Refuses one that is needed, unless `although_deployed`.
pub fn plan_drop(workspace: &Workspace<'_>, ids: &[String], although_deployed: bool) -> Result<Vec<Kept>> {
    let all = list(workspace)?.toolchains;
    for id in ids {
        let mut named: Vec<&str> =
            all.iter().map(|kept| kept.id.as_str()).filter(|kept| kept.starts_with(id)).collect();
        named.dedup();
        let list = "`git slsart toolchain list` lists the toolchains";
        match named.as_slice() {
            _ if id.len() < 4 => {
                return Err(Error::usage(format!("'{id}' is too short for an id")).hint(list));
            }
            [] => return Err(Error::not_recorded(format!("there is no toolchain '{id}' here")).hint(list)),
            [first, rest @ ..] if rest.iter().any(|other| other != first) => {
                return Err(Error::usage(format!("'{id}' is the beginning of several ids")).hint(list));
            }
            _ => {}
        }
    }
    let dropped: Vec<Kept> =
        all.into_iter().filter(|kept| ids.iter().any(|id| kept.id.starts_with(id))).collect();
    if let Some(needed) = dropped.iter().find(|kept| !kept.deployed.is_empty())
        && !although_deployed
    {
        let commit = &needed.deployed[0][..12.min(needed.deployed[0].len())];
        return Err(Error::refused(format!(
            "the toolchain {} is needed to roll back to {commit} without a registry",
            &needed.id[..12]
        ))
        .hint("to drop it all the same: --although-deployed; the rollback then needs the registry"));
    }
    Ok(dropped)
}

pub fn drop_all(workspace: &Workspace<'_>, dropped: &[Kept]) -> Result<()> {
    dropped.iter().try_for_each(|kept| workspace.store().toolchains().remove(&kept.stored))
}

#[derive(Debug)]
pub struct Saving {
    pub commit: String,
    pub subject: String,
    pub path: ServicePath,
    pub lockfile: LockfileEntry,
    pub package_manager: &'static str,
    /// The commit's snapshot that fits this machine; nothing is done then.
    pub kept: Option<Toolchain>,
}

/// What recording the toolchain of `service` at `commit` would do.
pub fn plan_save(workspace: &Workspace<'_>, commit: Oid, service: &Service) -> Result<Saving> {
    let commit = workspace.repository.commit(commit)?;
    let lockfile = Lockfile::find(Source::new(workspace.repository, commit.tree), &service.path)?;
    let lockfile = lockfile.ok_or_else(|| {
        Error::refused(format!("the commit has no lockfile for the service '{}'", service.path))
            .hint("commit the lockfile of your package manager, such as package-lock.json")
    })?;
    let here = install::machine(&Programs::usual(), &workspace.context.cwd)?;
    let kept = workspace.store().toolchains().of(commit.id)?.stored.into_iter().find(|stored| {
        let Toolchain { machine, lockfile: of, .. } = &stored.toolchain;
        of.path == lockfile.path && of.sha256 == lockfile.sha256 && machine.incompatibility(&here).is_none()
    });
    Ok(Saving {
        commit: commit.id.to_string(),
        subject: commit.subject,
        path: service.path.clone(),
        package_manager: install::program(lockfile.kind),
        lockfile: LockfileEntry {
            kind: lockfile.kind.to_string(),
            path: lockfile.path,
            sha256: lockfile.sha256,
        },
        kept: kept.map(|kept| kept.toolchain),
    })
}

/// Installs the packages of a commit in a separate worktree and records them. Returns the snapshot, and whether it is new.
pub fn save(
    workspace: &Workspace<'_>,
    commit: Oid,
    service: &ServicePath,
    output: Output,
) -> Result<(Toolchain, bool)> {
    let checkout = Checkout::prepare(workspace, commit, service, InstallMode::PackageManager, None, output)?;
    checkout.save_toolchain(workspace)?.ok_or_else(|| {
        Error::refused("the package manager installed nothing to keep")
            .hint("files that are in the commit, such as a yarn cache, are recorded with it")
    })
}
