//! Snapshots of toolchains: a package manager's installation for a commit, under a ref of its own. Knows neither package managers nor
//! which snapshot fits which machine.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::git::directory::DirectoryScan;
use crate::git::pack::Replaced;
use crate::git::{Batch, MODE_EXECUTABLE, MODE_FILE, MODE_TREE, Oid, Repository, TreeEntry};
use crate::package::Machine;
use crate::package::files::is_safe_path;
use crate::package::manifest::{LockfileEntry, Tool};
use crate::store::names;

pub const FORMAT: u32 = 1;
const FILE: &str = "toolchain.toml";
const CONTENT: &str = "content";
const MAX_BYTES: u64 = 1024 * 1024;

/// A snapshot's description, `toolchain.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toolchain {
    pub format: u32,
    /// The id of the content's tree: the same files have the same id.
    pub id: String,
    /// The commit that it was installed for.
    pub source: String,
    pub saved: Timestamp,
    /// The number of files and symbolic links.
    pub files: usize,
    /// The sum of their sizes, in bytes.
    pub size: u64,
    /// Its directories, relative to the repository's top: `node_modules` and the like.
    pub parts: Vec<String>,
    pub lockfile: LockfileEntry,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_manager: Option<Tool>,
    pub machine: Machine,
}

#[derive(Debug, Clone)]
pub struct StoredToolchain {
    pub toolchain: Toolchain,
    pub name: String,
    content: Oid,
}

#[derive(Debug, Default)]
pub struct ToolchainList {
    pub stored: Vec<StoredToolchain>,
    /// Refs of snapshots that can't be read: damaged, or of a later version of this program.
    pub unread: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolchainRef {
    pub name: String,
    /// The commit that it was installed for.
    pub source: Oid,
    pub tip: Oid,
}

impl ToolchainRef {
    fn parse((name, tip): (String, Oid)) -> Option<Self> {
        let source = Oid::from_str(name.strip_prefix(names::TOOLCHAINS)?.split('/').nth(1)?).ok()?;
        Some(Self { name, source, tip })
    }
}

#[derive(Clone, Copy)]
pub struct Toolchains<'r> {
    repository: &'r Repository,
}

impl<'r> Toolchains<'r> {
    pub(in crate::store) fn new(repository: &'r Repository) -> Self {
        Self { repository }
    }

    pub fn refs(&self) -> Result<Vec<ToolchainRef>> {
        let refs = self.repository.refs_matching(names::TOOLCHAINS)?;
        Ok(refs.into_iter().filter_map(ToolchainRef::parse).collect())
    }

    pub fn refs_on(&self, remote: &str) -> Result<Vec<ToolchainRef>> {
        let refs = self.repository.remote_refs(remote, &format!("{}*", names::TOOLCHAINS))?;
        Ok(refs.into_iter().filter_map(ToolchainRef::parse).collect())
    }

    /// Records the files of `scan` as a snapshot described by `toolchain`: content, then the ref. Returns whether it is new for this
    /// commit and machine.
    pub fn save(&self, scan: &DirectoryScan, toolchain: &Toolchain) -> Result<bool> {
        let name = names::toolchain(&toolchain.id, &toolchain.source, &toolchain.machine);
        if self.repository.ref_target(&name)?.is_some() {
            return Ok(false);
        }
        let batch = self.repository.batch()?;
        // An object that another ref leads to exists: it is not read again.
        let same = self.repository.refs_matching(&format!("{}{}/", names::TOOLCHAINS, toolchain.id))?;
        let content = if same.is_empty() { scan.write(&batch)? } else { scan.id() };
        self.publish(batch, &name, toolchain, content)
    }

    /// Records the snapshots of the commit `from` for `to` too, whose tree is the same.
    pub fn share(&self, from: Oid, to: Oid) -> Result<()> {
        for stored in self.of(from)?.stored {
            let toolchain = Toolchain { source: to.to_string(), ..stored.toolchain };
            let name = names::toolchain(&toolchain.id, &toolchain.source, &toolchain.machine);
            if self.repository.ref_target(&name)?.is_none() {
                self.publish(self.repository.batch()?, &name, &toolchain, stored.content)?;
            }
        }
        Ok(())
    }

    fn publish(&self, batch: Batch, name: &str, toolchain: &Toolchain, content: Oid) -> Result<bool> {
        let text = toml::to_string(toolchain)
            .map_err(|error| Error::bug("a toolchain can't be described").because(error))?;
        let description = batch.blob(text.as_bytes(), None)?;
        let entries = vec![
            TreeEntry { name: FILE.into(), id: description, mode: MODE_FILE },
            TreeEntry { name: CONTENT.into(), id: content, mode: MODE_TREE },
        ];
        let tree = batch.tree(entries, None)?;
        let commit = batch.commit(tree, &[], &message(toolchain))?;
        let (mut replaced, mut new) = (None, false);
        self.repository.update_ref(name, "slsart: toolchain", |current| {
            replaced = Some(batch.finish()?);
            new = current.is_none();
            Ok(new.then_some(commit))
        })?;
        replaced.into_iter().for_each(Replaced::remove);
        Ok(new)
    }

