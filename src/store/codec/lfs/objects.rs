//! LFS objects on this machine: in the LFS store that all LFS tools share, with a hard link of our own beside it, since `git lfs prune`
//! does not know our refs and removes what no branch needs. Size and hash are always compared.

use std::fs::{self, File, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use walkdir::WalkDir;

use crate::error::{Error, Kind, Result};
use crate::git::lfs::is_missing_object;
use crate::git::{Repository, data_dir};
use crate::package::Sha256;
use crate::package::id::Hasher;
use crate::package::manifest::FileEntry;
use crate::progress::Progress;

/// The place of an object below a store's `objects`.
fn sharded(root: &Path, file: &FileEntry) -> PathBuf {
    let oid = file.sha256.to_string();
    root.join(&oid[..2]).join(&oid[2..4]).join(&oid)
}

pub(in crate::store) fn place_in(storage: &Path, file: &FileEntry) -> PathBuf {
    sharded(&storage.join("objects"), file)
}

fn place(repository: &Repository, file: &FileEntry) -> PathBuf {
    place_in(&repository.lfs_storage(), file)
}

fn link(repository: &Repository, file: &FileEntry) -> PathBuf {
    sharded(&data_dir(repository).join("lfs"), file)
}

pub(in crate::store) fn is_whole(path: &Path, file: &FileEntry) -> Result<bool> {
    let read = || -> std::io::Result<bool> {
        let mut content = File::open(path)?;
        let right_size = content.metadata()?.len() == file.size;
        Ok(right_size && Sha256::of_reader(&mut content)? == (file.sha256, file.size))
    };
    match read() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        outcome => outcome.map_err(|error| Error::io("read", path, error)),
    }
}

/// An object on its way into the store; without [`Self::finish`] it never gets there.
pub(in crate::store) struct Incoming<'r> {
    repository: &'r Repository,
    file: &'r FileEntry,
    content: NamedTempFile,
    hasher: Hasher,
}

impl<'r> Incoming<'r> {
    pub(in crate::store) fn new(repository: &'r Repository, file: &'r FileEntry) -> Result<Self> {
        // `git lfs` itself removes a killed process's files there.
        let directory = repository.lfs_storage().join("tmp");
        make_directory(repository, &directory)?;
        let content = tempfile::Builder::new()
            .prefix("slsart-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(&directory)
            .map_err(|error| Error::io("write to", &directory, error))?;
        Ok(Self { repository, file, content, hasher: Hasher::default() })
    }

    pub(in crate::store) fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.hasher.update(bytes);
        self.content.write_all(bytes).map_err(|error| Error::io("write", self.content.path(), error))
    }

    /// Puts it into the store, with our link. Returns false, and removes it, if its bytes are not the recorded ones.
    pub(in crate::store) fn finish(self) -> Result<bool> {
        let Self { repository, file, content, hasher } = self;
        if hasher.finish() != (file.sha256, file.size) {
            return Ok(false);
        }
        let path = place(repository, file);
        content.as_file().sync_all().map_err(|error| Error::io("write", &path, error))?;
        repository
            .shared_permissions()
            .file(content.path())
            .map_err(|error| Error::io("write", content.path(), error))?;
        make_parent(repository, &path)?;
        content.persist(&path).map_err(|error| Error::io("write", &path, error.error))?;
        keep(repository, file)?;
        Ok(true)
    }
}

/// Links an object of the store, which keeps it from `git lfs prune`.
pub(in crate::store) fn keep(repository: &Repository, file: &FileEntry) -> Result<()> {
    copy_or_link(repository, &place(repository, file), &link(repository, file), file)
}

pub(in crate::store) fn is_kept(repository: &Repository, file: &FileEntry) -> bool {
    link(repository, file).exists()
}

/// Removes our link: a remote has the object.
pub(in crate::store) fn release(repository: &Repository, file: &FileEntry) -> Result<()> {
    let path = link(repository, file);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", &path, error)),
        _ => Ok(()),
    }
}

