//! Signed packages: the package's commit is signed, which covers all of its files and its source. Signing may wait for a user, so no ref
//! is locked meanwhile.

use super::package::StoredPackage;
use crate::error::{Error, Kind, Result};
use crate::git::commit_signature::{Signature, SignatureVerdict};
use crate::git::pack::Replaced;
use crate::git::{Batch, Oid, Repository, SigningReason};
use crate::package::PackageId;
use crate::progress::Progress;
use crate::store::names::PACKAGES;

/// A package's content, written but not committed yet.
pub(in crate::store) struct UncommittedPackage<'a> {
    pub(in crate::store) tree: Oid,
    pub(in crate::store) source: Oid,
    pub(in crate::store) message: &'a str,
}

/// A package's commit that no ref leads to yet.
pub(in crate::store) struct PackageCommit {
    /// Objects to write with the refs.
    pub(in crate::store) batch: Batch,
    pub(in crate::store) commit: Oid,
    /// The packs that signing replaced.
    pub(in crate::store) replaced: Option<Replaced>,
}

impl PackageCommit {
    pub(in crate::store) fn known(batch: Batch, commit: Oid) -> Self {
        Self { batch, commit, replaced: None }
    }
}

/// The result of signing a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    New,
    /// It had a good signature already.
    Already(Signature),
}

/// Commits a package, and signs it if it has to be. If no user is present to enter a passphrase, it stays unsigned, which `progress`
/// reports.
pub(in crate::store) fn commit_package(
    repository: &Repository,
    batch: Batch,
    made: &UncommittedPackage<'_>,
    signed: bool,
    progress: &dyn Progress,
) -> Result<PackageCommit> {
    let UncommittedPackage { tree, source, message } = *made;
    if !signed {
        let commit = batch.commit(tree, &[source], message)?;
        return Ok(PackageCommit::known(batch, commit));
    }
    // git can only sign what is in the repository.
    let replaced = Some(batch.finish()?);
    let batch = repository.batch()?;
    let commit = match repository.signed_commit(tree, &[source], message, "the package") {
        Ok(commit) => commit,
        Err(error) if repository.is_unattended() && error.kind != Kind::Interrupted => {
            let why = error.causes().join("; ");
            progress.warn(&format!(
                "the package is not signed, since there is no terminal to ask for a passphrase: {why}"
            ));
            batch.commit(tree, &[source], message)?
        }
        Err(error) => return Err(error),
    };
    Ok(PackageCommit { batch, commit, replaced })
}

/// Whether the package with this content has a good signature, and git signs commits here.
pub(in crate::store) fn has_trusted_signature(
    repository: &Repository,
    tree: Oid,
    id: PackageId,
) -> Result<bool> {
    if !repository.signs_commits()? {
        return Ok(false);
    }
    for (_, tip) in repository.refs_matching(&format!("{PACKAGES}*/{id}"))? {
        let is_same = repository.commit(tip).is_ok_and(|commit| commit.tree == tree);
        if is_same && repository.signature_of(tip)?.verdict == SignatureVerdict::Good {
            return Ok(true);
        }
    }
    Ok(false)
}

impl StoredPackage<'_> {
    pub fn signature(&self) -> Result<Signature> {
        self.repository().signature_of(self.object)
    }

    /// Signs it. The caller has verified its bytes: a signature vouches for them.
    ///
    /// # Errors
    ///
    /// [`Kind::Integrity`] when it has a bad signature: then it differs from what was signed. Also when another process changes the
    /// package meanwhile.
    pub fn sign(&self) -> Result<Signed> {
        let repository = self.repository();
        let signature = self.signature()?;
        match signature.verdict {
            SignatureVerdict::Good => return Ok(Signed::Already(signature)),
            SignatureVerdict::Bad => {
                let short = self.manifest.package.id.short();
                return Err(Error::integrity(format!(
                    "package {short} has a bad signature, and is not signed again"
                ))
                .hint(format!("to see it: git verify-commit {}", self.object)));
            }
            SignatureVerdict::Unsigned | SignatureVerdict::UnknownKey => {}
        }
        let new =
            repository.signed_commit_like(self.object, self.tree, "the package", SigningReason::Asked)?;
        repository.move_ref(&self.ref_name(), "slsart: sign", self.object, new)?;
        Ok(Signed::New)
    }
}
