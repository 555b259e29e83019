//! The notes' tree, as git itself lays it out: a note is a blob whose path is the commit's id, split into directories of
//! two digits at any depth. New notes go one directory deep; notes of stock git are found wherever they are.

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

/// A tree like `root` in which the note of `commit` is `text`, wherever it stood before.
pub(super) fn insert(
    repository: &Repository,
    batch: &Batch,
    root: Option<Oid>,
    commit: Oid,
    text: &[u8],
) -> Result<Oid> {
    let blob = batch.blob(text, None)?;
    place(repository, batch, root, &commit.to_string(), blob, 0)
}

/// Puts `blob` into the tree of this level: into the directory of the next two digits, when there is one or this is
/// the top, else here.
fn place(
    repository: &Repository,
    batch: &Batch,
    tree: Option<Oid>,
    digits: &str,
    blob: Oid,
    depth: usize,
) -> Result<Oid> {
    let find = |name: &str| match tree {
        Some(tree) => repository.tree_entry(tree, name.as_bytes()),
        None => Ok(None),
    };
    let directory = find(&digits[..2])?.filter(|entry| entry.mode == MODE_TREE && digits.len() > 2);
    let deeper = directory.is_some() || depth == 0;
    let mut changes = Vec::new();
    if deeper {
        let below = place(repository, batch, directory.map(|entry| entry.id), &digits[2..], blob, depth + 1)?;
        changes
            .push((&digits[..2], Some(TreeEntry { name: digits[..2].into(), id: below, mode: MODE_TREE })));
        if find(digits)?.is_some() {
            changes.push((digits, None));
        }
    } else {
        changes.push((digits, Some(TreeEntry { name: digits.into(), id: blob, mode: MODE_FILE })));
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
