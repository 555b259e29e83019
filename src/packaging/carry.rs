//! Files that git ignores and the framework needs, such as `.env`: copied from the user's working tree into a worktree.

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::config::{Carry, FILE};
use crate::error::{Error, Result};
use crate::git::Repository;
use crate::service::{Service, ServicePath};
use crate::workspace::Workspace;

/// Directories that are never carried: installed, generated, or git's own.
pub(super) const NEVER: &[&str] = &["node_modules", ".serverless", ".git"];

/// Copies the files that `carry` names from the working tree of `from` to `to`, the directory of the service at `service` in a checkout. A
/// file or link of the commit stays.
///
/// # Returns
/// The copied paths, relative to the service's directory, sorted.
pub fn carry(carry: &Carry, from: &Repository, service: &ServicePath, to: &Path) -> Result<Vec<String>> {
    let Some(top) = from.work_tree_if_any() else { return Ok(Vec::new()) };
    let source = service.under(top);
    let mut copied = Vec::new();
    for relative in listed(carry, from, service)? {
        if copy(&source.join(&relative), to, &relative)? {
            copied.push(relative.to_string_lossy().into_owned());
        }
    }
    Ok(copied)
}

/// The files that `carry` names in the working tree of `from`: paths relative to the directory of the service at `service`, sorted. Only
/// ignored files are carried: a file that is tracked today is not part of an older commit.
pub(super) fn listed(carry: &Carry, from: &Repository, service: &ServicePath) -> Result<Vec<PathBuf>> {
    let matcher = carry.matcher()?;
    let Some(top) = from.work_tree_if_any() else { return Ok(Vec::new()) };
    let source = service.under(top);
    if matcher.is_empty() || !source.is_dir() {
        return Ok(Vec::new());
    }
    // Only a pattern with a directory in it can match below the top.
    let deep =
        |pattern: &String| pattern.contains('/') || pattern.contains("**") || source.join(pattern).is_dir();
    let depth = if carry.paths.iter().any(deep) { usize::MAX } else { 1 };
    let mut found = Vec::new();
    let walk = WalkDir::new(&source).min_depth(1).max_depth(depth).sort_by_file_name();
    let entered = walk.into_iter().filter_entry(|entry| !NEVER.iter().any(|name| entry.file_name() == *name));
    for entry in entered {
        let entry = entry.map_err(|error| Error::io("read", &source, error.into()))?;
        let Ok(relative) = entry.path().strip_prefix(&source) else { continue };
        let is_meant = matcher.is_match(relative) && entry.path().is_file();
        let in_repository = entry.path().strip_prefix(top).unwrap_or(relative);
        if is_meant && from.is_ignored(in_repository) {
            found.push(relative.to_owned());
        }
    }
    Ok(found)
}

/// The patterns of `carry` that match none of `found`. The default patterns are left out: the user did not write them.
pub fn unmatched(carry: &Carry, found: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Vec<&str>> {
    let matcher = carry.matcher()?;
    let mut used = vec![false; carry.paths.len()];
    for path in found {
        // Each pattern is two in the matcher: for a file, and for a directory's content.
        matcher.matches(path).into_iter().for_each(|index| used[index / 2] = true);
    }
    let defaults = Carry::default();
    let asked =
        carry.paths.iter().zip(used).filter(|(pattern, used)| !used && !defaults.paths.contains(pattern));
    Ok(asked.map(|(pattern, _)| pattern.as_str()).collect())
}

pub fn no_match(patterns: &[&str]) -> String {
    format!("[carry] in {FILE}: no file that git ignores matches {}", patterns.join(", "))
}

/// Warns of patterns that match nothing in any of the `services`.
pub(super) fn warn_unmatched(workspace: &Workspace<'_>, services: &[Service]) -> Result<()> {
    let Workspace { repository, progress, config, .. } = workspace;
    if repository.work_tree_if_any().is_none() || config.carry.paths.is_empty() {
        return Ok(());
    }
    let main = repository.main();
    let mut found = Vec::new();
    for from in [Some(*repository), main.as_ref()].into_iter().flatten() {
        for service in services {
            found.extend(listed(&config.carry, from, &service.path)?);
        }
    }
    let unmatched = unmatched(&config.carry, found)?;
    if !unmatched.is_empty() {
        progress.warn(&no_match(&unmatched));
    }
    Ok(())
}

/// Copies `file` to `relative` below `to`, unless something exists there or a link on the way leads out of it.
fn copy(file: &Path, to: &Path, relative: &Path) -> Result<bool> {
    let target = to.join(relative);
    let parent = target.parent().unwrap_or(to);
    let real = |path: &Path| path.canonicalize().map_err(|error| Error::io("read", path, error));
    let existing = parent.ancestors().find(|place| place.symlink_metadata().is_ok()).unwrap_or(to);
    if target.symlink_metadata().is_ok() || !existing.is_dir() || !real(existing)?.starts_with(real(to)?) {
        return Ok(false);
    }
    fs::create_dir_all(parent).map_err(|error| Error::io("create", parent, error))?;
    fs::copy(file, &target).map_err(|error| Error::io("copy", file, error))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Invocation;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn repository(files: &[&str]) -> (tempfile::TempDir, Repository) {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            write(root.path(), file, file);
        }
        write(root.path(), ".gitignore", ".env*\nbuild\nnode_modules\n");
        let git = |arguments: &[&str]| {
            Invocation::new("git").arg("-C").arg(root.path()).args(arguments).read().unwrap();
        };
        git(&["init", "--quiet"]);
        git(&["add", "--force", ".env.tracked"]);
        let repository = Repository::open(root.path(), None, None).unwrap();
        (root, repository)
    }

    #[test]
    fn what_is_named_and_ignored_is_carried_and_the_commits_own_files_stay() {
        let files = [
            ".env",
            ".env.prod",
            ".env.tracked",
            ".envelope/x",
            "build/js/app.js",
            "other",
            "node_modules/.env",
        ];
        let (_root, from) = repository(&files);
        let to = tempfile::tempdir().unwrap();
        fs::write(to.path().join(".env"), "the commit's").unwrap();
        let rules = Carry { paths: vec![".env*".to_owned(), "build/".to_owned(), "other".to_owned()] };
        let copied = carry(&rules, &from, &ServicePath::root(), to.path()).unwrap();
        assert_eq!(copied, [".env.prod", ".envelope/x", "build/js/app.js"]);
        assert_eq!(fs::read_to_string(to.path().join(".env")).unwrap(), "the commit's");
    }

    #[test]
    fn nothing_is_carried_through_the_commits_links() {
        let (_root, from) = repository(&[".env", ".env.tracked", "build/x"]);
        let (to, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(outside.path(), to.path().join("build")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("stolen"), to.path().join(".env")).unwrap();
        let rules = Carry { paths: vec![".env".to_owned(), "build".to_owned()] };
        assert!(carry(&rules, &from, &ServicePath::root(), to.path()).unwrap().is_empty());
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }
}
