//! The record of a deployment, as it stands in its target's history.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::proof::Proof;
use crate::git::Oid;
use crate::package::PackageId;
use crate::package::manifest::Target;

/// The version of the record's format.
pub(super) const FORMAT: u32 = 1;
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
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What a deployment that did not succeed left in AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Nothing: what was live before is live.
    None,
    /// Its package is live.
    Live,
    /// It may have changed what is live.
    #[serde(other)]
    Unknown,
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
    /// What it left in AWS, where it did not succeed; `None` in records from before this was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
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

impl Deployment {
    /// The record of a deployment that begins.
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
            effect: None,
            prefix: None,
            proof: None,
            phases: Vec::new(),
        }
    }
}

impl Deployment {
    /// Whether it came as far as the framework, which alone changes anything.
    pub fn has_run(&self) -> bool {
        self.phases.iter().any(|phase| phase.name == RUN_PHASE)
    }

    /// What it left in AWS, as far as is known.
    pub fn effect(&self) -> Effect {
        match (self.outcome, self.effect) {
            (Outcome::Succeeded, _) => Effect::Live,
            (Outcome::Started, _) => Effect::Unknown,
            (_, Some(effect)) => effect,
            (_, None) if self.has_run() => Effect::Unknown,
            (_, None) => Effect::None,
        }
    }
}
