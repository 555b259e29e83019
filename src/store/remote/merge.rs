//! Merges what was fetched into what is here: notes line by line, chains of records by merge commits. None of our refs ever loses
//! anything.

use jiff::Timestamp;

use super::note_union::{self, Union};
use super::tracking::Tracking;
use crate::error::Result;
use crate::git::pack::Replaced;
use crate::git::{Batch, Oid};
use crate::store::names::NOTES_REF;

#[derive(Debug, Default, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MergeReport {
    /// Whether there are new notes.
    pub notes: bool,
    /// The refs of chains with new records.
    pub chains: Vec<String>,
}

impl MergeReport {
    pub fn is_empty(&self) -> bool {
        !self.notes && self.chains.is_empty()
    }
}

impl Tracking<'_> {
    pub fn merge(&self) -> Result<MergeReport> {
        let mut done = MergeReport::default();
        if let Some(theirs) = self.notes_tip()? {
            done.notes = self.merge_notes(theirs)?;
        }
        done.chains = self.merge_records()?.chains;
        Ok(done)
    }

    pub fn merge_records(&self) -> Result<MergeReport> {
        let mut done = MergeReport::default();
        for (name, theirs) in self.chains()? {
            if self.merge_chain(&name, theirs)? {
                done.chains.push(name);
            }
        }
        Ok(done)
    }

    fn merge_notes(&self, theirs: Oid) -> Result<bool> {
        let batch = self.repository.batch()?;
        let (mut replaced, mut changed) = (None, false);
        self.repository.update_ref(NOTES_REF, &format!("slsart: notes of {}", self.remote), |ours| {
            let next = self.merged_notes(&batch, ours, theirs)?;
            changed = next.is_some_and(|(_, changed)| changed);
            if next.is_some() {
                replaced = Some(batch.finish()?);
            }
            Ok(next.map(|(next, _)| next))
        })?;
        replaced.into_iter().for_each(Replaced::remove);
        Ok(changed)
    }

    /// The merged notes commit, and whether it has notes that `ours` lacks; `None` if `ours` has them all.
    fn merged_notes(&self, batch: &Batch, ours: Option<Oid>, theirs: Oid) -> Result<Option<(Oid, bool)>> {
        let their_tree = self.repository.commit(theirs)?.tree;
        let Some(ours) = ours else {
            note_union::check(self.repository, None, their_tree)?;
            return Ok(Some((theirs, true)));
        };
        if self.repository.contains(ours, theirs)? {
            return Ok(None);
        }
        let our_tree = self.repository.commit(ours)?.tree;
        note_union::check(self.repository, Some(our_tree), their_tree)?;
        if self.repository.contains(theirs, ours)? {
            return Ok(Some((theirs, our_tree != their_tree)));
        }
        let tree = Union { repository: self.repository, batch }.of(our_tree, their_tree)?;
        if tree == their_tree {
            // The same notes with another history: one history for both, else each side would merge the other's merges for ever.
            return Ok(Some((theirs, our_tree != their_tree)));
        }
        if tree == our_tree {
            return Ok(None);
        }
        let message = format!("Merge the notes of {}\n", self.remote);
        Ok(Some((batch.commit(tree, &[ours, theirs], &message)?, true)))
    }

    fn merge_chain(&self, name: &str, theirs: Oid) -> Result<bool> {
        let mut changed = false;
        self.repository.update_ref(name, &format!("slsart: records of {}", self.remote), |ours| {
            let next = match ours {
                None => theirs,
                Some(ours) if self.repository.contains(ours, theirs)? => return Ok(None),
                Some(ours) if self.repository.contains(theirs, ours)? => theirs,
                Some(ours) => self.join(ours, theirs)?,
            };
            changed = true;
            Ok(Some(next))
        })?;
        Ok(changed)
    }

    /// An empty commit after two records. Every machine that merges the same two gets the same commit, so that two clones that merge at
    /// once agree.
    fn join(&self, one: Oid, other: Oid) -> Result<Oid> {
        let mut parents = [self.repository.commit(one)?, self.repository.commit(other)?];
        parents.sort_by_key(|commit| commit.id);
        let time = parents.iter().map(|commit| commit.time).max().unwrap_or(Timestamp::UNIX_EPOCH);
        self.repository.write_empty_merge(&parents.map(|commit| commit.id), time, "Merge two histories\n")
    }
}
