//! Recording a package. The order is the safety: content, then the package's commit, then its ref, then its note.
//! A crash in between leaves objects that `git gc` takes, or a package that the next recording completes.

use super::line::PackageLine;
use super::{NOTES_REF, Note, Store, content, lfs, names, notes};
use crate::error::{Error, Result};
use crate::git::{MODE_FILE, Oid, TreeDraft};
use crate::package::directory::PackageDirectory;
use crate::package::storage::{Form, Placement};
use crate::package::{Manifest, PackageId};
use crate::process::interrupt;
use crate::progress::Progress;

/// What is to be recorded.
#[derive(Debug)]
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
}

/// What became of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is recorded now.
    New(PackageId),
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
            let package_commit = self.write_package(recording, progress)?;
            self.publish(&name, package_commit, manifest)?;
        }
        self.add_line(*commit, &PackageLine::of(manifest))?;
        Ok(Recorded::New(id))
    }

    /// Gives a recorded package to another commit whose tree is the very tree that it was made from.
    pub fn attach(&self, package_tree: Oid, manifest: &Manifest, commit: Oid) -> Result<()> {
        let manifest_blob = self.repository.write_blob(manifest.to_toml()?.as_bytes())?;
        let entry =
            crate::git::TreeEntry { name: b"manifest.toml".to_vec(), id: manifest_blob, mode: MODE_FILE };
        let tree = self.repository.edit_tree(Some(package_tree), &[("manifest.toml", Some(entry))])?;
        let package_commit = self.repository.write_commit(tree, &[commit], &message(manifest))?;
        self.publish(&names::package(&commit.to_string(), manifest.package.id), package_commit, manifest)?;
        self.add_line(commit, &PackageLine::of(manifest))
    }

    fn write_package(&self, recording: &Recording<'_>, progress: &dyn Progress) -> Result<Oid> {
        let Recording { directory, manifest, source, placement, .. } = recording;
        let mut tree = TreeDraft::default();
        for file in &directory.files {
            interrupt::check()?;
            let path = directory.place_of(&file.path);
            let (id, mode) = match placement.form_of(file) {
                Form::Git => content::write(self.repository, &path, file)?,
                Form::Lfs => lfs::write(self.repository, &path, file)?,
            };
            tree.insert(&format!("files/{}", file.path), id, mode);
            progress.advance(file.size);
        }
        let in_lfs = directory.files.iter().filter(|file| placement.form_of(file) == Form::Lfs);
        if let Some(id) = lfs::write_attributes(self.repository, in_lfs.map(|file| file.path.as_str()))? {
            tree.insert(".gitattributes", id, MODE_FILE);
        }
        let manifest_blob = self.repository.write_blob(manifest.to_toml()?.as_bytes())?;
        tree.insert("manifest.toml", manifest_blob, MODE_FILE);
        let tree = tree.write(self.repository)?;
        self.repository.write_commit(tree, &[*source], &message(manifest))
    }

    fn publish(&self, name: &str, package_commit: Oid, manifest: &Manifest) -> Result<()> {
        let reason = format!("slsart: package {}", manifest.target);
        // Whoever recorded the same package at the same time has written the same content.
        self.repository.update_ref(name, &reason, |current| Ok(current.is_none().then_some(package_commit)))
    }

    fn add_line(&self, commit: Oid, line: &PackageLine) -> Result<()> {
        let reason = format!("slsart: note on {commit}");
        self.repository.update_ref(NOTES_REF, &reason, |tip| {
            let root = tip.map(|tip| Ok::<_, Error>(self.repository.commit(tip)?.tree)).transpose()?;
            let old = root.map(|root| notes::read(self.repository, root, commit)).transpose()?.flatten();
            let mut text = old.unwrap_or_default();
            let Note { packages, .. } = super::parse_note(&text);
            // One line a package, also when two recorded it at once, or its ref was lost and it is recorded again.
            let same = |known: &PackageLine| (known.package, &known.target) == (line.package, &line.target);
            if packages.iter().any(|known| same(known) && known.dirty_tree == line.dirty_tree) {
                return Ok(None);
            }
            // Lines of others, and of later versions, stay as they are.
            text.extend(format!("{line}\n").into_bytes());
            let tree = notes::insert(self.repository, root, commit, &text)?;
            let parents: Vec<Oid> = tip.into_iter().collect();
            let message = format!("Package {} of {commit}\n", line.target);
            self.repository.write_commit(tree, &parents, &message).map(Some)
        })
    }
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
