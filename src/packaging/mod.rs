//! Makes packages and records them: in a clean worktree, in place, or from a directory made elsewhere. Plans and orders the steps;
//! `package` owns the formats, `store` the places.

pub(crate) mod after_commit;
pub(crate) mod attach;
pub(crate) mod build_environment;
pub(crate) mod carry;
pub(crate) mod checkout;
pub(crate) mod draft;
pub(crate) mod jobs;
mod lacking;
pub(crate) mod make;
mod placement;
pub(crate) mod record;
pub mod secret_policy;
pub(crate) mod snapshots;

use jiff::Timestamp;
use serde::Serialize;

use crate::package::Manifest;
use crate::package::manifest::Target;
use crate::package::secrets::Secret;

/// The report on a package that was recorded, now or before.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    pub commit: String,
    pub subject: String,
    pub target: Target,
    pub package: String,
    pub size: u64,
    pub file_count: usize,
    pub recorded: Timestamp,
    pub dirty: bool,
    /// Whether it had been recorded before.
    pub already: bool,
    /// Names in the package directory that are no part of the package.
    pub left_out: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Secret>,
}

impl Summary {
    fn of(manifest: &Manifest, subject: &str, already: bool, left_out: Vec<String>) -> Self {
        Self {
            commit: manifest.source.commit.clone(),
            subject: subject.to_owned(),
            target: manifest.target.clone(),
            package: manifest.package.id.to_string(),
            size: manifest.package.size,
            file_count: manifest.files.len(),
            recorded: manifest.package.recorded,
            dirty: manifest.source.dirty,
            already,
            left_out,
            secrets: manifest.secrets.clone(),
        }
    }
}
