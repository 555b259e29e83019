//! What AWS shows of deployments that did not succeed: how one left the stack, and whose code the stack has. Pure.

use jiff::Timestamp;
use serde_json::Value;

use crate::aws::{AwsError, Stack, StackEvent};
use crate::store::deployments::{Deployment, Effect, Outcome};
use crate::store::proof::ProofVerdict;

pub(in crate::deploy) const STACK: &str = "AWS::CloudFormation::Stack";
const FUNCTION: &str = "AWS::Lambda::Function";

/// When a stack was last updated, by AWS's clock: another time says that an update began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::deploy) enum LastUpdate {
    /// AWS gave no answer.
    Unknown,
    /// There is no stack.
    NoStack,
    /// The time.
    At(Option<Timestamp>),
}

impl LastUpdate {
    pub(in crate::deploy) fn of(stack: &Result<Option<Stack>, AwsError>) -> Self {
        match stack {
            Err(_) => Self::Unknown,
            Ok(None) => Self::NoStack,
            Ok(Some(stack)) => Self::At(stack.changed),
        }
    }
}

/// A stack after a deployment failed.
#[derive(Debug)]
pub(in crate::deploy) struct Seen {
    /// The stack; `None` where there is none.
    pub(in crate::deploy) stack: Option<Stack>,
    /// Whether its template has the code that was uploaded.
    pub(in crate::deploy) is_ours: bool,
    /// Its events since the framework started, oldest first.
    pub(in crate::deploy) events: Vec<StackEvent>,
}

/// How a failed deployment left the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::deploy) enum Left {
    /// No update began.
    Untouched,
    /// CloudFormation rolled the update back.
    TakenBack,
    /// The update went through: what failed came after it.
    Updated,
    /// The update goes on, or stopped in between.
    Between,
}

/// How the deployment that started after `before` left the stack.
pub(in crate::deploy) fn left(before: LastUpdate, seen: &Seen) -> Left {
    let Some(stack) = &seen.stack else {
        return if matches!(before, LastUpdate::At(_)) { Left::Between } else { Left::Untouched };
    };
    let has_begun = match before {
        LastUpdate::Unknown => seen.events.iter().any(|event| begins(event, &stack.name)),
        before => before != LastUpdate::At(stack.changed),
    };
    match stack.status.as_str() {
        // Made for a change set that was not executed.
        "REVIEW_IN_PROGRESS" => Left::Untouched,
        status if seen.is_ours && is_settled(status) => Left::Updated,
        _ if !has_begun => Left::Untouched,
        "UPDATE_ROLLBACK_COMPLETE" | "ROLLBACK_COMPLETE" => Left::TakenBack,
        status if is_settled(status) => Left::Updated,
        _ => Left::Between,
    }
}

/// Whether the stack's template is what the stack is.
fn is_settled(status: &str) -> bool {
    matches!(
        status,
        "CREATE_COMPLETE"
            | "UPDATE_COMPLETE"
            | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
            | "UPDATE_ROLLBACK_COMPLETE"
            | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
            | "IMPORT_COMPLETE"
    )
}

/// Whether an update of the stack, or its creation, begins with `event`.
pub(in crate::deploy) fn begins(event: &StackEvent, stack: &str) -> bool {
    event.kind == STACK
        && event.resource == stack
        && matches!(event.status.as_str(), "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS")
}

/// Writes into `deployments`, newest first, what the live stack says of those that may have changed it: each deployment uploads its
/// code to an S3 prefix of its own, and the stack's template names the one that is live.
///
/// # Arguments
/// `is_idle`: whether no deployment runs. One that does may change the stack later.
///
/// # Returns
/// How many are certain now.
pub(in crate::deploy) fn settle(
    deployments: &mut [Deployment],
    stack: &Stack,
    template: &Value,
    is_idle: bool,
) -> usize {
    let is_from =
        |known: &Deployment| known.prefix.as_deref().is_some_and(|prefix| is_code_from(template, prefix));
    let until = deployments.iter().position(|known| known.effect() == Effect::Live);
    let later = until.map_or(deployments.len(), |live| live + 1);
    match deployments[..later].iter().position(is_from) {
        Some(uploaded) if is_settled(&stack.status) => certain(deployments, uploaded, is_idle),
        _ => 0,
    }
}

/// Writes down that the deployment at `live` is what is live, and that none of the later ones changed that.
pub(in crate::deploy) fn certain(deployments: &mut [Deployment], live: usize, is_idle: bool) -> usize {
    let mut count = 0;
    for (at, known) in deployments.iter_mut().enumerate().take(live + 1) {
        let is_running = known.outcome == Outcome::Started && !is_idle;
        // Its code was looked at, and is not what was recorded: that the stack's template is does not change that.
        let is_other = known.proof.as_ref().is_some_and(|proof| proof.verdict == ProofVerdict::Mismatch);
        if known.effect() != Effect::Unknown || is_running || (at == live && is_other) {
            continue;
        }
        if known.outcome == Outcome::Started {
            known.outcome = Outcome::Interrupted;
        }
        known.effect = Some(if at == live { Effect::Live } else { Effect::None });
        count += 1;
    }
    count
}

/// Whether the code of a template's functions was uploaded to this S3 prefix. Of layers that says nothing: one that did not change
/// keeps its place.
pub(in crate::deploy) fn is_code_from(template: &Value, prefix: &str) -> bool {
    code_keys(template).any(|key| key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/')))
}

/// Whether a template has functions whose code is in S3: image-only services have none, nor has one without functions.
pub(in crate::deploy) fn has_uploaded_code(template: &Value) -> bool {
    code_keys(template).next().is_some()
}

fn code_keys(template: &Value) -> impl Iterator<Item = &str> {
    let functions = template["Resources"].as_object().into_iter().flatten();
    let functions = functions.filter(|(_, resource)| resource["Type"] == FUNCTION);
    functions.filter_map(|(_, function)| function["Properties"]["Code"]["S3Key"].as_str())
}

#[cfg(test)]
mod tests;
