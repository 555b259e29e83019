//! What `history --json` says of a deployment: its record in the names that all commands share.

use jiff::Timestamp;
use serde::Serialize;

use crate::package::PackageId;
use crate::store::deployments::{Action, Deployment, Effect, Outcome, Phase};
use crate::store::proof::Proof;

#[derive(Debug, Serialize)]
pub(super) struct Object {
    id: String,
    action: Action,
    outcome: Outcome,
    commit: String,
    package: PackageId,
    by: String,
    started: Timestamp,
    ended: Option<Timestamp>,
    reason: Option<String>,
    error: Option<String>,
    effect: Option<Effect>,
    /// The resources that were allowed to be deleted or replaced, by their logical ids.
    #[serde(rename = "allow_delete", skip_serializing_if = "Vec::is_empty")]
    allowed_deletions: Vec<String>,
    /// The S3 prefix that the framework uploaded to.
    prefix: Option<String>,
    proof: Option<Proof>,
    phases: Vec<Phase>,
}

impl From<&Deployment> for Object {
    fn from(deployment: &Deployment) -> Self {
        // The target is the section's.
        let Deployment {
            id,
            action,
            outcome,
            commit,
            package,
            by,
            started,
            ended,
            reason,
            error,
            effect,
            allowed_deletions,
            prefix,
            proof,
            phases,
            ..
        } = deployment.clone();
        Self {
            id,
            action,
            outcome,
            commit,
            package,
            by,
            started,
            ended,
            reason,
            error,
            effect,
            allowed_deletions,
            prefix,
            proof,
            phases,
        }
    }
}
