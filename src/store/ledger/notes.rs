//! The notes of a repository: reading a commit's, and writing lines. All changes are made under git's lock of the notes' ref.

use std::collections::BTreeMap;

use jiff::{Span, Timestamp};

use super::note::{Note, NotedPackage, parse_note};
use super::note_line::PackageLine;
use super::note_tree;
use crate::error::{Error, Result};
use crate::git::pack::Replaced;
use crate::git::{Batch, Oid, Repository};
use crate::store::names::NOTES_REF;
use crate::text::words::count;

#[derive(Clone, Copy)]
pub struct Notes<'r> {
    repository: &'r Repository,
}

impl<'r> Notes<'r> {
    pub(in crate::store) fn new(repository: &'r Repository) -> Self {
        Self { repository }
    }

    pub fn of(&self, commit: Oid) -> Result<Note> {
        self.tree()?.map_or(Ok(Note::default()), |tree| self.in_tree(tree, commit))
    }

    /// The note of `commit` in a tree of notes: ours, or a remote's.
    pub(in crate::store) fn in_tree(&self, tree: Oid, commit: Oid) -> Result<Note> {
        let text = note_tree::read(self.repository, tree, commit)?;
        Ok(text.map(|text| parse_note(&text)).unwrap_or_default())
    }

    pub(in crate::store) fn tree(&self) -> Result<Option<Oid>> {
        self.tree_at(NOTES_REF)
    }

    pub(in crate::store) fn tree_at(&self, name: &str) -> Result<Option<Oid>> {
        let tip = self.repository.ref_target(name)?;
        tip.map(|tip| Ok(self.repository.commit(tip)?.tree)).transpose()
    }

    /// Writes a package's line into the note of `commit`, unless it has one.
    pub fn write_line(&self, commit: Oid, line: &PackageLine) -> Result<()> {
        let batch = self.repository.batch()?;
        let mut replaced = None;
        self.repository.update_ref(NOTES_REF, &format!("slsart: note on {commit}"), |tip| {
            let next = self.add_line(&batch, tip, commit, line)?;
            replaced = Some(batch.finish()?);
            Ok(next)
        })?;
        replaced.into_iter().for_each(Replaced::remove);
        Ok(())
    }

    /// Writes the tombstones of packages, all at once.
    pub fn write_tombstones(&self, packages: &[&NotedPackage], at: Timestamp) -> Result<()> {
        let mut by_commit: BTreeMap<Oid, Vec<&NotedPackage>> = BTreeMap::new();
        for found in packages {
            by_commit.entry(found.commit).or_default().push(found);
        }
        if by_commit.is_empty() {
            return Ok(());
        }
        let batch = self.repository.batch()?;
        let mut replaced = None;
        let message = format!("Prune {}", count(packages.len(), "package"));
        self.repository.update_ref(NOTES_REF, &format!("slsart: {message}"), |tip| {
            let root = tip.map(|tip| Ok::<_, Error>(self.repository.commit(tip)?.tree)).transpose()?;
            let mut texts = Vec::new();
            for (commit, packages) in &by_commit {
                let old =
                    root.map(|root| note_tree::read(self.repository, root, *commit)).transpose()?.flatten();
                let mut text = old.unwrap_or_default();
                // As they are now: another process may have recorded one again since the plan was made.
                let lines = parse_note(&text).packages;
                for found in packages {
                    let line = lines.iter().rfind(|line| line.shares_content(&found.line));
                    if let Some(line) = line.filter(|line| line.recorded <= found.line.recorded) {
                        text.extend(format!("{}\n", line.tombstone(at)).into_bytes());
                    }
                }
                texts.push((*commit, text));
            }
            let texts = texts.iter().map(|(commit, text)| (*commit, &text[..]));
            let tree = note_tree::insert(self.repository, &batch, root, texts)?;
            let commit = batch.commit(tree, tip.as_slice(), &format!("{message}\n"))?;
            replaced = Some(batch.finish()?);
            Ok(Some(commit))
        })?;
        replaced.into_iter().for_each(Replaced::remove);
        Ok(())
    }

    /// A notes commit after `tip` in which the note of `commit` has `line`; `None` if it has it already.
    pub(in crate::store) fn add_line(
        &self,
        batch: &Batch,
        tip: Option<Oid>,
        commit: Oid,
        line: &PackageLine,
    ) -> Result<Option<Oid>> {
        let root = tip.map(|tip| Ok::<_, Error>(self.repository.commit(tip)?.tree)).transpose()?;
        let old = root.map(|root| note_tree::read(self.repository, root, commit)).transpose()?.flatten();
        let mut text = old.unwrap_or_default();
        let Note { packages, pruned, .. } = parse_note(&text);
        // One line a package, even if two machines recorded it at once, or its ref was lost and it is recorded again.
        if packages.iter().any(|known| known.is_same(line)) {
            return Ok(None);
        }
        // Later than its tombstone, whatever the clock says.
        let tombstone = pruned.iter().find(|tombstone| tombstone.shares_content(line));
        let earliest =
            tombstone.and_then(|tombstone| tombstone.recorded.checked_add(Span::new().seconds(1)).ok());
        let recorded = earliest.map_or(line.recorded, |earliest| earliest.max(line.recorded));
        // Other programs' lines, and those of later versions, stay.
        text.extend(format!("{}\n", PackageLine { recorded, ..line.clone() }).into_bytes());
        let tree = note_tree::insert(self.repository, batch, root, [(commit, &text[..])])?;
        let parents: Vec<Oid> = tip.into_iter().collect();
        batch.commit(tree, &parents, &format!("Package {} of {commit}\n", line.target)).map(Some)
    }
}
