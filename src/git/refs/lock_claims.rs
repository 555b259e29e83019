//! Which refs a process is about to lock: a file for each in `.git/slsart/refs`, locked as long as the process lives. A ref's lock is a
//! plain file, so a killed process's looks like a living one's. Its claim tells them apart.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::git::pack::is_older;
use crate::git::{Repository, data_dir};

/// Most bytes of a claim: a ref's name.
const MAX_BYTES: u64 = 4096;
/// An empty claim of this age has no writer any more; a lock of this age was not created after its claimant died.
const FRESH: Duration = Duration::from_mins(1);

/// Claims a ref, until the value is dropped.
pub(super) struct Claim(Option<(PathBuf, File)>);

impl Claim {
    /// Claims the ref `name`. If the claim can't be written, the ref can hardly be either, and its update reports why.
    pub(super) fn new(repository: &Repository, name: &str) -> Self {
        let directory = directory(repository);
        let write = || -> io::Result<(PathBuf, File)> {
            repository.shared_permissions().make_directory(&directory)?;
            sweep(repository, &directory);
            let named = tempfile::Builder::new().prefix("claim-").tempfile_in(&directory)?;
            named.as_file().lock()?;
            repository.shared_permissions().file(named.path())?;
            // An empty one is ignored: it is written only once it is locked.
            named.as_file().write_all(name.as_bytes())?;
            let (file, path) = named.keep().map_err(|error| error.error)?;
            Ok((path, file))
        };
        Self(write().ok())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some((path, _held)) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

/// The identity of a ref's lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lock(u64, u64);

impl Lock {
    pub(super) fn of(repository: &Repository, name: &str) -> Option<Self> {
        let data = fs::metadata(lock_path(repository, name)).ok()?;
        Some(Self(data.dev(), data.ino()))
    }
}

/// Removes the lock of the ref `name` if it is still `seen`, and a killed process had claimed the ref.
pub(super) fn remove_left(repository: &Repository, name: &str, seen: Lock) {
    for (path, _held) in left(&directory(repository), name) {
        if Lock::of(repository, name) == Some(seen) {
            let _ = fs::remove_file(lock_path(repository, name));
        }
        let _ = fs::remove_file(path);
    }
}

/// The claims of killed processes on the ref `name`, each locked so that no other process acts on it too.
fn left(directory: &Path, name: &str) -> Vec<(PathBuf, File)> {
    let claims = claims(directory).filter_map(|path| {
        let (file, claimed) = take(&path)?;
        (claimed == name).then_some((path, file))
    });
    claims.collect()
}

/// Removes what killed processes left of refs that may never be updated again: claims, and their locks.
fn sweep(repository: &Repository, directory: &Path) {
    for path in claims(directory) {
        let Some((claim, name)) = take(&path) else { continue };
        let lock = lock_path(repository, &name);
        let is_left = match (name.as_str(), File::open(&lock)) {
            ("", _) => is_older(&claim, FRESH),
            (_, Err(_)) => true,
            (_, Ok(held)) => is_older(&held, FRESH) && fs::remove_file(&lock).is_ok(),
        };
        if is_left {
            let _ = fs::remove_file(&path);
        }
    }
}

fn claims(directory: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// A dead process's claim, read and locked; `None` if the process lives, or another has just removed the claim.
fn take(path: &Path) -> Option<(File, String)> {
    let file = File::open(path).ok()?;
    file.try_lock().ok()?;
    if file.metadata().ok()?.nlink() == 0 {
        return None;
    }
    let mut claimed = String::new();
    (&file).take(MAX_BYTES).read_to_string(&mut claimed).ok()?;
    Some((file, claimed))
}

fn directory(repository: &Repository) -> PathBuf {
    data_dir(repository).join("refs")
}

fn lock_path(repository: &Repository, name: &str) -> PathBuf {
    repository.common_dir().join(format!("{name}.lock"))
}
