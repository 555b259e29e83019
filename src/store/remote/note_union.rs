//! Merges two trees of notes: for each commit the lines of both, as `git notes merge --strategy=cat_sort_uniq` does. Where both have the
//! same layout, entries that only one has or that are equal are taken unread.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::git::{Batch, MODE_FILE, MODE_TREE, Oid, Repository, TreeEntry};
use crate::store::ledger::note_tree::{self, DIGITS, MAX_BYTES};

pub(in crate::store) struct Union<'a> {
    pub(in crate::store) repository: &'a Repository,
    pub(in crate::store) batch: &'a Batch,
}

/// Checks what `theirs` would add to `ours`: trees of bounded depth, and notes no larger than a note may be; else
/// [`crate::error::Kind::Integrity`].
pub(in crate::store) fn check(repository: &Repository, ours: Option<Oid>, theirs: Oid) -> Result<()> {
    let commits = note_tree::difference(repository, ours, Some(theirs))?;
    commits.into_iter().try_for_each(|commit| note_tree::read(repository, theirs, commit).map(drop))
}

/// One of two trees of notes at a place: at most one tree, and notes further up, under the remaining digits of their commits' ids.
#[derive(Default, PartialEq, Eq)]
struct Side {
    tree: Option<Oid>,
    notes: Vec<(Vec<u8>, Oid)>,
}

impl Side {
    fn is_empty(&self) -> bool {
        self.tree.is_none() && self.notes.is_empty()
    }

    /// The entries of its tree, and the tree itself under the digits `first`.
    fn entries(self, first: &[u8]) -> impl Iterator<Item = TreeEntry> {
        let tree = self.tree.map(|id| TreeEntry { name: first.to_vec(), id, mode: MODE_TREE });
        let note = |(name, id)| TreeEntry { name, id, mode: MODE_FILE };
        tree.into_iter().chain(self.notes.into_iter().map(note))
    }

    fn below(mut self) -> Self {
        self.notes.iter_mut().for_each(|(name, _)| drop(name.drain(..2)));
        self
    }
}

type Groups = BTreeMap<Vec<u8>, (Side, Side)>;

impl Union<'_> {
    /// Merges `ours` and `theirs`. Entries of `theirs` that are no notes are left out; those of `ours` stay.
    pub(in crate::store) fn of(&self, ours: Oid, theirs: Oid) -> Result<Oid> {
        let side = |tree| Side { tree: Some(tree), notes: Vec::new() };
        self.merged(side(ours), side(theirs), DIGITS)
    }

    /// Merges two sides with `left` remaining digits. If one side has a directory here, the result has it, so that merging again changes
    /// nothing.
    fn merged(&self, ours: Side, theirs: Side, left: usize) -> Result<Oid> {
        let base = ours.tree;
        if theirs.notes.is_empty() && ours.notes.is_empty() && ours.tree == theirs.tree {
            return base.map_or_else(|| self.batch.tree(Vec::new(), None), Ok);
        }
        let mut groups = Groups::new();
        let mut entries = self.spread(ours, left, &mut groups, |sides| &mut sides.0)?;
        self.spread(theirs, left, &mut groups, |sides| &mut sides.1)?;
        for (first, (ours, theirs)) in groups {
            if theirs.is_empty() || ours == theirs {
                entries.extend(ours.entries(&first));
            } else if ours.is_empty() {
                entries.extend(theirs.entries(&first));
            } else if ours.tree.is_none() && theirs.tree.is_none() {
                entries.extend(self.notes(ours.notes, theirs.notes)?);
            } else {
                let id = self.merged(ours.below(), theirs.below(), left - 2)?;
                entries.push(TreeEntry { name: first, id, mode: MODE_TREE });
            }
        }
        self.batch.tree(entries, base)
    }

    /// Distributes a side's entries by the next two digits. Returns the entries of its tree that are neither notes nor directories of
    /// notes.
    fn spread(
        &self,
        side: Side,
        left: usize,
        groups: &mut Groups,
        own: fn(&mut (Side, Side)) -> &mut Side,
    ) -> Result<Vec<TreeEntry>> {
        let mut others = Vec::new();
        for (name, blob) in side.notes {
            own(groups.entry(name[..2].to_vec()).or_default()).notes.push((name, blob));
        }
        for entry in side.tree.map_or(Ok(Vec::new()), |tree| self.repository.read_tree(tree))? {
            let Some(first) = digits(&entry, left) else {
                others.push(entry);
                continue;
            };
            let side = own(groups.entry(first.to_vec()).or_default());
            match entry.mode {
                MODE_TREE => side.tree = Some(entry.id),
                _ => side.notes.push((entry.name, entry.id)),
            }
        }
        groups.values_mut().map(own).for_each(|side| side.notes.sort_unstable());
        Ok(others)
    }

    fn notes(&self, ours: Vec<(Vec<u8>, Oid)>, theirs: Vec<(Vec<u8>, Oid)>) -> Result<Vec<TreeEntry>> {
        let mut notes: BTreeMap<Vec<u8>, Vec<Oid>> = BTreeMap::new();
        for (name, blob) in ours.into_iter().chain(theirs) {
            let blobs = notes.entry(name).or_default();
            if !blobs.contains(&blob) {
                blobs.push(blob);
            }
        }
        let entry = |(name, blobs): (Vec<u8>, Vec<Oid>)| {
            Ok(TreeEntry { name, id: self.note(&blobs)?, mode: MODE_FILE })
        };
        notes.into_iter().map(entry).collect()
    }

    fn note(&self, blobs: &[Oid]) -> Result<Oid> {
        if let [only] = blobs {
            return Ok(*only);
        }
        let texts: Vec<Vec<u8>> =
            blobs.iter().map(|blob| self.repository.read_blob(*blob, MAX_BYTES)).collect::<Result<_>>()?;
        let text = lines_of(&texts);
        if text.len() as u64 > MAX_BYTES {
            return Err(Error::refused(format!(
                "a note would have more than the {MAX_BYTES} bytes that are allowed"
            )));
        }
        self.batch.blob(&text, blobs.first().copied())
    }
}

