//! Reads a package back: note → ref → manifest → content, every byte checked against its hash.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::encryption::{self, Keys};
use super::{content, lfs, manifest, zip_tree};
use crate::error::{ANOTHER_COPY, Error, Kind, Result};
use crate::git::{Oid, Repository, TreeEntry};
use crate::package::Manifest;
use crate::package::manifest::FileEntry;
use crate::package::storage::Form;
use crate::process::interrupt;
use crate::progress::{Progress, Silent};
use crate::secrets::{Locked, is_locked};
use crate::service::{MAX_STATE_BYTES, STATE_FILE, State};
use crate::store::ledger::note_line::PackageLine;
use crate::store::names;

#[derive(Clone)]
pub struct StoredPackage<'r> {
    pub(in crate::store) keys: Keys<'r>,
    pub commit: Oid,
    /// The commit with its source: `commit` itself, or a snapshot of a working tree with changes.
    pub source: Oid,
    /// The package's own commit, which a signature covers.
    pub object: Oid,
    pub tree: Oid,
    pub manifest: Manifest,
    /// Its state, once it was read; copies share it.
    pub(super) state: Arc<OnceLock<State>>,
}

#[derive(Debug, Clone, serde::Serialize)]
pub struct Damage {
    pub path: String,
    pub problem: String,
}

#[derive(Debug, Default)]
pub struct VerifyReport {
    pub damages: Vec<Damage>,
    /// Encrypted files that no key of the user opens: their objects exist, and were not compared.
    pub locked: Vec<String>,
}

impl<'r> StoredPackage<'r> {
    /// Opens the package that `line` of the note of `commit` lists.
    ///
    /// # Errors
    ///
    /// [`Kind::Integrity`] when its ref, commit or manifest is missing or differs from the note.
    pub(in crate::store) fn open(keys: Keys<'r>, commit: Oid, line: &PackageLine) -> Result<Self> {
        let repository = keys.repository;
        let name = names::package(&commit.to_string(), line.package);
        let Some(package_commit) = repository.ref_target(&name)? else {
            return Err(Error::integrity(format!(
                "package {} is noted, but its ref is missing",
                line.package.short()
            ))
            .hint(format!("another copy of this repository may have it: git fetch REMOTE {name}:{name}")));
        };
        let package = repository.commit(package_commit)?;
        let manifest = manifest::read(repository, package_commit)?;
        if manifest.package.id != line.package || manifest.target != line.target {
            return Err(Error::integrity(format!(
                "package {} does not match its note",
                line.package.short()
            ))
            .hint(ANOTHER_COPY));
        }
        let Some(source) = package.parents.first().copied() else {
            return Err(Error::integrity(format!(
                "package {} does not name its source",
                line.package.short()
            ))
            .hint(ANOTHER_COPY));
        };
        check_source(repository, commit, source, &manifest)?;
        Ok(Self {
            keys,
            commit,
            source,
            object: package_commit,
            tree: package.tree,
            manifest,
            state: Arc::default(),
        })
    }
}

/// Checks that a deploy would check out the source that the manifest and the note name.
fn check_source(repository: &Repository, commit: Oid, source: Oid, manifest: &Manifest) -> Result<()> {
    let wrong = || {
        let id = manifest.package.id.short();
        Error::integrity(format!("package {id} is not a child of the source commit that it names"))
            .hint(ANOTHER_COPY)
    };
    if manifest.source.commit != commit.to_string() || (source != commit) != manifest.source.dirty {
        return Err(wrong());
    }
    // A shallow clone may lack the source; it can't be checked out then.
    let Ok(found) = repository.commit(source) else { return Ok(()) };
    let snapshot = !manifest.source.dirty || found.parents == [commit];
    if snapshot && found.tree.to_string() == manifest.source.tree { Ok(()) } else { Err(wrong()) }
}

