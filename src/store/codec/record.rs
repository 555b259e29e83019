//! Recording a package. The order is the safety: all objects as one pack, then the package's ref, then its note.
//! A crash in between leaves a pack that `git gc` takes, or a package that the next recording completes.

use jiff::Span;

use crate::error::{Error, Result};
use crate::git::pack::Replaced;
use crate::git::{Batch, MODE_FILE, MODE_TREE, Oid, TreeDraft, TreeEntry};
use crate::package::directory::PackageDirectory;
use crate::package::secrets::{Action, Secret, listed};
use crate::package::storage::{Form, Placement, Storage};
use crate::package::{Manifest, PackageId};
use crate::process::interrupt;
use crate::progress::{Progress, Silent};
use crate::store::codec::content;
use crate::store::codec::content::Written;
use crate::store::codec::delta_base::Earlier;
use crate::store::codec::lfs;
use crate::store::codec::package_signature::{Committed, Made};
use crate::store::codec::secret_recorder::{Guard, Secrecy};
use crate::store::ledger::note_line::PackageLine;
use crate::store::ledger::note_tree;
use crate::store::names;
use crate::store::{MANIFEST, NOTES_REF, Note, Store, largest_object};

/// What is to be recorded.
pub struct Recording<'a> {
    /// The package's files.
    pub directory: &'a PackageDirectory,
    /// Everything else about it.
    pub manifest: &'a Manifest,
    /// The commit it belongs to.
    pub commit: Oid,
    /// The commit that holds the source it was made from: `commit`, or a snapshot of a working tree on top of it.
    pub source: Oid,
    /// The form of each file.
    pub placement: Placement,
    /// What is done about secrets.
    pub secrecy: Secrecy<'a>,
}

/// What became of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It is recorded now, with this manifest: the given one and what was found of secrets.
    New(Box<Manifest>),
    /// The same package was recorded for this commit before.
    Already(PackageId),
}

