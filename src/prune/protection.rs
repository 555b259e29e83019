//! Packages that are never pruned: live ones, rollback targets, banned and pinned ones. In doubt a package is kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::deploy::execute::lock::LocalLock;
use crate::deploy::history;
use crate::error::Result;
use crate::git::Oid;
use crate::package::manifest::Target;
use crate::store::PackageKey;
use crate::store::deployments::Deployment;
use crate::store::marks::{Mark, MarkState};
use crate::store::{Filter, NotedPackage, bans, pins};
use crate::workspace::Workspace;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeepReason {
    Live,
    /// Its deployment did not finish: it may be live.
    MayBeLive,
    /// The default target of a rollback.
    LastGood,
    Undo,
    /// It is banned, and may be needed for analysis.
    Banned,
    Pinned,
    /// A record of its target's history, or its mark, can't be read.
    Unreadable,
    GoingOn,
}

impl KeepReason {
    pub fn words(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::MayBeLive => "may be live: a deployment of it did not finish",
            Self::LastGood => "the last good one: a rollback goes to it",
            Self::Undo => "an undo goes to it",
            Self::Banned => "banned, and kept as evidence",
            Self::Pinned => "pinned",
            Self::Unreadable => "its target's history, a ban or a pin can't be read",
            Self::GoingOn => "a deployment of its target is running",
        }
    }
}

/// A stack, as AWS and the history identify it.
type Stack = (String, String, String);

fn stack(target: &Target) -> Stack {
    (target.service.to_string(), target.stage.to_string(), target.region.to_string())
}

/// The protected packages, and the locks of the targets whose packages may go: none of them is deployed as long as this lives.
pub(super) struct Protection {
    packages: BTreeMap<PackageKey, KeepReason>,
    targets: BTreeMap<Stack, KeepReason>,
    locks: Vec<LocalLock>,
}

impl Protection {
    /// Finds the protected packages among `chosen`. `refs` are the packages whose content is here.
    pub(super) fn of(
        workspace: &Workspace<'_>,
        chosen: &[NotedPackage],
        refs: &BTreeMap<PackageKey, Oid>,
    ) -> Result<Self> {
        let store = workspace.store();
        let mut kept = Self { packages: BTreeMap::new(), targets: BTreeMap::new(), locks: Vec::new() };
        let bans = store.marks::<bans::BanState>().all_or_errors()?;
        let banned: BTreeSet<PackageKey> = bans.keys().copied().collect();
        kept.said(bans, KeepReason::Banned);
        kept.said(store.marks::<pins::PinState>().all_or_errors()?, KeepReason::Pinned);
        let chosen: BTreeMap<Stack, &Target> =
            chosen.iter().map(|found| (stack(&found.line.target), &found.line.target)).collect();
        // The locks come first: a later deployment would not be in the history that was read.
        for (stack, target) in &chosen {
            match LocalLock::try_take(workspace, target, "git slsart prune")? {
                Some(lock) => kept.locks.push(lock),
                None => drop(kept.targets.insert(stack.clone(), KeepReason::GoingOn)),
            }
        }
        let deployed = store.histories().targets()?;
        let deployed = deployed.iter().map(|target| (stack(target), target));
        for (stack, target) in chosen.into_iter().chain(deployed).collect::<BTreeMap<_, _>>() {
            let known = store.histories().of(target)?;
            if known.unread > 0 {
                kept.targets.entry(stack).or_insert(KeepReason::Unreadable);
            }
            let is_there = |deployment: &Deployment| -> Result<bool> {
                let Some((commit, package)) = key(deployment) else { return Ok(false) };
                let lines = store.packages().of(commit, &Filter { pruned: true, ..Filter::default() })?;
                let is_here = refs.contains_key(&(commit, package));
                let is_it = |found: &NotedPackage| {
                    found.line.package == package && (found.line.pruned.is_none() || is_here)
                };
                Ok(!banned.contains(&(commit, package)) && lines.iter().any(is_it))
            };
            kept.deployed(&known.deployments, is_there)?;
        }
        Ok(kept)
    }

    pub(super) fn why(&self, found: &NotedPackage) -> Option<KeepReason> {
        self.packages.get(&found.key()).or_else(|| self.targets.get(&stack(&found.line.target))).copied()
    }

    fn said<S: MarkState>(&mut self, marks: BTreeMap<PackageKey, Result<Mark<S>>>, why: KeepReason) {
        for (key, mark) in marks {
            self.keep(key, mark.map_or(KeepReason::Unreadable, |_| why));
        }
    }

    fn keep(&mut self, key: PackageKey, why: KeepReason) {
        let known = self.packages.entry(key).or_insert(why);
        *known = why.min(*known);
    }

    /// The packages of a history, newest first, that are or may be live, and those that a rollback and an undo go to. `is_there`: whether
    /// a rollback could use a deployment's package.
    fn deployed(
        &mut self,
        deployments: &[Deployment],
        is_there: impl Fn(&Deployment) -> Result<bool>,
    ) -> Result<()> {
        let mut keep = |deployment: &Deployment, why: KeepReason| {
            if let Some(key) = key(deployment) {
                self.keep(key, why);
            }
        };
        if let Some(live) = history::live(deployments) {
            keep(live, KeepReason::Live);
        }
        if let Some(undone) = history::undone(deployments) {
            keep(undone, KeepReason::Undo);
        }
        for later in history::uncertain(deployments) {
            keep(later, KeepReason::MayBeLive);
        }
        for good in history::back(deployments) {
            if is_there(good)? {
                keep(good, KeepReason::LastGood);
                break;
            }
        }
        Ok(())
    }
}

fn key(deployment: &Deployment) -> Option<PackageKey> {
    Some((Oid::from_str(&deployment.commit).ok()?, deployment.package))
}
