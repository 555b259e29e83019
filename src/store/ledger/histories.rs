//! A target's history: a chain of commits, one for the beginning and one for the end of a deployment.

use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, HashSet};

use jiff::Timestamp;

use super::chain::{Record, Signing, append};
use super::deployments::{Action, Deployment, Effect, FORMAT, Outcome};
use crate::error::{Error, Result};
use crate::git::{Commit, Oid, Repository};
use crate::package::manifest::Target;
use crate::store::names;

const FILE: &str = "deployment.toml";
/// Most commits of a chain that are read: a remote's may be forged without end.
const MAX_RECORDS: usize = 100_000;
/// Most of them without a record of their own: merges.
const MAX_SILENT: usize = 10_100;
const MAX_BYTES: u64 = 1024 * 1024;

/// How many more records are read to find the end of a deployment whose beginning was read.
const MERGED: usize = 50;

#[derive(Debug, Default)]
pub struct History {
    pub deployments: Vec<Deployment>,
    /// How many records are unreadable: damaged, or of a later version of this program.
    pub unread: usize,
}

#[derive(Clone, Copy)]
pub struct Histories<'r> {
    repository: &'r Repository,
}

pub fn history_ref(target: &Target) -> String {
    names::deployments(target)
}

impl<'r> Histories<'r> {
    pub(in crate::store) fn new(repository: &'r Repository) -> Self {
        Self { repository }
    }

    pub fn append(&self, deployment: &Deployment, signing: Signing) -> Result<()> {
        let text = toml::to_string(deployment)
            .map_err(|error| Error::bug("a record can't be written").because(error))?;
        let name = names::deployments(&deployment.target);
        let message = message(self.repository, deployment);
        let record = Record { name: &name, file: FILE, text: &text, message: &message };
        append(self.repository, &record, signing)
    }

    /// A target's history, newest first: each deployment as its last record has it, in the order of the last records. That is the order of
    /// events, whatever the machines' clocks said.
    pub fn of(&self, target: &Target) -> Result<History> {
        self.read_history(target, |_| false)
    }

    /// The newest part of the history, at least down to the last success.
    pub fn recent(&self, target: &Target) -> Result<History> {
        let mut more = MERGED;
        self.read_history(target, |deployments| {
            if !deployments.iter().any(|known| known.effect() == Effect::Live) {
                return false;
            }
            // Where two machines' records were merged, a deployment's end may be below its beginning.
            more -= 1;
            deployments.iter().all(|known| known.outcome != Outcome::Started) || more == 0
        })
    }

    /// Reads a history until `is_enough` of it is read.
    fn read_history(
        &self,
        target: &Target,
        mut is_enough: impl FnMut(&[Deployment]) -> bool,
    ) -> Result<History> {
        let mut history = History::default();
        let name = names::deployments(target);
        let tip = self.repository.ref_target(&name)?;
        let mut places: HashMap<String, usize> = HashMap::new();
        for (_, record) in self.walk(&name, tip) {
            let Some(deployment) = record else {
                history.unread += 1;
                continue;
            };
            match places.entry(deployment.id.clone()) {
                Entry::Vacant(place) => {
                    place.insert(history.deployments.len());
                    history.deployments.push(deployment);
                }
                // Two records of one deployment: an end outweighs a beginning, in whatever order they come.
                Entry::Occupied(place) => {
                    let known = &mut history.deployments[*place.get()];
                    if known.outcome == Outcome::Started {
                        *known = deployment;
                    }
                }
            }
            if is_enough(&history.deployments) {
                break;
            }
        }
        Ok(history)
    }

    pub fn records(&self, target: &Target) -> Result<Vec<(Oid, Deployment)>> {
        let name = names::deployments(target);
        let tip = self.repository.ref_target(&name)?;
        Ok(self.walk(&name, tip).filter_map(|(id, record)| Some((id, record?))).collect())
    }

    pub fn targets(&self) -> Result<Vec<Target>> {
        let refs = self.repository.refs_matching("refs/slsart/deployments/")?;
        let target = |(name, tip): (String, Oid)| {
            self.walk(&name, Some(tip)).find_map(|(_, record)| Some(record?.target))
        };
        Ok(refs.into_iter().filter_map(target).collect())
    }

