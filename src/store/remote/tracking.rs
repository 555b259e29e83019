//! What a remote has, according to the refs here that track it. Nothing here talks to a remote.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::git::transfer::Update;
use crate::git::{Oid, Repository};
use crate::store::ledger::note::{Note, NotedPackage};
use crate::store::ledger::note_tree;
use crate::store::ledger::notes::Notes;
use crate::store::ledger::packages::Packages;
use crate::store::names::{self, CHAINS, NOTES_REF};

/// The refspecs that fetch notes and records of `remote` into tracking refs.
pub fn refspecs(remote: &str) -> Vec<String> {
    // With `*`, since git fails on a named ref that does not exist.
    let notes = format!("+{NOTES_REF}*:{}*", names::tracked_notes(remote));
    std::iter::once(notes).chain(record_refspecs(remote)).collect()
}

/// The same, of records alone.
pub fn record_refspecs(remote: &str) -> Vec<String> {
    CHAINS.iter().map(|prefix| format!("+{prefix}*:{}*", names::tracked(remote, prefix))).collect()
}

/// The refspec of a toolchain or package: the same name as on the remote, and never moved.
pub fn refspec_of(name: &str) -> String {
    format!("{name}:{name}")
}

#[derive(Clone, Copy)]
pub struct Tracking<'a> {
    pub(super) repository: &'a Repository,
    pub(super) remote: &'a str,
    notes: Notes<'a>,
}

impl<'a> Tracking<'a> {
    pub(in crate::store) fn new(repository: &'a Repository, remote: &'a str) -> Self {
        Self { repository, remote, notes: Notes::new(repository) }
    }

    /// The remote's notes when they were last fetched or pushed.
    pub(super) fn notes_tip(&self) -> Result<Option<Oid>> {
        self.repository.ref_target(&names::tracked_notes(self.remote))
    }

    fn notes_tree(&self) -> Result<Option<Oid>> {
        self.notes.tree_at(&names::tracked_notes(self.remote))
    }

    /// The remote's chains, by their names there and here.
    pub(super) fn chains(&self) -> Result<Vec<(String, Oid)>> {
        let mut chains = Vec::new();
        for prefix in CHAINS {
            let tracked = names::tracked(self.remote, prefix);
            for (name, tip) in self.repository.refs_matching(&tracked)? {
                chains.extend(name.strip_prefix(&tracked).map(|rest| (format!("{prefix}{rest}"), tip)));
            }
        }
        Ok(chains)
    }

    /// The packages whose content is here and which the remote is not known to have.
    pub fn only_here(&self) -> Result<Vec<NotedPackage>> {
        let (ours, theirs) = (self.notes.tree()?, self.notes_tree()?);
        let differing = note_tree::difference(self.repository, ours, theirs)?;
        if differing.is_empty() {
            return Ok(Vec::new());
        }
        let here = Packages::new(self.repository).refs()?;
        let mut found = Vec::new();
        for commit in differing {
            let note =
                |tree: Option<Oid>| tree.map_or(Ok(Note::default()), |tree| self.notes.in_tree(tree, commit));
            let known = note(theirs)?.packages;
            for line in note(ours)?.packages {
                if !known.iter().any(|known| known.is_same(&line))
                    && here.contains_key(&(commit, line.package))
                {
                    found.push(NotedPackage { commit, line });
                }
            }
        }
        Ok(found)
    }

    /// The packages that the remote is known to have and whose content is not here.
    pub fn only_there(&self) -> Result<Vec<NotedPackage>> {
        let Some(root) = self.notes_tree()? else { return Ok(Vec::new()) };
        let here = Packages::new(self.repository).refs()?;
        let mut found = Vec::new();
        for commit in note_tree::commits(self.repository, root)? {
            for line in self.notes.in_tree(root, commit)?.packages {
                if !here.contains_key(&(commit, line.package)) {
                    found.push(NotedPackage { commit, line });
                }
            }
        }
        Ok(found)
    }

    pub fn has(&self, found: &NotedPackage) -> Result<bool> {
        let Some(root) = self.notes_tree()? else { return Ok(false) };
        Ok(self.notes.in_tree(root, found.commit)?.packages.iter().any(|line| line.is_same(&found.line)))
    }

    pub fn is_known(&self) -> Result<bool> {
        Ok(self.notes_tip()?.is_some())
    }

    pub fn chains_only_here(&self) -> Result<Vec<String>> {
        let tracked = CHAINS.map(|prefix| names::tracked(self.remote, prefix));
        let patterns: Vec<&str> = CHAINS.into_iter().chain(tracked.iter().map(String::as_str)).collect();
        let refs: BTreeMap<String, Oid> = self.repository.refs_matching_any(&patterns)?.into_iter().collect();
        let theirs = |name: &str| refs.get(&names::tracked_of(self.remote, name)?).copied();
        // The remote's chain may be the longer one.
        let lacks = |name: &str, ours: Oid| {
            theirs(name).is_none_or(|theirs| !self.repository.contains(theirs, ours).unwrap_or(false))
        };
        let ours = refs.iter().filter(|(name, _)| CHAINS.iter().any(|prefix| name.starts_with(prefix)));
        Ok(ours.filter(|(name, ours)| lacks(name, **ours)).map(|(name, _)| name.clone()).collect())
    }

    /// Records what the remote has now.
    pub fn pushed(&self, update: &Update) -> Result<()> {
        let Some(tracked) = names::tracked_of(self.remote, &update.name) else { return Ok(()) };
        self.repository.update_ref(
            &tracked,
            &format!("slsart: pushed to {}", self.remote),
            |_| Ok(update.new),
        )
    }
}

/// The packages that remotes had in their notes when last fetched.
pub struct RemoteNotes<'r> {
    notes: Notes<'r>,
    trees: Vec<(String, Oid)>,
    /// Remotes whose notes were never fetched.
    pub unknown: Vec<String>,
}

impl<'r> RemoteNotes<'r> {
    pub(in crate::store) fn read(repository: &'r Repository) -> Result<Self> {
        let notes = Notes::new(repository);
        let mut elsewhere = Self { notes, trees: Vec::new(), unknown: Vec::new() };
        for remote in repository.remotes() {
            match notes.tree_at(&names::tracked_notes(&remote))? {
                Some(tree) => elsewhere.trees.push((remote, tree)),
                None => elsewhere.unknown.push(remote),
            }
        }
        Ok(elsewhere)
    }

    pub fn remote_with(&self, found: &NotedPackage) -> Result<Option<&str>> {
        for (remote, tree) in &self.trees {
            let packages = self.notes.in_tree(*tree, found.commit)?.packages;
            if packages.iter().any(|line| line.shares_content(&found.line)) {
                return Ok(Some(remote));
            }
        }
        Ok(None)
    }
}
