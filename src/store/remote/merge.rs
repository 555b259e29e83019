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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::git::Repository;
    use crate::package::manifest::tests::sample;
    use crate::store::ledger::bans::BanState;
    use crate::store::ledger::marks::{Mark, Marks};
    use crate::store::names;

    /// Three clones of one chain, all in one repository: the chain's ref is that of the clone that acts.
    struct Clones<'r> {
        repository: &'r Repository,
        tips: [Option<Oid>; 3],
        /// What each should know: its records, and those of them that no other follows, with whether they ban.
        known: [BTreeSet<usize>; 3],
        newest: [BTreeSet<(usize, bool)>; 3],
    }

    impl Clones<'_> {
        fn name() -> String {
            names::mark(names::BANS, &"1".repeat(40), sample().package.id)
        }

        fn set(&self, name: &str, tip: Option<Oid>) {
            let Some(tip) = tip else { return };
            self.repository.update_ref(name, "test", |_| Ok(Some(tip))).unwrap();
        }

        /// Lets a clone act. One that has no chain yet has no ref.
        fn act(&mut self, clone: usize, act: impl FnOnce(&Repository)) {
            match self.tips[clone] {
                Some(_) => self.set(&Self::name(), self.tips[clone]),
                None => self.repository.delete_ref(&Self::name()).unwrap(),
            }
            act(self.repository);
            self.tips[clone] = self.repository.ref_target(&Self::name()).unwrap();
        }

        fn append(&mut self, clone: usize, number: usize, is_ban: bool) {
            let mark = Mark {
                format: 1,
                state: if is_ban { BanState::Banned } else { BanState::Lifted },
                commit: "1".repeat(40),
                package: sample().package.id,
                by: "Dana <dana@example.com>".to_owned(),
                at: Timestamp::UNIX_EPOCH,
                reason: Some(number.to_string()),
            };
            self.act(clone, |repository| Marks::new(repository).append(&mark).unwrap());
            self.known[clone].insert(number);
            self.newest[clone] = BTreeSet::from([(number, is_ban)]);
        }

        fn merge(&mut self, clone: usize, from: usize) {
            let tracked = Self::name().replace(names::BANS, &names::tracked("origin", names::BANS));
            let Some(tip) = self.tips[from] else { return };
            self.set(&tracked, Some(tip));
            self.act(clone, |repository| drop(Tracking::new(repository, "origin").merge_records().unwrap()));
            let is_newest = |one: &(usize, bool), at: usize| {
                !self.known[at].contains(&one.0) || self.newest[at].contains(one)
            };
            let ours = self.newest[clone].iter().filter(|one| is_newest(one, from));
            let theirs = self.newest[from].iter().filter(|one| is_newest(one, clone));
            let newest = ours.chain(theirs).copied().collect();
            let known = self.known[from].clone();
            self.newest[clone] = newest;
            self.known[clone].extend(known);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn a_ban_holds_until_a_record_that_knew_it_lifts_it(
            steps in prop::collection::vec((0..3_usize, 0..4_usize, 0..3_usize), 0..12),
        ) {
            let directory = tempfile::tempdir().unwrap();
            let made = git2::Repository::init_bare(directory.path()).unwrap();
            let mut config = made.config().unwrap();
            config.set_str("user.name", "Dana").unwrap();
            config.set_str("user.email", "dana@example.com").unwrap();
            let repository = Repository::open(directory.path(), None, None).unwrap();
            let mut clones = Clones {
                repository: &repository,
                tips: [None; 3],
                known: Default::default(),
                newest: Default::default(),
            };
            for (number, (clone, step, from)) in steps.into_iter().enumerate() {
                match step {
                    0 => clones.append(clone, number, true),
                    1 => clones.append(clone, number, false),
                    _ if clone == from => {}
                    _ => clones.merge(clone, from),
                }
            }
            let id = (Oid::from_str(&"1".repeat(40)).unwrap(), sample().package.id);
            for clone in 0..3 {
                let expected = clones.newest[clone].iter().any(|(_, is_ban)| *is_ban);
                let mut found = None;
                clones.act(clone, |repository| {
                    found = Marks::<BanState>::new(repository).of(id.0, id.1).unwrap();
                });
                prop_assert_eq!(found.is_some(), expected, "clone {}: {:?}", clone, clones.newest);
            }
            // Two that fetch from each other at once have the same chain.
            let before = clones.tips;
            clones.merge(0, 1);
            let one = clones.tips[0];
            clones.tips = before;
            clones.merge(1, 0);
            if before[0].is_some() && before[1].is_some() {
                prop_assert_eq!(one, clones.tips[1]);
            }
        }
    }
}
