//! Signatures, as commands print them.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::git::commit_signature::{Signature, SignatureVerdict};
use crate::package::manifest::Target;
use crate::store::deployments::{Deployment, Outcome};
use crate::text::style::{ERROR, GOOD, WARNING};
use crate::text::words::{count, line};
use crate::workspace::Workspace;

/// The signature of a history's record.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Signed {
    pub(super) commit: String,
    pub(super) outcome: Outcome,
    #[serde(flatten)]
    pub(super) signature: Signature,
}

/// The signatures of a target's records, newest first, with the ids of their deployments.
pub(super) fn of_records(workspace: &Workspace<'_>, target: &Target) -> Result<Vec<(String, Signed)>> {
    let records = workspace.store().histories().records(target)?;
    let commits: Vec<_> = records.iter().map(|(commit, _)| *commit).collect();
    let mut signatures = workspace.repository.commit_signatures(&commits)?;
    let signed = |(commit, deployment): (_, Deployment)| {
        let signature = signatures.remove(&commit).ok_or_else(|| {
            Error::integrity(format!("git can't read the record {commit}"))
                .hint("git fsck shows what is damaged")
        })?;
        let Deployment { id, outcome, .. } = deployment;
        Ok((id, Signed { commit: commit.to_string(), outcome, signature }))
    };
    records.into_iter().map(signed).collect()
}

pub(super) fn none_is_bad<'a>(all: impl Iterator<Item = &'a Signed>) -> Result<()> {
    let bad: Vec<&Signed> = all.filter(|signed| signed.signature.verdict == SignatureVerdict::Bad).collect();
    let Some(first) = bad.first() else { return Ok(()) };
    let records =
        if bad.len() == 1 { "1 record has".to_owned() } else { count(bad.len(), "record") + " have" };
    Err(Error::integrity(format!("{records} a bad signature"))
        .hint(format!("git verify-commit {}", first.commit)))
}

/// A signature in words, with a sign before them.
pub(super) fn words(signature: &Signature) -> String {
    let Signature { verdict, signer, key, remark } = signature;
    let (style, sign, what) = match verdict {
        SignatureVerdict::Good => (GOOD, "✓", "signed"),
        SignatureVerdict::Unsigned => (WARNING, "!", "unsigned"),
        SignatureVerdict::Bad => (ERROR, "✗", "bad signature"),
        SignatureVerdict::UnknownKey => (WARNING, "!", "signed with an untrusted key"),
    };
    let by = signer.as_ref().map(|signer| format!(" by {}", line(signer))).unwrap_or_default();
    let key =
        key.as_ref().filter(|_| signer.is_none()).map(|key| format!(" {}", line(key))).unwrap_or_default();
    let remark = remark.map(|remark| format!(", {remark}")).unwrap_or_default();
    format!("{style}{sign}{style:#} {what}{by}{key}{remark}")
}
