//! The edge to git. Knows nothing of packages.
//!
//! - `objects`: blobs, trees and packs, through libgit2 and a pack writer of our own
//! - `refs`, `config`: reading and changing them
//! - `commands`: what only the git program can do
//! - `hook_file`: our block in a hook's file
//! - `directory`: a directory as a tree, and back

mod commands;
mod config;
pub mod directory;
pub(crate) mod hook_file;
mod objects;
mod permissions;
mod refs;
pub(crate) mod revisions;
pub(crate) mod scratch;
mod trust;

use std::cell::{OnceCell, RefCell};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use objects::loose;
use objects::pack::PackReader;

pub use commands::commit_signing::SigningReason;
pub(crate) use commands::{commit_signature, lfs, remote, transfer, worktree};
pub use git2::Oid;
pub use objects::blob::Blob;
pub use objects::blob_readers::Readers;
pub use objects::compare::{TextChange, compare_text};
pub(crate) use objects::pack;
pub use objects::pack::Batch;
pub use objects::tree_draft::TreeDraft;
pub use objects::{Source, blob_id};

use crate::error::{Error, Kind, Result};
use crate::process::Invocation;
use crate::text::nearest::did_you_mean;

pub struct Repository {
    inner: git2::Repository,
    object_directories: OnceCell<Vec<PathBuf>>,
    packs: OnceCell<RefCell<PackReader>>,
    signing: trust::Settings,
}

#[derive(Debug, Clone)]
pub struct Commit {
    pub id: Oid,
    pub tree: Oid,
    pub parents: Vec<Oid>,
    /// The first line of its message.
    pub subject: String,
    pub time: Timestamp,
    pub committer: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// Its name, one path component.
    pub name: Vec<u8>,
    pub id: Oid,
    pub mode: i32,
}

pub const MODE_FILE: i32 = 0o100_644;
pub const MODE_EXECUTABLE: i32 = 0o100_755;
pub const MODE_LINK: i32 = 0o120_000;
pub const MODE_TREE: i32 = 0o040_000;

impl Repository {
    /// Opens the repository of `directory`, or the one that `GIT_DIR` names with its `GIT_WORK_TREE`.
    pub fn open(directory: &Path, git_dir: Option<&Path>, work_tree: Option<&Path>) -> Result<Self> {
        // Every byte of a package is compared with its SHA-256 anyway, and hashing each object again took a fifth of an extraction.
        git2::opts::strict_hash_verification(false);
        let flags = git2::RepositoryOpenFlags::empty();
        let no_ceilings: [&Path; 0] = [];
        let opened = match git_dir {
            Some(path) => git2::Repository::open_ext(
                directory.join(path),
                flags | git2::RepositoryOpenFlags::NO_SEARCH | git2::RepositoryOpenFlags::NO_DOTGIT,
                no_ceilings,
            ),
            None => git2::Repository::open_ext(directory, flags, no_ceilings),
        };
        let opened = opened.and_then(|inner| {
            if let Some(path) = work_tree.filter(|_| git_dir.is_some()) {
                inner.set_workdir(&directory.join(path), false)?;
            }
            Ok(inner)
        });
        let place = git_dir.map_or_else(|| directory.to_owned(), |path| directory.join(path));
        let place = place.display();
        let with = |inner| Self {
            inner,
            object_directories: OnceCell::new(),
            packs: OnceCell::new(),
            signing: trust::Settings::default(),
        };
        opened.map(with).map_err(|error| {
            let message = error.message().to_owned();
            match error.code() {
                git2::ErrorCode::NotFound => Error::refused(format!("no git repository here: '{place}'"))
                    .hint("change to a repository, name one with `-C DIR`, or create one with `git init`"),
                git2::ErrorCode::Owner => Error::refused(format!("git does not trust the repository at '{place}': another user owns it"))
                    .hint(format!("git config --global --add safe.directory {place}")),
                _ if message.contains("sha256") || message.contains("objectformat") => Error::refused("this repository uses SHA-256 objects, which libgit2 can't read yet")
                    .hint("use a repository with SHA-1 objects, git's default"),
                _ if message.contains("extension") => Error::refused("this repository uses a git extension that libgit2 can't read yet")
                    .hint("`git config --get-regexp '^extensions\\.'` shows which; `reftable` can be converted with `git refs migrate --ref-format=files`")
                    .because(error),
                _ => Error::refused(format!("cannot open the git repository at '{place}'")).because(error),
            }
        })
    }

