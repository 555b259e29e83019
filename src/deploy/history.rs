//! Reading a target's history: what is live, what was before. Pure.

pub(in crate::deploy) mod packages;
pub(in crate::deploy) mod release;

use jiff::Timestamp;

use crate::store::deployments::{Action, Deployment, Effect, Outcome};
use crate::text::words::{ago, person, short};

/// How far a target's history was read. Another newest deployment, another end of it, or another live one makes a plan stale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::deploy) struct Watermark {
    newest: Option<(String, Outcome)>,
    live: Option<String>,
}

impl Watermark {
    pub(in crate::deploy) fn of(deployments: &[Deployment]) -> Self {
        Self {
            newest: deployments.first().map(|newest| (newest.id.clone(), newest.outcome)),
            live: live(deployments).map(|live| live.id.clone()),
        }
    }

    /// The live deployment, where it is not the one that was live at this mark.
    pub(in crate::deploy) fn newly_live<'d>(&self, deployments: &'d [Deployment]) -> Option<&'d Deployment> {
        live(deployments).filter(|live| self.live.as_ref() != Some(&live.id))
    }
}

/// The deployment that is live by the history: the newest that made its package live. `deployments` are newest first.
pub fn live(deployments: &[Deployment]) -> Option<&Deployment> {
    deployments.iter().find(|deployment| deployment.effect() == Effect::Live)
}

/// The deployments after the live one that may have changed what is live, newest first.
pub fn uncertain(deployments: &[Deployment]) -> impl Iterator<Item = &Deployment> {
    let later = deployments.iter().take_while(|deployment| deployment.effect() != Effect::Live);
    later.filter(|deployment| deployment.effect() == Effect::Unknown)
}

/// Whether it is uncertain that the live deployment still is. Where none is known to be live, there is nothing to doubt.
pub fn is_uncertain(deployments: &[Deployment]) -> bool {
    live(deployments).is_some() && uncertain(deployments).next().is_some()
}

/// Why it is uncertain what is live, in words; `None` where it is not.
pub fn doubt(deployments: &[Deployment], now: Timestamp) -> Option<String> {
    let newest = uncertain(deployments).next().filter(|_| is_uncertain(deployments))?;
    Some(format!("{}: what is live is not certain", unfinished(newest, now)))
}

/// A deployment that may have changed what is live: `the deploy of 3f2a1c0 by Dana, begun 2 minutes ago, did not finish`.
pub fn unfinished(deployment: &Deployment, now: Timestamp) -> String {
    let Deployment { action, commit, by, started, outcome, .. } = deployment;
    let of = if *action == Action::Deploy { "of" } else { "to" };
    let how =
        if *outcome == Outcome::Started { "has not finished and may still run" } else { "did not finish" };
    let (action, commit, by, when) = (action.name(), short(commit, 7), person(by), ago(*started, now));
    format!("the {action} {of} {commit} by {by}, begun {when}, {how}")
}

/// The deployments to go back to, nearest first, each package once: the first is meant when no other is named.
///
/// Going back and going back again leads further back, never forward to what was left: the history is read as a stack that a
/// deploy puts a package on, a rollback takes those above it off, and an undo puts those back. After a deploy or an undo that
/// did not finish, the first is the last that succeeded, since the failed one may have left the service in between; a rollback
/// that failed keeps its goal.
pub fn back(deployments: &[Deployment]) -> Vec<&Deployment> {
    let stack = Stack::of(deployments).live;
    let half_way = deployments
        .first()
        .is_some_and(|newest| newest.action != Action::Rollback && newest.effect() == Effect::Unknown);
    let mut rest = stack.into_iter().rev();
    let mut left: Vec<&Deployment> = if half_way { Vec::new() } else { rest.next().into_iter().collect() };
    let mut back = Vec::new();
    for deployment in rest {
        if !left.iter().any(|known| same(known, deployment)) {
            left.push(deployment);
            back.push(deployment);
        }
    }
    back
}