    pub fn all(&self) -> Result<ToolchainList> {
        self.matching(names::TOOLCHAINS)
    }

    /// The refs of the snapshots for any of `sources`; the snapshots are not read.
    pub fn refs_of(&self, sources: &HashSet<Oid>) -> Result<Vec<ToolchainRef>> {
        let mut refs = self.refs()?;
        refs.retain(|toolchain| sources.contains(&toolchain.source));
        Ok(refs)
    }

    pub fn of(&self, source: Oid) -> Result<ToolchainList> {
        self.matching(&format!("{}*/{source}/*", names::TOOLCHAINS))
    }

    fn matching(&self, pattern: &str) -> Result<ToolchainList> {
        let mut found = ToolchainList::default();
        for (name, commit) in self.repository.refs_matching(pattern)? {
            match self.open(name.clone(), commit) {
                Ok(stored) => found.stored.push(stored),
                Err(_) => found.unread.push(name),
            }
        }
        let key = |stored: &StoredToolchain| (stored.toolchain.saved, stored.name.clone());
        found.stored.sort_by_key(|stored| std::cmp::Reverse(key(stored)));
        Ok(found)
    }

    fn open(&self, name: String, commit: Oid) -> Result<StoredToolchain> {
        let wrong = || Error::integrity(format!("this git-slsart can't read the toolchain {name}"));
        let tree = self.repository.commit(commit)?.tree;
        let entry = |name: &str| self.repository.tree_entry(tree, name.as_bytes())?.ok_or_else(wrong);
        let (description, content) = (entry(FILE)?, entry(CONTENT)?);
        let text = self.repository.read_blob(description.id, MAX_BYTES)?;
        let text = String::from_utf8(text).map_err(|error| wrong().because(error))?;
        let toolchain: Toolchain = toml::from_str(&text).map_err(|error| wrong().because(error))?;
        let named = name.strip_prefix(names::TOOLCHAINS).unwrap_or_default();
        let is_its_own = toolchain.format <= FORMAT
            && toolchain.id == content.id.to_string()
            && named.starts_with(&format!("{}/{}/", toolchain.id, toolchain.source))
            && toolchain.parts.iter().all(|part| is_safe_path(part));
        if is_its_own { Ok(StoredToolchain { toolchain, name, content: content.id }) } else { Err(wrong()) }
    }

    /// Restores a snapshot's directories into the checkout at `top`, where none of them may exist yet. On failure, restored ones are
    /// removed again.
    pub fn restore(&self, stored: &StoredToolchain, top: &Path) -> Result<()> {
        let mut placed = Vec::new();
        let outcome = stored.toolchain.parts.iter().try_for_each(|part| {
            let place = top.join(part);
            check_place(&place, top)?;
            placed.push(place.clone());
            self.restore_part(stored, part, &place)
        });
        if outcome.is_err() {
            for place in &placed {
                let _ = fs::remove_dir_all(place).or_else(|_| fs::remove_file(place));
            }
        }
        outcome
    }

    fn restore_part(&self, stored: &StoredToolchain, part: &str, place: &Path) -> Result<()> {
        let missing = || Error::integrity(format!("the toolchain {} has no '{part}'", stored.toolchain.id));
        match self.repository.find_in_directory(stored.content, part)?.ok_or_else(missing)? {
            TreeEntry { mode: MODE_TREE, id, .. } => self.repository.restore_directory(id, place),
            entry if [MODE_FILE, MODE_EXECUTABLE].contains(&entry.mode) => {
                self.repository.restore_file(&entry, place)
            }
            _ => Err(missing()),
        }
    }

    /// Removes snapshots' refs; `git gc` removes the objects.
    pub fn remove(&self, dropped: &[StoredToolchain]) -> Result<()> {
        dropped.iter().try_for_each(|stored| self.repository.delete_ref(&stored.name))
    }
}

/// Checks that the place is free, and its directory really is in the checkout.
fn check_place(place: &Path, top: &Path) -> Result<()> {
    let parent = place.parent().unwrap_or(top);
    let real = |path: &Path| path.canonicalize().map_err(|error| Error::io("read", path, error));
    let existing = parent.ancestors().find(|place| place.symlink_metadata().is_ok()).unwrap_or(top);
    if place.symlink_metadata().is_ok() || !real(existing)?.starts_with(real(top)?) {
        return Err(Error::refused(format!(
            "'{}' already exists in the checkout, or is outside it",
            place.display()
        )));
    }
    fs::create_dir_all(parent).map_err(|error| Error::io("create", parent, error))
}

fn message(toolchain: &Toolchain) -> String {
    let Toolchain { source, id, files, size, parts, lockfile, .. } = toolchain;
    let source = &source[..12.min(source.len())];
    format!(
        "Toolchain of {source}\n\ntoolchain {id}\n{files} files, {size} bytes\n{}: {}\n",
        lockfile.path,
        parts.join(", ")
    )
}
