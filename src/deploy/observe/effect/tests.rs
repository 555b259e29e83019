//! What a stack shows of deployments, in every way in which one may end.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::git::Oid;
use crate::package::manifest::tests::sample;
use crate::package::{PackageId, Sha256};
use crate::store::deployments::{Action, Phase, RUN_PHASE};
use crate::store::proof::Proof;

fn stack(status: &str, changed: i64) -> Stack {
    Stack {
        name: "orders-prod".to_owned(),
        id: String::new(),
        status: status.to_owned(),
        reason: None,
        changed: Timestamp::from_second(changed).ok(),
        outputs: BTreeMap::new(),
    }
}

fn at(changed: i64) -> LastUpdate {
    LastUpdate::At(Timestamp::from_second(changed).ok())
}

/// How the stack was left, `changed` being 1 before the deployment.
fn left_in(status: &str, changed: i64, is_ours: bool) -> Left {
    left(at(1), &Seen { stack: Some(stack(status, changed)), is_ours, events: Vec::new() })
}

#[test]
fn an_update_that_began_shows_in_the_time_of_the_stack() {
    assert_eq!(left_in("UPDATE_COMPLETE", 1, false), Left::Untouched);
    assert_eq!(left_in("UPDATE_ROLLBACK_COMPLETE", 1, false), Left::Untouched);
    assert_eq!(left_in("UPDATE_ROLLBACK_COMPLETE", 2, false), Left::TakenBack);
    assert_eq!(left_in("UPDATE_COMPLETE", 2, false), Left::Updated);
    assert_eq!(left_in("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", 2, true), Left::Updated);
    for status in ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED", "UPDATE_FAILED", "CREATE_FAILED"] {
        assert_eq!(left_in(status, 2, false), Left::Between, "{status}");
        assert_eq!(left_in(status, 1, false), Left::Untouched, "{status}, from before");
    }
}

#[test]
fn a_template_with_the_uploaded_code_outweighs_the_clock() {
    assert_eq!(left_in("UPDATE_COMPLETE", 1, true), Left::Updated);
    assert_eq!(left_in("UPDATE_IN_PROGRESS", 2, true), Left::Between);
}

#[test]
fn a_stack_that_comes_or_goes() {
    let seen = |stack| Seen { stack, is_ours: false, events: Vec::new() };
    assert_eq!(left(LastUpdate::NoStack, &seen(None)), Left::Untouched);
    assert_eq!(left(at(1), &seen(None)), Left::Between);
    let seen = |status| seen(Some(stack(status, 1)));
    assert_eq!(left(LastUpdate::NoStack, &seen("ROLLBACK_COMPLETE")), Left::TakenBack);
    assert_eq!(left(LastUpdate::NoStack, &seen("REVIEW_IN_PROGRESS")), Left::Untouched);
    assert_eq!(left(LastUpdate::NoStack, &seen("CREATE_COMPLETE")), Left::Updated);
}

#[test]
fn where_the_time_before_is_unknown_the_events_tell() {
    let begun = StackEvent {
        time: None,
        resource: "orders-prod".to_owned(),
        kind: STACK.to_owned(),
        status: "UPDATE_IN_PROGRESS".to_owned(),
        reason: None,
    };
    let seen = |events| Seen { stack: Some(stack("UPDATE_COMPLETE", 1)), is_ours: false, events };
    assert_eq!(left(LastUpdate::Unknown, &seen(Vec::new())), Left::Untouched);
    assert_eq!(left(LastUpdate::Unknown, &seen(vec![begun])), Left::Updated);
}

/// Deployments, newest first, as `v3!` (failed in the framework), `v2?` (killed), `v1` (succeeded); the prefix is the first two letters.
fn history(text: &str) -> Vec<Deployment> {
    let one = |word: &str| {
        let id = PackageId::of([("x", 1, Sha256::of(word.as_bytes()))]);
        let commit = Oid::from_str(&"a".repeat(40)).unwrap();
        let by = "Dana".to_owned();
        let mut known =
            Deployment::begin(Action::Deploy, sample().target, commit, id, by, Timestamp::UNIX_EPOCH);
        known.id = word.to_owned();
        known.prefix = Some(word[..2].to_owned());
        known.outcome = match word.chars().last() {
            Some('!') => Outcome::Failed,
            Some('?') => Outcome::Started,
            _ => Outcome::Succeeded,
        };
        known.phases.push(Phase { name: RUN_PHASE.to_owned(), milliseconds: 1 });
        known
    };
    text.split(' ').map(one).collect()
}

fn effects(deployments: &[Deployment]) -> Vec<Effect> {
    deployments.iter().map(Deployment::effect).collect()
}

/// What is known of a history once the live template has the code of `prefix`.
fn settled(text: &str, prefix: &str, is_idle: bool) -> (usize, Vec<Effect>) {
    let code = json!({"S3Key": format!("{prefix}/orders.zip")});
    let function = json!({"Type": "AWS::Lambda::Function", "Properties": {"Code": code}});
    let template = json!({"Resources": {"Hello": function}});
    let mut deployments = history(text);
    let count = settle(&mut deployments, &stack("UPDATE_COMPLETE", 1), &template, is_idle);
    (count, effects(&deployments))
}

#[test]
fn the_code_of_the_live_template_says_which_deployment_is_live() {
    use Effect::{Live, None, Unknown};
    assert_eq!(settled("v3! v2! v1", "v1", true), (2, vec![None, None, Live]));
    assert_eq!(settled("v3! v2! v1", "v2", true), (2, vec![None, Live, Live]));
    assert_eq!(settled("v3! v2! v1", "v3", true), (1, vec![Live, Unknown, Live]));
    // Another tool's code says nothing of ours.
    assert_eq!(settled("v2! v1", "v9", true), (0, vec![Unknown, Live]));
    assert_eq!(settled("v2! v1 v0", "v0", true), (0, vec![Unknown, Live, Live]));
}

#[test]
fn of_a_deployment_that_may_still_run_nothing_is_certain() {
    use Effect::{Live, None, Unknown};
    assert_eq!(settled("v2? v1", "v1", false), (0, vec![Unknown, Live]));
    assert_eq!(settled("v2? v1", "v1", true), (1, vec![None, Live]));
    assert_eq!(settled("v2?", "v2", true), (1, vec![Live]));
}

#[test]
fn a_stack_that_is_under_way_settles_nothing() {
    let template = json!({"Resources": {"Hello": {
        "Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Key": "v1/orders.zip"}}}}});
    for status in ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"] {
        let mut deployments = history("v2! v1");
        assert_eq!(settle(&mut deployments, &stack(status, 1), &template, true), 0, "{status}");
    }
}

#[test]
fn code_that_was_found_to_be_another_is_not_taken_for_live() {
    let mut deployments = history("v2! v1");
    deployments[0].proof = Some(Proof { verdict: ProofVerdict::Mismatch, ..Proof::default() });
    assert_eq!(certain(&mut deployments, 0, true), 0);
    assert_eq!(certain(&mut deployments, 1, true), 1);
}
