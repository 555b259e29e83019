//! Two trees of notes as one: for each commit the lines of both, as `git notes merge --strategy=cat_sort_uniq` has it. Where
//! they are laid out alike, what only one of them has or both have alike is taken as it is, unread.

use std::collections::BTreeMap;

use super::notes::{DIGITS, MOST_BYTES};
use crate::error::{Error, Result};
use crate::git::{Batch, MODE_FILE, MODE_TREE, Oid, Repository, TreeEntry};

/// Writes trees of notes that have the lines of two.
pub(super) struct Union<'a> {
    pub(super) repository: &'a Repository,
    pub(super) batch: &'a Batch,
}

/// The entries of a tree that begin with the same two digits: at most one directory, and notes.
#[derive(Default)]
struct Group {
    ours: Vec<TreeEntry>,
    theirs: Vec<TreeEntry>,
}

impl Union<'_> {
    /// A tree with the notes of `ours` and `theirs`. What in `theirs` is no note is left out; in `ours` it stays.
    pub(super) fn of(&self, ours: Oid, theirs: Oid) -> Result<Oid> {
        self.trees(ours, theirs, DIGITS)
    }

    /// Two trees that stand at the same place, where `left` digits of the commits' ids are left.
    fn trees(&self, ours: Oid, theirs: Oid, left: usize) -> Result<Oid> {
        if ours == theirs {
            return Ok(ours);
        }
        let mut entries = Vec::new();
        let mut groups: BTreeMap<Vec<u8>, Group> = BTreeMap::new();
        for entry in self.repository.read_tree(ours)? {
            match digits(&entry, left) {
                Some(first) => groups.entry(first.to_vec()).or_default().ours.push(entry),
                None => entries.push(entry),
            }
        }
        for entry in self.repository.read_tree(theirs)? {
            if let Some(first) = digits(&entry, left).map(<[u8]>::to_vec) {
                groups.entry(first).or_default().theirs.push(entry);
            }
        }
        for (first, group) in groups {
            entries.extend(self.group(&first, group, left)?);
        }
        self.batch.tree(entries, Some(ours))
    }

    fn group(&self, first: &[u8], group: Group, left: usize) -> Result<Vec<TreeEntry>> {
        let Group { ours, theirs } = group;
        if theirs.is_empty() || ours == theirs {
            return Ok(ours);
        }
        if ours.is_empty() {
            return Ok(theirs);
        }
        if let ([TreeEntry { mode: MODE_TREE, id, name }], [TreeEntry { mode: MODE_TREE, id: other, .. }]) =
            (&ours[..], &theirs[..])
        {
            let id = self.trees(*id, *other, left - 2)?;
            return Ok(vec![TreeEntry { name: name.clone(), id, mode: MODE_TREE }]);
        }
        let is_flat = ours.iter().chain(&theirs).all(|entry| entry.mode != MODE_TREE);
        let mut notes: BTreeMap<Vec<u8>, Vec<Oid>> = BTreeMap::new();
        for entry in ours.iter().chain(&theirs) {
            self.flatten(&[], entry, left, &mut notes)?;
        }
        // Laid out in two ways: one directory for them all, as at the top everywhere.
        let skipped = if is_flat { 0 } else { first.len() };
        let mut entries = Vec::with_capacity(notes.len());
        for (name, blobs) in notes {
            let id = self.note(&blobs)?;
            entries.push(TreeEntry { name: name[skipped..].to_vec(), id, mode: MODE_FILE });
        }
        if is_flat {
            return Ok(entries);
        }
        let id = self.batch.tree(entries, None)?;
        Ok(vec![TreeEntry { name: first.to_vec(), id, mode: MODE_TREE }])
    }

    /// Adds the notes of `entry` under the digits that are left of their commits' ids.
    fn flatten(
        &self,
        before: &[u8],
        entry: &TreeEntry,
        left: usize,
        notes: &mut BTreeMap<Vec<u8>, Vec<Oid>>,
    ) -> Result<()> {
        let name = [before, &entry.name].concat();
        if entry.mode != MODE_TREE {
            let blobs = notes.entry(name).or_default();
            if !blobs.contains(&entry.id) {
                blobs.push(entry.id);
            }
            return Ok(());
        }
        for below in self.repository.read_tree(entry.id)? {
            if digits(&below, left - 2).is_some() {
                self.flatten(&name, &below, left - 2, notes)?;
            }
        }
        Ok(())
    }

    fn note(&self, blobs: &[Oid]) -> Result<Oid> {
        if let [only] = blobs {
            return Ok(*only);
        }
        let texts: Vec<Vec<u8>> =
            blobs.iter().map(|blob| self.repository.read_blob(*blob, MOST_BYTES)).collect::<Result<_>>()?;
        let text = lines_of(&texts);
        if text.len() as u64 > MOST_BYTES {
            return Err(Error::refused(format!(
                "a note would have more than the {MOST_BYTES} bytes it may have"
            )));
        }
        self.batch.blob(&text, blobs.first().copied())
    }
}

/// The lines of all texts, each once, sorted; empty ones left out.
pub(super) fn lines_of<T: AsRef<[u8]>>(texts: &[T]) -> Vec<u8> {
    let lines = texts.iter().flat_map(|text| text.as_ref().split(|byte| *byte == b'\n'));
    let mut lines: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    lines.dedup();
    lines.iter().flat_map(|line| [line, &b"\n"[..]]).flatten().copied().collect()
}

/// The first two digits of an entry's name, where it is a directory of notes or a note with `left` digits.
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
