//! One service of a plan for several: its place in the order, and why.

use serde::Serialize;

use super::order::{Conflict, Why};
use crate::deploy::preflight::plan::Plan;
use crate::package::manifest::Target;

/// One service of them.
#[derive(Serialize)]
pub struct Step<'r> {
    /// Its place in the order, from 1; none where it is not deployed.
    #[serde(rename = "step")]
    pub place: Option<usize>,
    /// What is to become of it.
    pub state: StepState,
    /// The service, stage and region.
    pub target: Target,
    /// Why it goes after others.
    pub after: Vec<After>,
    /// What keeps all of them from being deployed.
    pub blocks: Vec<Blocked>,
    /// What is worth a look.
    pub remarks: Vec<String>,
    /// The plan, as of a service alone; none where the commit has no such service.
    pub plan: Option<Plan<'r>>,
}

/// What is to become of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// It is deployed.
    ToDo,
    /// Its package is live already: nothing is done.
    AlreadyLive,
    /// Its package has the code and the template that are live: nothing is done.
    Unchanged,
    /// It is live, and the commit has no such service: nothing is done.
    NotInCommit,
}

/// Why a service goes after another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct After {
    /// The one before it.
    pub target: Target,
    /// Why.
    pub why: Why,
    /// The export that they share.
    pub export: String,
}

/// What keeps a service from being deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocked {
    /// What is in its way.
    pub target: Target,
    /// How.
    pub conflict: Conflict,
    /// The export that they share.
    pub export: String,
}

impl Step<'_> {
    pub(super) fn left_alone(target: Target) -> Self {
        let (after, blocks, remarks) = (Vec::new(), Vec::new(), Vec::new());
        Self { place: None, state: StepState::NotInCommit, target, after, blocks, remarks, plan: None }
    }
}
