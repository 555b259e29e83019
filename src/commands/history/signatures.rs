//! The signatures of a history's records.

use std::collections::HashMap;

use crate::commands::signature::{Signed, none_is_bad, of_records, words};
use crate::error::Result;
use crate::package::manifest::Target;
use crate::store::deployments::Deployment;
use crate::text::style::DIM;
use crate::text::words::short;
use crate::workspace::Workspace;

/// The signatures of all records, by the ids of the deployments.
#[derive(Default)]
pub(super) struct Signatures(HashMap<String, Vec<Signed>>);

impl Signatures {
    pub(super) fn add(&mut self, workspace: &Workspace<'_>, target: &Target) -> Result<()> {
        for (id, signed) in of_records(workspace, target)? {
            self.0.entry(id).or_default().push(signed);
        }
        Ok(())
    }

    pub(super) fn of(&self, deployment: &Deployment) -> Vec<Signed> {
        self.0.get(&deployment.id).cloned().unwrap_or_default()
    }

    /// Fails when one of them is bad, also of a deployment that was not shown.
    pub(super) fn check(&self) -> Result<()> {
        none_is_bad(self.0.values().flatten())
    }
}

/// The signatures of a deployment's records, as they stand below it: one line where all say the same.
pub(super) fn lines(signatures: &[Signed]) -> Vec<String> {
    let Some(first) = signatures.first() else { return Vec::new() };
    if signatures.iter().all(|signed| signed.signature == first.signature) {
        return vec![words(&first.signature)];
    }
    let line = |Signed { commit, outcome, signature }: &Signed| {
        format!("{}  {DIM}{} {}{DIM:#}", words(signature), outcome.name(), short(commit, 7))
    };
    signatures.iter().map(line).collect()
}
