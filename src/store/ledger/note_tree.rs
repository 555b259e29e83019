//! The notes' tree, as git itself lays it out: a note is a blob whose path is the commit's id, split into directories of
//! two digits at any depth. New notes go one directory deep; notes of stock git are found wherever they are.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::git::{Batch, MODE_FILE, MODE_TREE, Oid, Repository, TreeEntry};

pub(in crate::store) const MAX_BYTES: u64 = 16 * 1024 * 1024;
pub(in crate::store) const DIGITS: usize = 40;

/// The text of the note of `commit`, or `None`. A note that is in the tree twice, at two depths, has both texts.
pub(in crate::store) fn read(repository: &Repository, root: Oid, commit: Oid) -> Result<Option<Vec<u8>>> {
    let mut text = None;
    for blob in find(repository, root, &commit.to_string())? {
        let content = repository.read_blob(blob, MAX_BYTES)?;
        let text: &mut Vec<u8> = text.get_or_insert_default();
        text.extend(content);
        if !text.ends_with(b"\n") {
            text.push(b'\n');
        }
    }
    Ok(text)
}

fn find(repository: &Repository, tree: Oid, digits: &str) -> Result<Vec<Oid>> {
    let mut found = Vec::new();
    let directory = digits.get(..2).filter(|_| digits.len() > 2).map(str::as_bytes);
    for name in [Some(digits.as_bytes()), directory].into_iter().flatten() {
        let Some(entry) = repository.tree_entry(tree, name)? else { continue };
        match entry.mode {
            MODE_TREE if digits.len() > 2 => found.extend(find(repository, entry.id, &digits[2..])?),
            MODE_TREE => {}
            _ => found.push(entry.id),
        }
    }
    Ok(found)
}

/// A tree like `root` with these texts as the notes of these commits, wherever they were before.
pub(in crate::store) fn insert<'t>(
    repository: &Repository,
    batch: &Batch,
    root: Option<Oid>,
    notes: impl IntoIterator<Item = (Oid, &'t [u8])>,
) -> Result<Oid> {
    let blob = |(commit, text): (Oid, &[u8])| Ok((commit.to_string(), batch.blob(text, None)?));
    let blobs = notes.into_iter().map(blob).collect::<Result<BTreeMap<_, _>>>()?;
    let blobs: Vec<_> = blobs.iter().map(|(digits, blob)| (digits.as_str(), *blob)).collect();
    place(repository, batch, root, &blobs, 0)
}

/// Puts blobs, sorted by their digits, into the tree of this level: into a directory of the next two digits if there is one or this is the
/// top, else here.
fn place(
    repository: &Repository,
    batch: &Batch,
    tree: Option<Oid>,
    blobs: &[(&str, Oid)],
    depth: usize,
) -> Result<Oid> {
    let entries = tree.map(|tree| repository.read_tree(tree)).transpose()?.unwrap_or_default();
    let find = |name: &str| entries.iter().find(|entry| entry.name == name.as_bytes());
    let mut changes = Vec::new();
    for group in blobs.chunk_by(|(one, _), (other, _)| one[..2] == other[..2]) {
        let name = &group[0].0[..2];
        let directory = find(name).filter(|entry| entry.mode == MODE_TREE && group[0].0.len() > 2);
        if directory.is_none() && depth > 0 {
            let entry = |name: &str, id| TreeEntry { name: name.into(), id, mode: MODE_FILE };
            changes.extend(group.iter().map(|(digits, blob)| (*digits, Some(entry(digits, *blob)))));
            continue;
        }
        let rest: Vec<_> = group.iter().map(|(digits, blob)| (&digits[2..], *blob)).collect();
        let below = place(repository, batch, directory.map(|entry| entry.id), &rest, depth + 1)?;
        changes.push((name, Some(TreeEntry { name: name.into(), id: below, mode: MODE_TREE })));
        changes.extend(
            group.iter().filter(|(digits, _)| find(digits).is_some()).map(|(digits, _)| (*digits, None)),
        );
    }
    repository.edit_tree(batch, tree, &changes)
}

/// A tree of notes, each the blob of its commit, one directory deep.
pub(in crate::store) fn tree_of(batch: &Batch, notes: &[(Oid, Oid)]) -> Result<Oid> {
    let mut directories: BTreeMap<String, Vec<TreeEntry>> = BTreeMap::new();
    for (commit, blob) in notes {
        let digits = commit.to_string();
        let (directory, name) = digits.split_at(2);
        let entry = TreeEntry { name: name.into(), id: *blob, mode: MODE_FILE };
        directories.entry(directory.to_owned()).or_default().push(entry);
    }
    let directory = |(name, entries): (String, Vec<TreeEntry>)| {
        Ok(TreeEntry { name: name.into_bytes(), id: batch.tree(entries, None)?, mode: MODE_TREE })
    };
    batch.tree(directories.into_iter().map(directory).collect::<Result<_>>()?, None)
}

