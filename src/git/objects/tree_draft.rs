//! Trees to be written, grown path by path, and trees with some entries changed.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::git::{Batch, MODE_TREE, Oid, Repository, TreeEntry};

#[derive(Debug, Default)]
pub struct TreeDraft {
    entries: BTreeMap<String, Node>,
}

#[derive(Debug)]
enum Node {
    Directory(TreeDraft),
    Object(Oid, i32),
}

impl TreeDraft {
    /// Puts an object at `path`, whose components are separated by `/`. A later object replaces an earlier one.
    pub fn insert(&mut self, path: &str, id: Oid, mode: i32) {
        let Some((name, rest)) = path.split_once('/') else {
            self.entries.insert(path.to_owned(), Node::Object(id, mode));
            return;
        };
        let node = self.entries.entry(name.to_owned()).or_insert_with(|| Node::Directory(Self::default()));
        if let Node::Object(..) = node {
            *node = Node::Directory(Self::default());
        }
        if let Node::Directory(directory) = node {
            directory.insert(rest, id, mode);
        }
    }

    /// Writes the tree and those below it.
    ///
    /// # Arguments
    /// `earlier`: an earlier version of the tree, read from `repository`.
    pub fn write(&self, batch: &Batch, repository: &Repository, earlier: Option<Oid>) -> Result<Oid> {
        // An earlier version that can't be read saves no space, and does no harm.
        let known = earlier.and_then(|tree| repository.read_tree(tree).ok()).unwrap_or_default();
        let known: BTreeMap<Vec<u8>, Oid> = (known.into_iter())
            .filter(|entry| entry.mode == MODE_TREE)
            .map(|entry| (entry.name, entry.id))
            .collect();
        let mut entries = Vec::with_capacity(self.entries.len());
        for (name, node) in &self.entries {
            let (id, mode) = match node {
                Node::Directory(directory) => {
                    let earlier = known.get(name.as_bytes()).copied();
                    (directory.write(batch, repository, earlier)?, MODE_TREE)
                }
                Node::Object(id, mode) => (*id, *mode),
            };
            entries.push(TreeEntry { name: name.clone().into_bytes(), id, mode });
        }
        batch.tree(entries, earlier)
    }
}

impl Repository {
    /// Adds a tree like `base` with some of its entries set or, with `None`, removed.
    pub fn edit_tree(
        &self,
        batch: &Batch,
        base: Option<Oid>,
        changes: &[(&str, Option<TreeEntry>)],
    ) -> Result<Oid> {
        let mut entries = base.map(|base| self.read_tree(base)).transpose()?.unwrap_or_default();
        for (name, changed) in changes {
            entries.retain(|entry| entry.name != name.as_bytes());
            entries.extend(changed.clone());
        }
        batch.tree(entries, base)
    }
}
