//! The notes' tree, as git itself lays it out: a note is a blob whose path is the commit's id, split into directories of
//! two digits at any depth. New notes go one directory deep; notes of stock git are found wherever they are.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::git::{Batch, MODE_FILE, MODE_TREE, Oid, Repository, TreeEntry};

/// Most bytes a note may have: many thousand packages of one commit.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// The text of the note of `commit`, or `None`. A note that stands in the tree twice, at two depths, is both its texts.
pub(super) fn read(repository: &Repository, root: Oid, commit: Oid) -> Result<Option<Vec<u8>>> {
    let mut text = None;
    for blob in find(repository, root, &commit.to_string())? {
        let content = repository.read_blob(blob, MOST_BYTES)?;
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

/// A tree like `root` in which the notes of these commits are these texts, wherever they stood before.
pub(super) fn insert<'t>(
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

/// Puts blobs, sorted by their digits, into the tree of this level: into the directories of the next two digits, where there is one
/// or this is the top, else here.
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

/// The commits that have a note, in no order.
pub(super) fn commits(repository: &Repository, root: Oid) -> Result<Vec<Oid>> {
    let mut commits = Vec::new();
    let mut pending = vec![(String::new(), root)];
    while let Some((prefix, tree)) = pending.pop() {
        for entry in repository.read_tree(tree)? {
            let Ok(name) = std::str::from_utf8(&entry.name) else { continue };
            let digits = format!("{prefix}{name}");
            if entry.mode == MODE_TREE && name.len() == 2 && digits.len() < 40 {
                pending.push((digits, entry.id));
            } else if digits.len() == 40
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
