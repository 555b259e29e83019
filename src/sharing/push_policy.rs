//! Whether a package may leave this machine: not with undecided secrets.

use std::collections::BTreeSet;

use crate::config::FILE;
use crate::error::Result;
use crate::package::secrets::{Decision, Secret, SecretAction, listed};
use crate::package::{Manifest, PackageId};
use crate::secrets::SecretPolicy;
use crate::store::{NotedPackage, StoredPackage};
use crate::text::command::slsart;
use crate::workspace::Workspace;
use crate::workspace::secrets::{policy, search_recorded};

/// A package's secrets, and the decision on them.
#[derive(Debug)]
pub struct SecretStatus {
    /// Those that no pattern of `slsart.toml` allows.
    pub open: Vec<Secret>,
    /// `None`: undecided.
    pub decision: Option<Decision>,
    pub scanned: bool,
}

/// What a package's manifest says of its secrets.
pub fn secret_status(manifest: &Manifest, policy: &SecretPolicy) -> SecretStatus {
    let scan = manifest.scan.as_ref();
    let open = policy.objectionable(&manifest.secrets).into_iter().cloned().collect();
    SecretStatus { open, decision: scan.and_then(|scan| scan.decision), scanned: scan.is_some() }
}

impl SecretStatus {
    pub fn is_undecided(&self) -> bool {
        !self.open.is_empty() && self.decision.is_none()
    }
}

/// Whether a package may be sent to a remote.
pub(super) enum Verdict {
    /// With a warning where it holds secrets.
    May(Option<String>),
    /// The places of its undecided secrets.
    Undecided(String),
}

/// Those of these packages whose secrets are undecided, without those that were never searched.
pub fn undecided(workspace: &Workspace<'_>, found: &[NotedPackage]) -> Result<Vec<PackageId>> {
    let (policy, store) = (policy(workspace)?, workspace.store());
    let manifests = found.iter().filter_map(|found| store.open(found.commit, &found.line).ok());
    let undecided = manifests.filter(|package| secret_status(&package.manifest, &policy).is_undecided());
    Ok(undecided.map(|package| package.manifest.package.id).collect())
}

/// Judges a package by its secrets. One that was recorded before packages were searched is searched now.
pub(super) fn check(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> Result<Verdict> {
    let policy = policy(workspace)?;
    let mut status = secret_status(&package.manifest, &policy);
    if !status.scanned {
        let found = search_recorded(workspace, package)?;
        status.open = policy.objectionable(&found).into_iter().cloned().collect();
    }
    if status.open.is_empty() || status.decision == Some(Decision::Encrypt) {
        return Ok(Verdict::May(None));
    }
    let places = listed(&status.open.iter().collect::<Vec<_>>()).join("; ");
    // What slsart.toml said when it was recorded gives way to what it says now; a decision about this package does not.
    let stricter = matches!(policy.action, Some(SecretAction::Encrypt | SecretAction::Refuse));
    let warned =
        !stricter && status.decision == Some(Decision::Warn) || policy.action == Some(SecretAction::Warn);
    if warned || status.decision == Some(Decision::Allow) {
        let id = package.manifest.package.id.short();
        return Ok(Verdict::May(warned.then(|| format!("package {id} holds secrets: {places}"))));
    }
    Ok(Verdict::Undecided(places))
}

/// The ways to decide about the secrets of packages, with whole commands.
pub fn ways_to_decide<'p>(packages: impl IntoIterator<Item = &'p PackageId>) -> Vec<String> {
    let ids: BTreeSet<String> = packages.into_iter().map(PackageId::short).collect();
    if ids.is_empty() {
        return Vec::new();
    }
    let of = |action| slsart(["secrets", action].into_iter().chain(ids.iter().map(String::as_str)));
    vec![
        format!("to encrypt the secrets, with [secrets] recipients in {FILE}: {}", of("encrypt")),
        format!("to push them as they are: {}", of("allow")),
        format!(
            "for all packages: [secrets] action = \"warn\", or allow = [\"NAME\"] for what is no secret, in {FILE}"
        ),
    ]
}