impl<'r> StoredPackage<'r> {
    pub fn repository(&self) -> &'r Repository {
        self.keys.repository
    }

    fn lacks_objects(&self, file: &FileEntry) -> Result<bool> {
        let (repository, tree) = (self.repository(), self.entry(file)?.id);
        Ok(match encryption::whole(repository, tree)? {
            Some(id) => !repository.has(id),
            None => !zip_tree::is_here(repository, tree),
        })
    }

    /// What the framework says of it: its `serverless-state.json`, read and parsed once.
    pub fn state(&self) -> Result<&State> {
        if let Some(state) = self.state.get() {
            return Ok(state);
        }
        let state = State::parse(&self.read(STATE_FILE, MAX_STATE_BYTES as u64)?)?;
        Ok(self.state.get_or_init(|| state))
    }

    /// The content of one of its files, checked; an error if it has more than `limit` bytes.
    pub fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>> {
        let file = self.manifest.files.iter().find(|file| file.path == path);
        let file = file.ok_or_else(|| Error::refused(format!("the package has no file '{path}'")))?;
        if file.size > limit {
            return Err(Error::refused(format!(
                "'{path}' has {} bytes, more than the {limit} it may have",
                file.size
            )));
        }
        let mut content = Vec::new();
        self.stream(file, &Silent, &mut |bytes| {
            content.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(content)
    }

    /// Writes the exact package directory to `directory`, which must not exist: all of it, or nothing.
    pub fn extract(&self, directory: &Path, progress: &dyn Progress) -> Result<()> {
        let taken =
            fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some()) || directory.is_file();
        if taken {
            return Err(Error::refused(format!("'{}' exists and is not empty", directory.display()))
                .hint("name a directory that does not exist yet"));
        }
        let parent =
            directory.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(|error| Error::io("create", parent, error))?;
        let scratch = tempfile::Builder::new()
            .prefix(".slsart-")
            .tempdir_in(parent)
            .map_err(|error| Error::io("write to", parent, error))?;
        progress.expect_bytes(self.manifest.package.size);
        for file in &self.manifest.files {
            interrupt::check()?;
            self.extract_file(file, &scratch.path().join(&file.path), progress)?;
        }
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755))
            .and_then(|()| fs::rename(scratch.path(), directory))
            .map_err(|error| Error::io("write", directory, error))?;
        // It has been moved: there is nothing to remove.
        let _ = scratch.keep();
        Ok(())
    }

    pub fn verify(&self, progress: &dyn Progress) -> Result<VerifyReport> {
        let mut verified = VerifyReport::default();
        for file in &self.manifest.files {
            match self.verify_file(file, progress, &mut |_| Ok(())) {
                Ok(damage) => verified.damages.extend(damage),
                Err(error) if is_locked(&error) && self.lacks_objects(file)? => {
                    let problem = format!("objects of '{}' are missing", file.path);
                    verified.damages.push(Damage { path: file.path.clone(), problem });
                }
                Err(error) if is_locked(&error) => verified.locked.push(file.path.clone()),
                Err(error) => return Err(error),
            }
        }
        Ok(verified)
    }

    /// Reads a file, compares it with its hash, and passes its bytes to `take`.
    ///
    /// # Returns
    ///
    /// What is wrong with the file; then `take` got invalid bytes.
    pub(in crate::store) fn verify_file(
        &self,
        file: &FileEntry,
        progress: &dyn Progress,
        take: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Option<Damage>> {
        interrupt::check()?;
        let mut left = file.size;
        let read = self.stream(file, progress, &mut |bytes| {
            left = left.saturating_sub(bytes.len() as u64);
            progress.advance(bytes.len() as u64);
            take(bytes)
        });
        progress.advance(left);
        match read {
            Ok(()) => Ok(None),
            Err(error) if error.kind == Kind::Integrity => {
                Ok(Some(Damage { path: file.path.clone(), problem: error.message }))
            }
            Err(error) => Err(error),
        }
    }

    fn extract_file(&self, file: &FileEntry, path: &Path, progress: &dyn Progress) -> Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| Error::io("create", parent, error))?;
        }
        let mut out = File::create_new(path).map_err(|error| Error::io("create", path, error))?;
        self.stream(file, progress, &mut |bytes| {
            progress.advance(bytes.len() as u64);
            interrupt::check()?;
            out.write_all(bytes).map_err(|error| Error::io("write", path, error))
        })
    }

    pub(in crate::store) fn stream(
        &self,
        file: &FileEntry,
        progress: &dyn Progress,
        take: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let entry = self.entry(file)?;
        match lfs::form(&entry, file)? {
            Form::Lfs => lfs::read(self.repository(), &self.ref_name(), file, progress, take),
            Form::Git => {
                let keys = || self.keys.identities();
                content::read(self.repository(), &entry, file, &keys, take)
                    .map_err(|error| if is_locked(&error) { self.locked(file, error) } else { error })
            }
        }
    }

    /// Explains who can open an encrypted file, and how to give a key.
    fn locked(&self, file: &FileEntry, error: Error) -> Error {
        let recipients = self.manifest.scan.as_ref().map(|scan| scan.recipients.join(", "));
        let recipients = recipients.filter(|recipients| !recipients.is_empty());
        Error::refused(format!("'{}' is encrypted, and none of your keys decrypts it", file.path))
            .hints(recipients.map(|recipients| format!("it is encrypted to: {recipients}")))
            .hints(error.hints)
            .hint(
                "name the file of your secret key: SLSART_IDENTITY=FILE, or git config slsart.identity FILE",
            )
            .because(Locked)
    }

    pub fn ref_name(&self) -> String {
        names::package(&self.commit.to_string(), self.manifest.package.id)
    }

    pub(in crate::store) fn entry(&self, file: &FileEntry) -> Result<TreeEntry> {
        self.repository().find_path(self.tree, &format!("files/{}", file.path))?.ok_or_else(|| {
            Error::integrity(format!("'{}' is missing from the package", file.path)).hint(ANOTHER_COPY)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::{MODE_FILE, TreeDraft};
    use crate::package::Sha256;
    use crate::package::manifest::tests::sample;

    #[test]
    fn a_state_is_parsed_once_however_often_it_is_asked_for() {
        let root = tempfile::tempdir().unwrap();
        git2::Repository::init_bare(root.path()).unwrap();
        let repository = Repository::open(root.path(), None, None).unwrap();
        let batch = repository.batch().unwrap();
        let content = br#"{"service": {"service": "orders"}, "package": {}}"#;
        let mut tree = TreeDraft::default();
        tree.insert(&format!("files/{STATE_FILE}"), batch.blob(content, None).unwrap(), MODE_FILE);
        let tree = tree.write(&batch, &repository, None).unwrap();
        let _ = batch.finish().unwrap();
        let mut manifest = sample();
        let (size, sha256) = (content.len() as u64, Sha256::of(content));
        manifest.files = vec![FileEntry { path: STATE_FILE.to_owned(), size, sha256 }];
        let package = |tree| StoredPackage {
            keys: Keys { repository: &repository, environment: None },
            commit: tree,
            source: tree,
            object: tree,
            tree,
            manifest: manifest.clone(),
            state: Arc::default(),
        };
        let opened = package(tree);
        let clone = opened.clone();
        assert_eq!(opened.state().unwrap().service_name(), Some("orders"));
        assert!(std::ptr::eq(opened.state().unwrap(), clone.state().unwrap()));
        // What was read to be checked is not read again.
        let inspected = package(tree);
        assert!(inspected.inspect(&Silent).unwrap().damages.is_empty());
        assert!(inspected.state.get().is_some());
    }
}
