//! A deployment that failed, explained: what `CloudFormation` said first, what is known of such a reason, and how the stack stands.
//! Asking AWS is one function; the rest is pure.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::causes::recognise;
use super::cloud;
use super::plan::Plan;
use crate::aws::StackEvent;
use crate::error::{Error, Kind};
use crate::workspace::Workspace;

const STACK: &str = "AWS::CloudFormation::Stack";

/// How far this machine's clock may be ahead of AWS's.
const SKEW: SignedDuration = SignedDuration::from_mins(2);

/// What is said when AWS can't be asked.
const UNKNOWN: &str = "the framework's output says how far it came: CloudFormation goes back by itself when the update of the stack failed, but a \
     plugin that fails after it leaves the update done";

/// The framework's error with what AWS and the framework's output tell of its reason. `since` is when the framework was started.
pub(super) fn explain(
    error: Error,
    workspace: &Workspace<'_>,
    plan: &Plan<'_>,
    (stack, profile): (&str, Option<&str>),
    since: Timestamp,
) -> Error {
    let said = error.causes().join("\n");
    let asked = (error.kind != Kind::Interrupted).then(|| {
        let aws = cloud::connect(workspace.context, &plan.target, profile)?;
        workspace.progress.phase("Asking CloudFormation what happened");
        let Some(now) = aws.stack(stack)? else { return Ok(None) };
        let events = aws.events(stack, since.saturating_sub(SKEW).unwrap_or(since))?;
        Ok::<_, crate::aws::AwsError>(Some((now.status, events)))
    });
    let Some(Ok(Some((status, events)))) = asked else { return with_cause(error, &said).hint(UNKNOWN) };
    let first = first_failure(&events, stack);
    let mut error = error;
    let mut reasons = said;
    if let Some(event) = first {
        let reason = event.reason.as_deref().unwrap_or("no reason is given");
        let _ = write!(error.message, ": {} ({}) {}: {reason}", event.resource, event.kind, event.status);
        reasons = format!("{reason}\n{reasons}");
    }
    with_cause(error, &reasons).hint(standing(&status, stack, plan.target.region.as_str()))
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
    let begins = |event: &StackEvent| {
        event.kind == STACK
            && event.resource == stack
            && matches!(event.status.as_str(), "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS")
    };
    let start = events.iter().rposition(begins).unwrap_or(0);
    let failed = || events[start..].iter().filter(|event| event.status.ends_with("_FAILED"));
    let of_itself = |event: &&StackEvent| {
        let reason = event.reason.as_deref().unwrap_or_default().to_lowercase();
        event.kind != STACK && !reason.contains("cancelled")
    };
    failed().find(of_itself).or_else(|| failed().next())
}

/// What a stack's status means for what is live, and what to do (`CloudFormation` user guide, "Stack status codes").
#[must_use]
pub fn standing(status: &str, stack: &str, region: &str) -> String {
    let aws = |what: &str| command(what, stack, region);
    let (means, next) = match status {
        "UPDATE_ROLLBACK_COMPLETE" => {
            ("CloudFormation took the update back: what was live before is live", None)
        }
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => {
            ("the stack takes no part in this failure: it is as its last update left it", None)
        }
        "UPDATE_ROLLBACK_FAILED" => (
            "taking the update back failed as well, and the stack takes no update until that is done",
            Some(aws("continue-update-rollback")),
        ),
        "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "DELETE_FAILED" => {
            ("it was never made whole, and can only be deleted", Some(aws("delete-stack")))
        }
        "CREATE_FAILED" | "UPDATE_FAILED" => {
            ("it was left half-way, as `disableRollback` asks for, and takes another deploy", None)
        }
        _ if status.ends_with("_IN_PROGRESS") => {
            ("CloudFormation is still at it; see how it goes on", Some(aws("describe-stacks")))
        }
        _ => ("see what AWS says of it", Some(aws("describe-stacks"))),
    };
    let next = next.map(|next| format!(": {next}")).unwrap_or_default();
    format!("the stack {stack} is in {status}: {means}{next}")
}

/// A command of AWS's own command line for a stack.
pub(super) fn command(what: &str, stack: &str, region: &str) -> String {
    format!("aws cloudformation {what} --stack-name {stack} --region {region}")
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

    #[test]
    fn a_stack_that_is_stuck_comes_with_the_command_that_frees_it() {
        let stuck = standing("UPDATE_ROLLBACK_FAILED", "orders-prod", "eu-west-1");
        assert!(
            stuck.ends_with(
                "aws cloudformation continue-update-rollback --stack-name orders-prod --region eu-west-1"
            ),
            "{stuck}"
        );
        assert!(standing("ROLLBACK_COMPLETE", "o", "r").contains("delete-stack"));
        assert!(standing("UPDATE_ROLLBACK_COMPLETE", "o", "r").ends_with("what was live before is live"));
        assert!(standing("UPDATE_IN_PROGRESS", "o", "r").contains("still at it"));
    }
}