impl Store<'_> {
    /// Records a package: all of it, or nothing.
    pub fn record(&self, recording: &Recording<'_>, progress: &dyn Progress) -> Result<Recorded> {
        let Recording { directory, manifest, commit, .. } = recording;
        let id = manifest.package.id;
        let name = names::package(&commit.to_string(), id);
        let known = self.repository.ref_target(&name)?;
        if let Some(package_commit) = known {
            let other = self.manifest_of(package_commit)?.target;
            if other != manifest.target {
                return Err(Error::refused(format!(
                    "this package is recorded for this commit as one of '{}'",
                    other.path
                ))
                .hint(format!("name that service: --service {}", other.path)));
            }
            if self.note(*commit)?.packages.iter().any(|line| line.package == id) {
                return Ok(Recorded::Already(id));
            }
        } else {
            progress.expect_bytes(directory.size());
        }
        let batch = self.repository.batch()?;
        let (committed, manifest) = if let Some(known) = known {
            (Committed::known(batch, known), self.manifest_of(known)?)
        } else {
            let (tree, manifest) = self.write_package(&batch, recording, progress)?;
            let made = Made { tree, source: recording.source, message: &message(&manifest) };
            let signed = self.repository.signs_commits()?;
            (self.commit_package(batch, &made, signed, progress)?, manifest)
        };
        self.publish(committed, &manifest, *commit)?;
        Ok(Recorded::New(Box::new(manifest)))
    }

    /// Gives a recorded package to another commit whose tree is the very tree that it was made from.
    pub fn attach(&self, package_tree: Oid, manifest: &Manifest, commit: Oid) -> Result<()> {
        let batch = self.repository.batch()?;
        let manifest_blob = batch.blob(manifest.to_toml()?.as_bytes(), None)?;
        let entry = TreeEntry { name: MANIFEST.into(), id: manifest_blob, mode: MODE_FILE };
        let tree = self.repository.edit_tree(&batch, Some(package_tree), &[(MANIFEST, Some(entry))])?;
        let made = Made { tree, source: commit, message: &message(manifest) };
        // Whoever commits vouches for the package no more than for its bytes before: they may come from anywhere.
        let signed = self.is_signed_by_somebody_known(package_tree, manifest.package.id)?;
        let committed = self.commit_package(batch, &made, signed, &Silent)?;
        self.publish(committed, manifest, commit)
    }

    /// Writes the package's tree.
    fn write_package(
        &self,
        batch: &Batch,
        recording: &Recording<'_>,
        progress: &dyn Progress,
    ) -> Result<(Oid, Manifest)> {
        let Recording { directory, manifest, commit, placement, secrecy, .. } = recording;
        let earlier = Earlier::find(self, *commit, &manifest.target);
        let guard = Guard::new(self.repository, *secrecy);
        let writer = content::Writer { repository: self.repository, batch, progress, guard: Some(&guard) };
        let mut tree = TreeDraft::default();
        let mut in_lfs = Vec::new();
        for file in &directory.files {
            interrupt::check()?;
            let path = format!("files/{}", file.path);
            let place = directory.place_of(&file.path);
            let form = placement.form_of(file);
            if form == Form::Git
                && let Some(id) = earlier.unchanged_archive(file)
                && earlier.manifest().is_some_and(|manifest| guard.as_before(manifest, file, form))
            {
                tree.insert(&path, id, MODE_TREE);
                progress.advance(file.size);
                continue;
            }
            let before = earlier.object(&path);
            let written = match form {
                Form::Git => writer.write(&place, file, before.as_ref())?,
                // A large archive of small entries has no large objects, and shares most with the next release's.
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
                        .is_some_and(|earlier| guard.as_before(earlier, file, form))
                    {
                        guard.in_lfs(file, &place)?;
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
        let found = guard.finish();
        if secrecy.policy.action == Some(Action::Refuse) {
            refuse(&secrecy.policy.objectionable(&found))?;
        }
        let mut manifest = (*manifest).clone();
        secrecy.describe(found, &mut manifest);
        let manifest_blob =
            batch.blob(manifest.to_toml()?.as_bytes(), earlier.object(MANIFEST).map(|entry| entry.id))?;
        tree.insert(MANIFEST, manifest_blob, MODE_FILE);
        Ok((tree.write(batch, self.repository, earlier.tree())?, manifest))
    }

    /// Makes a package of `commit` known: what was written, then its ref, then its line in the commit's note, all while both
    /// refs are locked.
    fn publish(&self, committed: Committed, manifest: &Manifest, commit: Oid) -> Result<()> {
        let Committed { batch, commit: package_commit, replaced: before } = committed;
        let name = names::package(&commit.to_string(), manifest.package.id);
        let line = PackageLine::of(manifest);
        let mut replaced = None;
        let noted = format!("slsart: note on {commit}");
        self.repository.update_ref(NOTES_REF, &noted, |tip| {
            let next = self.add_line(&batch, tip, commit, &line)?;
            let recorded = format!("slsart: package {}", manifest.target);
            self.repository.update_ref(&name, &recorded, |current| {
                replaced = Some(batch.finish()?);
                // Whoever recorded the same package at the same time has written the same content.
                Ok(current.is_none().then_some(package_commit))
            })?;
            Ok(next)
        })?;
        replaced.into_iter().chain(before).for_each(Replaced::remove);
        Ok(())
    }

    /// A notes commit after `tip` in which the note of `commit` has `line`; `None` when it has it already.
    pub(in crate::store) fn add_line(
        &self,
        batch: &Batch,
        tip: Option<Oid>,
        commit: Oid,
        line: &PackageLine,
    ) -> Result<Option<Oid>> {
        let root = tip.map(|tip| Ok::<_, Error>(self.repository.commit(tip)?.tree)).transpose()?;
        let old = root.map(|root| note_tree::read(self.repository, root, commit)).transpose()?.flatten();
        let mut text = old.unwrap_or_default();
        let Note { packages, pruned, .. } = crate::store::parse_note(&text);
        // One line a package, also when two recorded it at once, or its ref was lost and it is recorded again.
        if packages.iter().any(|known| known.is_same(line)) {
            return Ok(None);
        }
        // Later than the line that says that it was pruned, whatever the clock says.
        let tombstone = pruned.iter().find(|tombstone| tombstone.shares_content(line));
        let earliest =
            tombstone.and_then(|tombstone| tombstone.recorded.checked_add(Span::new().seconds(1)).ok());
        let recorded = earliest.map_or(line.recorded, |earliest| earliest.max(line.recorded));
        // Lines of others, and of later versions, stay as they are.
        text.extend(format!("{}\n", PackageLine { recorded, ..line.clone() }).into_bytes());
        let tree = note_tree::insert(self.repository, batch, root, [(commit, &text[..])])?;
        let parents: Vec<Oid> = tip.into_iter().collect();
        batch.commit(tree, &parents, &format!("Package {} of {commit}\n", line.target)).map(Some)
    }
}

/// Nothing that holds a secret is recorded where `slsart.toml` says so.
fn refuse(secrets: &[&Secret]) -> Result<()> {
    if secrets.is_empty() {
        return Ok(());
    }
    let refused = Error::refused("the package holds secrets: nothing was recorded, as slsart.toml wants it");
    Err(refused
        .hints(listed(secrets))
        .hint("keep them in SSM or Secrets Manager, and let the function read them there")
        .hint("let one be that is none: allow = [\"NAME\"] in [secrets] of slsart.toml"))
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
