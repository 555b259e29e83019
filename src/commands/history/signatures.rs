//! The signatures of a history's records.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use super::INDENT;
use crate::error::{Error, Result};
use crate::git::signature::{Signature, Verdict};
use crate::package::manifest::Target;
use crate::store::deployments::{Deployment, Outcome};
use crate::text::style::{DIM, ERROR, GOOD, WARNING};
use crate::text::words::{count, line, short};
use crate::workspace::Workspace;

/// The signature of a record.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Signed {
    /// The record's commit.
    commit: String,
    /// What it records.
    outcome: Outcome,
    #[serde(flatten)]
    signature: Signature,
}

/// The signatures of all records, by the ids of the deployments.
#[derive(Default)]
pub(super) struct Signatures(HashMap<String, Vec<Signed>>);

impl Signatures {
    /// Adds those of a target's records.
    pub(super) fn add(&mut self, workspace: &Workspace<'_>, target: &Target) -> Result<()> {
        let records = workspace.store().records_of(target)?;
        let commits: Vec<_> = records.iter().map(|(commit, _)| *commit).collect();
        let mut signatures = workspace.repository.commit_signatures(&commits)?;
        for (commit, Deployment { id, outcome, .. }) in records {
            let signature = signatures.remove(&commit).ok_or_else(|| {
                Error::integrity(format!("git can't read the record {commit}"))
                    .hint("git fsck shows what is damaged")
            })?;
            self.0.entry(id).or_default().push(Signed { commit: commit.to_string(), outcome, signature });
        }
        Ok(())
    }

    /// Those of a deployment.
    pub(super) fn of(&self, deployment: &Deployment) -> Vec<Signed> {
        self.0.get(&deployment.id).cloned().unwrap_or_default()
    }

    /// Fails when one of them is bad, also of a deployment that was not shown.
    pub(super) fn check(&self) -> Result<()> {
        let bad = |signed: &&Signed| signed.signature.verdict == Verdict::Bad;
        let bad: Vec<&Signed> = self.0.values().flatten().filter(bad).collect();
        let Some(first) = bad.first() else { return Ok(()) };
        Err(Error::integrity(format!(
            "{} a bad signature",
            if bad.len() == 1 {
                "1 record has".to_owned()
            } else {
                format!("{} have", count(bad.len(), "record"))
            }
        ))
        .hint(format!("git verify-commit {}", first.commit)))
    }
}

/// The signatures of a deployment's records, as they stand below it: one line where all say the same.
pub(super) struct Lines<'a>(pub(super) &'a [Signed]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.0.first() else { return Ok(()) };
        if self.0.iter().all(|signed| signed.signature == first.signature) {
            return writeln!(f, "{INDENT}{}", words(&first.signature));
        }
        self.0.iter().try_for_each(|Signed { commit, outcome, signature }| {
            let commit = short(commit, 7);
            writeln!(f, "{INDENT}{}  {DIM}{} {commit}{DIM:#}", words(signature), outcome.name())
        })
    }
}

fn words(signature: &Signature) -> String {
    let Signature { verdict, signer, key, remark } = signature;
    let (style, sign, what) = match verdict {
        Verdict::Good => (GOOD, "✓", "signed"),
        Verdict::Unsigned => (WARNING, "!", "unsigned"),
        Verdict::Bad => (ERROR, "✗", "bad signature"),
        Verdict::UnknownKey => (WARNING, "!", "signed with an unknown key"),
    };
    let by = signer.as_ref().map(|signer| format!(" by {}", line(signer))).unwrap_or_default();
    let key =
        key.as_ref().filter(|_| signer.is_none()).map(|key| format!(" {}", line(key))).unwrap_or_default();
    let remark = remark.map(|remark| format!(", {remark}")).unwrap_or_default();
    format!("{style}{sign}{style:#} {what}{by}{key}{remark}")
}
