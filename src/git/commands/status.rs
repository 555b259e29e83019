//! The working tree: its changes, its content as a tree, and git's unfinished operations.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};
use crate::git::{Oid, Repository, failed};

impl Repository {
    /// Paths that differ from HEAD in the working tree or the index, untracked ones included, ignored ones not.
    pub fn dirty_paths(&self) -> Result<Vec<String>> {
        self.work_tree()?;
        let output = self
            .command()
            .args(["--no-optional-locks", "status", "--porcelain=v1", "-z", "--no-renames"])
            .args(["--untracked-files=normal", "--ignore-submodules=none"])
            .read()?;
        Ok(output
            .split(|byte| *byte == 0)
            .filter(|line| line.len() > 3)
            .map(|line| String::from_utf8_lossy(&line[3..]).into_owned())
            .collect())
    }

    /// Writes the working tree, untracked files included and ignored ones not, as a tree object; the index stays
    /// as it is.
    pub fn write_work_tree(&self) -> Result<Oid> {
        self.work_tree()?;
        let scratch = crate::git::scratch::Scratch::new(self)?;
        let index = scratch.path().join("index");
        let current = self.git_dir().join("index");
        if current.exists() {
            copy_with_time(&current, &index).map_err(|error| Error::io("read", &current, error))?;
        }
        let git = || self.command().env("GIT_INDEX_FILE", &index);
        // The framework's output is no source, even where it is not ignored.
        git().args(["add", "--all", "--", ":/", ":(top,exclude,glob)**/.serverless/**"]).read()?;
        let output = git().arg("write-tree").read()?;
        Oid::from_str(String::from_utf8_lossy(&output).trim())
            .map_err(|error| failed("cannot write the working tree", error))
    }

    pub fn operation_under_way(&self) -> Option<&'static str> {
        use git2::RepositoryState as S;
        match self.inner.state() {
            S::Clean => None,
            S::Merge => Some("merge"),
            S::Revert | S::RevertSequence => Some("revert"),
            S::CherryPick | S::CherryPickSequence => Some("cherry-pick"),
            S::Bisect => Some("bisect"),
            S::Rebase | S::RebaseInteractive | S::RebaseMerge => Some("rebase"),
            S::ApplyMailbox | S::ApplyMailboxOrRebase => Some("am"),
        }
    }
}

/// Copies an index with its modification time: git compares that time with the files' to find files that changed without a change of size
/// in the same second.
fn copy_with_time(from: &Path, to: &Path) -> std::io::Result<()> {
    let modified = fs::metadata(from)?.modified()?;
    fs::copy(from, to)?;
    fs::File::options().write(true).open(to)?.set_modified(modified)
}
