//! Plans what to prune.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;

use super::policy::PrunePolicy;
use super::protection::{KeepReason, Protection};
use crate::error::{Error, Result};
use crate::git::Oid;
use crate::sharing;
use crate::store::{Filter, NotedPackage, locks};
use crate::store::{PackageKey, RemoteNotes, key_of, ref_of};
use crate::workspace::Workspace;

#[derive(Debug)]
pub enum Scope {
    Policy(PrunePolicy),
    /// Those that are named: commits, or packages' ids.
    Named(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PruneFate {
    /// No remote is known to have it: it is gone.
    Gone,
    /// This remote has it: the copy here goes, and can be fetched again.
    Copy(String),
    /// It was pruned before, by a killed process here or elsewhere: its content here goes.
    Leftover,
}

#[derive(Debug)]
pub struct PruneCandidate {
    pub found: NotedPackage,
    pub fate: PruneFate,
    /// What its ref points at; `None` where only the remote has it that it is removed from.
    pub tip: Option<Oid>,
}

#[derive(Debug)]
pub struct From {
    pub remote: String,
    /// The refs of its packages and toolchains, with their targets.
    pub refs: BTreeMap<String, Oid>,
    /// The refs of the deployment locks that it holds.
    pub locks: HashSet<String>,
}

impl From {
    pub fn ask(workspace: &Workspace<'_>, remote: &str) -> Result<Self> {
        sharing::refresh(workspace, remote)?;
        let refs = workspace.repository.remote_refs(remote, "refs/slsart/*")?.into_iter().collect();
        let locks = workspace.repository.remote_refs(remote, locks::PATTERN)?;
        let locks = locks.into_iter().map(|(name, _)| name).collect();
        Ok(Self { remote: remote.to_owned(), refs, locks })
    }
}

pub struct PrunePlan {
    /// The packages that go, newest first.
    pub going: Vec<PruneCandidate>,
    /// Those that were chosen and are kept all the same.
    pub kept: Vec<(NotedPackage, KeepReason)>,
    pub toolchains: Vec<(String, Oid)>,
    /// The bytes that `git gc` will free; `None` if git can't say.
    pub frees: Option<u64>,
    /// Remotes whose packages are unknown here.
    pub unknown: Vec<String>,
    /// The targets of the refs of packages that stay.
    pub(super) staying: Vec<Oid>,
    _kept: Protection,
}

impl PrunePlan {
    /// Decides what is to be done.
    ///
    /// # Errors
    /// When a package that is named is kept, and when something can't be read.
    pub fn of(
        workspace: &Workspace<'_>,
        scope: &Scope,
        filter: &Filter,
        from: Option<&From>,
        now: Timestamp,
    ) -> Result<Self> {
        let store = workspace.store();
        let refs = store.packages().refs()?;
        let is_there = |found: &NotedPackage| {
            refs.contains_key(&found.key())
                || from.is_some_and(|from| from.refs.contains_key(&ref_of(found.key())))
        };
        let mut chosen = match scope {
            Scope::Policy(policy) => {
                let all = store.packages().all(&Filter { pruned: true, ..Filter::default() })?.found;
                policy.choose(all, filter, now)
            }
            Scope::Named(revisions) => named(workspace, revisions, filter, &is_there)?,
        };
        // A package without content here can't go. Of a package's two lines the newest counts, since a tombstone must be later than it.
        chosen.sort_by_key(|found| std::cmp::Reverse(found.line.recorded));
        let mut seen = BTreeSet::new();
        chosen.retain(|found| is_there(found) && seen.insert(found.key()));
        let kept = Protection::of(workspace, &chosen, &refs)?;
        let elsewhere = store.elsewhere()?;
        let (mut going, mut staying) = (Vec::new(), Vec::new());
        for found in chosen {
            let tip = refs.get(&found.key()).copied();
            let lock = locks::ref_of(&found.line.target);
            let is_locked = from.is_some_and(|from| from.locks.contains(&lock));
            match kept.why(&found).or(is_locked.then_some(KeepReason::GoingOn)) {
                Some(why) => staying.push((found, why)),
                None => going.push(PruneCandidate { fate: fate(&found, &elsewhere, from)?, tip, found }),
            }
        }
        if let Scope::Named(_) = scope
            && let Some((found, why)) = staying.first()
        {
            return Err(is_kept(workspace, found, *why));
        }
        let unknown = elsewhere.unknown;
        let mut plan = Self {
            going,
            kept: staying,
            toolchains: Vec::new(),
            frees: None,
            unknown,
            staying: Vec::new(),
            _kept: kept,
        };
        plan.measure(workspace, &refs, from)?;
        Ok(plan)
    }

    /// Finds the toolchains that go too, and the space that is freed.
    fn measure(
        &mut self,
        workspace: &Workspace<'_>,
        refs: &BTreeMap<PackageKey, Oid>,
        from: Option<&From>,
    ) -> Result<()> {
        let (repository, store) = (workspace.repository, workspace.store());
        if self.going.is_empty() {
            self.frees = Some(0);
            return Ok(());
        }
        let keys: BTreeSet<PackageKey> = self.going.iter().map(|going| going.found.key()).collect();
        self.staying = refs.iter().filter(|(key, _)| !keys.contains(key)).map(|(_, tip)| *tip).collect();
        let mut needed = store.packages().sources(&self.staying);
        // Packages that only the remote has need their toolchains there too.
        let there = from.iter().flat_map(|from| from.refs.keys()).filter_map(|name| key_of(name));
        needed.extend(there.filter(|key| !keys.contains(key)).map(|(commit, _)| commit));
        // Whether a remote has a package's toolchains too is not known: those of a copy stay.
        let is_copy = |going: &&PruneCandidate| matches!(going.fate, PruneFate::Copy(_));
        let tips = |copies: bool| {
            self.going
                .iter()
                .filter(move |going| is_copy(going) == copies)
                .filter_map(|going| going.tip.as_ref())
        };
        let (gone, copies) = (store.packages().sources(tips(false)), store.packages().sources(tips(true)));
        let free: HashSet<Oid> =
            gone.into_iter().filter(|id| !needed.contains(id) && !copies.contains(id)).collect();
        let toolchains = store.toolchains().refs_of(&free)?.into_iter();
        self.toolchains = toolchains.map(|toolchain| (toolchain.name, toolchain.tip)).collect();
        let names: HashSet<String> = keys
            .into_iter()
            .map(ref_of)
            .chain(self.toolchains.iter().map(|(name, _)| name.clone()))
            .collect();
        let tips: Vec<Oid> = self.removed().map(|(_, tip)| tip).collect();
        let others = repository.all_refs()?.into_iter().filter(|(name, _)| !names.contains(name));
        self.frees = repository.disk_usage(&tips, &others.map(|(_, id)| id).collect::<Vec<_>>())?;
        Ok(())
    }

    /// The refs to remove from a remote, with their targets there.
    pub(super) fn removed_from(&self, from: &From) -> Vec<(String, Oid)> {
        let packages = self.going.iter().map(|going| ref_of(going.found.key()));
        let names = packages.chain(self.toolchains.iter().map(|(name, _)| name.clone()));
        names.filter_map(|name| from.refs.get(&name).map(|tip| (name, *tip))).collect()
    }

    /// The refs to remove here, with their targets.
    pub(super) fn removed(&self) -> impl Iterator<Item = (String, Oid)> {
        let packages = (self.going.iter()).filter_map(|going| Some((ref_of(going.found.key()), going.tip?)));
        packages.chain(self.toolchains.iter().cloned())
    }
}

fn fate(found: &NotedPackage, elsewhere: &RemoteNotes<'_>, from: Option<&From>) -> Result<PruneFate> {
    if found.line.pruned.is_some() {
        return Ok(PruneFate::Leftover);
    }
    // A remote's notes must not list a package that it lacks, even if another remote has it.
    if from.is_some() {
        return Ok(PruneFate::Gone);
    }
    let remote = elsewhere.remote_with(found)?;
    Ok(remote.map_or(PruneFate::Gone, |remote| PruneFate::Copy(remote.to_owned())))
}

/// The named packages: every package of each commit that matches `filter`.
fn named(
    workspace: &Workspace<'_>,
    revisions: &[String],
    filter: &Filter,
    is_there: &dyn Fn(&NotedPackage) -> bool,
) -> Result<Vec<NotedPackage>> {
    let store = workspace.store();
    let filter = Filter { pruned: true, ..filter.clone() };
    let mut all = Vec::new();
    for revision in revisions {
        let of_commit = match workspace.repository.resolve(revision) {
            Ok(commit) => store.packages().of(commit, &filter)?,
            Err(_) => store.packages().pruned_with_id(revision, &filter)?.into_iter().collect(),
        };
        let here: Vec<NotedPackage> = of_commit.into_iter().filter(|found| is_there(found)).collect();
        if !here.is_empty() {
            all.extend(here);
            continue;
        }
        let found = workspace.find(revision, &Filter { pruned: false, ..filter.clone() })?;
        if !is_there(&found) {
            let package = found.line.package.short();
            return Err(Error::not_recorded(format!(
                "the package {package} is not here: there is nothing to prune"
            )));
        }
        all.push(found);
    }
    Ok(all)
}

fn is_kept(workspace: &Workspace<'_>, found: &NotedPackage, why: KeepReason) -> Error {
    let short = workspace.repository.short_id(found.commit);
    let package = found.line.package.short();
    let error = Error::refused(format!("{short} ({package}) is kept: {}", why.words()));
    match why {
        KeepReason::Pinned => error
            .hint(format!("to lift the pin: {}", workspace.slsart(&["unpin", &package], &found.line.target))),
        KeepReason::Banned => error
            .hint(format!("to lift the ban: {}", workspace.slsart(&["unban", &package], &found.line.target))),
        KeepReason::GoingOn => error.hint("wait until the deployment has ended"),
        KeepReason::Unreadable => error.hint("`git slsart history` and `git slsart log` show what is wrong"),
        KeepReason::Live | KeepReason::MayBeLive | KeepReason::LastGood | KeepReason::Undo => {
            error.hint(format!("to see the history: {}", workspace.slsart(&["history"], &found.line.target)))
        }
    }
}
