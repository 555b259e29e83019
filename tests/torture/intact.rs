//! What must hold after whatever happened: git finds the repository whole, nothing that was recorded before is lost, every package
//! is what it was, and nothing is left that grows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use walkdir::WalkDir;

use crate::sandbox::Sandbox;

/// What a repository had.
pub(crate) struct Before {
    refs: BTreeMap<String, String>,
    lines: BTreeSet<String>,
}

impl Before {
    /// What it has now.
    pub(crate) fn of(sandbox: &Sandbox) -> Self {
        Self { refs: refs(sandbox), lines: note_lines(sandbox) }
    }

    /// Fails unless all of it is there still, and every package is what was recorded.
    #[track_caller]
    pub(crate) fn is_kept(&self, sandbox: &Sandbox, when: &str) {
        sandbox.fsck();
        let now = refs(sandbox);
        let lines = note_lines(sandbox);
        for (name, old) in &self.refs {
            let Some(new) = now.get(name) else {
                // What was to go says so.
                let id = format!(" package={} ", name.rsplit('/').next().unwrap());
                let is_pruned = lines.iter().any(|line| line.contains(&id) && line.contains(" pruned="));
                assert!(is_pruned, "{when}: {name} is lost");
                continue;
            };
            let follows = || sandbox.run("git", ["merge-base", "--is-ancestor", old, new]).code == 0;
            // `migrate` moves a package's ref to another form of the same package, which `verify` reads.
            assert!(
                new == old || name.starts_with("refs/slsart/packages/") || follows(),
                "{when}: {name} lost {old}"
            );
        }
        let lost: Vec<_> = self.lines.difference(&lines).cloned().collect();
        assert!(lost.is_empty(), "{when}: lost from the notes: {lost:?}");
        let verified = sandbox.slsart("verify --all -q");
        assert_eq!(verified.code, 0, "{when}: {verified}");
    }
}

/// The refs of ours with their targets. Of the notes, their lines count: merged, they may go on from another's commit.
fn refs(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let text = sandbox.git("for-each-ref --format='%(refname) %(objectname)' refs/slsart");
    text.lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, id)| (name.into(), id.into()))
        .collect()
}

/// All lines of all notes.
fn note_lines(sandbox: &Sandbox) -> BTreeSet<String> {
    let text = sandbox.shell("git grep -h '' refs/notes/slsart || true").stdout;
    text.lines().map(str::to_owned).collect()
}

/// What a command that was killed may leave and the next one removes: temporary files, locks, worktrees.
pub(crate) fn litter(sandbox: &Sandbox) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for place in ["repo", "origin.git", "home", "tmp", "dist", ""] {
        let depth = if place.is_empty() { 1 } else { usize::MAX };
        let walk = WalkDir::new(sandbox.beside(place)).max_depth(depth).sort_by_file_name();
        // Some go while they are looked at.
        let mut walk = walk.into_iter();
        while let Some(entry) = walk.next() {
            let Ok(entry) = entry else { continue };
            if entry.file_name() == "node_modules" {
                walk.skip_current_dir();
                continue;
            }
            let relative = entry.path().strip_prefix(sandbox.beside("")).unwrap();
            if is_litter(relative) {
                found.push(relative.to_owned());
                if entry.file_type().is_dir() {
                    walk.skip_current_dir();
                }
            }
        }
    }
    found
}

/// Whether a file is what libgit2 leaves of a loose object when it is killed before the rename: git's own `prune`, which `gc` runs,
/// removes these, and only it knows when.
fn is_half_object(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_str().unwrap();
    name.starts_with("tmp_object_git2_") && path.parent().is_some_and(|parent| parent.ends_with("objects"))
}

/// Fails unless git's own housekeeping removes what libgit2 left of loose objects.
#[track_caller]
pub(crate) fn is_pruned_by_git(sandbox: &Sandbox) {
    sandbox.git("prune --expire=now");
    let objects = fs::read_dir(sandbox.path(".git/objects")).unwrap().flatten();
    let left: Vec<_> = objects.map(|entry| entry.path()).filter(|path| is_half_object(path)).collect();
    assert!(left.is_empty(), "{left:?}");
}

fn is_litter(path: &Path) -> bool {
    let text = path.to_str().unwrap();
    let name = path.file_name().unwrap_or_default().to_str().unwrap();
    let below = |parent: &str| path.parent().is_some_and(|path| path.ends_with(parent));
    let ends = |end: &str| path.extension().is_some_and(|extension| extension == end);
    // Locks that are held by their owners, not by being there.
    if text.ends_with(".git/slsart/package.lock") || text.starts_with("home/.npm") {
        return false;
    }
    if is_half_object(path) {
        return false;
    }
    ends("lock") && !text.ends_with("yarn.lock")
        || ends("keep")
        || name.starts_with("slsart-unfinished-")
        || name.starts_with(".slsart-")
        || name.starts_with(".tmp")
        || name.starts_with("tmp_")
        || name.starts_with("verify-")
        || below(".git/worktrees")
        || below(".git/slsart/refs")
        || below(".git/slsart/tmp")
        || text.contains("git-slsart/worktrees/") && path.components().count() > 5 && name != "sweeping"
        || text.starts_with("tmp/")
}

/// Makes what a killed command left two minutes older: files that are younger may be somebody's who has not locked them yet.
pub(crate) fn age(sandbox: &Sandbox) {
    let then = SystemTime::now() - Duration::from_mins(2);
    for path in litter(sandbox) {
        let path = sandbox.beside(path.to_str().unwrap());
        for entry in WalkDir::new(&path).into_iter().flatten() {
            let _ = File::open(entry.path()).and_then(|file| file.set_modified(then));
        }
    }
}

/// Packs in the repository, and the objects that are files of their own.
pub(crate) fn counts(sandbox: &Sandbox) -> (usize, usize) {
    let packs = fs::read_dir(sandbox.path(".git/objects/pack")).into_iter().flatten().flatten();
    let packs = packs.filter(|entry| entry.path().extension().is_some_and(|end| end == "pack")).count();
    let objects = WalkDir::new(sandbox.path(".git/objects")).min_depth(2).into_iter().flatten();
    let objects = objects.filter(|entry| entry.file_type().is_file() && entry.file_name().len() == 38);
    (packs, objects.count())
}
