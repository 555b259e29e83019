//! In which order several stacks are deployed, by what they export and import: `CloudFormation` refuses an import that nothing exports,
//! the removal of an export that is imported, and a second export of the same name. Pure.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::service::Sharing;

/// A service's stack, before and after.
#[derive(Debug, Clone)]
pub struct StackExports {
    /// Its region: names are shared within one.
    pub region: String,
    /// Whether it is to be deployed.
    pub moves: bool,
    /// What it shares now.
    pub now: Sharing,
    /// What it will share; the same, where it is not deployed.
    pub then: Sharing,
}

/// Why one stack goes after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// It imports what the first one exports.
    Imports,
    /// It removes an export that the first one imports until then.
    Removes,
    /// It takes over an export that is the first one's until then.
    TakesOver,
}

/// One stack goes after another. Stacks are indices of what was ordered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// The one that goes after.
    pub then: usize,
    /// The one that goes first.
    pub first: usize,
    /// Why.
    pub why: Why,
    /// The name of the export.
    pub export: String,
    /// Whether `CloudFormation` refuses it the other way round; else the export is there before and after.
    pub necessary: bool,
}

/// What becomes impossible, whatever the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conflict {
    /// The export would be removed, and the other stack goes on importing it.
    StillImported,
    /// The export would be removed, and the other stack comes to import it.
    ImportedThen,
    /// The other stack exports the same name.
    ExportedTwice,
}

/// What keeps a stack from being deployed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Block {
    /// The stack.
    pub stack: usize,
    /// The stack that is in its way.
    pub other: usize,
    /// How.
    pub conflict: Conflict,
    /// The name of the export.
    pub export: String,
}

/// Something worth a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// The stack comes to import a name that none of the stacks exports.
    ExportedElsewhere {
        /// The stack.
        stack: usize,
        /// The name.
        export: String,
    },
    /// The stack exports another value by a name that the other stack goes on importing.
    OtherValue {
        /// The stack.
        stack: usize,
        /// The stack that imports it.
        importer: usize,
        /// The name.
        export: String,
    },
}

/// An order.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// The stacks that are deployed, first to last.
    pub steps: Vec<usize>,
    /// Why they stand so.
    pub reasons: Vec<Reason>,
    /// What stops all of it.
    pub blocks: Vec<Block>,
    /// What is worth a look.
    pub remarks: Vec<Remark>,
}

/// The order in which `stacks` are deployed. Where nothing else decides, they stay as they are given.
///
/// # Errors
/// A circle of stacks each of which has to go after the one before, the first one after the last.
pub fn order(stacks: &[StackExports]) -> Result<Order, Vec<Reason>> {
    let mut found = Order::default();
    let moving = || stacks.iter().enumerate().filter(|(_, stack)| stack.moves);
    for (at, _) in moving() {
        imports(stacks, at, &mut found);
        removals(stacks, at, &mut found);
        additions(stacks, at, &mut found);
        values(stacks, at, &mut found);
    }
    found.reasons.sort();
    found.blocks.sort();
    found.blocks.dedup();
    if found.blocks.is_empty() {
        found.steps = arranged(moving().map(|(at, _)| at).collect(), &found.reasons)?;
    } else {
        found.steps = moving().map(|(at, _)| at).collect();
    }
    Ok(found)
}

/// The other stacks that names are shared with.
fn others(stacks: &[StackExports], at: usize) -> impl Iterator<Item = (usize, &StackExports)> {
    let region = stacks[at].region.as_str();
    stacks.iter().enumerate().filter(move |(other, stack)| *other != at && stack.region == region)
}

/// What a stack imports has to be exported first.
fn imports(stacks: &[StackExports], at: usize, found: &mut Order) {
    let stack = &stacks[at];
    let own = |name: &String| stack.now.exports.contains_key(name) || stack.then.exports.contains_key(name);
    for name in stack.then.imports.iter().filter(|name| !own(name)) {
        let mut is_ours = false;
        for (first, other) in others(stacks, at) {
            let (now, then) = (other.now.exports.get(name), other.then.exports.get(name));
            is_ours |= now.is_some() || then.is_some();
            if other.moves && then.is_some() {
                let necessary = now.is_none();
                found.reasons.push(reason(at, first, Why::Imports, name, necessary));
            }
        }
        if !is_ours && !stack.now.imports.contains(name) {
            found.remarks.push(Remark::ExportedElsewhere { stack: at, export: name.clone() });
        }
    }
}

