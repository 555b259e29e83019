//! Reading blobs from several threads: libgit2's handle on a repository is for one at a time.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Objects;
use super::blob::{Blob, MAX_HELD};
use crate::error::Result;
use crate::git::pack::{PackReader, Packs};
use crate::git::{Oid, Repository, failed};

/// Handles on one repository, a thread each.
pub struct Readers {
    git_dir: PathBuf,
    directories: Vec<PathBuf>,
    packs: Arc<Packs>,
    free: Mutex<Vec<Handle>>,
}

struct Handle {
    packs: PackReader,
    /// Opened for blobs that are not whole in a pack.
    repository: Option<git2::Repository>,
}

impl Repository {
    pub fn readers(&self) -> Readers {
        Readers {
            git_dir: self.inner.path().to_owned(),
            directories: self.object_directories().to_vec(),
            packs: Arc::new(Packs::open(self.object_directories())),
            free: Mutex::default(),
        }
    }
}

impl Readers {
    /// Opens a blob.
    pub fn open(&self, id: Oid) -> Result<Blob> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut handle = free
            .unwrap_or_else(|| Handle { packs: PackReader::new(Arc::clone(&self.packs)), repository: None });
        let blob = self.open_with(&mut handle, id);
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
        blob
    }

    fn open_with(&self, handle: &mut Handle, id: Oid) -> Result<Blob> {
        if let Some(bytes) = handle.packs.read(id, git2::ObjectType::Blob, MAX_HELD) {
            return Ok(Blob::Bytes(bytes));
        }
        let repository = match handle.repository.take() {
            Some(repository) => repository,
            None => open(&self.git_dir)?,
        };
        let handle = handle.repository.insert(repository);
        let packs = Arc::clone(&self.packs);
        Objects { handle, directories: &self.directories, packs }.open(id)
    }
}

pub(super) fn open(git_dir: &Path) -> Result<git2::Repository> {
    let flags = git2::RepositoryOpenFlags::NO_SEARCH | git2::RepositoryOpenFlags::NO_DOTGIT;
    let no_ceilings: [&Path; 0] = [];
    git2::Repository::open_ext(git_dir, flags, no_ceilings)
        .map_err(|error| failed("cannot open the repository", error))
}
