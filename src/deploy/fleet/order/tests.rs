//! Orders of stacks, by hand and by chance.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A stack from `exports < imports`, before and after: `"a b < c"`, and the same after `=>`.
fn stack(text: &str) -> StackExports {
    let sharing = |text: &str| {
        let (exports, imports) = text.split_once('<').unwrap_or((text, ""));
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let exports = words(exports).into_iter().map(|name| (name, json!("value"))).collect();
        Sharing { exports, imports: words(imports).into_iter().collect(), unknown: Vec::new() }
    };
    let (now, then) = text.split_once("=>").unwrap_or((text, text));
    let moves = text.contains("=>");
    let region = "us-east-1".to_owned();
    StackExports { region, moves, now: sharing(now), then: sharing(then) }
}

fn stacks(texts: &[&str]) -> Vec<StackExports> {
    texts.iter().map(|text| stack(text)).collect()
}

/// The order, by names; or `-` and what blocks.
fn told(texts: &[&str]) -> String {
    let name = |at: usize| ["A", "B", "C", "D"][at];
    match order(&stacks(texts)) {
        Ok(found) if found.blocks.is_empty() => found.steps.iter().map(|at| name(*at)).collect(),
        Ok(found) => {
            let block = |block: &Block| {
                let [stack, other] = [block.stack, block.other].map(name);
                format!("- {stack} {:?} {} {other}", block.conflict, block.export)
            };
            found.blocks.iter().map(block).collect::<Vec<_>>().join("\n")
        }
        Err(circle) => format!("circle {}", circle.iter().map(|one| name(one.first)).collect::<String>()),
    }
}

#[test]
fn who_imports_goes_after_who_exports() {
    assert_eq!(told(&["=> < x", "=> x"]), "BA");
    assert_eq!(told(&["< x => < x", "x => x"]), "BA");
    assert_eq!(told(&["=> < y", "=> y < x", "=> x"]), "CBA");
    // Nothing decides: as given.
    assert_eq!(told(&["=> a", "=> b", "=> < elsewhere"]), "ABC");
    // Another region is another world.
    let mut apart = stacks(&["=> < x", "=> x"]);
    apart[1].region = "eu-west-1".to_owned();
    assert_eq!(order(&apart).unwrap().steps, [0, 1]);
}

#[test]
fn who_removes_an_export_goes_after_who_imported_it() {
    assert_eq!(told(&["x =>", "< x =>"]), "BA");
    // That decides where both exist: what stays exported is there in any order.
    assert_eq!(told(&["x y => y", "< x y => < y"]), "BA");
    assert_eq!(told(&["x => x", "< x => < x", "y => < z", "=> z"]), "ABDC");
}

#[test]
fn an_export_that_is_still_imported_is_not_removed() {
    assert_eq!(told(&["x =>", "< x => < x"]), "- A StillImported x B");
    assert_eq!(told(&["x =>", "< x"]), "- A StillImported x B");
    assert_eq!(told(&["x =>", "=> < x"]), "- A ImportedThen x B");
    // Who takes it over can't before it is removed.
    assert_eq!(told(&["x =>", "< x => < x", "=> x"]), "- A StillImported x B");
    assert_eq!(told(&["x =>", "=> < x", "=> x"]), "ACB");
}

#[test]
fn a_name_is_exported_once() {
    assert_eq!(told(&["=> x", "x =>"]), "BA");
    assert_eq!(told(&["=> x", "x"]), "- A ExportedTwice x B");
    assert_eq!(told(&["=> x", "=> x"]), "- A ExportedTwice x B\n- B ExportedTwice x A");
}

#[test]
fn a_circle_is_named() {
    assert_eq!(told(&["=> x < y", "=> y < x"]), "circle AB");
    assert_eq!(told(&["x => y", "< x => < y"]), "circle AB");
    // One that has to wait for a circle is no part of it.
    assert_eq!(told(&["=> < x", "=> x < y", "=> y < x"]), "circle BC");
    // What is there before and after can be in a circle.
    assert_eq!(told(&["x < y => x < y", "y < x => y < x"]), "AB");
    let reasons = order(&stacks(&["x => y", "< x => < y"])).unwrap_err();
    let told: Vec<_> = reasons.iter().map(|one| (one.first, one.then, one.why)).collect();
    assert_eq!(told, [(0, 1, Why::Imports), (1, 0, Why::Removes)]);
}

#[test]
fn what_is_not_known_here_or_changes_is_remarked() {
    let found = order(&stacks(&["< old => < old new", "=>"])).unwrap();
    assert_eq!(found.remarks, [Remark::ExportedElsewhere { stack: 0, export: "new".to_owned() }]);
    let mut all = stacks(&["x => x", "< x"]);
    assert!(order(&all).unwrap().remarks.is_empty());
    all[0].then.exports.insert("x".to_owned(), json!("other"));
    let remark = Remark::OtherValue { stack: 0, importer: 1, export: "x".to_owned() };
    assert_eq!(order(&all).unwrap().remarks, [remark]);
}

