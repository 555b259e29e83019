//! A deployment that failed, explained: what `CloudFormation` said first, what is known of such a reason, and how the stack stands.
//! Asking AWS is one function; the rest is pure.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::aws::{AwsError, StackEvent};
use crate::deploy::observe::aws_state;
use crate::deploy::observe::causes::recognise;
use crate::deploy::observe::effect::{self, LastUpdate, Left, STACK, Seen, begins, is_code_from};
use crate::deploy::observe::proof::{self, Expectation};
use crate::deploy::observe::session;
use crate::deploy::observe::stack_status::standing;
use crate::error::{Error, Kind};
use crate::package::manifest::{Plugin, Target};
use crate::process::interrupt;
use crate::store::deployments::{Deployment, Effect};
use crate::store::proof::ProofVerdict;
use crate::workspace::Workspace;

/// How far this machine's clock may be ahead of AWS's.
const SKEW: SignedDuration = SignedDuration::from_mins(2);

/// How long an interrupted deployment goes on to ask what it left.
const LOOK: Duration = Duration::from_secs(10);

/// What is said when AWS can't be asked.
const UNKNOWN: &str = "the framework's output shows how far it got: CloudFormation rolls back a failed update by itself, but not an update after which a plugin failed";

/// The deployment that failed.
pub(in crate::deploy) struct Attempt<'a> {
    pub(in crate::deploy) target: &'a Target,
    /// The package's commit, for people.
    pub(in crate::deploy) label: &'a str,
    /// The package's plugins.
    pub(in crate::deploy) plugins: &'a [Plugin],
    /// When the stack was last updated before it.
    pub(in crate::deploy) last_update: LastUpdate,
}

/// The framework's error with what AWS and the framework's output tell of its reason and of what is live now, which goes into `record`
/// too. `since` is when the framework was started.
pub(in crate::deploy) fn explain(
    error: Error,
    workspace: &Workspace<'_>,
    attempt: &Attempt<'_>,
    claim: &Expectation,
    record: &mut Deployment,
    since: Timestamp,
) -> Error {
    let said = error.causes().join("\n");
    record.effect = Some(Effect::Unknown);
    let (stack, _) = claim.place();
    // The signal was for the framework. The next one ends this too.
    let _grace = interrupt::grace(LOOK);
    let Ok(seen) = look(workspace, attempt, claim, record, since) else {
        let live = workspace.slsart(&["live"], attempt.target);
        return with_cause(error, &said).hint(UNKNOWN).hint(format!("to see what is live: {live}"));
    };
    let left = effect::left(attempt.last_update, &seen);
    if left == Left::Untouched {
        record.effect = Some(Effect::None);
        let nothing = format!("nothing was changed in AWS: no update of the stack {stack} began");
        return with_cause(error, &said).hint(nothing);
    }
    if left == Left::Updated {
        return updated(error, workspace, attempt, claim, record, (seen.is_ours, &said));
    }
    if left == Left::TakenBack {
        record.effect = Some(Effect::None);
    }
    let mut error = error;
    let mut reasons = said;
    if let Some(event) = first_failure(&seen.events, stack) {
        let reason = event.reason.as_deref().unwrap_or("without a reason");
        let _ = write!(error.message, ": {} ({}) {}: {reason}", event.resource, event.kind, event.status);
        reasons = format!("{reason}\n{reasons}");
    }
    let status = seen.stack.map_or_else(|| "DELETE_COMPLETE".to_owned(), |stack| stack.status);
    with_cause(error, &reasons).hint(standing(&status, stack, attempt.target.region.as_str()))
}

/// Looks at the stack.
fn look(
    workspace: &Workspace<'_>,
    attempt: &Attempt<'_>,
    claim: &Expectation,
    record: &Deployment,
    since: Timestamp,
) -> Result<Seen, AwsError> {
    let (name, profile) = claim.place();
    let aws = session::connect(workspace.context, attempt.target, profile)?;
    workspace.progress.phase("Asking CloudFormation what happened");
    let Some(stack) = aws.stack(name)? else {
        return Ok(Seen { stack: None, is_ours: false, events: Vec::new() });
    };
    let template = aws_state::template(&aws, name)?;
    let is_ours = template
        .zip(record.prefix.as_deref())
        .is_some_and(|(template, prefix)| is_code_from(&template, prefix));
    let events = aws.events(name, since.saturating_sub(SKEW).unwrap_or(since));
    // Where the time of the last update tells whether another began, they only say why it failed.
    let events =
        if attempt.last_update == LastUpdate::Unknown { events? } else { events.unwrap_or_default() };
    Ok(Seen { stack: Some(stack), is_ours, events })
}