/// What an undo makes live again: what was live before the last rollback that was not undone yet, or, where a rollback did not finish, what was live before that. There is nothing to undo once something was deployed after it.
pub fn undone(deployments: &[Deployment]) -> Option<&Deployment> {
    let stack = Stack::of(deployments);
    let newest = deployments.first()?;
    let half_way = newest.action == Action::Rollback && newest.effect() == Effect::Unknown;
    let before = if half_way { Some(&stack.live) } else { stack.before_rollbacks.last() };
    before?.last().copied()
}

/// How a package stands in the history of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageStanding {
    /// It is live.
    Live,
    /// It was live, and may be again.
    WasLive,
    /// It was live until a rollback went below it.
    RolledBackFrom,
    /// No deployment made it live.
    Failed,
    /// There was no deployment of it.
    NeverDeployed,
}

/// How the package stands whose deployments `is_of` knows.
pub fn standing(deployments: &[Deployment], is_of: impl Fn(&Deployment) -> bool) -> PackageStanding {
    if live(deployments).is_some_and(&is_of) {
        return PackageStanding::Live;
    }
    if Stack::of(deployments).live.into_iter().any(&is_of) {
        return PackageStanding::WasLive;
    }
    let mut known = deployments.iter().filter(|deployment| is_of(deployment));
    match known.next() {
        None => PackageStanding::NeverDeployed,
        Some(newest) if known.chain([newest]).any(|one| one.effect() == Effect::Live) => {
            PackageStanding::RolledBackFrom
        }
        Some(_) => PackageStanding::Failed,
    }
}

/// The deployment that has this number: they are counted from the first of a target, and keep their numbers.
pub fn numbered(deployments: &[Deployment], number: usize) -> Option<&Deployment> {
    deployments.len().checked_sub(number).filter(|_| number > 0).map(|index| &deployments[index])
}

/// The number of the deployment at `index`.
pub fn number(deployments: &[Deployment], index: usize) -> usize {
    deployments.len() - index
}

/// The deployments that went live, as a stack.
#[derive(Default)]
struct Stack<'d> {
    /// What is live on top of what it would be gone back to.
    live: Vec<&'d Deployment>,
    /// The stack as it was before each rollback that can be undone, the last one last.
    before_rollbacks: Vec<Vec<&'d Deployment>>,
}

impl<'d> Stack<'d> {
    fn of(deployments: &'d [Deployment]) -> Self {
        let mut stack = Self::default();
        let live = deployments.iter().rev().filter(|known| known.effect() == Effect::Live);
        live.for_each(|deployment| stack.take(deployment));
        stack
    }

    fn take(&mut self, deployment: &'d Deployment) {
        let is_live = self.live.last().is_some_and(|live| same(live, deployment));
        match deployment.action {
            Action::Undo => {
                let before = self.before_rollbacks.pop();
                if let Some(before) =
                    before.filter(|before| before.last().is_some_and(|top| same(top, deployment)))
                {
                    self.live = before;
                    self.live.pop();
                } else if is_live {
                    self.live.pop();
                }
            }
            Action::Rollback if !is_live => {
                self.before_rollbacks.push(self.live.clone());
                if let Some(index) = self.live.iter().rposition(|known| same(known, deployment)) {
                    self.live.truncate(index);
                }
            }
            // The same again is no step.
            Action::Rollback => drop(self.live.pop()),
            Action::Deploy => {
                self.before_rollbacks.clear();
                if is_live {
                    self.live.pop();
                }
            }
        }
        self.live.push(deployment);
    }
}

