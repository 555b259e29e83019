//! What a remote is known to have, and how that becomes part of what is here: notes line by line, chains of records by
//! merging. Nothing here talks to a remote, and no ref of ours is ever moved to where it loses something.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use crate::error::Result;
use crate::git::pack::Replaced;
use crate::git::transfer::Update;
use crate::git::{Batch, Oid};
use crate::store::codec::lfs;
use crate::store::ledger::note_line::PackageLine;
use crate::store::ledger::note_tree;
use crate::store::ledger::pruning::{self, Key};
use crate::store::names;
use crate::store::names::CHAINS;
use crate::store::remote::note_union::{self, Union};
use crate::store::{Found, NOTES_REF, Note, Store};

/// What came of integrating what a remote has.
#[derive(Debug, Default, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Integrated {
    /// Whether notes of it are new here.
    pub notes: bool,
    /// The chains that have something new, as their refs' names.
    pub chains: Vec<String>,
}

impl Integrated {
    /// Whether there was anything new.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.notes && self.chains.is_empty()
    }
}

/// What a fetch of notes and records from `remote` is to bring, and where it goes: refs that only follow the remote's.
#[must_use]
pub fn refspecs(remote: &str) -> Vec<String> {
    // With `*`, since a ref that is named and not there is an error to git.
    let notes = format!("+{NOTES_REF}*:{}*", names::tracked_notes(remote));
    std::iter::once(notes).chain(record_refspecs(remote)).collect()
}

/// The same, of records alone.
#[must_use]
pub fn record_refspecs(remote: &str) -> Vec<String> {
    CHAINS.iter().map(|prefix| format!("+{prefix}*:{}*", names::tracked(remote, prefix))).collect()
}

/// The ref that a toolchain or package is fetched to: the same as the remote's, which never moves one that is here.
#[must_use]
pub fn refspec_of(name: &str) -> String {
    format!("{name}:{name}")
}