/// The error of a framework that failed once the stack was updated: whether the package is live is proven, as after a success.
fn updated(
    error: Error,
    workspace: &Workspace<'_>,
    attempt: &Attempt<'_>,
    claim: &Expectation,
    record: &mut Deployment,
    (is_ours, said): (bool, &str),
) -> Error {
    let proof = proof::proven(workspace, claim, record);
    let verdict = record.proof.as_ref().map(|proof| proof.verdict);
    let is_live = verdict == Some(ProofVerdict::Proven) || is_ours && verdict != Some(ProofVerdict::Mismatch);
    let culprit = culprit(attempt.plugins, said);
    if !is_live {
        let hints = proof.err().map(|error| error.hints).unwrap_or_default();
        let mut error = with_cause(error, said).hints(hints);
        let _ = match error.kind {
            Kind::Interrupted => write!(error.message, " after the update of the stack"),
            _ => write!(error.message, ": {culprit} failed after the update of the stack"),
        };
        return error;
    }
    record.effect = Some(Effect::Live);
    let Attempt { label, target, .. } = attempt;
    let mut error = with_cause(error, said).hints(record.proof.as_ref().and_then(proof::sentence));
    error.message = match error.kind {
        Kind::Interrupted => {
            format!("{label} is live on {target}; interrupted after the update of the stack")
        }
        _ => format!("{label} is live on {target}; {culprit} failed after the update ({})", error.message),
    };
    error
}

/// Who failed after the update, as far as the plugins' hooks and the framework's output tell.
fn culprit(plugins: &[Plugin], output: &str) -> String {
    let is_named = |plugin: &&Plugin| output.contains(plugin.name.trim_start_matches("./"));
    let late: Vec<_> = plugins.iter().filter(|plugin| plugin.acts_after_update() != Some(false)).collect();
    let named: Vec<_> = late.iter().copied().filter(is_named).collect();
    match (named.as_slice(), late.as_slice()) {
        ([one], _) | ([], [one]) => one.name.clone(),
        ([], []) => "the framework".to_owned(),
        _ => {
            let all: Vec<_> = late.iter().map(|plugin| plugin.name.as_str()).collect();
            format!("the framework or a plugin ({})", all.join(", "))
        }
    }
}

fn with_cause(error: Error, reasons: &str) -> Error {
    match recognise(reasons) {
        Some(cause) => error.hint(format!("{}: {}", cause.means, cause.advice)),
        None => error,
    }
}

/// The first event of the last update of a stack that says that something failed of itself: what is cancelled because of it comes
/// later, and so does what the stack says of all of them. `events` are oldest first.
fn first_failure<'e>(events: &'e [StackEvent], stack: &str) -> Option<&'e StackEvent> {
    let start = events.iter().rposition(|event| begins(event, stack)).unwrap_or(0);
    let failed = || events[start..].iter().filter(|event| event.status.ends_with("_FAILED"));
    let of_itself = |event: &&StackEvent| {
        let reason = event.reason.as_deref().unwrap_or_default().to_lowercase();
        event.kind != STACK && !reason.contains("cancelled")
    };
    failed().find(of_itself).or_else(|| failed().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(resource: &str, status: &str, reason: &str) -> StackEvent {
        let kind = if resource == "orders-prod" { STACK } else { "AWS::X::Y" };
        StackEvent {
            time: None,
            resource: resource.to_owned(),
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
        }
    }

    #[test]
    fn the_first_failure_is_neither_the_cascade_nor_an_earlier_deployments() {
        let events = [
            event("orders-prod", "UPDATE_IN_PROGRESS", "User Initiated"),
            event("Old", "UPDATE_FAILED", "of the deployment before"),
            event("orders-prod", "UPDATE_ROLLBACK_COMPLETE", ""),
            event("orders-prod", "UPDATE_IN_PROGRESS", "User Initiated"),
            event("Role", "UPDATE_COMPLETE", ""),
            event("Table", "CREATE_FAILED", "Resource creation cancelled"),
            event("Hello", "UPDATE_FAILED", "the reason"),
            event("Queue", "CREATE_FAILED", "Resource creation cancelled"),
            event("orders-prod", "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed"),
        ];
        let first = first_failure(&events, "orders-prod").unwrap();
        assert_eq!((first.resource.as_str(), first.reason.as_deref()), ("Hello", Some("the reason")));
        assert_eq!(first_failure(&events[3..5], "orders-prod"), None);
        assert_eq!(first_failure(&events[3..6], "orders-prod").unwrap().resource, "Table");
    }
}