    /// The repository with its main working tree, if this one is a linked worktree.
    pub fn main(&self) -> Option<Self> {
        let top = self.common_dir().parent().filter(|_| self.inner.is_worktree())?;
        let main = Self::open(top, None, None).ok()?;
        (main.common_dir() == self.common_dir()).then_some(main)
    }

    /// Whether `path`, relative to the working tree's top, is ignored and not in the index.
    pub fn is_ignored(&self, path: &Path) -> bool {
        let tracked = self.inner.index().is_ok_and(|index| index.get_path(path, 0).is_some());
        !tracked && self.inner.is_path_ignored(path).unwrap_or(false)
    }

    /// The directory of the repository itself (`.git`, or `.git/worktrees/<name>` in a linked worktree).
    pub fn git_dir(&self) -> &Path {
        self.inner.path()
    }

    pub fn common_dir(&self) -> &Path {
        self.inner.commondir()
    }

    /// The directories of its objects: its own, and those that it borrows from.
    fn object_directories(&self) -> &[PathBuf] {
        self.object_directories.get_or_init(|| loose::directories(&self.common_dir().join("objects")))
    }

    /// The working tree's top; an error in a bare repository.
    pub fn work_tree(&self) -> Result<&Path> {
        self.inner.workdir().ok_or_else(|| {
            Error::refused("this repository is bare: it has no working tree")
                .hint("run this in a clone, or name a commit: commands that take a commit work here")
        })
    }

    pub fn work_tree_if_any(&self) -> Option<&Path> {
        self.inner.workdir()
    }

    pub fn command(&self) -> Invocation {
        let command = Invocation::new("git").arg("-C").arg(self.inner.workdir().unwrap_or(self.inner.path()));
        let standard = self.inner.workdir().is_none_or(|top| top.join(".git").exists());
        if standard {
            return command;
        }
        // `git --git-dir=A --work-tree=B slsart …`: git's own search would not find this repository.
        let mut git_dir = OsString::from("--git-dir=");
        git_dir.push(self.inner.path());
        let mut work_tree = OsString::from("--work-tree=");
        work_tree.push(self.inner.workdir().unwrap_or(Path::new(".")));
        command.arg(git_dir).arg(work_tree)
    }

    /// The commit that `revision` names, in any way git understands; [`Kind::NotRecorded`] if there is none.
    pub fn resolve(&self, revision: &str) -> Result<Oid> {
        if let Ok(id) = Oid::from_str(revision)
            && revision.len() == 40
            && self.inner.find_commit(id).is_ok()
        {
            return Ok(id);
        }
        if self.inner.is_empty().unwrap_or(false) || (revision == "HEAD" && self.inner.head().is_err()) {
            return Err(Error::refused("this repository has no commit yet")
                .hint("to set up the repository, for its first commit: git slsart init"));
        }
        // Not `revision^{commit}`: after `:/text` that would be part of the text.
        let parse = self.command().args(["rev-parse", "--verify", "--quiet", "--end-of-options", revision]);
        let (found, output) = parse.probe()?;
        let object = Oid::from_str(String::from_utf8_lossy(&output).trim()).ok().filter(|_| found);
        let object = object.and_then(|id| self.inner.find_object(id, None).ok());
        match object.and_then(|object| object.peel_to_commit().ok()) {
            Some(commit) => Ok(commit.id()),
            None => Err(self.no_commit(revision)),
        }
    }

