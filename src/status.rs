//! The repository's status: what is live by the history, HEAD's packages, packages that only this machine has, and background jobs. Asks
//! no remote, and reads only what it shows.

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
use crate::store::bans::Ban;
use crate::store::deployments::Deployment;
use crate::store::histories::History;
use crate::store::{Filter, NotedPackage, PackageLine};
use crate::workspace::{Workspace, name_of};

/// How many commits down from HEAD are searched for targets that have packages and no history.
const NEAR: usize = 30;
/// How many commits from HEAD, and from the live one, are read to find their distance.
const MAX_COMMITS: usize = 1_000;

pub struct Status {
    pub head: Option<Commit>,
    /// The targets that something was deployed to, or that HEAD or a commit near it has a package for.
    pub targets: Vec<TargetStatus>,
    /// The services that nothing was ever packaged of, where others were.
    pub unpackaged: Vec<Service>,
    /// What remotes are known to lack: of the one that packages are shared through, and of each whose notes were fetched.
    pub remotes: Vec<Lacking>,
    /// The number and size in bytes of the LFS objects that no remote is known to have.
    pub lfs: (usize, u64),
    /// The running jobs, and the newest if it failed, newest first.
    pub jobs: Vec<Job>,
}

pub struct TargetStatus {
    pub target: Target,
    /// HEAD's name for the service in the target's directory, if it differs: then HEAD's stack is another, too.
    pub renamed: Option<ServiceName>,
    pub is_in_head: bool,
    pub live: Option<Deployment>,
    /// The ban of what is live.
    pub live_ban: Option<Ban>,
    /// How many commits HEAD is ahead of the live one; `None` if they are more than a thousand apart, or one is not here.
    pub ahead: Option<usize>,
    /// How many commits HEAD is behind.
    pub behind: Option<usize>,
    pub later: Option<Deployment>,
    pub package: Option<PackageLine>,
    /// The ban of HEAD's package.
    pub package_ban: Option<Ban>,
    /// How many records were unreadable, of those that were read.
    pub unread: usize,
}

pub struct Lacking {
    pub remote: String,
    /// When it was last asked.
    pub seen: Option<Timestamp>,
    pub is_known: bool,
    /// The packages that are here and not there; none if its packages are unknown.
    pub packages: Vec<NotedPackage>,
    /// Those of them that are not pushed before their secrets are decided about.
    pub undecided: Vec<PackageId>,
    /// The refs of histories, bans and pins with records that it lacks.
    pub chains: Vec<String>,
}

/// The status of the targets that match `filter`.
pub fn status(workspace: &Workspace<'_>, filter: &Filter) -> Result<Status> {
    let repository = workspace.repository;
    let head = repository.head().map(|head| repository.commit(head)).transpose()?;
    let jobs = Jobs::of(repository).all().into_iter().enumerate();
    let is_told = |index: usize, job: &Job| {
        job.lives || index == 0 && matches!(job.record.state, JobState::Failed | JobState::Stopped)
    };
    Ok(Status {
        targets: targets(workspace, head.as_ref().map(|head| head.id), filter)?,
        unpackaged: unpackaged(workspace, filter)?,
        remotes: remotes(workspace)?,
        lfs: workspace.store().lfs_objects().only_here(),
        jobs: jobs.filter(|(index, job)| is_told(*index, job)).map(|(_, job)| job).collect(),
        head,
    })
}

fn unpackaged(workspace: &Workspace<'_>, filter: &Filter) -> Result<Vec<Service>> {
    let recorded = workspace.recorded()?;
    let mut services = workspace.today()?;
    let is_of = |target: &Target, service: &Service| {
        service.path == target.path || name_of(service) == Some(&target.service)
    };
    services.retain(|service| !recorded.iter().any(|target| is_of(target, service)));
    let is_narrow = filter.service.is_some() || filter.stage.is_some() || filter.region.is_some();
    Ok(if is_narrow || recorded.is_empty() { Vec::new() } else { services })
}

fn targets(workspace: &Workspace<'_>, head: Option<Oid>, filter: &Filter) -> Result<Vec<TargetStatus>> {
    let store = workspace.store();
    // A history belongs to a stack, wherever the directory of its service was.
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
    // HEAD's target is listed even before it is packaged.
    for (target, service) in &renamed {
        let today = Target { service: service.clone(), ..target.clone() };
        all.entry(key(&today)).or_insert(today);
    }
    let packages = head.map(|head| store.notes().of(head)).transpose()?.unwrap_or_default().packages;
    // `verify` reports an unreadable ban.
    let bans = store.bans().all_or_errors()?;
    let mut standings = Vec::with_capacity(all.len());
    for (named, target) in all {
        let History { deployments, unread } = store.histories().recent(&target)?;
        // The newest without uncommitted changes, else the newest.
        let of_target = packages.iter().filter(|line| key(&line.target) == named);
        let package = of_target.max_by_key(|line| (line.dirty_tree.is_none(), line.recorded)).cloned();
        let later = history::uncertain(&deployments).next().cloned();
        let live = history::live(&deployments).cloned();
        let commit = live.as_ref().and_then(|live| Oid::from_str(&live.commit).ok());
        let (ahead, behind) = match head.zip(commit) {
            Some((head, live)) => distance(workspace.repository, head, live),
            None => (None, None),
        };
        let live_ban = commit.zip(live.as_ref().map(|live| live.package));
        let package_ban = head.zip(package.as_ref().map(|line| line.package));
        let [live_ban, package_ban] =
            [live_ban, package_ban].map(|key| bans.get(&key?)?.as_ref().ok().cloned());
        let renamed = renamed.iter().find(|(known, _)| *known == target).map(|(_, name)| name.clone());
        let is_in_head = workspace.is_in_head(&target)?;
        standings.push(TargetStatus {
            target,
            renamed,
            is_in_head,
            live,
            live_ban,
            ahead,
            behind,
            later,
            package,
            package_ban,
            unread,
        });
    }
    Ok(standings)
}

/// HEAD's name for the service in the directory of `target`, if it differs and the service has not moved.
fn renamed(services: &[Service], target: &Target) -> Option<ServiceName> {
    let is_still_there = services.iter().any(|service| name_of(service) == Some(&target.service));
    let service = services.iter().find(|service| service.path == target.path)?;
    name_of(service).filter(|_| !is_still_there).cloned()
}

/// How many commits each of `head` and `live` has that the other lacks. If they are far apart, counting would read all commits in between.
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
        // A remote that was asked and has no notes has no packages.
        let is_known = is_known || seen.is_some();
        let packages = if is_known { store.tracking(&remote).only_here()? } else { Vec::new() };
        let chains = if is_known { store.tracking(&remote).chains_only_here()? } else { Vec::new() };
        // Unreadable settings are reported where they are used.
        let undecided = sharing::undecided(workspace, &packages).unwrap_or_default();
        all.push(Lacking { remote, seen, is_known, packages, undecided, chains });
    }
    Ok(all)
}