/// Most entries of trees that are read to list all notes.
const MAX_LISTED: usize = 1_000_000;

/// The commits that have a note, in no order.
pub(in crate::store) fn commits(repository: &Repository, root: Oid) -> Result<Vec<Oid>> {
    commits_within(repository, root, MAX_LISTED)
}

fn commits_within(repository: &Repository, root: Oid, most: usize) -> Result<Vec<Oid>> {
    let mut commits = Vec::new();
    let mut pending = vec![(String::new(), root)];
    let (mut read, mut trees) = (0, 0);
    while let Some((prefix, tree)) = pending.pop() {
        let entries = repository.read_tree(tree)?;
        read += entries.len();
        trees += 1;
        // Forged directories without a note in them would never end.
        if read > most || trees > DIGITS * (commits.len() + DIGITS) {
            return Err(without_end());
        }
        for entry in entries {
            let Ok(name) = std::str::from_utf8(&entry.name) else { continue };
            let digits = format!("{prefix}{name}");
            if entry.mode == MODE_TREE && name.len() == 2 && digits.len() < DIGITS {
                pending.push((digits, entry.id));
            } else if digits.len() == DIGITS
                && let Ok(commit) = Oid::from_str(&digits)
            {
                commits.push(commit);
            }
        }
    }
    commits.sort_unstable();
    commits.dedup();
    Ok(commits)
}

/// Most tree entries that are read in a comparison: a remote's may be forged without end.
pub(in crate::store) const MAX_ENTRIES: usize = 4_000_000;

/// The commits whose notes differ between two notes' trees, in the order of their ids; `None` is a tree without notes. Reads only what
/// differs; a note at another depth is the same note.
pub(in crate::store) fn difference(
    repository: &Repository,
    ours: Option<Oid>,
    theirs: Option<Oid>,
) -> Result<Vec<Oid>> {
    difference_within(repository, ours, theirs, MAX_ENTRIES)
}

fn difference_within(
    repository: &Repository,
    ours: Option<Oid>,
    theirs: Option<Oid>,
    most: usize,
) -> Result<Vec<Oid>> {
    let side = |root: Option<Oid>| Side { trees: root.into_iter().collect(), notes: Vec::new() };
    let mut pending = vec![(String::new(), side(ours), side(theirs))];
    let mut differing = Vec::new();
    let mut read = 0;
    while let Some((prefix, mut ours, mut theirs)) = pending.pop() {
        ours.sort();
        theirs.sort();
        if ours == theirs {
            continue;
        }
        if ours.trees.is_empty() && theirs.trees.is_empty() {
            differing.extend(ours.differing(&theirs).filter_map(|rest| commit_at(&prefix, rest)));
            continue;
        }
        if read > most {
            return Err(without_end());
        }
        let mut deeper = Deeper::new();
        read += ours.spread(repository, prefix.len(), &mut deeper, |sides| &mut sides.0)?;
        read += theirs.spread(repository, prefix.len(), &mut deeper, |sides| &mut sides.1)?;
        pending.extend(
            deeper.into_iter().map(|(digits, (ours, theirs))| (prefix.clone() + &digits, ours, theirs)),
        );
    }
    differing.sort_unstable();
    differing.dedup();
    Ok(differing)
}

/// One of two notes' trees, below some digits.
#[derive(Debug, Default, PartialEq, Eq)]
struct Side {
    trees: Vec<Oid>,
    /// Notes further up: the remaining digits of their commits, and their blobs.
    notes: Vec<(String, Oid)>,
}

type Deeper = BTreeMap<String, (Side, Side)>;

impl Side {
    fn sort(&mut self) {
        self.trees.sort_unstable();
        self.notes.sort_unstable();
    }

    /// The digits of notes that only one of the sorted sides has.
    fn differing<'s>(&'s self, other: &'s Self) -> impl Iterator<Item = &'s str> {
        let lacks = |side: &'s Self, note: &(String, Oid)| side.notes.binary_search(note).is_err();
        let ours = self.notes.iter().filter(move |note| lacks(other, note));
        let theirs = other.notes.iter().filter(move |note| lacks(self, note));
        ours.chain(theirs).map(|(digits, _)| digits.as_str())
    }

    /// Reads its trees, which are below `above` digits, and distributes their entries by the next two digits. Returns how many there were.
    fn spread(
        self,
        repository: &Repository,
        above: usize,
        deeper: &mut Deeper,
        own: fn(&mut (Self, Self)) -> &mut Self,
    ) -> Result<usize> {
        let mut notes = self.notes;
        let mut count = notes.len();
        for tree in self.trees {
            for entry in repository.read_tree(tree)? {
                count += 1;
                let Ok(name) = String::from_utf8(entry.name) else { continue };
                let has_digits = name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                match (entry.mode, name.len()) {
                    (MODE_TREE, 2) if has_digits && above + 2 < DIGITS => {
                        own(deeper.entry(name).or_default()).trees.push(entry.id);
                    }
                    (MODE_TREE, _) => {}
                    (_, length) if has_digits && above + length == DIGITS => notes.push((name, entry.id)),
                    _ => {}
                }
            }
        }
        for (digits, blob) in notes {
            let (next, rest) = digits.split_at(digits.len().min(2));
            own(deeper.entry(next.to_owned()).or_default()).notes.push((rest.to_owned(), blob));
        }
        Ok(count)
    }
}