    fn no_commit(&self, revision: &str) -> Error {
        if revision.is_empty() {
            return Error::usage("a commit is expected here, and the value is empty");
        }
        if revision.contains("..") && !revision.starts_with(":/") {
            return Error::usage(format!("'{revision}' is a range; a single commit is expected"));
        }
        let meant = did_you_mean(revision, self.names()).or_else(|| self.some_tags());
        let error = Error::not_recorded(format!("'{revision}' is not a commit here"))
            .hints(meant)
            .hint("`git slsart log --all` lists what is recorded");
        if self.is_shallow() {
            return error.hint("this clone is shallow and may lack the commit: git fetch --unshallow");
        }
        error
    }

    fn some_tags(&self) -> Option<String> {
        let tags = self.inner.tag_names(None).ok()?;
        let mut last: Vec<&str> = tags.iter().rev().flatten().flatten().take(5).collect();
        last.reverse();
        (!last.is_empty()).then(|| format!("tags here: {}", last.join(", ")))
    }

    fn names(&self) -> Vec<String> {
        let names = self.inner.references().map(|references| {
            let short = |reference: git2::Reference<'_>| {
                let is_ours = reference.name().is_ok_and(|name| name.starts_with("refs/slsart"));
                let is_name = reference.is_tag() || reference.is_branch() || reference.is_remote();
                reference.shorthand().ok().filter(|_| is_name && !is_ours).map(str::to_owned)
            };
            references.flatten().filter_map(short).collect()
        });
        names.unwrap_or_default()
    }

    pub fn commit(&self, id: Oid) -> Result<Commit> {
        self.objects().check_place(id)?;
        self.objects().check_commit(id)?;
        let commit = self.inner.find_commit(id).map_err(|error| missing_object("commit", id, error))?;
        let committer = commit.committer();
        Ok(Commit {
            id,
            tree: commit.tree_id(),
            parents: commit.parent_ids().collect(),
            subject: String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default()).into_owned(),
            time: Timestamp::from_second(commit.time().seconds()).unwrap_or(Timestamp::UNIX_EPOCH),
            committer: format!(
                "{} <{}>",
                String::from_utf8_lossy(committer.name_bytes()),
                String::from_utf8_lossy(committer.email_bytes())
            ),
        })
    }

    /// Commits reachable from `from`, newest first, read lazily.
    pub fn history(&self, from: &[Oid]) -> Result<impl Iterator<Item = Oid> + '_> {
        self.history_without(from, &[])
    }

    /// Without the commits that are reachable from `hidden`.
    pub fn history_without(&self, from: &[Oid], hidden: &[Oid]) -> Result<impl Iterator<Item = Oid> + '_> {
        let mut walk = self.inner.revwalk().map_err(|error| failed("cannot walk the history", error))?;
        // Unsorted is git's own default, newest first, and lazy; any other order reads the whole history before the first.
        walk.set_sorting(git2::Sort::NONE).map_err(|error| failed("cannot walk the history", error))?;
        for id in from {
            walk.push(*id).map_err(|error| missing_object("commit", *id, error))?;
        }
        for id in hidden {
            walk.hide(*id).map_err(|error| missing_object("commit", *id, error))?;
        }
        // A shallow clone's history ends in a commit whose parents are absent: that is the end of it.
        Ok(walk.map_while(std::result::Result::ok))
    }

    /// Writes a copy of `commit` with another tree: the same parents, message, names and times. No ref names it yet.
    pub fn write_commit_like(&self, commit: Oid, tree: Oid) -> Result<Oid> {
        let write = || -> std::result::Result<Oid, git2::Error> {
            let tree = self.inner.find_tree(tree)?;
            self.inner.find_commit(commit)?.amend(None, None, None, None, None, Some(&tree))
        };
        write().map_err(|error| failed("cannot write to the object store", error))
    }

    /// Writes a commit with a fixed author and an empty tree: its id depends only on the arguments. No ref names it yet.
    pub fn write_empty_merge(&self, parents: &[Oid], time: Timestamp, message: &str) -> Result<Oid> {
        let write = || -> std::result::Result<Oid, git2::Error> {
            let own = git2::Signature::new(
                "git-slsart",
                "git-slsart@localhost",
                &git2::Time::new(time.as_second(), 0),
            )?;
            let tree = self.inner.find_tree(self.inner.treebuilder(None)?.write()?)?;
            let parents: Vec<_> = parents
                .iter()
                .map(|id| self.inner.find_commit(*id))
                .collect::<std::result::Result<_, _>>()?;
            let parents: Vec<&git2::Commit<'_>> = parents.iter().collect();
            self.inner.commit(None, &own, &own, message, &tree, &parents)
        };
        write().map_err(|error| failed("cannot write to the object store", error))
    }

    /// The user, as git has it: `Name <email>`.
    pub fn actor(&self) -> Result<String> {
        let (_, committer) = self.signatures().map_err(|error| {
            failed("cannot read your name and e-mail address from git's configuration", error)
        })?;
        Ok(format!(
            "{} <{}>",
            String::from_utf8_lossy(committer.name_bytes()),
            String::from_utf8_lossy(committer.email_bytes())
        ))
    }

    /// A record is worth more than a name: where git has none, as on many CI machines, a placeholder is used.
    fn signatures(
        &self,
    ) -> std::result::Result<(git2::Signature<'static>, git2::Signature<'static>), git2::Error> {
        let placeholder = || git2::Signature::now("git-slsart", "git-slsart@localhost");
        let author = self.inner.author_from_env().or_else(|_| placeholder())?;
        let committer = self.inner.committer_from_env().or_else(|_| placeholder())?;
        Ok((author, committer))
    }

    /// The value that HEAD had before its last move, from its reflog.
    pub fn previous_head(&self) -> Option<Oid> {
        let log = self.inner.reflog("HEAD").ok()?;
        log.get(0).map(|entry| entry.id_old()).filter(|id| !id.is_zero())
    }

    pub fn head(&self) -> Option<Oid> {
        self.inner.head().ok()?.peel_to_commit().ok().map(|commit| commit.id())
    }

    pub fn tag_of(&self, commit: Oid) -> Option<String> {
        let tags = self.inner.references_glob("refs/tags/*").ok()?;
        let tag =
            tags.flatten().find(|tag| tag.peel_to_commit().is_ok_and(|peeled| peeled.id() == commit))?;
        tag.shorthand().ok().map(str::to_owned)
    }

    /// The shortest prefix of `id` that names one object here, of at least seven digits.
    pub fn short_id(&self, id: Oid) -> String {
        let short = self.inner.find_object(id, None).and_then(|object| object.short_id());
        short
            .ok()
            .and_then(|name| name.as_str().ok().map(str::to_owned))
            .unwrap_or_else(|| id.to_string()[..7].to_owned())
    }
}

/// The directory of this program's data in the repository: locks, logs.
pub fn data_dir(repository: &Repository) -> PathBuf {
    repository.common_dir().join("slsart")
}

fn missing_object(what: &str, id: Oid, error: git2::Error) -> Error {
    match error.code() {
        git2::ErrorCode::NotFound => {
            Error::integrity(format!("the {what} {id} is missing from the object store"))
                .hint("`git fsck` shows everything that is missing; to get it from a remote: git fetch")
        }
        _ => Error::integrity(format!("the {what} {id} can't be read"))
            .hint("`git fsck` shows what is damaged")
            .because(error),
    }
}

fn failed(what: &str, error: git2::Error) -> Error {
    let message = error.message().to_ascii_lowercase();
    let this = Error::new(Kind::Refused, what);
    let this = if message.contains("no space left") || message.contains("quota") {
        this.hint("the disk is full: free some space and run the command again; what was recorded before is untouched")
    } else if message.contains("permission denied") || message.contains("read-only") {
        this.hint("this user can't write to the repository")
    } else {
        this
    };
    this.because(error)
}
