use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::diff::Provenance;

/// A stack that has a resource `A` to `Z` for each letter: a table, or for a lower-case letter a topic.
fn stack(letters: &str) -> StackSnapshot<'static> {
    let resource = |letter: char| {
        let kind = if letter.is_uppercase() { "AWS::DynamoDB::Table" } else { "AWS::SNS::Topic" };
        (letter.to_uppercase().to_string(), json!({ "Type": kind, "Properties": {} }))
    };
    let resources: Map<String, Value> = letters.chars().map(resource).collect();
    StackSnapshot::of_template(&json!({ "Resources": resources }))
}

/// What going from `live` to `next` would change; a deployment that did not finish may have made `perhaps` of it.
fn changes(live: &str, perhaps: &[&str], next: &str) -> Changes {
    let perhaps = perhaps.iter().map(|letters| stack(letters)).collect();
    let against = "the last recorded deployment";
    let before = Baseline { side: stack(live), against, because: None, perhaps, remark: None };
    let after = stack(next);
    let difference = Difference {
        functions: Vec::new(),
        layers: Vec::new(),
        events: Vec::new(),
        resources: Vec::new(),
        judgements: before.side.judge(&after),
        outputs: Vec::new(),
        unchanged: 0,
        archives: Vec::new(),
        made: Provenance::default(),
    };
    Changes::judged(&before, &after, difference, Vec::new())
}

fn ids(text: &str) -> Vec<String> {
    text.chars().map(String::from).collect()
}

/// The logical ids that the options of the last hint name.
fn named(error: &Error) -> Vec<String> {
    let options = error.hints.last().unwrap().split("--allow-delete ").skip(1);
    options.map(|id| id.trim().to_owned()).collect()
}

#[test]
fn what_is_blocked_is_what_holds_data_and_goes() {
    // live, what a later deployment may have left, next; what is blocked.
    for (live, perhaps, next, expected) in [
        ("AB", &[][..], "AB", ""),
        ("AB", &[], "ABC", ""),
        ("AB", &[], "A", "B"),
        ("AB", &[], "", "AB"),
        ("ab", &[], "", ""),
        ("Ab", &[], "", "A"),
        // Only the deployment that did not finish has the table.
        ("A", &["AB"], "A", "B"),
        // Both have it: it is named once.
        ("AB", &["AB"], "A", "B"),
        ("A", &["AB", "ABC"], "A", "BC"),
        ("A", &["AB"], "AB", ""),
    ] {
        let changes = changes(live, perhaps, next);
        let blocked: String = changes.blocked().map(|one| one.id.as_str()).collect();
        assert_eq!(blocked, expected, "{live} {perhaps:?} → {next}");
        assert_eq!(changes.check(Action::Deploy).is_err(), !expected.is_empty());
        assert!(!changes.is_nothing(), "the live code is not known");
    }
}

#[test]
fn a_refusal_names_the_action_what_is_lost_and_the_options() {
    let error = changes("AB", &[], "A").check(Action::Rollback).unwrap_err();
    assert_eq!(error.message, "this rollback would delete 1 stateful resource");
    assert_eq!(named(&error), ["B"]);
    assert!(error.hints[0].starts_with("lost with it: B ("), "{:?}", error.hints);
    let error = changes("AB", &[], "").check(Action::Deploy).unwrap_err();
    assert_eq!(error.message, "this deploy would delete 2 stateful resources");
    // The options stand for the whole command line: those that were given stay.
    let mut one_allowed = changes("AB", &[], "");
    one_allowed.allow(&ids("A")).unwrap();
    let error = one_allowed.check(Action::Deploy).unwrap_err();
    assert_eq!(error.message, "this deploy would delete 1 stateful resource");
    assert_eq!(named(&error), ["A", "B"]);
}

#[test]
fn only_what_is_there_can_be_allowed() {
    let mut there = changes("Ab", &["AbC"], "");
    let error = there.allow(&ids("X")).unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
    assert!(error.hints[0].ends_with("A, C"), "{:?}", error.hints);
    // What holds nothing can be named, and is not kept as allowed.
    there.allow(&ids("B")).unwrap();
    assert_eq!(there.allowed().count(), 0);
    assert!(there.knows("C") && !there.knows("X"));
}

#[test]
fn what_can_t_be_compared_is_a_warning_but_an_interruption_stops() {
    let mut warnings = Vec::new();
    let missing = or_warning::<()>(Err(Error::not_recorded("not here")), &mut warnings);
    assert_eq!((missing.unwrap(), warnings.len()), (None, 1));
    assert!(or_warning::<()>(Err(Error::interrupted()), &mut warnings).is_err());
    assert!(or_warning(Ok(Some(())), &mut warnings).unwrap().is_some());
    assert_eq!(warnings.len(), 1);
}

proptest! {
    #[test]
    fn the_options_of_a_refusal_let_exactly_that_pass(
        live in "[A-F]{0,4}", later in "[A-F]{0,4}", next in "[A-F]{0,4}", given in "[A-F]{0,3}",
    ) {
        let mut changes = changes(&live, &[&later], &next);
        let given: Vec<String> = ids(&given).into_iter().filter(|id| changes.knows(id)).collect();
        let lost: BTreeSet<char> =
            live.chars().chain(later.chars()).filter(|letter| !next.contains(*letter)).collect();
        changes.allow(&given).unwrap();
        let left = lost.iter().filter(|letter| !given.contains(&letter.to_string())).count();
        prop_assert_eq!(changes.blocked().count(), left);
        match changes.check(Action::Deploy) {
            Ok(()) => prop_assert_eq!(left, 0),
            Err(error) => {
                let all = named(&error);
                prop_assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), lost.len());
                changes.allow(&all).unwrap();
                prop_assert!(changes.check(Action::Deploy).is_ok());
            }
        }
        let allowed: BTreeSet<String> = changes.allowed().map(str::to_owned).collect();
        prop_assert_eq!(allowed, lost.iter().map(char::to_string).collect::<BTreeSet<_>>());
    }
}
