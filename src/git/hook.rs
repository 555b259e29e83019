//! Hook files: where git looks for them, and a marked block that can be put in and taken out without a trace.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use super::Repository;
use crate::error::{Error, Result};

const BEGIN: &str = "# >>> git-slsart >>>";
const END: &str = "# <<< git-slsart <<<";

const IN_WORK_TREE: &str =
    "git's hooks are in the working tree, where a hook manager or the repository itself owns the files";
const ELSEWHERE: &str = "git's hooks are outside of this repository, where other repositories may share them";
const NO_DIRECTORY: &str = "core.hooksPath is no directory: git runs no hooks";
const NOT_SHELL: &str = "it is not a shell script";

/// What a hook's file looks like to this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// There is no such hook.
    Absent,
    /// Our block is in it, up to date.
    Installed,
    /// Our block is in it, but an older one.
    Outdated,
    /// A hook of somebody else's, in shell: our block can go in beside it.
    Foreign,
    /// A hook that this program must not write to, and why.
    Untouchable(String),
}

/// A hook of this repository.
#[derive(Debug, Clone)]
pub struct Hook {
    path: PathBuf,
    block: String,
    /// Why nothing may be written there, whatever is in it.
    barred: Option<&'static str>,
}

impl Hook {
    /// The hook `name`, whose block runs the shell lines `body`.
    pub fn locate(repository: &Repository, name: &str, body: &str) -> Result<Self> {
        let output = repository.command().args(["rev-parse", "--git-path", "hooks"]).read()?;
        let text = String::from_utf8_lossy(&output);
        let top = repository.work_tree_if_any().unwrap_or(repository.git_dir());
        let path = top.join(text.trim_end_matches('\n')).join(name);
        let barred = barred(repository, &resolved(&path));
        Ok(Self { path, block: format!("{BEGIN}\n{}\n{END}\n", body.trim()), barred })
    }

    /// The hook's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks at the file.
    pub fn state(&self) -> Result<State> {
        let untouchable = |why: &str| Ok(State::Untouchable(why.to_owned()));
        let text = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotADirectory => return untouchable(NO_DIRECTORY),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return self.barred.map_or(Ok(State::Absent), untouchable);
            }
            Err(error) => return Err(Error::io("read", &self.path, error)),
        };
        let Ok(text) = String::from_utf8(text) else { return untouchable(NOT_SHELL) };
        match (self.barred, text.contains(BEGIN)) {
            _ if text.contains(&self.block) => Ok(State::Installed),
            (Some(why), _) => untouchable(why),
            (None, true) => Ok(State::Outdated),
            _ if !is_shell(&text) => untouchable(NOT_SHELL),
            // Making it executable would also bring back what somebody has put out of action.
            _ if !self.is_executable() => untouchable("it is not executable, so git does not run it"),
            _ => Ok(State::Foreign),
        }
    }

    /// Puts the block in: right after the first line, since a script may end with `exit`.
    pub fn install(&self) -> Result<()> {
        let text = match self.state()? {
            State::Installed | State::Untouchable(_) => return Ok(()),
            State::Absent => format!("#!/bin/sh\n{}", self.block),
            State::Outdated => insert(&without_block(&self.read()?), &self.block),
            State::Foreign => insert(&self.read()?, &self.block),
        };
        self.write(&text)
    }

    /// Why this program may not write there, though it be ours that is in it.
    #[must_use]
    pub fn barred(&self) -> Option<&'static str> {
        self.barred
    }

    /// Takes the block out; a file that holds nothing else is removed.
    ///
    /// # Returns
    /// Whether there was anything to take out.
    pub fn uninstall(&self) -> Result<bool> {
        let Ok(text) = fs::read_to_string(&self.path) else { return Ok(false) };
        if self.barred.is_some() || !text.contains(BEGIN) {
            return Ok(false);
        }
        let rest = without_block(&text);
        if rest == "#!/bin/sh\n" {
            fs::remove_file(&self.path).map_err(|error| Error::io("remove", &self.path, error))?;
        } else {
            self.write(&rest)?;
        }
        Ok(true)
    }

    fn is_executable(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
    }

    fn read(&self) -> Result<String> {
        fs::read_to_string(&self.path).map_err(|error| Error::io("read", &self.path, error))
    }

    fn write(&self, text: &str) -> Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        let mode = fs::metadata(&self.path).map_or(0o755, |metadata| metadata.permissions().mode());
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(directory)?;
            // A hook that is a symlink stays one: its target gets the new text.
            let target = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
            let directory = target.parent().unwrap_or(directory);
            let mut file = tempfile::Builder::new()
                .permissions(fs::Permissions::from_mode(mode))
                .tempfile_in(directory)?;
            file.write_all(text.as_bytes())?;
            file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
            file.as_file().sync_all()?;
            file.persist(target)?;
            Ok(())
        };
        write().map_err(|error| Error::io("write", &self.path, error))
    }
}

/// Why the hook at `path`, free of links, is not this repository's alone.
fn barred(repository: &Repository, path: &Path) -> Option<&'static str> {
    if path.starts_with(resolved(repository.common_dir())) {
        return None;
    }
    let in_work_tree = repository.work_tree_if_any().is_some_and(|top| path.starts_with(resolved(top)));
    Some(if in_work_tree { IN_WORK_TREE } else { ELSEWHERE })
}

/// `path` without links, `.` and `..`, as far as it exists; what is missing below is kept as it is named.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    match (path.parent(), path.components().next_back()) {
        (Some(parent), Some(Component::Normal(name))) => resolved(parent).join(name),
        (Some(parent), Some(Component::ParentDir)) => {
            resolved(parent).parent().map(Path::to_owned).unwrap_or_default()
        }
        (Some(parent), _) => resolved(parent),
        (None, _) => path.to_owned(),
    }
}

fn insert(text: &str, block: &str) -> String {
    match text.split_once('\n') {
        Some((first, rest)) => format!("{first}\n{block}{rest}"),
        None => format!("{text}\n{block}"),
    }
}

fn without_block(text: &str) -> String {
    let Some((before, rest)) = text.split_once(BEGIN) else { return text.to_owned() };
    let after = rest.split_once(END).map_or("", |(_, after)| after.strip_prefix('\n').unwrap_or(after));
    format!("{before}{after}")
}

fn is_shell(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let words = || first.trim_start_matches("#!").split([' ', '/', '\t']);
    first.starts_with("#!") && words().any(|word| ["sh", "bash", "dash", "zsh", "ksh", "ash"].contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_goes_in_and_comes_out_without_a_trace() {
        let block = format!("{BEGIN}\nrun\n{END}\n");
        for text in ["#!/bin/sh\n", "#!/usr/bin/env bash\necho hi\nexit 3\n", "#!/bin/sh"] {
            let with = insert(text, &block);
            assert!(with.contains(&block));
            assert_eq!(without_block(&with).trim_end(), text.trim_end());
        }
    }

    #[test]
    fn only_shell_scripts_take_a_block() {
        assert!(is_shell("#!/bin/sh\n") && is_shell("#!/usr/bin/env bash\n") && is_shell("#!/bin/sh -e\n"));
        assert!(
            !is_shell("#!/usr/bin/env python3\n") && !is_shell("echo\n") && !is_shell("#!/usr/bin/fish\n")
        );
    }
}