impl Store<'_> {
    /// Makes what was fetched from `remote` part of what is here.
    pub fn integrate(&self, remote: &str) -> Result<Integrated> {
        let mut done = Integrated::default();
        if let Some(theirs) = self.repository.ref_target(&names::tracked_notes(remote))? {
            done.notes = self.integrate_notes(remote, theirs)?;
        }
        done.chains = self.integrate_records(remote)?.chains;
        Ok(done)
    }

    /// The same, of records alone.
    pub fn integrate_records(&self, remote: &str) -> Result<Integrated> {
        let mut done = Integrated::default();
        for (name, theirs) in self.tracked_chains(remote)? {
            if self.integrate_chain(remote, &name, theirs)? {
                done.chains.push(name);
            }
        }
        Ok(done)
    }

    /// The chains of `remote`, by the names that they have there and here.
    fn tracked_chains(&self, remote: &str) -> Result<Vec<(String, Oid)>> {
        let mut chains = Vec::new();
        for prefix in CHAINS {
            let tracked = names::tracked(remote, prefix);
            for (name, tip) in self.repository.refs_matching(&tracked)? {
                chains.extend(name.strip_prefix(&tracked).map(|rest| (format!("{prefix}{rest}"), tip)));
            }
        }
        Ok(chains)
    }

    fn integrate_notes(&self, remote: &str, theirs: Oid) -> Result<bool> {
        let batch = self.repository.batch()?;
        let (mut replaced, mut changed) = (None, false);
        self.repository.update_ref(NOTES_REF, &format!("slsart: notes of {remote}"), |ours| {
            let next = self.merged_notes(&batch, ours, theirs, remote)?;
            changed = next.is_some_and(|(_, changed)| changed);
            if next.is_some() {
                replaced = Some(batch.finish()?);
            }
            Ok(next.map(|(next, _)| next))
        })?;
        replaced.into_iter().for_each(Replaced::remove);
        Ok(changed)
    }

    /// The notes commit to go to, and whether it has notes that `ours` has not; `None` where `ours` has it all.
    fn merged_notes(
        &self,
        batch: &Batch,
        ours: Option<Oid>,
        theirs: Oid,
        remote: &str,
    ) -> Result<Option<(Oid, bool)>> {
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
            // The same notes by another way: one history for both, else each would merge the other's merges for ever.
            return Ok(Some((theirs, our_tree != their_tree)));
        }
        if tree == our_tree {
            return Ok(None);
        }
        let message = format!("Merge the notes of {remote}\n");
        Ok(Some((batch.commit(tree, &[ours, theirs], &message)?, true)))
    }

    fn integrate_chain(&self, remote: &str, name: &str, theirs: Oid) -> Result<bool> {
        let mut changed = false;
        self.repository.update_ref(name, &format!("slsart: records of {remote}"), |ours| {
            let next = match ours {
                None => theirs,
                Some(ours) if self.repository.contains(ours, theirs)? => return Ok(None),
                Some(ours) if self.repository.contains(theirs, ours)? => theirs,
                Some(ours) => self.merge_records(ours, theirs)?,
            };
            changed = true;
            Ok(Some(next))
        })?;
        Ok(changed)
    }

    /// A commit that comes after two records and has nothing of its own. Whoever merges the same two gets the same commit, so
    /// that two clones that do so at once agree.
    fn merge_records(&self, one: Oid, other: Oid) -> Result<Oid> {
        let mut parents = [self.repository.commit(one)?, self.repository.commit(other)?];
        parents.sort_by_key(|commit| commit.id);
        let time = parents.iter().map(|commit| commit.time).max().unwrap_or(Timestamp::UNIX_EPOCH);
        self.repository.write_empty_merge(&parents.map(|commit| commit.id), time, "Merge two histories\n")
    }

    /// The packages whose content is here and that `remote` is not known to have: which only this machine may have.
    pub fn only_here(&self, remote: &str) -> Result<Vec<Found>> {
        let ours = self.notes_tree()?;
        let theirs = self.tree_of(self.repository.ref_target(&names::tracked_notes(remote))?)?;
        let differing = note_tree::difference(self.repository, ours, theirs)?;
        if differing.is_empty() {
            return Ok(Vec::new());
        }
        let here = self.package_refs()?;
        let mut found = Vec::new();
        for commit in differing {
            let note =
                |tree: Option<Oid>| tree.map_or(Ok(Note::default()), |tree| self.note_in(tree, commit));
            let known = note(theirs)?.packages;
            for line in note(ours)?.packages {
                if !known.iter().any(|known| known.is_same(&line))
                    && here.contains_key(&(commit, line.package))
                {
                    found.push(Found { commit, line });
                }
            }
        }
        Ok(found)
    }

    /// The packages that `remote` is known to have and whose content is not here.
    pub fn only_there(&self, remote: &str) -> Result<Vec<Found>> {
        let Some(tip) = self.repository.ref_target(&names::tracked_notes(remote))? else {
            return Ok(Vec::new());
        };
        let root = self.repository.commit(tip)?.tree;
        let here = self.package_refs()?;
        let mut found = Vec::new();
        for commit in note_tree::commits(self.repository, root)? {
            for line in self.note_in(root, commit)?.packages {
                if !here.contains_key(&(commit, line.package)) {
                    found.push(Found { commit, line });
                }
            }
        }
        Ok(found)
    }

    /// Whether `remote` is known to have the package.
    pub fn is_known_at(&self, remote: &str, found: &Found) -> Result<bool> {
        let Some(tip) = self.repository.ref_target(&names::tracked_notes(remote))? else { return Ok(false) };
        let root = self.repository.commit(tip)?.tree;
        Ok(self.note_in(root, found.commit)?.packages.iter().any(|line| line.is_same(&found.line)))
    }

    /// The ref of a package that a note tells of.
    #[must_use]
    pub fn ref_of(&self, found: &Found) -> String {
        pruning::ref_of(found.key())
    }

    /// Whether a package that a note tells of is here.
    pub fn is_here(&self, found: &Found) -> Result<bool> {
        self.has_package(found.commit, found.line.package)
    }

    /// The names of the package refs of `remote`.
    ///
    /// # Errors
    /// When it can't be reached.
    pub fn package_refs_on(&self, remote: &str) -> Result<Vec<String>> {
        let refs = self.repository.remote_refs(remote, &format!("{}*", names::PACKAGES))?;
        Ok(refs.into_iter().map(|(name, _)| name).collect())
    }

    /// What `remote` is to be told of notes, once it has the packages `sent`: its own notes with their lines, and with the lines
    /// of ours that are of no package. `None` where it has them all.
    pub fn notes_for(&self, remote: &str, sent: &[Found], gone: &HashSet<Key>) -> Result<Option<Update>> {
        let name = names::tracked_notes(remote);
        let (ours, theirs) = (self.repository.ref_target(NOTES_REF)?, self.repository.ref_target(&name)?);
        let Some(ours) = ours else { return Ok(None) };
        let (our_tree, their_tree) = (self.tree_of(Some(ours))?, self.tree_of(theirs)?);
        let Some(added) = self.lines_to_tell(our_tree, their_tree, sent, gone)? else { return Ok(None) };
        let batch = self.repository.batch()?;
        let tree = match their_tree {
            Some(their_tree) => Union { repository: self.repository, batch: &batch }.of(their_tree, added)?,
            None => added,
        };
        if Some(tree) == their_tree {
            return Ok(None);
        }
        let follows = theirs.map_or(Ok(true), |theirs| self.repository.contains(ours, theirs))?;
        let new = if Some(tree) == our_tree && follows {
            ours
        } else {
            batch.commit(tree, theirs.as_slice(), "Packages of another clone\n")?
        };
        batch.finish()?.remove();
        Ok(Some(Update { name: NOTES_REF.to_owned(), new: Some(new), old: theirs }))
    }

    fn tree_of(&self, commit: Option<Oid>) -> Result<Option<Oid>> {
        commit.map(|commit| Ok(self.repository.commit(commit)?.tree)).transpose()
    }

    /// A tree of notes with the lines that the remote lacks and is to have.
    fn lines_to_tell(
        &self,
        ours: Option<Oid>,
        theirs: Option<Oid>,
        sent: &[Found],
        gone: &HashSet<Key>,
    ) -> Result<Option<Oid>> {
        let batch = self.repository.batch()?;
        let sent: HashSet<(Oid, String)> =
            sent.iter().map(|found| (found.commit, found.line.to_string())).collect();
        let mut entries = Vec::new();
        for commit in note_tree::difference(self.repository, ours, theirs)? {
            let text = |tree: Option<Oid>| match tree {
                Some(tree) => note_tree::read(self.repository, tree, commit).map(Option::unwrap_or_default),
                None => Ok(Vec::new()),
            };
            let known = text(theirs)?;
            let known: BTreeSet<&[u8]> = known.split(|byte| *byte == b'\n').collect();
            let packages =
                crate::store::parse_note(&known.iter().copied().collect::<Vec<_>>().join(&b'\n')).packages;
            let mine = text(ours)?;
            let is_to_be_told = |line: &&[u8]| {
                let package =
                    std::str::from_utf8(line).ok().and_then(|line| line.parse::<PackageLine>().ok());
                let is_new = !line.is_empty() && !known.contains(line);
                is_new
                    && package.is_none_or(|line| {
                        // That a package was pruned here is no reason for the remote not to have it.
                        let may_go = line.pruned.is_none() || gone.contains(&(commit, line.package));
                        let is_known = || packages.iter().any(|known| known.is_same(&line));
                        sent.contains(&(commit, line.to_string())) || may_go && is_known()
                    })
            };
            let lines: Vec<&[u8]> = mine.split(|byte| *byte == b'\n').filter(is_to_be_told).collect();
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

    /// The records that `remote` is to be told of: each chain of ours that has some that it lacks.
    pub fn chains_for(&self, remote: &str) -> Result<Vec<Update>> {
        let theirs: HashMap<String, Oid> = self.tracked_chains(remote)?.into_iter().collect();
        let mut updates = Vec::new();
        for prefix in CHAINS {
            for (name, ours) in self.repository.refs_matching(prefix)? {
                let old = theirs.get(&name).copied();
                // What was fetched and is not merged yet must not be lost there.
                let follows = old.map_or(Ok(true), |old| self.repository.contains(ours, old))?;
                if old != Some(ours) && follows {
                    updates.push(Update { name, new: Some(ours), old });
                }
            }
        }
        Ok(updates)
    }

    /// How many LFS objects no remote is known to have, and how many bytes that are.
    #[must_use]
    pub fn lfs_only_here(&self) -> (usize, u64) {
        lfs::objects::kept(self.repository)
    }

    /// Whether anything is known of the notes of `remote`.
    pub fn knows_notes_of(&self, remote: &str) -> Result<bool> {
        Ok(self.repository.ref_target(&names::tracked_notes(remote))?.is_some())
    }

    /// The chains with records that `remote` is not known to have, as their refs' names.
    pub fn chains_only_here(&self, remote: &str) -> Result<Vec<String>> {
        let tracked = CHAINS.map(|prefix| names::tracked(remote, prefix));
        let patterns: Vec<&str> = CHAINS.into_iter().chain(tracked.iter().map(String::as_str)).collect();
        let refs: BTreeMap<String, Oid> = self.repository.refs_matching_any(&patterns)?.into_iter().collect();
        let theirs = |name: &str| refs.get(&names::tracked_of(remote, name)?).copied();
        // Theirs may be the longer one.
        let lacks = |name: &str, ours: Oid| {
            theirs(name).is_none_or(|theirs| !self.repository.contains(theirs, ours).unwrap_or(false))
        };
        let ours = refs.iter().filter(|(name, _)| CHAINS.iter().any(|prefix| name.starts_with(prefix)));
        Ok(ours.filter(|(name, ours)| lacks(name, **ours)).map(|(name, _)| name.clone()).collect())
    }

    /// Takes note of what `remote` has now.
    pub fn has_now(&self, remote: &str, update: &Update) -> Result<()> {
        let Some(tracked) = names::tracked_of(remote, &update.name) else { return Ok(()) };
        self.repository.update_ref(&tracked, &format!("slsart: pushed to {remote}"), |_| Ok(update.new))
    }
}
