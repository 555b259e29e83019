//! How things stand: what is live by the history, what HEAD has packages for, what only this machine has, and what goes on in the
//! background. It asks neither AWS nor a remote, and reads only what it reports.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use crate::deploy::history;
use crate::error::Result;
use crate::git::{Commit, Oid, Repository};
use crate::package::PackageId;
use crate::package::manifest::Target;
use crate::packaging::jobs::{Job, JobState, Jobs};
use crate::service::{Service, ServiceName};
use crate::sharing;
use crate::store::deployments::Deployment;
use crate::store::histories::History;
use crate::store::{Filter, NotedPackage, PackageLine};
use crate::workspace::{Workspace, name_of};

/// How many commits down from HEAD are looked at for targets that have packages and no history.
const NEAR: usize = 30;
/// How many commits are looked at from HEAD, and from what is live, to find how far they are apart.
const MAX_COMMITS: usize = 1_000;

pub struct Status {
    /// HEAD's commit; `None` before the first.
    pub head: Option<Commit>,
    /// The targets that something was deployed to, or that HEAD or a commit near it has a package for.
    pub targets: Vec<TargetStatus>,
    /// What remotes are known to lack: of the one that packages are shared through, and of each whose notes were fetched.
    pub remotes: Vec<Lacking>,
    /// How many LFS objects no remote is known to have, and how many bytes that are.
    pub lfs: (usize, u64),
    /// The jobs that go on, and the newest if it failed, newest first.
    pub jobs: Vec<Job>,
}

pub struct TargetStatus {
    pub target: Target,
    /// The name that HEAD gives the service in the target's directory, where it is another: HEAD's stack is another, too.
    pub renamed: Option<ServiceName>,
    /// Whether HEAD has the service.
    pub is_in_head: bool,
    /// The deployment that is live, by the history.
    pub live: Option<Deployment>,
    /// How many commits HEAD has that the live one has not; `None` where they are more than a thousand apart, or one is not here.
    pub ahead: Option<usize>,
    /// How many the live one has that HEAD has not.
    pub behind: Option<usize>,
    /// The newest later deployment that may have changed what is live.
    pub later: Option<Deployment>,
    pub package: Option<PackageLine>,
    /// How many records could not be read, of those that were.
    pub unread: usize,
}

pub struct Lacking {
    pub remote: String,
    /// When it was last asked what it has.
    pub seen: Option<Timestamp>,
    /// Whether anything is known of what packages it has.
    pub is_known: bool,
    /// The packages that are here and not there; none where nothing is known.
    pub packages: Vec<NotedPackage>,
    /// Those of them that are not pushed before their secrets are decided about.
    pub undecided: Vec<PackageId>,
    /// The refs of histories, bans and pins with records that are not there.
    pub chains: Vec<String>,
}

/// How things stand, for the targets that `filter` means.
pub fn status(workspace: &Workspace<'_>, filter: &Filter) -> Result<Status> {
    let repository = workspace.repository;
    let head = repository.head().map(|head| repository.commit(head)).transpose()?;
    let jobs = Jobs::of(repository).all().into_iter().enumerate();
    let is_told = |index: usize, job: &Job| {
        job.lives || index == 0 && matches!(job.record.state, JobState::Failed | JobState::Stopped)
    };
    Ok(Status {
        targets: targets(workspace, head.as_ref().map(|head| head.id), filter)?,
        remotes: remotes(workspace)?,
        lfs: workspace.store().lfs_objects().only_here(),
        jobs: jobs.filter(|(index, job)| is_told(*index, job)).map(|(_, job)| job).collect(),
        head,
    })
}

