//! Records a package. The order makes it safe: all objects as one pack, then the package's ref, then its note. A crash in between leaves a
//! pack that `git gc` removes, or a package that the next recording completes.

use super::content::Written;
use super::delta_base::DeltaBase;
use super::manifest::FILE as MANIFEST;
use super::package_signature::{PackageCommit, UncommittedPackage, commit_package, has_trusted_signature};
use super::secret_recorder::{SecretOptions, SecretRecorder};
use super::writer::Writer;
use super::zip_tree::largest_object;
use super::{lfs, manifest};
use crate::error::{Error, Result};
use crate::git::pack::Replaced;
use crate::git::{Batch, MODE_FILE, MODE_TREE, Oid, Repository, TreeDraft, TreeEntry};
use crate::package::directory::PackageDirectory;
use crate::package::secrets::{Secret, SecretAction, listed};
use crate::package::storage::{Form, Placement, Storage};
use crate::package::{Manifest, PackageId};
use crate::process::interrupt;
use crate::progress::{Progress, Silent};
use crate::store::ledger::note_line::PackageLine;
use crate::store::ledger::notes::Notes;
use crate::store::names::{self, NOTES_REF};

pub struct Recording<'a> {
    pub directory: &'a PackageDirectory,
    pub manifest: &'a Manifest,
    pub commit: Oid,
    /// The commit of the source it was made from: `commit`, or a snapshot of a working tree on top of it.
    pub source: Oid,
    pub placement: Placement,
    pub secret_options: SecretOptions<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// Recorded now, with this manifest: the given one with the secrets that were found.
    New(Box<Manifest>),
    /// The same package had been recorded for this commit before.
    Already(PackageId),
}

pub(in crate::store) struct Recorder<'r> {
    repository: &'r Repository,
    notes: Notes<'r>,
}

impl<'r> Recorder<'r> {
    pub(in crate::store) fn new(repository: &'r Repository) -> Self {
        Self { repository, notes: Notes::new(repository) }
    }

    /// Records a package: all of it, or nothing.
    pub(in crate::store) fn record(
        &self,
        recording: &Recording<'_>,
        progress: &dyn Progress,
    ) -> Result<Recorded> {
        let Recording { directory, manifest, commit, .. } = recording;
        let id = manifest.package.id;
        let name = names::package(&commit.to_string(), id);
        let known = self.repository.ref_target(&name)?;
        if let Some(package_commit) = known {
            let other = manifest::read(self.repository, package_commit)?.target;
            if other != manifest.target {
                return Err(Error::refused(format!(
                    "this package is already recorded for this commit, for the service '{}'",
                    other.path
                ))
                .hint(format!("name that service: --service {}", other.path)));
            }
            if self.notes.of(*commit)?.packages.iter().any(|line| line.package == id) {
                return Ok(Recorded::Already(id));
            }
        } else {
            progress.expect_bytes(directory.size());
        }
        let batch = self.repository.batch()?;
        let (committed, manifest) = if let Some(known) = known {
            (PackageCommit::known(batch, known), manifest::read(self.repository, known)?)
        } else {
            let (tree, manifest) = self.write_package(&batch, recording, progress)?;
            let made = UncommittedPackage { tree, source: recording.source, message: &message(&manifest) };
            let signed = self.repository.signs_commits()?;
            (commit_package(self.repository, batch, &made, signed, progress)?, manifest)
        };
        self.publish(committed, &manifest, *commit)?;
        Ok(Recorded::New(Box::new(manifest)))
    }

    /// Gives a recorded package to another commit with the very tree that it was made from.
    pub(in crate::store) fn attach(&self, package_tree: Oid, manifest: &Manifest, commit: Oid) -> Result<()> {
        let batch = self.repository.batch()?;
        let manifest_blob = batch.blob(manifest.to_toml()?.as_bytes(), None)?;
        let entry = TreeEntry { name: MANIFEST.into(), id: manifest_blob, mode: MODE_FILE };
        let tree = self.repository.edit_tree(&batch, Some(package_tree), &[(MANIFEST, Some(entry))])?;
        let made = UncommittedPackage { tree, source: commit, message: &message(manifest) };
        // Committing vouches for the package no more than for its earlier bytes, which may come from anywhere.
        let signed = has_trusted_signature(self.repository, package_tree, manifest.package.id)?;
        let committed = commit_package(self.repository, batch, &made, signed, &Silent)?;
        self.publish(committed, manifest, commit)
    }

