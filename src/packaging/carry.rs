//! Files that git ignores and the framework needs, such as `.env`: copied from the user's working tree into a worktree.

use std::fs;
use std::path::Path;

use walkdir::WalkDir;

use crate::config::Carry;
use crate::error::{Error, Result};

/// Directories that are never carried: they are installed, made, or git's own.
const NEVER: &[&str] = &["node_modules", ".serverless", ".git"];

/// Copies what `carry` names from the service's directory `from` to `to`. A file that the commit itself has stays the
/// commit's.
///
/// # Returns
/// The copied paths, relative to the service's directory, sorted.
pub fn carry(carry: &Carry, from: &Path, to: &Path) -> Result<Vec<String>> {
    let matcher = carry.matcher()?;
    if matcher.is_empty() || !from.is_dir() {
        return Ok(Vec::new());
    }
    // Only a pattern with a directory in it can match below the top.
    let deep = carry
        .paths
        .iter()
        .any(|pattern| pattern.contains('/') || pattern.contains("**") || from.join(pattern).is_dir());
    let mut copied = Vec::new();
    let walk =
        WalkDir::new(from).min_depth(1).max_depth(if deep { usize::MAX } else { 1 }).sort_by_file_name();
    let entered = walk.into_iter().filter_entry(|entry| !NEVER.iter().any(|name| entry.file_name() == *name));
    for entry in entered {
        let entry = entry.map_err(|error| Error::io("read", from, error.into()))?;
        let Ok(relative) = entry.path().strip_prefix(from) else { continue };
        let target = to.join(relative);
        if !matcher.is_match(relative) || !entry.path().is_file() || target.exists() {
            continue;
        }
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(|error| Error::io("create", parent, error))?;
        }
        fs::copy(entry.path(), &target).map_err(|error| Error::io("copy", entry.path(), error))?;
        copied.push(relative.to_string_lossy().into_owned());
    }
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_carried_and_the_commits_own_files_stay() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (path, text) in [
            (".env", "a"),
            (".env.prod", "b"),
            ("build/js/app.js", "c"),
            ("other", "d"),
            ("node_modules/.env", "e"),
        ] {
            let path = from.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::write(to.path().join(".env"), "the commit's").unwrap();
        let rules = Carry { paths: vec![".env*".to_owned(), "build/".to_owned()] };
        assert_eq!(carry(&rules, from.path(), to.path()).unwrap(), [".env.prod", "build/js/app.js"]);
        assert_eq!(fs::read_to_string(to.path().join(".env")).unwrap(), "the commit's");
    }
}