fn targets(workspace: &Workspace<'_>, head: Option<Oid>, filter: &Filter) -> Result<Vec<TargetStatus>> {
    let store = workspace.store();
    // A history belongs to what AWS knows a stack by: the directory of its service may have been another.
    let key = |target: &Target| (target.service.clone(), target.stage.clone(), target.region.clone());
    let mut all: BTreeMap<_, Target> = BTreeMap::new();
    let recent =
        head.map(|head| store.packages().recent_targets(head, NEAR)).transpose()?.unwrap_or_default();
    for target in store.histories().targets()?.into_iter().chain(recent) {
        if filter.matches(&target) {
            all.insert(key(&target), target);
        }
    }
    let services = workspace.head_services()?;
    let renamed: Vec<(Target, ServiceName)> =
        all.values().filter_map(|target| Some((target.clone(), renamed(services, target)?))).collect();
    // What HEAD makes is a target of its own, also before it is packaged.
    for (target, service) in &renamed {
        let today = Target { service: service.clone(), ..target.clone() };
        all.entry(key(&today)).or_insert(today);
    }
    let packages = head.map(|head| store.notes().of(head)).transpose()?.unwrap_or_default().packages;
    let mut standings = Vec::with_capacity(all.len());
    for (named, target) in all {
        let History { deployments, unread } = store.histories().recent(&target)?;
        // The newest of those without uncommitted changes, else the newest.
        let of_target = packages.iter().filter(|line| key(&line.target) == named);
        let package = of_target.max_by_key(|line| (line.dirty_tree.is_none(), line.recorded)).cloned();
        let later = history::uncertain(&deployments).next().cloned();
        let live = history::live(&deployments).cloned();
        let commit = live.as_ref().and_then(|live| Oid::from_str(&live.commit).ok());
        let (ahead, behind) = match head.zip(commit) {
            Some((head, live)) => distance(workspace.repository, head, live),
            None => (None, None),
        };
        let renamed = renamed.iter().find(|(known, _)| *known == target).map(|(_, name)| name.clone());
        let is_in_head = workspace.is_in_head(&target)?;
        standings.push(TargetStatus {
            target,
            renamed,
            is_in_head,
            live,
            ahead,
            behind,
            later,
            package,
            unread,
        });
    }
    Ok(standings)
}

/// The name that HEAD gives the service in the directory of `target`, where that is another and the service has not moved.
fn renamed(services: &[Service], target: &Target) -> Option<ServiceName> {
    let is_still_there = services.iter().any(|service| name_of(service) == Some(&target.service));
    let service = services.iter().find(|service| service.path == target.path)?;
    name_of(service).filter(|_| !is_still_there).cloned()
}

/// How many commits `head` has that `live` has not, and the other way round. Where they are far apart, counting would read all that lies
/// between.
fn distance(repository: &Repository, head: Oid, live: Oid) -> (Option<usize>, Option<usize>) {
    if head == live {
        return (Some(0), Some(0));
    }
    let near = |from: Oid| -> Option<HashSet<Oid>> {
        Some(repository.history(&[from]).ok()?.take(MAX_COMMITS).collect())
    };
    let between = |from: Oid, to: Oid| {
        repository.commits_between(from, to, MAX_COMMITS).ok().map(|commits| commits.len())
    };
    match (near(head), near(live)) {
        (Some(ours), Some(theirs)) if !ours.is_disjoint(&theirs) => {
            (between(live, head), between(head, live))
        }
        _ => (None, None),
    }
}

fn remotes(workspace: &Workspace<'_>) -> Result<Vec<Lacking>> {
    let store = workspace.store();
    let shared = sharing::remote(workspace, None).ok();
    let mut all = Vec::new();
    for remote in workspace.repository.remotes() {
        let is_known = store.tracking(&remote).is_known()?;
        let seen = sharing::seen(workspace.repository, &remote);
        if !is_known && shared.as_ref() != Some(&remote) {
            continue;
        }
        // What was asked and has no notes has no packages.
        let is_known = is_known || seen.is_some();
        let packages = if is_known { store.tracking(&remote).only_here()? } else { Vec::new() };
        let chains = if is_known { store.tracking(&remote).chains_only_here()? } else { Vec::new() };
        // Settings that can't be read are reported where they are used.
        let undecided = sharing::undecided(workspace, &packages).unwrap_or_default();
        all.push(Lacking { remote, seen, is_known, packages, undecided, chains });
    }
    Ok(all)
}
