//! A deployment's record in its target's history.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::proof::Proof;
use crate::git::Oid;
use crate::package::PackageId;
use crate::package::manifest::Target;

pub(super) const FORMAT: u32 = 1;
/// The phase in which the framework runs.
pub const RUN_PHASE: &str = "deploy";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A package went live.
    Deploy,
    Rollback,
    /// The package that a rollback had replaced went live again.
    Undo,
}

impl Action {
    pub fn name(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
            Self::Undo => "undo",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It began. It is still running, or its process was killed.
    Started,
    Succeeded,
    Failed,
    /// A user stopped it.
    Interrupted,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What an unsuccessful deployment left in AWS.
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

/// One deployment, as known when the record is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    pub format: u32,
    /// Identifies the deployment; its records share it.
    pub id: String,
    pub action: Action,
    pub outcome: Outcome,
    pub target: Target,
    /// The package's commit, 40 hexadecimal digits.
    pub commit: String,
    pub package: PackageId,
    /// `Name <email>`.
    pub by: String,
    pub started: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// The user's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The resources that hold data and were allowed to be deleted or replaced, by their logical ids.
    #[serde(default, rename = "allow_delete", skip_serializing_if = "Vec::is_empty")]
    pub allowed_deletions: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What an unsuccessful deployment left in AWS; `None` in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    #[serde(default, rename = "phase", skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Its name: `worktree`, `plugins`, `deploy`, `proof`.
    pub name: String,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

impl Deployment {
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
    /// Whether the framework was started: before that nothing changes in AWS.
    pub fn has_run(&self) -> bool {
        self.phases.iter().any(|phase| phase.name == RUN_PHASE)
    }

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
