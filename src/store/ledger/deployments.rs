//! A target's history: one chain of commits a target, a commit for what began and one for how it ended.

use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::git::{Commit, Oid};
use crate::package::PackageId;
use crate::package::manifest::Target;
use crate::store::Store;
use crate::store::ledger::chain::{Record, Signing};
use crate::store::ledger::proof::Proof;
use crate::store::names;

/// The version of the record's format.
const FORMAT: u32 = 1;
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

/// The phase in which the framework runs.
pub const RUN_PHASE: &str = "deploy";

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A package went live.
    Deploy,
    /// An earlier package went live again.
    Rollback,
    /// What a rollback had replaced went live again.
    Undo,
}

impl Action {
    /// Its name, as records, commands and tables have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
            Self::Undo => "undo",
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It began, and nothing is known of its end: it is still going on, or its process was killed.
    Started,
    /// The framework ended well.
    Succeeded,
    /// It failed.
    Failed,
    /// Somebody stopped it.
    Interrupted,
}

impl Outcome {
    /// Its name, as records have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// One deployment, as far as it is known when the record is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The version of the format.
    pub format: u32,
    /// Tells deployments of a target apart; the records of one have the same.
    pub id: String,
    /// What was done.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// What it was done to.
    pub target: Target,
    /// The package's commit, 40 hexadecimal digits.
    pub commit: String,
    /// The package.
    pub package: PackageId,
    /// Who did it: `Name <email>`.
    pub by: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Why, in the words of who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The resources that hold data and were allowed to be deleted or replaced, by their logical ids.
    #[serde(default, rename = "allow_delete", skip_serializing_if = "Vec::is_empty")]
    pub allowed_deletions: Vec<String>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The S3 prefix the framework uploaded to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// What was found in AWS when it had ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// How long each phase took.
    #[serde(default, rename = "phase", skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
}

/// A phase of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Its name: `worktree`, `plugins`, `deploy`, `proof`.
    pub name: String,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

/// What is known of a target's deployments.
#[derive(Debug, Default)]
pub struct History {
    /// Its deployments, newest first.
    pub deployments: Vec<Deployment>,
    /// How many records could not be read: damaged, or of a later version of this program.
    pub unread: usize,
}

impl Deployment {
    /// The record of a deployment that begins.
    #[must_use]
    pub fn begin(
        action: Action,
        target: Target,
        commit: Oid,
        package: PackageId,
        by: String,
        at: Timestamp,
    ) -> Self {
        Self {
            format: FORMAT,
            id: format!("{}-{}", at.as_millisecond(), std::process::id()),
            action,
            outcome: Outcome::Started,
            target,
            commit: commit.to_string(),
            package,
            by,
            started: at,
            ended: None,
            reason: None,
            allowed_deletions: Vec::new(),
            error: None,
            prefix: None,
            proof: None,
            phases: Vec::new(),
        }
    }
}

impl Deployment {
    /// Whether it came as far as the framework, which alone changes anything.
    #[must_use]
    pub fn has_run(&self) -> bool {
        self.phases.iter().any(|phase| phase.name == RUN_PHASE)
    }
}

impl Store<'_> {
    /// Appends a record to its target's history.
    pub fn append(&self, deployment: &Deployment, signing: Signing) -> Result<()> {
        let text = toml::to_string(deployment)
            .map_err(|error| Error::bug("a record can't be written").because(error))?;
        let name = names::deployments(&deployment.target);
        let message = self.message(deployment);
        self.append_record(&Record { name: &name, file: FILE, text: &text, message: &message }, signing)
    }

    /// The ref of a target's history.
    #[must_use]
    pub fn history_ref(&self, target: &Target) -> String {
        names::deployments(target)
    }

    /// A target's history, newest first, each deployment as its last record has it and in the order of the last records:
    /// that is the order in which things were done, whatever the clocks of the machines said.
    pub fn history(&self, target: &Target) -> Result<History> {
        self.read_history(target, |_| false)
    }

    /// The newest part of that: down to the last that succeeded, and whatever is read with it.
    pub fn recent_history(&self, target: &Target) -> Result<History> {
        let mut more = MERGED;
        self.read_history(target, |deployments| {
            let is = |outcome| deployments.iter().any(|known: &Deployment| known.outcome == outcome);
            if !is(Outcome::Succeeded) {
                return false;
            }
            // Where two machines' records were merged, the end of one may stand below its beginning.
            more -= 1;
            !is(Outcome::Started) || more == 0
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
        for (_, record) in self.records(&name, tip) {
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
    pub fn records_of(&self, target: &Target) -> Result<Vec<(Oid, Deployment)>> {
        let name = names::deployments(target);
        let tip = self.repository.ref_target(&name)?;
        Ok(self.records(&name, tip).filter_map(|(id, record)| Some((id, record?))).collect())
    }

    /// The targets that have a history.
    pub fn deployed_targets(&self) -> Result<Vec<Target>> {
        let refs = self.repository.refs_matching("refs/slsart/deployments/")?;
        let target = |(name, tip): (String, Oid)| {
            self.records(&name, Some(tip)).find_map(|(_, record)| Some(record?.target))
        };
        Ok(refs.into_iter().filter_map(target).collect())
    }

    /// The records of the chain `name`, newest first; `None` for one that is damaged, of a later version of this program or of another
    /// target, and for all that are beyond the limit. A merge of two machines' histories has nothing of its own.
    fn records(&self, name: &str, tip: Option<Oid>) -> impl Iterator<Item = (Oid, Option<Deployment>)> {
        let store = *self;
        let mut pending: BinaryHeap<(Timestamp, Oid)> = BinaryHeap::new();
        // Each is read once, for its time, and kept until its turn comes.
        let mut read: HashMap<Oid, Option<Commit>> = HashMap::new();
        let enter = move |pending: &mut BinaryHeap<_>, read: &mut HashMap<_, _>, id: Oid| {
            if let Entry::Vacant(place) = read.entry(id) {
                let commit = place.insert(store.repository.commit(id).ok());
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
            let record = store.read_record(commit.tree);
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

    fn read_record(&self, tree: Oid) -> Result<Option<Deployment>> {
        let Some(entry) = self.repository.tree_entry(tree, FILE.as_bytes())? else { return Ok(None) };
        let bytes = self.repository.read_blob(entry.id, MAX_BYTES)?;
        let damaged = || Error::integrity("a deployment record is damaged");
        let text = String::from_utf8(bytes).map_err(|error| damaged().because(error))?;
        let deployment: Deployment = toml::from_str(&text).map_err(|error| damaged().because(error))?;
        if deployment.format <= FORMAT { Ok(Some(deployment)) } else { Err(damaged()) }
    }

    /// The commit's message: `git log` of the history reads well by itself.
    fn message(&self, deployment: &Deployment) -> String {
        let Deployment {
            action, outcome, target, commit, package, by, reason, error, allowed_deletions, ..
        } = deployment;
        let id = Oid::from_str(commit).ok();
        let short = id.map_or_else(|| commit.clone(), |id| self.repository.short_id(id));
        let tag =
            id.and_then(|id| self.repository.tag_of(id)).map(|tag| format!(" ({tag})")).unwrap_or_default();
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
}
