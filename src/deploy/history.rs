//! Reading a target's history: what is live, what was before. Pure.

use crate::package::PackageId;
use crate::store::deployments::{Action, Deployment, Outcome};

/// The deployment that is live, as far as the history knows: the newest that succeeded. `deployments` are newest first.
#[must_use]
pub fn live(deployments: &[Deployment]) -> Option<&Deployment> {
    deployments.iter().find(|deployment| deployment.outcome == Outcome::Succeeded)
}

/// Whether something began after the live deployment that may have changed what is live: it came as far as the framework
/// and did not end well, or nothing is known of its end.
#[must_use]
pub fn is_uncertain(deployments: &[Deployment]) -> bool {
    let mut later = deployments.iter().take_while(|deployment| deployment.outcome != Outcome::Succeeded);
    later.any(|deployment| deployment.outcome == Outcome::Started || deployment.has_run())
}

/// The deployment to go back to when no other is named.
///
/// Going back and going back again leads further back, never forward to what was left: the history is read as a stack that a
/// deploy puts a package on and a rollback takes those above it off. After a deploy that failed half-way, it is the last that
/// succeeded, since what failed may have left the service in between; a rollback that failed keeps its goal.
#[must_use]
pub fn previous(deployments: &[Deployment]) -> Option<&Deployment> {
    let mut stack: Vec<&Deployment> = Vec::new();
    for deployment in deployments.iter().rev().filter(|deployment| deployment.outcome == Outcome::Succeeded) {
        let below = stack.iter().rposition(|known| same(known, deployment.package, &deployment.commit));
        match (deployment.action, below) {
            (Action::Rollback, Some(index)) => stack.truncate(index),
            (_, Some(index)) if index + 1 == stack.len() => stack.truncate(index),
            _ => {}
        }
        stack.push(deployment);
    }
    let newest = deployments.first()?;
    let half_way =
        newest.action == Action::Deploy && newest.outcome != Outcome::Succeeded && newest.has_run();
    let back = usize::from(!half_way);
    stack.len().checked_sub(1 + back).map(|index| stack[index])
}

fn same(deployment: &Deployment, package: PackageId, commit: &str) -> bool {
    deployment.package == package && deployment.commit == commit
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::package::manifest::tests::sample;
    use crate::package::{PackageId, Sha256};
    use crate::store::deployments::{Phase, RUN_PHASE};

    /// A history in the order it happened: `d1` deploys package 1, `r1` rolls back to it; `!` says that it failed in the
    /// framework, `?` before it.
    fn history(text: &str) -> Vec<Deployment> {
        let one = |(index, word): (usize, &str)| {
            let action = if word.starts_with('d') { Action::Deploy } else { Action::Rollback };
            let package = PackageId::of([("x", 1, Sha256::of(&word.as_bytes()[1..2]))]);
            let at = Timestamp::from_second(i64::try_from(index).unwrap()).unwrap();
            let id = crate::git::Oid::from_str(&word[1..2].repeat(40)).unwrap();
            let mut deployment = Deployment::begin(action, sample().target, id, package, "x".to_owned(), at);
            deployment.outcome = if word.len() > 2 { Outcome::Failed } else { Outcome::Succeeded };
            if word.ends_with('!') {
                deployment.phases.push(Phase { name: RUN_PHASE.to_owned(), milliseconds: 1 });
            }
            deployment
        };
        let mut all: Vec<_> = text.split(' ').enumerate().map(one).collect();
        all.reverse();
        all
    }

    fn previous_of(text: &str) -> Option<String> {
        previous(&history(text)).map(|deployment| deployment.commit[..1].to_owned())
    }

    #[test]
    fn going_back_again_leads_further_back() {
        assert_eq!(previous_of("d1 d2 d3").as_deref(), Some("2"));
        assert_eq!(previous_of("d1 d2 d3 r2").as_deref(), Some("1"));
        assert_eq!(previous_of("d1 d2 d3 r2 r1"), None);
        assert_eq!(previous_of("d1 d2 r1 d3").as_deref(), Some("1"));
    }

    #[test]
    fn deploying_the_same_again_is_no_step() {
        assert_eq!(previous_of("d1 d2 d2").as_deref(), Some("1"));
        assert_eq!(previous_of("d1"), None);
    }

    #[test]
    fn what_never_reached_the_framework_changed_nothing() {
        assert!(is_uncertain(&history("d1 d2!")));
        assert!(!is_uncertain(&history("d1 d2?")) && !is_uncertain(&history("d1 d2! d3")));
    }

    #[test]
    fn after_a_failure_the_last_that_succeeded_is_the_one() {
        assert_eq!(previous_of("d1 d2 d3!").as_deref(), Some("2"));
        assert_eq!(previous_of("d1!"), None);
        assert_eq!(live(&history("d1 d2 d3!")).unwrap().commit[..1], *"2");
    }

    #[test]
    fn a_failure_that_changed_nothing_is_no_step_and_a_failed_rollback_keeps_its_goal() {
        assert_eq!(previous_of("d1 d2 d3?").as_deref(), Some("1"));
        assert_eq!(previous_of("d1 d2 r1!").as_deref(), Some("1"));
        assert_eq!(previous_of("d1 d2 r1?").as_deref(), Some("1"));
        assert_eq!(previous_of("d1 d2 d1 d3 r1").as_deref(), Some("2"));
    }
}