pub(in crate::store) fn lines_of<T: AsRef<[u8]>>(texts: &[T]) -> Vec<u8> {
    let lines = texts.iter().flat_map(|text| text.as_ref().split(|byte| *byte == b'\n'));
    let mut lines: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    lines.dedup();
    lines.iter().flat_map(|line| [line, &b"\n"[..]]).flatten().copied().collect()
}

/// The first two digits of an entry's name, if it is a directory of notes or a note with `left` digits.
fn digits(entry: &TreeEntry, left: usize) -> Option<&[u8]> {
    let length = entry.name.len();
    let fits = match entry.mode {
        MODE_TREE => length == 2 && left > 2,
        0o160_000 | 0o120_000 => false,
        _ => length == left,
    };
    let is_hexadecimal = entry.name.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (fits && is_hexadecimal).then(|| &entry.name[..2])
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::store::ledger::note_tree::tests::{Wanted, commit, notes, tree_of};

    fn union_of(repository: &Repository, ours: Oid, theirs: Oid) -> Oid {
        let batch = repository.batch().unwrap();
        let tree = Union { repository, batch: &batch }.of(ours, theirs).unwrap();
        batch.finish().unwrap().remove();
        tree
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn every_commit_has_the_lines_of_both_whatever_the_depths(ours in notes(25), theirs in notes(25)) {
            let directory = tempfile::tempdir().unwrap();
            git2::Repository::init_bare(directory.path()).unwrap();
            let repository = Repository::open(directory.path(), None, None).unwrap();
            let mut expected: BTreeMap<String, BTreeSet<Vec<u8>>> = BTreeMap::new();
            for (number, text, _) in ours.iter().chain(&theirs) {
                expected.entry(commit(*number)).or_default().insert(vec![*text]);
            }
            let trees = |notes: &[Wanted]| tree_of(&repository, notes);
            let (Some(ours), Some(theirs)) = (trees(&ours), trees(&theirs)) else { return Ok(()) };
            let tree = union_of(&repository, ours, theirs);
            let commits: Vec<String> =
                crate::store::ledger::note_tree::commits(&repository, tree).unwrap().iter().map(ToString::to_string).collect();
            prop_assert_eq!(&commits, &expected.keys().cloned().collect::<Vec<_>>());
            for (commit, texts) in expected {
                let read = crate::store::ledger::note_tree::read(&repository, tree, Oid::from_str(&commit).unwrap()).unwrap().unwrap();
                let lines: BTreeSet<Vec<u8>> =
                    read.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect();
                prop_assert_eq!(lines, texts);
            }
            // Merging the other way round gives the same, and merging again adds nothing.
            let other = union_of(&repository, theirs, ours);
            prop_assert_eq!(crate::store::ledger::note_tree::difference(&repository, Some(tree), Some(other)).unwrap(), []);
            prop_assert_eq!(union_of(&repository, tree, theirs), tree);
        }
    }
}
