//! Disposable worktrees: made for one command, gone when it ends in whatever way, swept when it was killed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustix::io::{FdFlags, fcntl_setfd};
use sha2::{Digest as _, Sha256};

use super::{Oid, Repository};
use crate::error::{Error, Result};
use crate::process::Invocation;

/// A checkout of one commit that is removed when the value is dropped.
pub struct Worktree<'r> {
    repository: &'r Repository,
    path: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

impl<'r> Worktree<'r> {
    /// Checks `commit` out below `cache`, with its submodules. Hooks don't run. Of what is in LFS, only the content below
    /// `directory`, a path in the repository, is had.
    pub fn create(repository: &'r Repository, cache: &Path, commit: Oid, directory: &str) -> Result<Self> {
        let base = base(repository, cache);
        fs::create_dir_all(&base).map_err(|error| Error::io("create", &base, error))?;
        let (lock_path, lock) = {
            let _sweeping = exclude_sweeps(&base)?;
            claim(&base, commit)?
        };
        let path = lock_path.with_extension("");
        // From here on, dropping the value cleans up whatever git has made by then.
        let this = Self { repository, path, lock_path, _lock: lock };
        repository
            .command()
            .env("GIT_LFS_SKIP_SMUDGE", "1")
            .args([
                "-c",
                "core.hooksPath=/dev/null",
                "-c",
                "advice.detachedHead=false",
                "worktree",
                "add",
                "--quiet",
                "--detach",
            ])
            .arg(&this.path)
            .arg(commit.to_string())
            .read()?;
        this.fetch_lfs(commit, directory)?;
        this.update_submodules()?;
        Ok(this)
    }

    /// A pointer in a file's place would be packaged as if it were the file.
    fn fetch_lfs(&self, commit: Oid, directory: &str) -> Result<()> {
        let grep = self.repository.command().args(["grep", "--quiet", "--fixed-strings", "filter=lfs"]);
        let (uses_lfs, _) = grep.arg(commit.to_string()).args(["--", ":(glob)**/.gitattributes"]).probe()?;
        if !uses_lfs {
            return Ok(());
        }
        let include = if directory == "." { "*".to_owned() } else { format!("{directory}/**") };
        let pull =
            Invocation::new("git").arg("-C").arg(&self.path).args(["lfs", "pull", "--include", &include]);
        pull.read().map(drop).map_err(|error| {
            error.hint(
                "the commit keeps files in LFS: install git-lfs, and see that its server can be reached",
            )
        })
    }

    fn update_submodules(&self) -> Result<()> {
        if !self.path.join(".gitmodules").is_file() {
            return Ok(());
        }
        let update = Invocation::new("git").arg("-C").arg(&self.path);
        let update = update.args(["submodule", "--quiet", "update", "--init", "--recursive"]);
        update
            .read()
            .map(drop)
            .map_err(|error| error.hint("the commit has submodules: see that they can be fetched"))
    }

    /// The top of the checkout, an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Worktree<'_> {
    fn drop(&mut self) {
        // What fails here is swept at the next start.
        let _ = remove(self.repository, &self.path);
        let _ = fs::remove_file(&self.lock_path);
    }
}

/// Removes the worktrees of commands that were killed. Those still in use, also by a framework that outlived its
/// parent, hold their lock and stay.
///
/// # Returns
/// How many were removed.
pub fn sweep(repository: &Repository, cache: &Path) -> Result<usize> {
    let base = base(repository, cache);
    let Ok(entries) = fs::read_dir(&base) else { return Ok(0) };
    let _sweeping = exclude_sweeps(&base)?;
    let mut removed = 0;
    for entry in entries.flatten() {
        let lock_path = entry.path();
        if lock_path.extension().is_none_or(|extension| extension != "lock") {
            continue;
        }
        let Ok(lock) = File::open(&lock_path) else { continue };
        if lock.try_lock().is_ok() {
            remove(repository, &lock_path.with_extension(""))?;
            fs::remove_file(&lock_path).map_err(|error| Error::io("remove", &lock_path, error))?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Each repository has a directory of its own, so that one never sweeps another's.
fn base(repository: &Repository, cache: &Path) -> PathBuf {
    let place = repository.common_dir().canonicalize().unwrap_or_else(|_| repository.common_dir().to_owned());
    let digest = Sha256::digest(place.as_os_str().as_encoded_bytes());
    let name = digest.iter().take(8).fold(String::new(), |name, byte| format!("{name}{byte:02x}"));
    cache.join("worktrees").join(name)
}

/// Held while locks are made and while they are looked at: one that is made but not yet held looks like a dead process's.
fn exclude_sweeps(base: &Path) -> Result<File> {
    let path = base.join("sweeping");
    let file = File::create(&path).map_err(|error| Error::io("write", &path, error))?;
    file.lock().map_err(|error| Error::io("lock", &path, error))?;
    Ok(file)
}

fn claim(base: &Path, commit: Oid) -> Result<(PathBuf, File)> {
    let named = tempfile::Builder::new()
        .prefix(&format!("{}-", &commit.to_string()[..12]))
        .suffix(".lock")
        .tempfile_in(base)
        .map_err(|error| Error::io("write to", base, error))?;
    let (lock, path) = named.keep().map_err(|error| Error::io("write to", base, error.error))?;
    lock.lock().map_err(|error| Error::io("lock", &path, error))?;
    // Children inherit the lock: a framework that outlives a killed parent keeps its worktree.
    fcntl_setfd(&lock, FdFlags::empty()).map_err(|error| Error::io("lock", &path, error.into()))?;
    Ok((path, lock))
}

fn remove(repository: &Repository, path: &Path) -> Result<()> {
    if path.exists() {
        // Forced twice: what a framework or a plugin left in the checkout is disposable, a lock of git's too.
        let _ = repository.command().args(["worktree", "remove", "--force", "--force"]).arg(path).probe()?;
    }
    if path.exists() {
        fs::remove_dir_all(path).map_err(|error| Error::io("remove", path, error))?;
        repository.command().args(["worktree", "prune"]).read()?;
    }
    Ok(())
}