/// `CloudFormation`'s rules: whether `steps` can be taken one after the other.
fn is_possible(stacks: &[StackExports], steps: &[usize]) -> bool {
    let mut state: Vec<&Sharing> = stacks.iter().map(|stack| &stack.now).collect();
    steps.iter().all(|at| {
        let StackExports { now, then, .. } = &stacks[*at];
        let others = || (0..stacks.len()).filter(|other| other != at);
        let exported = |name: &String| others().any(|other| state[other].exports.contains_key(name));
        let imported = |name: &String| others().any(|other| state[other].imports.contains(name));
        let ever = |name: &String| {
            let ever = |stack: &StackExports| {
                stack.now.exports.contains_key(name) || stack.then.exports.contains_key(name)
            };
            stacks.iter().any(ever)
        };
        let possible = then.imports.iter().all(|name| exported(name) || !ever(name))
            && now.exports.keys().all(|name| then.exports.contains_key(name) || !imported(name))
            && then.exports.keys().all(|name| !exported(name));
        state[*at] = then;
        possible
    })
}

fn permutations(of: &[usize]) -> Vec<Vec<usize>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let with = |at: usize| {
        let rest: Vec<usize> = of.iter().copied().filter(|other| *other != of[at]).collect();
        permutations(&rest).into_iter().map(move |rest| [vec![of[at]], rest].concat())
    };
    (0..of.len()).flat_map(with).collect()
}

/// Some stacks, each name exported by one at most before, and by one at most after.
fn any_stacks() -> impl Strategy<Value = Vec<StackExports>> {
    let names = ["x", "y", "z"];
    (1..=4_usize).prop_flat_map(move |count| {
        let owner = || proptest::option::weighted(0.7, 0..count);
        let importers = || proptest::collection::vec(proptest::bool::weighted(0.3), count);
        let name = (owner(), owner(), importers(), importers());
        let moves = proptest::collection::vec(proptest::bool::weighted(0.8), count);
        (proptest::collection::vec(name, names.len()), moves).prop_map(move |(all, moves)| {
            let build = |at: usize| {
                let mut stack = stack(if moves[at] { "=>" } else { "" });
                for (name, (now, then, importers_now, importers_then)) in names.iter().zip(&all) {
                    let sides =
                        [(&mut stack.now, now, importers_now), (&mut stack.then, then, importers_then)];
                    for (side, owner, importers) in sides {
                        if *owner == Some(at) {
                            side.exports.insert((*name).to_owned(), json!("value"));
                        }
                        if importers[at] && ![*now, *then].contains(&Some(at)) {
                            side.imports.insert((*name).to_owned());
                        }
                    }
                }
                if !stack.moves {
                    stack.then = stack.now.clone();
                }
                stack
            };
            (0..count).map(build).collect()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn an_order_is_possible_and_is_found_whenever_there_is_one(stacks in any_stacks()) {
        let moving: Vec<usize> = (0..stacks.len()).filter(|at| stacks[*at].moves).collect();
        let possible = permutations(&moving).into_iter().filter(|steps| is_possible(&stacks, steps)).count();
        match order(&stacks) {
            Ok(found) if found.blocks.is_empty() => {
                prop_assert!(is_possible(&stacks, &found.steps), "{:?}", found.steps);
                prop_assert_eq!(found.steps.len(), moving.len());
            }
            refused => prop_assert_eq!(possible, 0, "{:?}", refused),
        }
    }

    /// Undoes some of the steps, from the last one.
    #[test]
    fn the_way_back_is_the_same_way(stacks in any_stacks(), done in 0..=4_usize) {
        let Ok(found) = order(&stacks) else { return Ok(()) };
        let exported = |name| stacks.iter().any(|stack| stack.now.exports.contains_key(name));
        let imports = stacks.iter().flat_map(|stack| &stack.now.imports);
        if !found.blocks.is_empty() || !imports.into_iter().all(exported) {
            return Ok(());
        }
        let done = &found.steps[..done.min(found.steps.len())];
        let back = |(at, stack): (usize, &StackExports)| {
            let (now, then) = (stack.then.clone(), stack.now.clone());
            if done.contains(&at) { StackExports { now, then, ..stack.clone() } } else { StackExports { then, ..stack.clone() } }
        };
        let back: Vec<StackExports> = stacks.iter().enumerate().map(back).collect();
        let steps: Vec<usize> = done.iter().rev().copied().collect();
        prop_assert!(is_possible(&back, &steps), "{:?}", steps);
    }
}
