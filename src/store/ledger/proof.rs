//! The proof of a deployment: whether the live stack is what was recorded. Part of a deployment's record.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    pub verdict: ProofVerdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    #[serde(default)]
    pub functions: usize,
    #[serde(default)]
    pub as_recorded: usize,
    /// How many of the compared functions run a container image, which is compared by its digest.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub images: usize,
    /// How many layers were compared. All match unless `problems` says otherwise.
    #[serde(default)]
    pub layers: usize,
    /// How many S3 objects the live template names. All exist unless `problems` says otherwise.
    #[serde(default)]
    pub objects: usize,
    /// What differs from the record, or why nothing was proven.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// Remarks that are no mismatch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProofVerdict {
    Proven,
    Mismatch,
    /// AWS gave no answer, or there was nothing to compare.
    #[default]
    #[serde(other)]
    Unproven,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Proof {
    pub fn unproven(why: impl Into<String>) -> Self {
        Self { problems: vec![why.into()], ..Self::default() }
    }
}