    fn write_package(
        &self,
        batch: &Batch,
        recording: &Recording<'_>,
        progress: &dyn Progress,
    ) -> Result<(Oid, Manifest)> {
        let Recording { directory, manifest, commit, placement, secret_options, .. } = recording;
        let earlier = DeltaBase::find(self.repository, *commit, &manifest.target);
        let recorder = SecretRecorder::new(self.repository, *secret_options);
        let writer = Writer { repository: self.repository, batch, progress, recorder: Some(&recorder) };
        let mut tree = TreeDraft::default();
        let mut in_lfs = Vec::new();
        for file in &directory.files {
            interrupt::check()?;
            let path = format!("files/{}", file.path);
            let place = directory.place_of(&file.path);
            let form = placement.form_of(file);
            if form == Form::Git
                && let Some(id) = earlier.unchanged_archive(file)
                && earlier.manifest().is_some_and(|manifest| recorder.as_before(manifest, file, form))
            {
                tree.insert(&path, id, MODE_TREE);
                progress.advance(file.size);
                continue;
            }
            let before = earlier.object(&path);
            let written = match form {
                Form::Git => writer.write(&place, file, before.as_ref())?,
                // A large archive of small entries has no large objects, and shares most of them with the next release's.
                Form::Lfs
                    if placement.storage == Storage::Auto
                        && largest_object(&place, file.size) <= placement.lfs_above.0 =>
                {
                    writer.write(&place, file, before.as_ref())?
                }
                Form::Lfs => {
                    let same = |earlier: &&Manifest| earlier.files.contains(file);
                    if !earlier
                        .manifest()
                        .filter(same)
                        .is_some_and(|earlier| recorder.as_before(earlier, file, form))
                    {
                        recorder.in_lfs(file, &place)?;
                    }
                    lfs::write(self.repository, batch, &place, file)?
                }
            };
            if matches!(written, Written::Pointer(_)) {
                in_lfs.push(file.path.as_str());
            }
            written.insert_into(&mut tree, &path);
        }
        if let Some(id) = lfs::write_attributes(batch, in_lfs.into_iter())? {
            tree.insert(lfs::ATTRIBUTES, id, MODE_FILE);
        }
        let found = recorder.finish();
        if secret_options.policy.action == Some(SecretAction::Refuse) {
            refuse(&secret_options.policy.objectionable(&found))?;
        }
        let mut manifest = (*manifest).clone();
        secret_options.describe(found, &mut manifest);
        let manifest_blob =
            batch.blob(manifest.to_toml()?.as_bytes(), earlier.object(MANIFEST).map(|entry| entry.id))?;
        tree.insert(MANIFEST, manifest_blob, MODE_FILE);
        Ok((tree.write(batch, self.repository, earlier.tree())?, manifest))
    }

    /// Publishes a package of `commit`: its objects, then its ref, then its line in the commit's note, with both refs locked.
    fn publish(&self, committed: PackageCommit, manifest: &Manifest, commit: Oid) -> Result<()> {
        let PackageCommit { batch, commit: package_commit, replaced: before } = committed;
        let name = names::package(&commit.to_string(), manifest.package.id);
        let line = PackageLine::of(manifest);
        let mut replaced = None;
        let noted = format!("slsart: note on {commit}");
        self.repository.update_ref(NOTES_REF, &noted, |tip| {
            let next = self.notes.add_line(&batch, tip, commit, &line)?;
            let recorded = format!("slsart: package {}", manifest.target);
            self.repository.update_ref(&name, &recorded, |current| {
                replaced = Some(batch.finish()?);
                // Another process that recorded the same package meanwhile has written the same content.
                Ok(current.is_none().then_some(package_commit))
            })?;
            Ok(next)
        })?;
        replaced.into_iter().chain(before).for_each(Replaced::remove);
        Ok(())
    }
}

/// Refuses to record secrets if `slsart.toml` says so.
fn refuse(secrets: &[&Secret]) -> Result<()> {
    if secrets.is_empty() {
        return Ok(());
    }
    let refused =
        Error::refused("the package holds secrets, and slsart.toml refuses them: nothing was recorded");
    Err(refused
        .hints(listed(secrets))
        .hint("keep them in SSM or Secrets Manager, and let the function read them there")
        .hint("to allow a value that is not a secret: allow = [\"NAME\"] in [secrets] of slsart.toml"))
}

fn message(manifest: &Manifest) -> String {
    let dirty = if manifest.source.dirty { " with uncommitted changes" } else { "" };
    format!(
        "Package {} of {}{dirty}\n\npackage {}\n{} files, {} bytes\n",
        manifest.target,
        &manifest.source.commit[..12],
        manifest.package.id,
        manifest.files.len(),
        manifest.package.size,
    )
}
