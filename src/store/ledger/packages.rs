//! Finds packages: of a commit, along the history, near a commit without one, by id.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::filter::Filter;
use super::note::NotedPackage;
use super::note_tree;
use super::notes::Notes;
use crate::error::Result;
use crate::git::{Oid, Repository};
use crate::package::PackageId;
use crate::package::manifest::Target;
use crate::store::names::{self, PackageKey};

/// How far along the history a nearby package is searched.
const NEAR: usize = 2_000;

/// How many commits are examined one by one before all commits with a package are listed.
const DENSE: usize = 500;

#[derive(Debug, Default)]
pub struct Listing {
    pub found: Vec<NotedPackage>,
    pub more: bool,
    pub unread: Vec<(Oid, String)>,
}

/// The packages of a repository, according to its notes and refs.
#[derive(Clone, Copy)]
pub struct Packages<'r> {
    repository: &'r Repository,
    notes: Notes<'r>,
}

impl<'r> Packages<'r> {
    pub(in crate::store) fn new(repository: &'r Repository) -> Self {
        Self { repository, notes: Notes::new(repository) }
    }

    /// Whether the package's content is in this repository, not only its note.
    pub fn has(&self, commit: Oid, package: PackageId) -> Result<bool> {
        Ok(self.repository.ref_target(&names::package(&commit.to_string(), package))?.is_some())
    }