/// What a stack exports no more must not be imported when it goes.
fn removals(stacks: &[StackExports], at: usize, found: &mut Order) {
    let stack = &stacks[at];
    for name in stack.now.exports.keys().filter(|name| !stack.then.exports.contains_key(*name)) {
        let is_taken_over = others(stacks, at).any(|(_, other)| other.then.exports.contains_key(name));
        for (first, other) in others(stacks, at) {
            match (other.now.imports.contains(name), other.then.imports.contains(name)) {
                (true, true) => found.blocks.push(block(at, first, Conflict::StillImported, name)),
                (true, false) => found.reasons.push(reason(at, first, Why::Removes, name, true)),
                (false, true) if !is_taken_over => {
                    found.blocks.push(block(at, first, Conflict::ImportedThen, name));
                }
                (false, _) => {}
            }
        }
    }
}

/// What a stack comes to export must be no other's when it comes.
fn additions(stacks: &[StackExports], at: usize, found: &mut Order) {
    let stack = &stacks[at];
    for name in stack.then.exports.keys().filter(|name| !stack.now.exports.contains_key(*name)) {
        for (first, other) in others(stacks, at) {
            match (other.now.exports.contains_key(name), other.then.exports.contains_key(name)) {
                (_, true) => found.blocks.push(block(at, first, Conflict::ExportedTwice, name)),
                (true, false) => found.reasons.push(reason(at, first, Why::TakesOver, name, true)),
                (false, false) => {}
            }
        }
    }
}

/// What a stack goes on exporting should be what it was, where it is imported all the time.
fn values(stacks: &[StackExports], at: usize, found: &mut Order) {
    let StackExports { now, then, .. } = &stacks[at];
    let changes = |name: &String| then.exports.get(name).is_some_and(|value| *value != now.exports[name]);
    for name in now.exports.keys().filter(|name| changes(name)) {
        let imports =
            |stack: &StackExports| stack.now.imports.contains(name) && stack.then.imports.contains(name);
        for (importer, _) in others(stacks, at).filter(|(_, other)| imports(other)) {
            found.remarks.push(Remark::OtherValue { stack: at, importer, export: name.clone() });
        }
    }
}

fn reason(then: usize, first: usize, why: Why, export: &str, necessary: bool) -> Reason {
    Reason { then, first, why, export: export.to_owned(), necessary }
}

fn block(stack: usize, other: usize, conflict: Conflict, export: &str) -> Block {
    Block { stack, other, conflict, export: export.to_owned() }
}

/// Takes at each step one that nothing has to precede any more; of several, the one that the fewest would better precede.
fn arranged(mut left: BTreeSet<usize>, reasons: &[Reason]) -> Result<Vec<usize>, Vec<Reason>> {
    let mut steps = Vec::new();
    while !left.is_empty() {
        let waits = |at: usize| reasons.iter().filter(move |reason| reason.then == at);
        let necessary = |at: usize| waits(at).any(|one| one.necessary && left.contains(&one.first));
        let better = |at: usize| waits(at).filter(|one| left.contains(&one.first)).count();
        let next = left.iter().copied().filter(|at| !necessary(*at)).min_by_key(|at| (better(*at), *at));
        let Some(next) = next else { return Err(circle(&left, reasons)) };
        left.remove(&next);
        steps.push(next);
    }
    Ok(steps)
}

/// A circle among stacks each of which has to wait for another of them.
fn circle(left: &BTreeSet<usize>, reasons: &[Reason]) -> Vec<Reason> {
    let mut way: Vec<Reason> = Vec::new();
    let mut at = left.first().copied().unwrap_or_default();
    let waits_for = |at: usize| {
        let mut all = reasons.iter().filter(move |one| one.then == at && one.necessary);
        all.find(|one| left.contains(&one.first))
    };
    while let Some(reason) = waits_for(at) {
        if let Some(start) = way.iter().position(|known| known.then == at) {
            way.drain(..start);
            break;
        }
        at = reason.first;
        way.push(reason.clone());
    }
    way.reverse();
    way
}
