//! Events of functions that were added or removed, according to the two configs.

use std::collections::BTreeSet;

use serde::Serialize;

use super::stack_snapshot::StackSnapshot;
use super::template::Change;
use crate::service::{Event, State};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct EventChange {
    pub function: String,
    #[serde(flatten)]
    pub event: Event,
    pub change: Change,
}

/// The events that differ; none if one side's config is unknown.
pub(super) fn compare(before: &StackSnapshot<'_>, after: &StackSnapshot<'_>) -> Vec<EventChange> {
    let (Some(before), Some(after)) = (before.state(), after.state()) else { return Vec::new() };
    let (old, new) = (events(before), events(after));
    let change = |events: Vec<(String, Event)>, change| {
        events.into_iter().map(move |(function, event)| EventChange { function, event, change })
    };
    let mut found: Vec<_> = change(missing(&old, &new), Change::Removed).collect();
    found.extend(change(missing(&new, &old), Change::Added));
    found.sort();
    found
}

fn events(state: &State) -> Vec<(String, Event)> {
    let names = state.functions().into_iter().map(|function| function.name);
    names.flat_map(|name| state.events(&name).into_iter().map(move |event| (name.clone(), event))).collect()
}

/// Those of `one` that `other` lacks, counting repetitions.
fn missing(one: &[(String, Event)], other: &[(String, Event)]) -> Vec<(String, Event)> {
    let distinct: BTreeSet<_> = one.iter().collect();
    let count =
        |all: &[(String, Event)], event: &(String, Event)| all.iter().filter(|other| *other == event).count();
    let extra = |event: &(String, Event)| count(one, event).saturating_sub(count(other, event));
    distinct.into_iter().flat_map(|event| std::iter::repeat_n(event.clone(), extra(event))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_missing_as_often_as_it_is_not_there() {
        let event = |kind: &str| ("hello".to_owned(), Event { kind: kind.to_owned(), on: None });
        let (old, new) = ([event("sqs"), event("sns"), event("sqs")], [event("sqs"), event("s3")]);
        assert_eq!(missing(&old, &new), [event("sns"), event("sqs")]);
        assert_eq!(missing(&new, &old), [event("s3")]);
    }
}
