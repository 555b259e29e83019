//! A target's history: one chain of commits a target, a commit for what began and one for how it ended.

use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, HashSet};

use jiff::Timestamp;

use super::chain::{Record, Signing, append};
use super::deployments::{Action, Deployment, Effect, FORMAT, Outcome};
use crate::error::{Error, Result};
use crate::git::{Commit, Oid, Repository};
use crate::package::manifest::Target;
use crate::store::names;

/// The file in a record's tree.
const FILE: &str = "deployment.toml";
/// Most commits of a chain that are read: a remote's may be made to have no end.
const MAX_RECORDS: usize = 100_000;
/// Most of them that say nothing of their own, beside as many as there are records: merges.
const MAX_SILENT: usize = 10_100;
/// Most bytes a record may have.
const MAX_BYTES: u64 = 1024 * 1024;

/// How many records are read on, to find the end of a deployment whose beginning was read.
const MERGED: usize = 50;

/// What is known of a target's deployments.
#[derive(Debug, Default)]
pub struct History {
    /// Its deployments, newest first.
    pub deployments: Vec<Deployment>,
    /// How many records could not be read: damaged, or of a later version of this program.
    pub unread: usize,
}

/// The histories of all targets.
#[derive(Clone, Copy)]
pub struct Histories<'r> {
    repository: &'r Repository,
}

/// The ref of a target's history.
pub fn history_ref(target: &Target) -> String {
    names::deployments(target)
}

impl<'r> Histories<'r> {
    pub(in crate::store) fn new(repository: &'r Repository) -> Self {
        Self { repository }
    }

    /// Appends a record to its target's history.
    pub fn append(&self, deployment: &Deployment, signing: Signing) -> Result<()> {
        let text = toml::to_string(deployment)
            .map_err(|error| Error::bug("a record can't be written").because(error))?;
        let name = names::deployments(&deployment.target);
        let message = message(self.repository, deployment);
        let record = Record { name: &name, file: FILE, text: &text, message: &message };
        append(self.repository, &record, signing)
    }

    /// A target's history, newest first, each deployment as its last record has it and in the order of the last records:
    /// that is the order in which things were done, whatever the clocks of the machines said.
    pub fn of(&self, target: &Target) -> Result<History> {
        self.read_history(target, |_| false)
    }

    /// The newest part of that: down to the last that succeeded, and whatever is read with it.
    pub fn recent(&self, target: &Target) -> Result<History> {
        let mut more = MERGED;
        self.read_history(target, |deployments| {
            if !deployments.iter().any(|known| known.effect() == Effect::Live) {
                return false;
            }
            // Where two machines' records were merged, the end of one may stand below its beginning.
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

    /// The commits of a target's records, newest first, with what they record.
    pub fn records(&self, target: &Target) -> Result<Vec<(Oid, Deployment)>> {
        let name = names::deployments(target);
        let tip = self.repository.ref_target(&name)?;
        Ok(self.walk(&name, tip).filter_map(|(id, record)| Some((id, record?))).collect())
    }

    /// The targets that have a history.
    pub fn targets(&self) -> Result<Vec<Target>> {
        let refs = self.repository.refs_matching("refs/slsart/deployments/")?;
        let target = |(name, tip): (String, Oid)| {
            self.walk(&name, Some(tip)).find_map(|(_, record)| Some(record?.target))
        };
        Ok(refs.into_iter().filter_map(target).collect())
    }

    /// The records of the chain `name`, newest first; `None` for one that is damaged, of a later version of this program or of another
    /// target, and for all that are beyond the limit. A merge of two machines' histories has nothing of its own.
    fn walk(&self, name: &str, tip: Option<Oid>) -> impl Iterator<Item = (Oid, Option<Deployment>)> {
        let Self { repository } = *self;
        let mut pending: BinaryHeap<(Timestamp, Oid)> = BinaryHeap::new();
        // Each is read once, for its time, and kept until its turn comes.
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
            // What is beyond the limit is not even looked at.
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
            // What is written of one target says nothing of another.
            move |(id, record)| (id, record.filter(|record| names::deployments(&record.target) == name))
        })
    }

    /// The ref of a target's history, with what it points at.
    pub fn tip(&self, target: &Target) -> Result<Option<(String, Oid)>> {
        let name = names::deployments(target);
        Ok(self.repository.ref_target(&name)?.map(|tip| (name, tip)))
    }

    /// The sources of all packages that were deployed successfully.
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

/// The commit's message: `git log` of the history reads well by itself.
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
