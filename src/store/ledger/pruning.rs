//! Letting go of packages: the lines that say so, the refs, and the links to LFS objects. What may go is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;

use crate::error::{Error, Result};
use crate::git::Oid;
use crate::git::pack::Replaced;
use crate::package::PackageId;
use crate::package::manifest::FileEntry;
use crate::package::storage::Form;
use crate::store::codec::lfs;
use crate::store::codec::lfs::objects;
use crate::store::ledger::note_tree;
use crate::store::names;
use crate::store::{Filter, Found, NOTES_REF, Store};
use crate::text::words::count;

/// What names a package in a repository.
pub type Key = (Oid, PackageId);

/// Which packages remotes are known to have, as their notes said when they were last fetched.
#[derive(Debug, Default)]
pub struct Elsewhere {
    /// Remotes with the tree of their notes.
    notes: Vec<(String, Oid)>,
    /// Remotes of which nothing is known.
    pub unknown: Vec<String>,
}

impl Found {
    /// What names it.
    #[must_use]
    pub fn key(&self) -> Key {
        (self.commit, self.line.package)
    }
}

impl Store<'_> {
    /// The packages whose content is here, with their commits.
    pub fn package_refs(&self) -> Result<BTreeMap<Key, Oid>> {
        let refs = self.repository.refs_matching(names::PACKAGES)?;
        Ok(refs.into_iter().filter_map(|(name, tip)| Some((names::parse_package(&name)?, tip))).collect())
    }

    /// The packages of `commit` that `filter` means and that were pruned, though their content is still here: by another machine, which
    /// can't have known what is needed here, or by a process that was killed.
    pub fn still_here(&self, commit: Oid, filter: &Filter) -> Result<Vec<Found>> {
        let mut found = self.packages_of(commit, &Filter { pruned: true, ..filter.clone() })?;
        found.retain(|found| found.line.pruned.is_some());
        let mut here = Vec::new();
        for found in found {
            if self.is_here(&found)? {
                here.push(found);
            }
        }
        Ok(here)
    }

    /// What is known of the remotes.
    pub fn elsewhere(&self) -> Result<Elsewhere> {
        let mut elsewhere = Elsewhere::default();
        for remote in self.repository.remotes() {
            match self.repository.ref_target(&names::tracked_notes(&remote))? {
                Some(tip) => elsewhere.notes.push((remote, self.repository.commit(tip)?.tree)),
                None => elsewhere.unknown.push(remote),
            }
        }
        Ok(elsewhere)
    }

    /// A remote that is known to have a package.
    pub fn remote_with<'e>(&self, found: &Found, elsewhere: &'e Elsewhere) -> Result<Option<&'e str>> {
        for (remote, tree) in &elsewhere.notes {
            let packages = self.note_in(*tree, found.commit)?.packages;
            if packages.iter().any(|line| line.shares_content(&found.line)) {
                return Ok(Some(remote));
            }
        }
        Ok(None)
    }

    /// Says of packages that they were pruned: a line each, all at once.
    pub fn bury(&self, packages: &[&Found], at: Timestamp) -> Result<()> {
        let mut by_commit: BTreeMap<Oid, Vec<&Found>> = BTreeMap::new();
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
                // As they stand there now: somebody may have recorded one again since the plan was made.
                let lines = crate::store::parse_note(&text).packages;
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

    /// The commits that hold the sources of packages, by the packages' own commits; what can't be read has none.
    pub fn sources<'t>(&self, tips: impl IntoIterator<Item = &'t Oid>) -> HashSet<Oid> {
        tips.into_iter()
            .filter_map(|tip| self.repository.commit(*tip).ok()?.parents.first().copied())
            .collect()
    }

    /// Removes our links to the LFS objects of packages, but for those that packages which stay need too. The LFS store is shared
    /// with the project's own files: `git lfs prune` alone knows what may go there.
    ///
    /// # Returns
    /// How many objects there were, and the sum of their sizes in bytes.
    pub fn let_go_of_links(&self, going: &[Oid], staying: &[Oid]) -> Result<(usize, u64)> {
        let mut files: BTreeMap<String, FileEntry> = BTreeMap::new();
        for tip in going {
            // Of a damaged one nothing is known, and its links stay.
            for file in self.lfs_files_at(*tip).unwrap_or_default() {
                if objects::is_kept(self.repository, &file) {
                    files.insert(file.sha256.to_string(), file);
                }
            }
        }
        if files.is_empty() {
            return Ok((0, 0));
        }
        for tip in staying {
            let manifest = self.manifest_of(*tip)?;
            let needed: BTreeSet<String> =
                manifest.files.iter().map(|file| file.sha256.to_string()).collect();
            files.retain(|id, _| !needed.contains(id));
        }
        files.values().try_for_each(|file| objects::let_go(self.repository, file))?;
        Ok((files.len(), files.values().map(|file| file.size).sum()))
    }

    fn lfs_files_at(&self, tip: Oid) -> Result<Vec<FileEntry>> {
        let tree = self.repository.commit(tip)?.tree;
        let mut files = Vec::new();
        for file in self.manifest_of(tip)?.files {
            let entry = self.repository.find_path(tree, &format!("files/{}", file.path))?;
            if entry.is_some_and(|entry| lfs::form(&entry, &file).is_ok_and(|form| form == Form::Lfs)) {
                files.push(file);
            }
        }
        Ok(files)
    }
}

/// What a package's ref names; `None` for any other ref.
#[must_use]
pub fn key_of(name: &str) -> Option<Key> {
    names::parse_package(name)
}

/// The ref of a package.
#[must_use]
pub fn ref_of((commit, package): Key) -> String {
    names::package(&commit.to_string(), package)
}
