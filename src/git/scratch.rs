//! Directories for what one command needs and no other, in `.git/slsart/tmp`: gone with the command, or swept by the next one that
//! needs such a directory where it was killed.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use super::pack::is_older;
use super::{Repository, data_dir};
use crate::error::{Error, Result};

/// One of this age whose lock nobody holds is not about to be locked.
const FRESH: Duration = Duration::from_mins(1);
/// The file whose lock tells a directory in use from one that a killed process left.
const LOCK: &str = "lock";

/// A directory that goes when the value is dropped.
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

/// Removes those that killed processes left: they may be large. What can't be removed is in nobody's way.
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
