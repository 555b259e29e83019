//! What was found when a deployment had ended: does what is live fit what was recorded? Part of a deployment's record.

use serde::{Deserialize, Serialize};

/// What comparing AWS with the package gave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// What it comes to.
    pub verdict: Verdict,
    /// The account that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// How many functions were compared.
    #[serde(default)]
    pub functions: usize,
    /// How many of them run the recorded code.
    #[serde(default)]
    pub as_recorded: usize,
    /// How many layers were compared, and hold the recorded content unless `problems` says otherwise.
    #[serde(default)]
    pub layers: usize,
    /// How many S3 objects the live template names, all there unless `problems` says otherwise.
    #[serde(default)]
    pub objects: usize,
    /// What is not as recorded, or why nothing was proven.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// What is worth knowing and no contradiction.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What a comparison comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// What is live is what was recorded.
    Proven,
    /// It is not.
    Mismatch,
    /// AWS could not be asked, or there was nothing to compare.
    #[default]
    #[serde(other)]
    Unproven,
}

impl Proof {
    /// Nothing was proven, for this reason.
    pub fn unproven(why: impl Into<String>) -> Self {
        Self { problems: vec![why.into()], ..Self::default() }
    }
}
