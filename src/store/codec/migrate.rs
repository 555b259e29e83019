//! Converts a recorded package from one form to the other: another commit with the same parent and manifest, so the id stays. The order is
//! that of recording: content, then the commit, then the ref. `git gc` removes the old content.

use serde::Serialize;

use super::content::Written;
use super::encryption;
use super::lfs::{self, ATTRIBUTES};
use super::package::StoredPackage;
use super::writer::Writer;
use crate::error::{Error, Result};
use crate::git::commit_signature::SignatureVerdict;
use crate::git::{MODE_FILE, Oid, SigningReason, TreeDraft};
use crate::package::storage::{Form, Placement};
use crate::process::interrupt;
use crate::progress::Progress;
use crate::text::command::slsart;

#[derive(Debug, Clone, Serialize)]
pub struct FormChange {
    pub path: String,
    pub size: u64,
    pub from: Form,
    pub to: Form,
}

impl StoredPackage<'_> {
    /// What has to change to keep the package as `placement` says.
    pub fn changes(&self, placement: &Placement) -> Result<Vec<FormChange>> {
        let mut changes = Vec::new();
        for file in &self.manifest.files {
            let entry = self.entry(file)?;
            let (from, to) = (lfs::form(&entry, file)?, placement.form_of(file));
            // An encrypted file stays in git.
            if from != to && !encryption::is_in(self.repository(), &entry)? {
                changes.push(FormChange { path: file.path.clone(), size: file.size, from, to });
            }
        }
        Ok(changes)
    }

    pub(in crate::store) fn tip(&self) -> Result<Oid> {
        let repository = self.repository();
        let name = self.ref_name();
        let tip = repository.ref_target(&name)?;
        let tip = tip.filter(|tip| repository.commit(*tip).is_ok_and(|commit| commit.tree == self.tree));
        tip.ok_or_else(|| {
            Error::refused(format!("{name} was changed by another process, and left as it is"))
                .hint("run the command again")
        })
    }

    /// Makes `changes`, as [`Self::changes`] gave them. If another process changes the package meanwhile, its change stays and this fails.
    pub fn migrate(&self, changes: &[FormChange], progress: &dyn Progress) -> Result<()> {
        let repository = self.repository();
        let (name, old) = (self.ref_name(), self.tip()?);
        let batch = repository.batch()?;
        let writer = Writer { repository, batch: &batch, progress, recorder: None };
        let mut tree = TreeDraft::default();
        for entry in repository.read_tree(self.tree)? {
            let name = String::from_utf8_lossy(&entry.name);
            if name != "files" && name != ATTRIBUTES {
                tree.insert(&name, entry.id, entry.mode);
            }
        }
        let mut in_lfs = Vec::new();
        for file in &self.manifest.files {
            interrupt::check()?;
            let entry = self.entry(file)?;
            let change = changes.iter().find(|change| change.path == file.path);
            let written = match change.map(|change| change.to) {
                Some(Form::Lfs) => lfs::take_over(repository, &batch, &entry, file)?,
                Some(Form::Git) => {
                    let path = lfs::objects::obtain(repository, &name, file, progress)?;
                    writer.write(&path, file, None)?
                }
                None => Written::Object(entry.id, entry.mode),
            };
            let form = change.map_or_else(|| lfs::form(&entry, file), |change| Ok(change.to))?;
            if form == Form::Lfs {
                in_lfs.push(file.path.as_str());
            }
            if form == Form::Lfs && change.is_some() {
                progress.advance(file.size);
            }
            written.insert_into(&mut tree, &format!("files/{}", file.path));
        }
        if let Some(id) = lfs::write_attributes(&batch, in_lfs.into_iter())? {
            tree.insert(ATTRIBUTES, id, MODE_FILE);
        }
        let tree = tree.write(&batch, repository, Some(self.tree))?;
        let replaced = batch.finish()?;
        let new = self.converted(old, tree, progress)?;
        interrupt::check()?;
        repository.move_ref(&name, "slsart: migrate", old, new)?;
        replaced.remove();
        Ok(())
    }
}

impl StoredPackage<'_> {
    /// The commit of the package with another tree. Without a signature, every machine that converts it gets the same commit, and
    /// converting it back gives the old one. Only a good signature is renewed: signing any other would vouch for it unasked.
    pub(in crate::store) fn converted(&self, old: Oid, tree: Oid, progress: &dyn Progress) -> Result<Oid> {
        let repository = self.repository();
        let signature = repository.signature_of(old)?;
        let short = self.manifest.package.id.short();
        let why = match signature.verdict {
            SignatureVerdict::Unsigned => return repository.write_commit_like(old, tree),
            SignatureVerdict::Good if repository.signs_commits()? => {
                return repository.signed_commit_like(old, tree, "the package", SigningReason::Configured);
            }
            SignatureVerdict::Good => "git does not sign commits here",
            _ => "it could not be verified",
        };
        progress.warn(&format!(
            "the signature of package {short} was of the old form and is removed, since {why}; to sign it: {}",
            slsart(["sign", &short])
        ));
        repository.write_commit_like(old, tree)
    }
}