fn without_end() -> Error {
    Error::integrity("the notes' trees are larger than any that this program writes")
}

fn commit_at(prefix: &str, rest: &str) -> Option<Oid> {
    Oid::from_str(&format!("{prefix}{rest}")).ok()
}

#[cfg(test)]
pub(in crate::store) mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::git::TreeDraft;

    pub(in crate::store) type Wanted = (u8, u8, usize);

    pub(in crate::store) fn commit(number: u8) -> String {
        // Many share their first digits, so that trees have several entries.
        format!("{:02x}{:02x}", number % 3, number % 5) + &format!("{number:02x}").repeat(18)
    }

    pub(in crate::store) fn tree_of(repository: &Repository, notes: &[Wanted]) -> Option<Oid> {
        let batch = repository.batch().unwrap();
        let mut draft = TreeDraft::default();
        for (number, text, depth) in notes {
            let digits = commit(*number);
            let (above, rest) = digits.split_at(depth * 2);
            let directories: String =
                above.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair) + "/").collect();
            let blob = batch.blob(&[*text], None).unwrap();
            draft.insert(&format!("{directories}{rest}"), blob, MODE_FILE);
        }
        draft.insert("ab/not a note", batch.blob(b"x", None).unwrap(), MODE_FILE);
        let tree = draft.write(&batch, repository, None).unwrap();
        batch.finish().unwrap().remove();
        (!notes.is_empty()).then_some(tree)
    }

    fn held(notes: &[Wanted]) -> BTreeSet<(u8, u8)> {
        notes.iter().map(|(number, text, _)| (*number, *text)).collect()
    }

    pub(in crate::store) fn notes(most: usize) -> impl Strategy<Value = Vec<Wanted>> {
        prop::collection::vec((0..40_u8, 0..3_u8, 0..5_usize), 0..most).prop_map(|mut notes| {
            // One note a commit.
            notes.sort_unstable();
            notes.dedup_by_key(|note| note.0);
            notes
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn what_differs_is_found_whatever_the_depths(ours in notes(20), theirs in notes(20), shared in notes(10)) {
            let directory = tempfile::tempdir().unwrap();
            git2::Repository::init_bare(directory.path()).unwrap();
            let repository = Repository::open(directory.path(), None, None).unwrap();
            let with_shared = |own: Vec<Wanted>| {
                let fits = |note: &Wanted| shared.iter().all(|(number, ..)| *number != note.0);
                own.into_iter().filter(fits).chain(shared.clone()).collect::<Vec<_>>()
            };
            let (ours, theirs) = (with_shared(ours), with_shared(theirs));
            let differing: BTreeSet<String> = held(&ours)
                .symmetric_difference(&held(&theirs))
                .map(|(number, _)| commit(*number))
                .collect();
            let found =
                difference(&repository, tree_of(&repository, &ours), tree_of(&repository, &theirs)).unwrap();
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            prop_assert_eq!(found, differing.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_note_that_stands_twice_differs_from_one_of_them() {
        let directory = tempfile::tempdir().unwrap();
        git2::Repository::init_bare(directory.path()).unwrap();
        let repository = Repository::open(directory.path(), None, None).unwrap();
        let both = tree_of(&repository, &[(7, 1, 0), (7, 2, 1), (8, 1, 1)]);
        let one = tree_of(&repository, &[(7, 1, 2), (8, 1, 3)]);
        let found = difference(&repository, both, one).unwrap();
        assert_eq!(found, [Oid::from_str(&commit(7)).unwrap()]);
        assert_eq!(difference(&repository, both, both).unwrap(), []);
        assert_eq!(difference(&repository, None, None).unwrap(), []);
        assert_eq!(difference(&repository, None, one).unwrap().len(), 2);
    }

    #[test]
    fn trees_without_an_end_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        git2::Repository::init_bare(directory.path()).unwrap();
        let repository = Repository::open(directory.path(), None, None).unwrap();
        let batch = repository.batch().unwrap();
        let mut tree = batch.tree(vec![], None).unwrap();
        for _ in 0..19 {
            let entry =
                |name: u8| TreeEntry { name: format!("{name:02x}").into_bytes(), id: tree, mode: MODE_TREE };
            tree = batch.tree((0..=255).map(entry).collect(), None).unwrap();
        }
        batch.finish().unwrap().remove();
        let error = difference_within(&repository, Some(tree), None, 10_000).unwrap_err();
        assert_eq!(error.kind, crate::error::Kind::Integrity);
        let error = commits_within(&repository, tree, 10_000).unwrap_err();
        assert_eq!(error.kind, crate::error::Kind::Integrity);
    }
}