/// How many objects have our link, since no remote is known to have them, and their size in bytes.
pub(in crate::store) fn kept(repository: &Repository) -> (usize, u64) {
    let links = WalkDir::new(data_dir(repository).join("lfs")).into_iter().flatten();
    let sizes = links.filter(|entry| entry.file_type().is_file()).filter_map(|entry| entry.metadata().ok());
    sizes.fold((0, 0), |(count, size), metadata| (count + 1, size + metadata.len()))
}

/// The object on this machine: in the store, restored from our link if it was missing there.
pub(in crate::store) fn find(repository: &Repository, file: &FileEntry) -> Result<Option<PathBuf>> {
    let (path, link) = (place(repository, file), link(repository, file));
    if is_whole(&path, file)? {
        return Ok(Some(path));
    }
    if !is_whole(&link, file)? {
        return Ok(None);
    }
    // For a user who may only read the repository, the link itself will do.
    Ok(Some(copy_or_link(repository, &link, &path, file).map_or(link, |()| path)))
}

/// The object, fetched from a remote with the ref `name` if it is not on this machine.
pub(in crate::store) fn obtain(
    repository: &Repository,
    name: &str,
    file: &FileEntry,
    progress: &dyn Progress,
) -> Result<PathBuf> {
    if let Some(path) = find(repository, file)? {
        return Ok(path);
    }
    let remotes = repository.remotes();
    let mut failure = None;
    for remote in &remotes {
        set_aside(repository, file)?;
        progress.note(&format!("fetching from {remote} with git lfs, for '{}'", file.path));
        match repository.fetch_lfs(remote, name) {
            Err(error) if !matches!(error.kind, Kind::Child(_)) => return Err(error),
            Err(error) if !is_missing_object(&error) => failure = Some((remote, error)),
            _ => {}
        }
        if let Some(path) = find(repository, file)? {
            return Ok(path);
        }
    }
    if let Some((remote, error)) = failure {
        return Err(error.hint(format!(
            "'{}' is in Git LFS and not on this machine: check that {remote} can be reached, and run the command again; the transfer resumes where it stopped",
            file.path
        )));
    }
    let elsewhere = if remotes.is_empty() {
        "there is no remote".to_owned()
    } else {
        format!("not on {}", remotes.join(", "))
    };
    Err(Error::integrity(format!(
        "'{}' is in Git LFS, and its content is neither here nor on a remote: {elsewhere}",
        file.path
    ))
    .hint(format!("to send it from a machine that has it: git lfs push REMOTE {name}")))
}

/// Moves a damaged object away from `git lfs fetch`, which compares only sizes; `git lfs fsck` does the same.
fn set_aside(repository: &Repository, file: &FileEntry) -> Result<()> {
    let (path, link) = (place(repository, file), link(repository, file));
    if !path.exists() || is_whole(&path, file)? {
        return Ok(());
    }
    let bad = repository.lfs_storage().join("bad").join(file.sha256.to_string());
    make_parent(repository, &bad)?;
    fs::rename(&path, &bad).map_err(|error| Error::io("move", &path, error))?;
    if is_whole(&link, file)? { Ok(()) } else { release(repository, file) }
}

/// Gives `to` the content of `from`, which is whole: by a hard link if the file system can.
fn copy_or_link(repository: &Repository, from: &Path, to: &Path, file: &FileEntry) -> Result<()> {
    make_parent(repository, to)?;
    match fs::hard_link(from, to) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && is_whole(to, file)? => return Ok(()),
        Err(_) => {}
    }
    let directory = to.parent().unwrap_or(to);
    let scratch = tempfile::Builder::new().prefix(".slsart-").tempdir_in(directory);
    let new = scratch.as_ref().map(|scratch| scratch.path().join("object"));
    let new = new.map_err(|error| Error::io("write to", directory, std::io::Error::from(error.kind())))?;
    fs::hard_link(from, &new)
        .or_else(|_| fs::copy(from, &new).map(drop))
        .and_then(|()| fs::rename(&new, to))
        .map_err(|error| Error::io("write", to, error))
}

fn make_parent(repository: &Repository, path: &Path) -> Result<()> {
    path.parent().map_or(Ok(()), |parent| make_directory(repository, parent))
}

fn make_directory(repository: &Repository, path: &Path) -> Result<()> {
    repository.shared_permissions().make_directory(path).map_err(|error| Error::io("create", path, error))
}
