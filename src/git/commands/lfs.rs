//! Git LFS: where its local store is, and the `git lfs` command, which alone talks to servers. Nothing here runs a
//! command of it that would install its hooks (`clean`, `smudge` and `fsck` do).

use std::fs;
use std::path::{Path, PathBuf};

use super::remote::listed;
use crate::error::{Error, Kind, Result};
use crate::git::{Oid, Repository, failed};
use crate::process::{Invocation, Output};

impl Repository {
    pub fn has_lfs(&self) -> Result<bool> {
        Ok(self.command().args(["lfs", "version"]).probe()?.0)
    }

    pub fn need_lfs(&self) -> Result<()> {
        if self.has_lfs()? {
            return Ok(());
        }
        Err(Error::refused("git-lfs is not installed").hint(install_lfs()))
    }

    /// The directory of the local LFS store: what `lfs.storage` names, else `lfs` in the directory that all worktrees
    /// share. A relative path is relative to that directory.
    pub fn lfs_storage(&self) -> PathBuf {
        let named = self.config("lfs.storage").filter(|path| !path.is_empty());
        self.common_dir().join(named.as_deref().unwrap_or("lfs"))
    }

    /// The remotes in the order in which they are asked for an object: LFS's own default, `origin`, the others.
    pub fn remotes(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .inner
            .remotes()
            .map(|names| names.iter().flatten().flatten().map(str::to_owned).collect())
            .unwrap_or_default();
        let default = self.config("remote.lfsdefault");
        names.sort_by_key(|name| (Some(name) != default.as_ref(), name != "origin"));
        names
    }

    /// The remote to use where none is named: `origin`, or the only one.
    pub fn usual_remote(&self) -> Option<String> {
        let mut remotes = self.remotes();
        if let Some(origin) = remotes.iter().position(|name| name == "origin") {
            return Some(remotes.swap_remove(origin));
        }
        if remotes.len() == 1 { remotes.pop() } else { None }
    }

    /// Fetches the LFS objects that the tree of the ref `name` points at into the local store. Resumes an interrupted fetch.
    pub fn fetch_lfs(&self, remote: &str, name: &str) -> Result<()> {
        self.fetching(self.command(), remote, name)
    }

    /// Fetches into a store at `directory` instead, so that the server is asked for each object even if it is here already.
    pub fn fetch_lfs_into(&self, directory: &Path, remote: &str, name: &str) -> Result<()> {
        // In a configuration file of its own: git-lfs serves a `file://` remote by a process that would inherit a setting.
        let git_dir = self.git_dir().canonicalize();
        let git_dir = git_dir.map_err(|error| Error::io("read", self.git_dir(), error))?;
        let condition = format!("gitdir:{}", glob_escaped(&git_dir.to_string_lossy()));
        let (outer, inner) = (directory.join("for-this-repository"), directory.join("storage"));
        let write = |path: &Path, text: String| {
            fs::write(path, text).map_err(|error| Error::io("write", path, error))
        };
        write(
            &outer,
            format!("[includeIf {}]\n\tpath = {}\n", quoted(&condition), quoted(&inner.to_string_lossy())),
        )?;
        write(&inner, format!("[lfs]\n\tstorage = {}\n", quoted(&directory.to_string_lossy())))?;
        let include = format!("include.path={}", outer.to_string_lossy());
        let git = self.command().in_disposable_directory();
        self.fetching(git.args(["-c".to_owned(), include]), remote, name)
    }

    fn fetching(&self, git: Invocation, remote: &str, name: &str) -> Result<()> {
        self.need_lfs()?;
        // The project's own filters are for its paths.
        git.args(["lfs", "fetch", "--include=", "--exclude=", remote, name]).run(Output::OnFailure)
    }

    /// The LFS stores of the repositories that this one borrows objects from (`git clone --shared`): git-lfs takes an
    /// object from there before it asks a server.
    pub fn borrowed_lfs(&self) -> Vec<PathBuf> {
        let objects = self.common_dir().join("objects");
        let text = fs::read_to_string(objects.join("info/alternates")).unwrap_or_default();
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.filter_map(|line| Some(objects.join(line).parent()?.join("lfs"))).collect()
    }

    pub fn remote_refs(&self, remote: &str, pattern: &str) -> Result<Vec<(String, Oid)>> {
        let output = self.command().args(["ls-remote", "--quiet", remote, pattern]).read()?;
        Ok(listed(&output))
    }

    /// Moves the ref `name` from `old` to `new`; fails if another process has moved it.
    pub fn move_ref(&self, name: &str, reason: &str, old: Oid, new: Oid) -> Result<()> {
        self.update_ref(name, reason, |current| {
            if current == Some(old) {
                return Ok(Some(new));
            }
            Err(Error::refused(format!("{name} was changed by another process, and left as it is"))
                .hint("run the command again"))
        })
    }

    pub fn need_remote(&self, remote: &str) -> Result<()> {
        match self.inner.find_remote(remote) {
            Ok(_) => Ok(()),
            Err(error)
                if matches!(error.code(), git2::ErrorCode::NotFound | git2::ErrorCode::InvalidSpec) =>
            {
                let known = self.remotes();
                let hint = if known.is_empty() {
                    "add one: git remote add origin URL".to_owned()
                } else {
                    format!("known remotes: {}", known.join(", "))
                };
                Err(Error::refused(format!("there is no remote '{remote}'")).hint(hint))
            }
            Err(error) => Err(failed("cannot read the remotes", error)),
        }
    }
}

/// Whether a fetch failed because the server lacks the object or has other bytes for it, rather than by a broken connection.
pub fn is_missing_object(error: &Error) -> bool {
    // In order: the code of an object in an answer; a `file://` remote; servers without any of the objects; git-lfs on other bytes.
    // "Repository or object not found" is not listed: it may be a question of access.
    const SIGNS: [&str; 6] =
        ["[404]", "[410]", "[422]", "remote missing object", "any of the requested objects", "expected OID"];
    let says = |text: &String| SIGNS.iter().any(|sign| text.contains(sign));
    matches!(error.kind, Kind::Child(_)) && error.causes().iter().any(says)
}

pub fn install_lfs() -> String {
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let is = |name: &str| {
        let ids =
            system.lines().filter_map(|line| line.strip_prefix("ID").and_then(|rest| rest.split_once('=')));
        ids.flat_map(|(_, value)| value.trim_matches('"').split_whitespace()).any(|id| id == name)
    };
    let command = if cfg!(target_os = "macos") {
        "brew install git-lfs"
    } else if is("debian") || is("ubuntu") {
        "apt-get install git-lfs"
    } else if is("fedora") || is("rhel") || is("amzn") {
        "dnf install git-lfs"
    } else if is("alpine") {
        "apk add git-lfs"
    } else if is("arch") {
        "pacman -S git-lfs"
    } else if is("suse") || is("opensuse") {
        "zypper install git-lfs"
    } else {
        return "install git-lfs: https://git-lfs.com says how".to_owned();
    };
    format!("to install git-lfs: {command}")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn glob_escaped(path: &str) -> String {
    path.chars().fold(String::new(), |mut text, character| {
        if matches!(character, '*' | '?' | '[' | '\\') {
            text.push('\\');
        }
        text.push(character);
        text
    })
}
