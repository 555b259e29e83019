//! Disposable worktrees: each made for one command, removed when it ends, swept later if it was killed.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::io::{FdFlags, fcntl_setfd};
use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use crate::error::{Error, Result};
use crate::git::{Oid, Repository};
use crate::process::Invocation;

/// A checkout of one commit that is removed when the value is dropped.
pub struct Worktree<'r> {
    repository: &'r Repository,
    path: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

impl<'r> Worktree<'r> {
    /// Checks all of `commit` out below `cache`, even where the repository's own checkout is sparse, with its LFS files and the submodules
    /// that this repository has. Hooks don't run.
    ///
    /// # Returns
    ///
    /// The worktree, and the paths of submodules that are missing in it because this repository lacks them.
    pub fn create(repository: &'r Repository, cache: &Path, commit: Oid) -> Result<(Self, Vec<String>)> {
        let base = base(repository, cache);
        fs::create_dir_all(&base).map_err(|error| Error::io("create", &base, error))?;
        let (lock_path, lock) = {
            let _sweeping = exclude_sweeps(&base)?;
            claim(&base, commit)?
        };
        let path = lock_path.with_extension("");
        // From here on, dropping the value removes what git has created.
        let this = Self { repository, path, lock_path, _lock: lock };
        let add = repository.command().args(["-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet"]);
        add.args(["--no-checkout", "--detach"]).arg(&this.path).arg(commit.to_string()).read()?;
        let git = this.git().env("GIT_LFS_SKIP_SMUDGE", "1").args(["-c", "core.hooksPath=/dev/null"]);
        git.args(["-c", "core.sparseCheckout=false", "reset", "--quiet", "--hard"]).read()?;
        this.fetch_lfs()?;
        let lacking = this.check_out_submodules()?;
        Ok((this, lacking))
    }

    fn git(&self) -> Invocation {
        Invocation::new("git").arg("-C").arg(&self.path).in_disposable_directory()
    }

    /// A pointer would be packaged in place of the file.
    fn fetch_lfs(&self) -> Result<()> {
        let grep = self.git().args(["grep", "--quiet", "--cached", "--fixed-strings", "filter=lfs"]);
        let (uses_lfs, _) = grep.args(["--", ":(top,glob)**/.gitattributes"]).probe()?;
        if !uses_lfs {
            return Ok(());
        }
        self.git().args(["lfs", "pull"]).read().map(drop).map_err(|error| {
            error.hint(
                "the commit has files in LFS: install git-lfs, and check that its server can be reached",
            )
        })
    }

    /// Checks submodules out from this repository's own copies of them: a rollback must not need their servers.
    fn check_out_submodules(&self) -> Result<Vec<String>> {
        if !self.path.join(".gitmodules").is_file() {
            return Ok(Vec::new());
        }
        let list =
            self.git().args(["config", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$"]);
        let text = String::from_utf8_lossy(&list.probe()?.1).into_owned();
        let mut lacking = Vec::new();
        for line in text.lines() {
            let Some((key, path)) = line.split_once(' ') else { continue };
            let name = key.trim_start_matches("submodule.").trim_end_matches(".path");
            let copy = self.repository.common_dir().join("modules").join(name);
            if name.split('/').any(|part| part == "..") || !copy.is_dir() {
                lacking.push(path.to_owned());
                continue;
            }
            let url = format!("submodule.{name}.url={}", copy.display());
            let update =
                self.git().args(["-c", "protocol.file.allow=always", "-c", &url, "submodule", "--quiet"]);
            update.args(["update", "--"]).arg(path).read().map_err(|error| {
                error.hint(format!(
                    "the submodule '{path}' lacks the objects that the commit needs: git submodule update '{path}'"
                ))
            })?;
        }
        Ok(lacking)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Worktree<'_> {
    fn drop(&mut self) {
        // A directory that can't be removed keeps its lock file, and is swept later.
        if remove(self.repository, &self.path).is_ok() {
            let _ = fs::remove_file(&self.lock_path);
        }
    }
}

/// Removes the worktrees of killed commands. One still in use keeps its lock and stays, even if only a framework that outlived its parent
/// uses it.
///
/// # Returns
///
/// The directories that could not be removed.
pub fn sweep(repository: &Repository, cache: &Path) -> Result<Vec<PathBuf>> {
    let base = base(repository, cache);
    let Some(locks) = locks(&base)? else { return Ok(Vec::new()) };
    let mut left = Vec::new();
    for (lock_path, lock) in locks.files {
        if lock.try_lock().is_err() {
            continue;
        }
        let path = lock_path.with_extension("");
        if remove(repository, &path)
            .and_then(|()| {
                fs::remove_file(&lock_path).map_err(|error| Error::io("remove", &lock_path, error))
            })
            .is_err()
        {
            left.push(path);
        }
    }
    Ok(left)
}

/// Whether a program still works in a worktree of `repository`, even one that outlived its parent.
pub fn is_any_in_use(repository: &Repository, cache: &Path) -> Result<bool> {
    let locks = locks(&base(repository, cache))?;
    Ok(locks.is_some_and(|locks| locks.files.iter().any(|(_, lock)| lock.try_lock().is_err())))
}

/// The lock files of worktrees, while no other process creates or examines one.
struct Locks {
    files: Vec<(PathBuf, File)>,
    _sweeping: File,
}

/// `None` if there never was a worktree.
fn locks(base: &Path) -> Result<Option<Locks>> {
    let Ok(entries) = fs::read_dir(base) else { return Ok(None) };
    let sweeping = exclude_sweeps(base)?;
    let paths = entries.flatten().map(|entry| entry.path());
    let paths = paths.filter(|path| path.extension().is_some_and(|extension| extension == "lock"));
    let files = paths.filter_map(|path| Some((path.clone(), File::open(path).ok()?))).collect();
    Ok(Some(Locks { files, _sweeping: sweeping }))
}

/// Each repository has a directory of its own, so that it never sweeps another's.
fn base(repository: &Repository, cache: &Path) -> PathBuf {
    let place = repository.common_dir().canonicalize().unwrap_or_else(|_| repository.common_dir().to_owned());
    let digest = Sha256::digest(place.as_os_str().as_encoded_bytes());
    let name = digest.iter().take(8).fold(String::new(), |name, byte| format!("{name}{byte:02x}"));
    cache.join("worktrees").join(name)
}

/// Held while locks are created and while they are examined: a lock file that was created but not locked yet looks stale.
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
        // Forced twice, to override a lock of git's: whatever a framework or a plugin left in the checkout is disposable.
        let _ = repository.command().args(["worktree", "remove", "--force", "--force"]).arg(path).probe()?;
    }
    if path.exists() {
        if fs::remove_dir_all(path).is_err() {
            // Some caches make their own directories read-only.
            make_writable(path);
            fs::remove_dir_all(path).map_err(|error| Error::io("remove", path, error))?;
        }
        repository.command().args(["worktree", "prune"]).read()?;
    }
    Ok(())
}

fn make_writable(path: &Path) {
    for entry in WalkDir::new(path).into_iter().flatten().filter(|entry| entry.file_type().is_dir()) {
        // What still can't be removed is reported by the removal.
        let _ = fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o700));
    }
}
