//! Temporary directories in `.git/slsart/tmp`: removed with their command, or swept by the next command that needs one if it was killed.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use super::pack::is_older;
use super::{Repository, data_dir};
use crate::error::{Error, Result};

/// An unlocked directory of this age is stale, not just created.
const FRESH: Duration = Duration::from_mins(1);
/// The file whose lock marks a directory as in use.
const LOCK: &str = "lock";

pub struct Scratch {
    directory: TempDir,
    _lock: File,
}

impl Scratch {
    pub fn new(repository: &Repository) -> Result<Self> {
        let parent = data_dir(repository).join("tmp");
        let make = || -> io::Result<Self> {
            repository.shared_permissions().make_directory(&parent)?;
            sweep(&parent);
            let directory = tempfile::Builder::new().prefix("scratch-").tempdir_in(&parent)?;
            let lock = File::create(directory.path().join(LOCK))?;
            lock.lock()?;
            Ok(Self { directory, _lock: lock })
        };
        make().map_err(|error| Error::io("write to", &parent, error))
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Removes stale directories: they may be large. One that can't be removed does no harm.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_left = || -> io::Result<bool> {
            if !is_older(&File::open(&path)?, FRESH) {
                return Ok(false);
            }
            match File::open(path.join(LOCK)) {
                Ok(lock) => Ok(lock.try_lock().is_ok()),
                Err(error) => Ok(error.kind() == io::ErrorKind::NotFound),
            }
        };
        if is_left().unwrap_or(false) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}
