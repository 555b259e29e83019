//! Reading blobs from several threads: libgit2's handle on a repository is for one at a time.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::objects::Objects;
use super::{Oid, Repository, failed};
use crate::error::Result;

/// Handles on one repository, a thread each.
pub struct Readers {
    git_dir: PathBuf,
    directories: Vec<PathBuf>,
    free: Mutex<Vec<git2::Repository>>,
}

/// A blob that was opened.
pub enum Blob {
    /// All of it.
    Bytes(Vec<u8>),
    /// A large one.
    Stream {
        /// In bytes.
        size: u64,
        /// From the start.
        reader: Box<dyn Read + Send>,
    },
}

impl Repository {
    /// Handles for reading blobs from several threads.
    #[must_use]
    pub fn readers(&self) -> Readers {
        Readers {
            git_dir: self.inner.path().to_owned(),
            directories: self.object_directories().to_vec(),
            free: Mutex::default(),
        }
    }
}

impl Readers {
    /// Opens a blob.
    ///
    /// # Errors
    /// [`crate::error::Kind::Integrity`] when it is missing or can't be read.
    pub fn open(&self, id: Oid) -> Result<Blob> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let repository = match free {
            Some(repository) => repository,
            None => open(&self.git_dir)?,
        };
        let blob = Objects { handle: &repository, directories: &self.directories }.open(id);
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(repository);
        blob
    }
}

/// Another handle on the repository whose directory is `git_dir`.
pub(super) fn open(git_dir: &Path) -> Result<git2::Repository> {
    let flags = git2::RepositoryOpenFlags::NO_SEARCH | git2::RepositoryOpenFlags::NO_DOTGIT;
    let no_ceilings: [&Path; 0] = [];
    git2::Repository::open_ext(git_dir, flags, no_ceilings)
        .map_err(|error| failed("cannot open the repository", error))
}