    /// The records of the chain `name`, newest first. `None` for a record that is damaged, of a later version of this program, of another
    /// target, or beyond the limit. Merges have no record.
    fn walk(&self, name: &str, tip: Option<Oid>) -> impl Iterator<Item = (Oid, Option<Deployment>)> {
        let Self { repository } = *self;
        let mut pending: BinaryHeap<(Timestamp, Oid)> = BinaryHeap::new();
        // Each is read once, for its time, and kept until its turn.
        let mut read: HashMap<Oid, Option<Commit>> = HashMap::new();
        let enter = move |pending: &mut BinaryHeap<_>, read: &mut HashMap<_, _>, id: Oid| {
            if let Entry::Vacant(place) = read.entry(id) {
                let commit = place.insert(repository.commit(id).ok());
                pending.push((commit.as_ref().map_or(Timestamp::MAX, |commit: &Commit| commit.time), id));
            }
        };
        if let Some(tip) = tip {
            enter(&mut pending, &mut read, tip);
        }
        let (mut records, mut silent) = (0, 0);
        std::iter::from_fn(move || {
            let (_, id) = pending.pop()?;
            if records + silent >= MAX_RECORDS || silent > MAX_SILENT + records {
                pending.clear();
                return Some(vec![(id, None)]);
            }
            let Some(commit) = read.insert(id, None).flatten() else { return Some(vec![(id, None)]) };
            // Parents beyond the limit are not read.
            for parent in commit.parents.into_iter().take(MAX_RECORDS) {
                enter(&mut pending, &mut read, parent);
            }
            let record = read_record(repository, commit.tree);
            *(if matches!(record, Ok(None)) { &mut silent } else { &mut records }) += 1;
            Some(match record {
                Ok(record) => record.map(|record| (id, Some(record))).into_iter().collect(),
                Err(_) => vec![(id, None)],
            })
        })
        .flatten()
        .map({
            let name = name.to_owned();
            // A record in another target's chain is ignored.
            move |(id, record)| (id, record.filter(|record| names::deployments(&record.target) == name))
        })
    }

    pub fn tip(&self, target: &Target) -> Result<Option<(String, Oid)>> {
        let name = names::deployments(target);
        Ok(self.repository.ref_target(&name)?.map(|tip| (name, tip)))
    }

    pub fn deployed_sources(&self) -> Result<HashSet<String>> {
        let mut sources = HashSet::new();
        for target in self.targets()? {
            for deployment in self.of(&target)?.deployments {
                let package =
                    self.repository.ref_target(&names::package(&deployment.commit, deployment.package))?;
                let source = package
                    .and_then(|package| self.repository.commit(package).ok()?.parents.first().copied());
                sources.extend(source.map(|source| source.to_string()));
                sources.insert(deployment.commit);
            }
        }
        Ok(sources)
    }
}

fn read_record(repository: &Repository, tree: Oid) -> Result<Option<Deployment>> {
    let Some(entry) = repository.tree_entry(tree, FILE.as_bytes())? else { return Ok(None) };
    let bytes = repository.read_blob(entry.id, MAX_BYTES)?;
    let damaged = || Error::integrity("a deployment record is damaged");
    let text = String::from_utf8(bytes).map_err(|error| damaged().because(error))?;
    let deployment: Deployment = toml::from_str(&text).map_err(|error| damaged().because(error))?;
    if deployment.format <= FORMAT { Ok(Some(deployment)) } else { Err(damaged()) }
}

/// The commit's message, so that `git log` of the history is readable.
fn message(repository: &Repository, deployment: &Deployment) -> String {
    let Deployment { action, outcome, target, commit, package, by, reason, error, allowed_deletions, .. } =
        deployment;
    let id = Oid::from_str(commit).ok();
    let short = id.map_or_else(|| commit.clone(), |id| repository.short_id(id));
    let tag = id.and_then(|id| repository.tag_of(id)).map(|tag| format!(" ({tag})")).unwrap_or_default();
    let what = match action {
        Action::Deploy => format!("deploy {short}{tag} to {}", target.stage),
        Action::Rollback | Action::Undo => format!("{} {} to {short}{tag}", action.name(), target.stage),
    };
    let reason = reason.as_deref().map(str::trim).unwrap_or_default();
    let first = reason.lines().next().map(|line| format!(" — {line}")).unwrap_or_default();
    let mut message = format!("{what}: {}{first}\n", outcome.name());
    let more = reason.split_once('\n').map(|(_, more)| more);
    for paragraph in [more, error.as_deref()].into_iter().flatten() {
        message += &format!("\n{}\n", paragraph.trim());
    }
    message += &format!("\nTarget: {target}\nPackage: {package}\nBy: {by}\n");
    for id in allowed_deletions {
        message += &format!("Allow-Delete: {id}\n");
    }
    message
}
