//! Signed packages: the signature is that of the package's commit, which covers all of its files and its source. Signing may wait for a
//! person, so no ref is locked meanwhile.

use super::package::StoredPackage;
use crate::error::{Error, Kind, Result};
use crate::git::commit_signature::{Signature, Verdict};
use crate::git::pack::Replaced;
use crate::git::{Batch, Oid, Repository, SigningReason};
use crate::package::PackageId;
use crate::progress::Progress;
use crate::store::names::PACKAGES;

/// A package's content, written and not committed yet.
pub(in crate::store) struct UncommittedPackage<'a> {
    /// Its tree.
    pub(in crate::store) tree: Oid,
    /// The commit that holds its source.
    pub(in crate::store) source: Oid,
    /// What its commit is to say.
    pub(in crate::store) message: &'a str,
}

/// A package's commit, which no ref leads to yet.
pub(in crate::store) struct PackageCommit {
    /// What is to be written with the refs.
    pub(in crate::store) batch: Batch,
    /// The commit.
    pub(in crate::store) commit: Oid,
    /// The packs that were replaced when it was signed.
    pub(in crate::store) replaced: Option<Replaced>,
}

impl PackageCommit {
    /// One that is there already.
    pub(in crate::store) fn known(batch: Batch, commit: Oid) -> Self {
        Self { batch, commit, replaced: None }
    }
}

/// What became of a package that was to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// It is signed now.
    New,
    /// It has a good signature; nothing was done.
    Already(Signature),
}

/// Commits a package, signed where it is to be. Where nobody is there to be asked for a passphrase it stays unsigned, and
/// `progress` is told.
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
    // Git signs what is in the repository.
    let replaced = Some(batch.finish()?);
    let batch = repository.batch()?;
    let commit = match repository.signed_commit(tree, &[source], message, "the package") {
        Ok(commit) => commit,
        Err(error) if repository.is_unattended() && error.kind != Kind::Interrupted => {
            let why = error.causes().join("; ");
            progress.warn(&format!("the package is not signed, as nobody can be asked here: {why}"));
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
        if is_same && repository.signature_of(tip)?.verdict == Verdict::Good {
            return Ok(true);
        }
    }
    Ok(false)
}

impl StoredPackage<'_> {
    /// What git says of its signature.
    pub fn signature(&self) -> Result<Signature> {
        self.repository().signature_of(self.object)
    }

    /// Signs it. The caller has looked at its bytes: whoever signs vouches for them.
    ///
    /// # Errors
    /// [`Kind::Integrity`] when it has a bad signature: then it is not what somebody signed. Also when another process changes the
    /// package meanwhile.
    pub fn sign(&self) -> Result<Signed> {
        let repository = self.repository();
        let signature = self.signature()?;
        match signature.verdict {
            Verdict::Good => return Ok(Signed::Already(signature)),
            Verdict::Bad => {
                let short = self.manifest.package.id.short();
                return Err(Error::integrity(format!(
                    "package {short} has a bad signature: it is not signed anew"
                ))
                .hint(format!("to see it: git verify-commit {}", self.object)));
            }
            Verdict::Unsigned | Verdict::UnknownKey => {}
        }
        let new =
            repository.signed_commit_like(self.object, self.tree, "the package", SigningReason::Asked)?;
        repository.move_ref(&self.ref_name(), "slsart: sign", self.object, new)?;
        Ok(Signed::New)
    }
}
