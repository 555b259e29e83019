//! The notes and records that a remote lacks: which lines it gets, and how its refs move.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::note_union::{self, Union};
use super::tracking::Tracking;
use crate::error::{Error, Result};
use crate::git::Oid;
use crate::git::transfer::Update;
use crate::store::ledger::note::{NotedPackage, parse_note};
use crate::store::ledger::note_line::PackageLine;
use crate::store::ledger::note_tree;
use crate::store::names::{CHAINS, NOTES_REF, PackageKey};

impl Tracking<'_> {
    /// The push of notes once the remote has the packages `sent`: its own notes, plus their lines and our lines that belong to no package.
    /// `None` if it has them all.
    pub fn notes_update(&self, sent: &[NotedPackage], gone: &HashSet<PackageKey>) -> Result<Option<Update>> {
        let (ours, theirs) = (self.repository.ref_target(NOTES_REF)?, self.notes_tip()?);
        let Some(ours) = ours else { return Ok(None) };
        let tree_of = |commit: Oid| Ok::<_, Error>(self.repository.commit(commit)?.tree);
        let (our_tree, their_tree) = (tree_of(ours)?, theirs.map(tree_of).transpose()?);
        let Some(added) = self.lines_to_send(our_tree, their_tree, sent, gone)? else { return Ok(None) };
        let batch = self.repository.batch()?;
        let tree = match their_tree {
            Some(their_tree) => Union { repository: self.repository, batch: &batch }.of(their_tree, added)?,
            None => added,
        };
        if Some(tree) == their_tree {
            return Ok(None);
        }
        let follows = theirs.map_or(Ok(true), |theirs| self.repository.contains(ours, theirs))?;
        let new = if tree == our_tree && follows {
            ours
        } else {
            batch.commit(tree, theirs.as_slice(), "Packages of another clone\n")?
        };
        batch.finish()?.remove();
        Ok(Some(Update { name: NOTES_REF.to_owned(), new: Some(new), old: theirs }))
    }

    /// A tree of notes with the lines to send that the remote lacks.
    fn lines_to_send(
        &self,
        ours: Oid,
        theirs: Option<Oid>,
        sent: &[NotedPackage],
        gone: &HashSet<PackageKey>,
    ) -> Result<Option<Oid>> {
        let batch = self.repository.batch()?;
        let mut entries = Vec::new();
        for commit in note_tree::difference(self.repository, Some(ours), theirs)? {
            let read =
                |tree| Ok::<_, Error>(note_tree::read(self.repository, tree, commit)?.unwrap_or_default());
            let (mine, known) = (read(ours)?, theirs.map(read).transpose()?.unwrap_or_default());
            let lines = lines_to_send(commit, &mine, &known, sent, gone);
            if !lines.is_empty() {
                entries.push((commit, batch.blob(&note_union::lines_of(&lines), None)?));
            }
        }
        if entries.is_empty() {
            return Ok(None);
        }
        let tree = note_tree::tree_of(&batch, &entries)?;
        batch.finish()?.remove();
        Ok(Some(tree))
    }

    /// The pushes of our chains with records that the remote lacks.
    pub fn chain_updates(&self) -> Result<Vec<Update>> {
        let theirs: HashMap<String, Oid> = self.chains()?.into_iter().collect();
        let mut updates = Vec::new();
        for prefix in CHAINS {
            for (name, ours) in self.repository.refs_matching(prefix)? {
                let old = theirs.get(&name).copied();
                // A fetched chain that is not merged yet must not be overwritten.
                let follows = old.map_or(Ok(true), |old| self.repository.contains(ours, old))?;
                if old != Some(ours) && follows {
                    updates.push(Update { name, new: Some(ours), old });
                }
            }
        }
        Ok(updates)
    }
}

/// The lines of our note of `commit` for a remote whose note is `theirs`: those of packages that it was sent or has, and those that belong
/// to no package.
fn lines_to_send<'t>(
    commit: Oid,
    ours: &'t [u8],
    theirs: &[u8],
    sent: &[NotedPackage],
    gone: &HashSet<PackageKey>,
) -> Vec<&'t [u8]> {
    let known: BTreeSet<&[u8]> = theirs.split(|byte| *byte == b'\n').collect();
    let there = parse_note(theirs).packages;
    let is_sent = |line: &PackageLine| sent.iter().any(|found| found.commit == commit && found.line == *line);
    let may_go = |line: &PackageLine| {
        // A package that was pruned here may stay on the remote.
        (line.pruned.is_none() || gone.contains(&(commit, line.package)))
            && there.iter().any(|known| known.is_same(line))
    };
    let is_to_go = |text: &&[u8]| {
        let line = std::str::from_utf8(text).ok().and_then(|text| text.parse::<PackageLine>().ok());
        !text.is_empty() && !known.contains(text) && line.is_none_or(|line| is_sent(&line) || may_go(&line))
    };
    ours.split(|byte| *byte == b'\n').filter(is_to_go).collect()
}
