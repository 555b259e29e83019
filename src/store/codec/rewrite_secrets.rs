//! Changes what is done about the secrets in a recorded package: another commit of the same package, as `migrate` writes one, with another
//! `[secrets]` in its manifest and, where they are encrypted, other objects. `git gc` removes the old ones.

use std::io::Write as _;

use super::content::Written;
use super::lfs;
use super::manifest::FILE as MANIFEST;
use super::package::StoredPackage;
use super::secret_recorder::{SecretOptions, SecretRecorder, in_lfs};
use super::writer::Writer;
use crate::error::{Error, Result};
use crate::git::{Batch, MODE_FILE, Oid, TreeDraft, TreeEntry};
use crate::package::Manifest;
use crate::package::manifest::FileEntry;
use crate::package::secrets::Secret;
use crate::package::storage::Form;
use crate::process::interrupt;
use crate::progress::{Progress, Silent};
use crate::secrets::{Recipients, Scanner, SecretPolicy};

impl StoredPackage<'_> {
    /// Searches its files. Returns the secrets in it, sorted; an encrypted file that no key opens is an error.
    pub fn search(&self, scanner: &Scanner, progress: &dyn Progress) -> Result<Vec<Secret>> {
        let policy = SecretPolicy::new(None, &[], Recipients::default())?;
        let recorder = SecretRecorder::new(self.repository(), SecretOptions { scanner, policy: &policy });
        for file in &self.manifest.files {
            let copy = self.copy(file, progress)?;
            recorder.in_lfs(file, copy.path())?;
        }
        Ok(recorder.finish())
    }

    /// Replaces its manifest by one with other decisions about its secrets.
    pub fn rewrite_manifest(&self, manifest: &Manifest, progress: &dyn Progress) -> Result<()> {
        let repository = self.repository();
        let old = self.tip()?;
        let batch = repository.batch()?;
        let blob = batch.blob(manifest.to_toml()?.as_bytes(), None)?;
        let entry = TreeEntry { name: MANIFEST.into(), id: blob, mode: MODE_FILE };
        let tree = repository.edit_tree(&batch, Some(self.tree), &[(MANIFEST, Some(entry))])?;
        self.replace(batch, old, tree, progress)
    }

    /// Encrypts what holds secrets, by the policy of `secret_options`. Returns its new manifest.
    pub fn encrypt(&self, secret_options: SecretOptions<'_>, progress: &dyn Progress) -> Result<Manifest> {
        let repository = self.repository();
        let old = self.tip()?;
        let batch = repository.batch()?;
        let recorder = SecretRecorder::new(repository, secret_options).knowing(&self.manifest.secrets);
        let mut tree = TreeDraft::default();
        for entry in repository.read_tree(self.tree)? {
            let name = String::from_utf8_lossy(&entry.name);
            if name != "files" && name != MANIFEST {
                tree.insert(&name, entry.id, entry.mode);
            }
        }
        for file in &self.manifest.files {
            interrupt::check()?;
            let entry = self.entry(file)?;
            let copy = self.copy(file, progress)?;
            let written = match lfs::form(&entry, file)? {
                Form::Lfs => {
                    recorder.in_lfs(file, copy.path()).map_err(|_| in_lfs(&file.path))?;
                    Written::Pointer(entry.id)
                }
                Form::Git => {
                    let writer =
                        Writer { repository, batch: &batch, progress: &Silent, recorder: Some(&recorder) };
                    writer.write(copy.path(), file, Some(&entry))?
                }
            };
            written.insert_into(&mut tree, &format!("files/{}", file.path));
        }
        let mut manifest = self.manifest.clone();
        secret_options.describe(recorder.finish(), &mut manifest);
        let blob = batch.blob(manifest.to_toml()?.as_bytes(), None)?;
        tree.insert(MANIFEST, blob, MODE_FILE);
        let tree = tree.write(&batch, repository, Some(self.tree))?;
        self.replace(batch, old, tree, progress)?;
        Ok(manifest)
    }

    fn replace(&self, batch: Batch, old: Oid, tree: Oid, progress: &dyn Progress) -> Result<()> {
        let repository = self.repository();
        let replaced = batch.finish()?;
        let new = self.converted(old, tree, progress)?;
        interrupt::check()?;
        if new != old {
            repository.move_ref(&self.ref_name(), "slsart: secrets", old, new)?;
        }
        replaced.remove();
        Ok(())
    }

    /// Copies one of its files to a temporary file, which is removed with the value.
    fn copy(&self, file: &FileEntry, progress: &dyn Progress) -> Result<tempfile::NamedTempFile> {
        let cannot = |error| Error::refused("cannot write a temporary file").because(error);
        let mut copy = tempfile::NamedTempFile::new().map_err(cannot)?;
        self.stream(file, progress, &mut |bytes| {
            progress.advance(bytes.len() as u64);
            interrupt::check()?;
            copy.write_all(bytes).map_err(cannot)
        })?;
        Ok(copy)
    }
}