    /// Whether a package of `commit` is in the notes of this repository, or of `remote` when last seen.
    pub fn is_noted(&self, commit: Oid, remote: &str) -> Result<bool> {
        for name in [names::NOTES_REF, &names::tracked_notes(remote)] {
            // A URL can't be part of a ref's name.
            let Ok(Some(tree)) = self.notes.tree_at(name) else { continue };
            if !self.notes.in_tree(tree, commit)?.packages.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The packages of `commit` that match `filter`, oldest first.
    pub fn of(&self, commit: Oid, filter: &Filter) -> Result<Vec<NotedPackage>> {
        let lines = self.notes.of(commit)?.lines(filter).into_iter();
        Ok(lines.map(|line| NotedPackage { commit, line }).collect())
    }

    /// The first `limit` packages of these commits, in their order.
    pub fn along(
        &self,
        commits: impl Iterator<Item = Oid>,
        filter: &Filter,
        limit: usize,
    ) -> Result<Listing> {
        let mut listing = Listing::default();
        let Some(root) = self.notes.tree()? else { return Ok(listing) };
        let mut noted = Vec::new();
        let mut left: Option<HashSet<Oid>> = None;
        for (walked, commit) in commits.enumerate() {
            if walked == DENSE {
                // Packages are rare here: with all commits that have one known, the walk ends at the last of them.
                let mut all: HashSet<Oid> = note_tree::commits(self.repository, root)?.into_iter().collect();
                for commit in &noted {
                    all.remove(commit);
                }
                left = Some(all);
            }
            let worth_a_look = match &mut left {
                Some(left) if left.is_empty() => break,
                Some(left) => left.remove(&commit),
                None => true,
            };
            if !worth_a_look {
                continue;
            }
            if self.collect(root, commit, filter, &mut listing)? {
                noted.push(commit);
            }
            if listing.found.len() > limit {
                listing.found.truncate(limit);
                listing.more = true;
                break;
            }
        }
        Ok(listing)
    }

    /// The targets of the packages of the last `most` commits down to `from`.
    pub fn recent_targets(&self, from: Oid, most: usize) -> Result<BTreeSet<Target>> {
        let mut targets = BTreeSet::new();
        let Some(root) = self.notes.tree()? else { return Ok(targets) };
        for commit in self.repository.history(&[from])?.take(most) {
            targets.extend(self.notes.in_tree(root, commit)?.packages.into_iter().map(|line| line.target));
        }
        Ok(targets)
    }

    /// All packages of all commits, even of commits on no branch, newest first.
    pub fn all(&self, filter: &Filter) -> Result<Listing> {
        let mut listing = Listing::default();
        let Some(root) = self.notes.tree()? else { return Ok(listing) };
        for commit in note_tree::commits(self.repository, root)? {
            self.collect(root, commit, filter, &mut listing)?;
        }
        listing.found.sort_by(|one, other| {
            (other.line.recorded, &other.line.package).cmp(&(one.line.recorded, &one.line.package))
        });
        Ok(listing)
    }

    /// Packages near `commit` that match `filter`: up to `most` of its ancestors' and of later commits' on HEAD's branch, nearest first.
    pub fn near(&self, commit: Oid, filter: &Filter, most: usize) -> Result<Vec<NotedPackage>> {
        let Some(root) = self.notes.tree()? else { return Ok(Vec::new()) };
        let mut left: HashSet<Oid> = note_tree::commits(self.repository, root)?.into_iter().collect();
        let mut found = Vec::new();
        let mut starts = vec![commit];
        starts.extend(self.repository.head().filter(|head| *head != commit));
        for start in starts {
            for near in self.repository.history(&[start])?.take(NEAR) {
                if left.is_empty() || found.len() >= most {
                    return Ok(found);
                }
                if left.remove(&near) {
                    found.extend(self.notes.in_tree(root, near)?.packages.into_iter().rev().find_map(
                        |line| filter.matches(&line.target).then_some(NotedPackage { commit: near, line }),
                    ));
                }
            }
        }
        Ok(found)
    }

    /// The packages whose id starts with `prefix`, of at least four digits.
    pub fn with_id(&self, prefix: &str) -> Result<Vec<NotedPackage>> {
        if !is_prefix(prefix) {
            return Ok(Vec::new());
        }
        let prefix = prefix.to_ascii_lowercase();
        let refs = self.repository.refs_matching(&format!("{}*/{prefix}*", names::PACKAGES))?;
        let named = refs.iter().filter_map(|(name, _)| names::key_of(name));
        let mut found = Vec::new();
        for (commit, id) in named {
            let lines = self.notes.of(commit)?.packages.into_iter();
            found.extend(lines.filter(|line| line.package == id).map(|line| NotedPackage { commit, line }));
        }
        if found.is_empty()
            && let Some(root) = self.notes.tree()?
        {
            // Its content is on another machine.
            for commit in note_tree::commits(self.repository, root)? {
                let lines = self.notes.in_tree(root, commit)?.packages.into_iter();
                let named = lines.filter(|line| line.package.to_string().starts_with(&prefix));
                found.extend(named.map(|line| NotedPackage { commit, line }));
            }
        }
        Ok(found)
    }

    /// The commits with a note whose ids start with `prefix`, of at least seven digits.
    pub fn commits_with_prefix(&self, prefix: &str) -> Result<Vec<Oid>> {
        let is_id = (7..=40).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
        let Some(root) = self.notes.tree()?.filter(|_| is_id) else { return Ok(Vec::new()) };
        let prefix = prefix.to_ascii_lowercase();
        let mut commits = note_tree::commits(self.repository, root)?;
        commits.retain(|commit| commit.to_string().starts_with(&prefix));
        Ok(commits)
    }

    /// A pruned package whose id starts with `prefix`, of at least four digits.
    pub fn pruned_with_id(&self, prefix: &str, filter: &Filter) -> Result<Option<NotedPackage>> {
        if !is_prefix(prefix) {
            return Ok(None);
        }
        let prefix = prefix.to_ascii_lowercase();
        let mut all = self.all(&Filter { pruned: true, ..filter.clone() })?.found.into_iter();
        Ok(all
            .find(|found| found.line.pruned.is_some() && found.line.package.to_string().starts_with(&prefix)))
    }

    pub fn is_here(&self, found: &NotedPackage) -> Result<bool> {
        self.has(found.commit, found.line.package)
    }

    pub fn refs(&self) -> Result<BTreeMap<PackageKey, Oid>> {
        let refs = self.repository.refs_matching(names::PACKAGES)?;
        Ok(refs.into_iter().filter_map(|(name, tip)| Some((names::key_of(&name)?, tip))).collect())
    }

    /// The packages of `commit` that match `filter` and were pruned, but whose content is still here: another machine pruned them, without
    /// knowing what is needed here, or a process was killed.
    pub fn still_here(&self, commit: Oid, filter: &Filter) -> Result<Vec<NotedPackage>> {
        let mut found = self.of(commit, &Filter { pruned: true, ..filter.clone() })?;
        found.retain(|found| found.line.pruned.is_some());
        let mut here = Vec::new();
        for found in found {
            if self.is_here(&found)? {
                here.push(found);
            }
        }
        Ok(here)
    }

    pub fn refs_on(&self, remote: &str) -> Result<Vec<String>> {
        let refs = self.repository.remote_refs(remote, &format!("{}*", names::PACKAGES))?;
        Ok(refs.into_iter().map(|(name, _)| name).collect())
    }

    /// The commits with the sources of packages, by the packages' own commits; unreadable ones are left out.
    pub fn sources<'t>(&self, tips: impl IntoIterator<Item = &'t Oid>) -> HashSet<Oid> {
        tips.into_iter()
            .filter_map(|tip| self.repository.commit(*tip).ok()?.parents.first().copied())
            .collect()
    }

    /// Adds the packages of `commit` to `listing`. Returns whether the commit has a note.
    fn collect(&self, root: Oid, commit: Oid, filter: &Filter, listing: &mut Listing) -> Result<bool> {
        let note = self.notes.in_tree(root, commit)?;
        let is_noted = !(note.packages.is_empty() && note.pruned.is_empty() && note.unread.is_empty());
        listing.unread.extend(note.unread.iter().map(|line| (commit, line.clone())));
        let lines = note.lines(filter).into_iter().rev();
        listing.found.extend(lines.map(|line| NotedPackage { commit, line }));
        Ok(is_noted)
    }
}

fn is_prefix(word: &str) -> bool {
    word.len() >= 4 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}