fn same(one: &Deployment, other: &Deployment) -> bool {
    one.package == other.package && one.commit == other.commit
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::package::manifest::tests::sample;
    use crate::package::{PackageId, Sha256};
    use crate::store::deployments::{Phase, RUN_PHASE};

    /// A history in the order it happened: `d1` deploys package 1, `r1` rolls back to it, `u1` undoes that and makes package 1 live
    /// again; `!` says that it failed in the framework, `?` before it, `+` after the update, `-` without changing anything.
    fn history(text: &str) -> Vec<Deployment> {
        let one = |(index, word): (usize, &str)| {
            let action = match &word[..1] {
                "d" => Action::Deploy,
                "r" => Action::Rollback,
                _ => Action::Undo,
            };
            let package = PackageId::of([("x", 1, Sha256::of(&word.as_bytes()[1..2]))]);
            let at = Timestamp::from_second(i64::try_from(index).unwrap()).unwrap();
            let id = crate::git::Oid::from_str(&word[1..2].repeat(40)).unwrap();
            let mut deployment = Deployment::begin(action, sample().target, id, package, "x".to_owned(), at);
            deployment.outcome = if word.len() > 2 { Outcome::Failed } else { Outcome::Succeeded };
            deployment.effect = match word.chars().last() {
                Some('+') => Some(Effect::Live),
                Some('-') => Some(Effect::None),
                _ => None,
            };
            if word.ends_with(['!', '+', '-']) {
                deployment.phases.push(Phase { name: RUN_PHASE.to_owned(), milliseconds: 1 });
            }
            deployment
        };
        let mut all: Vec<_> = text.split(' ').enumerate().map(one).collect();
        all.reverse();
        all
    }

    fn previous_of(text: &str) -> Option<String> {
        back(&history(text)).first().map(|deployment| deployment.commit[..1].to_owned())
    }

    fn all_back(text: &str) -> String {
        back(&history(text)).iter().map(|deployment| &deployment.commit[..1]).collect()
    }

    fn undo_of(text: &str) -> Option<String> {
        undone(&history(text)).map(|deployment| deployment.commit[..1].to_owned())
    }

    #[test]
    fn going_back_again_leads_further_back() {
        assert_eq!(previous_of("d1 d2 d3").as_deref(), Some("2"));
        assert_eq!(previous_of("d1 d2 d3 r2").as_deref(), Some("1"));
        assert_eq!(previous_of("d1 d2 d3 r2 r1"), None);
        assert_eq!(previous_of("d1 d2 r1 d3").as_deref(), Some("1"));
    }

    #[test]
    fn a_plan_is_stale_once_the_newest_or_the_live_deployment_is_another() {
        // What the plan was made with, what is there under the lock, whether that is the same, and what became live in between.
        let cases = [
            ("d1", "d1", true, None),
            ("d1", "d1 d2", false, Some("2")),
            ("d1", "d1 d2?", false, None),
            ("d1", "d1 d2!", false, None),
            ("d1 d2", "d1 d2 r1", false, Some("1")),
            // The end of the newest deployment, and that of an older one, came from another machine.
            ("d1 d2?", "d1 d2", false, Some("2")),
            ("d1 d2! d3-", "d1 d2+ d3-", false, Some("2")),
        ];
        for (planned, now, is_same, live) in cases {
            // An id of its own for each deployment, the same in both readings.
            let read = |text: &str| {
                let mut all = history(text);
                all.iter_mut().rev().enumerate().for_each(|(index, one)| one.id = index.to_string());
                all
            };
            let (mark, now_read) = (Watermark::of(&read(planned)), read(now));
            assert_eq!(mark == Watermark::of(&now_read), is_same, "{planned} => {now}");
            let newly = mark.newly_live(&now_read).map(|live| &live.commit[..1]);
            assert_eq!(newly, live, "{planned} => {now}");
        }
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
    fn what_was_seen_in_aws_outweighs_how_the_framework_ended() {
        assert!(!is_uncertain(&history("d1 d2-")) && !is_uncertain(&history("d1 d2! d3+")));
        assert_eq!(live(&history("d1 d2+")).unwrap().commit[..1], *"2");
        assert_eq!(live(&history("d1 d2-")).unwrap().commit[..1], *"1");
        assert_eq!(previous_of("d1 d2+").as_deref(), Some("1"));
        assert_eq!(previous_of("d1 d2 d3-").as_deref(), Some("1"));
        assert_eq!(undo_of("d1 d2 r1+").as_deref(), Some("2"));
        assert_eq!(undo_of("d1 d2 r1-"), None);
    }

    #[test]
    fn the_only_deployment_casts_no_doubt_on_another() {
        let now = Timestamp::UNIX_EPOCH;
        assert!(!is_uncertain(&history("d1!")));
        assert_eq!(doubt(&history("d1! d2-"), now), None);
        let doubt = doubt(&history("d1 d2!"), now).unwrap();
        assert!(doubt.starts_with("the deploy of 2222222 by x, begun "), "{doubt}");
        assert!(doubt.ends_with(", did not finish: what is live is not certain"), "{doubt}");
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

    #[test]
    fn each_package_has_one_number_and_what_is_live_none() {
        assert_eq!(all_back("d1 d2 d3 d4"), "321");
        assert_eq!(all_back("d1 d2 d1 d3"), "12");
        assert_eq!(all_back("d1 d2 d1 d3 r1"), "2");
        assert_eq!(all_back("d1 d2 d3!"), "21");
        assert!(back(&[]).is_empty());
    }

    #[test]
    fn each_package_stands_where_the_history_left_it() {
        use PackageStanding::{Failed, Live, NeverDeployed, RolledBackFrom, WasLive};
        let stands = |text: &str| {
            let history = history(text);
            ["1", "2", "3"].map(|id| standing(&history, |known| known.commit.starts_with(id)))
        };
        assert_eq!(stands("d1 d2"), [WasLive, Live, NeverDeployed]);
        assert_eq!(stands("d1 d2 d3!"), [WasLive, Live, Failed]);
        assert_eq!(stands("d1 d2 d3 r1"), [Live, RolledBackFrom, RolledBackFrom]);
        assert_eq!(stands("d1 d2 r1 d3"), [WasLive, RolledBackFrom, Live]);
        assert_eq!(stands("d1 d2 r1 d2"), [WasLive, Live, NeverDeployed]);
        assert_eq!(stands("d1 d2 r1 u2"), [WasLive, Live, NeverDeployed]);
        assert_eq!(stands("d1 d2 r1!"), [WasLive, Live, NeverDeployed]);
    }

    #[test]
    fn numbers_count_from_the_first_deployment() {
        let history = history("d1 d2! r1 d3");
        let commit = |at| numbered(&history, at).map(|known| known.commit[..1].to_owned());
        assert_eq!([1, 2, 3, 4].map(commit), ["1", "2", "1", "3"].map(|id| Some(id.to_owned())));
        assert_eq!([0, 5, usize::MAX].map(commit), [None, None, None]);
        assert_eq!([0, 3].map(|index| number(&history, index)), [4, 1]);
    }

    #[test]
    fn an_undo_makes_live_what_was_live_before_the_rollback() {
        assert_eq!(undo_of("d1 d2 d3 r1").as_deref(), Some("3"));
        assert_eq!(undo_of("d1 d2 r9").as_deref(), Some("2"));
        assert_eq!(undo_of("d1 d2 r1 r1").as_deref(), Some("2"));
        assert_eq!(undo_of("d1 d2"), None);
        assert_eq!(undo_of("d1 d2 r1 d3"), None);
        assert_eq!(undo_of("r1"), None);
        assert!(undone(&[]).is_none());
    }

    #[test]
    fn rollbacks_are_undone_one_after_the_other() {
        assert_eq!(undo_of("d1 d2 d3 r2 r1").as_deref(), Some("2"));
        assert_eq!(undo_of("d1 d2 d3 r2 r1 u2").as_deref(), Some("3"));
        assert_eq!(undo_of("d1 d2 d3 r2 r1 u2 u3"), None);
        assert_eq!(undo_of("d1 d2 r1 u2 r1").as_deref(), Some("2"));
    }

    #[test]
    fn after_an_undo_the_way_back_is_as_before_the_rollback() {
        assert_eq!(all_back("d1 d2 d3 r1 u3"), "21");
        assert_eq!(all_back("d1 d2 d3 r1 u3 r2"), "1");
        assert_eq!(all_back("d1 d2 r9 u2"), "1");
        // Of histories of two machines, put together in another order than they were made in.
        assert_eq!(all_back("d1 d2 u1"), "2");
        assert_eq!(all_back("d1 d2 u2"), "1");
    }

    #[test]
    fn a_half_way_rollback_or_undo_can_be_undone_or_tried_again() {
        assert_eq!(undo_of("d1 d2 r1!").as_deref(), Some("2"));
        assert_eq!(undo_of("d1 d2 r1?"), None);
        assert_eq!(undo_of("d1 d2 r1 u2!").as_deref(), Some("2"));
        assert_eq!(all_back("d1 d2 r1 u2!"), "1");
    }
}
