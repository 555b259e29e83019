//! Whether a package may leave this machine: not with secrets that nobody has decided about.

use crate::config::FILE;
use crate::error::{Error, Result};
use crate::package::Manifest;
use crate::package::secrets::{Action, Decision, Secret, listed};
use crate::secrets::Policy;
use crate::store::{NotedPackage, StoredPackage};
use crate::text::command::slsart;
use crate::workspace::Workspace;
use crate::workspace::secrets::{policy, search_recorded};

/// What a package's secrets are, and what was decided of them.
#[derive(Debug)]
pub struct SecretStatus {
    /// Those that no pattern of `slsart.toml` lets be.
    pub open: Vec<Secret>,
    /// What was decided; `None`: nothing yet.
    pub decision: Option<Decision>,
    pub scanned: bool,
}

/// What a package's manifest says of its secrets.
pub fn secret_status(manifest: &Manifest, policy: &Policy) -> SecretStatus {
    let scan = manifest.scan.as_ref();
    let open = policy.objectionable(&manifest.secrets).into_iter().cloned().collect();
    SecretStatus { open, decision: scan.and_then(|scan| scan.decision), scanned: scan.is_some() }
}

impl SecretStatus {
    /// Whether somebody has to decide.
    pub fn is_undecided(&self) -> bool {
        !self.open.is_empty() && self.decision.is_none()
    }
}

/// How many of these packages hold secrets that nobody has decided about. Those that were never searched are not counted.
pub fn undecided(workspace: &Workspace<'_>, found: &[NotedPackage]) -> Result<usize> {
    let (policy, store) = (policy(workspace)?, workspace.store());
    let manifests = found.iter().filter_map(|found| store.open(found.commit, &found.line).ok());
    Ok(manifests.filter(|package| secret_status(&package.manifest, &policy).is_undecided()).count())
}

/// Whether a package may be sent to a remote. One that was recorded before packages were searched is searched now.
///
/// # Returns
/// A warning, where it holds secrets and may be pushed all the same.
///
/// # Errors
/// When it holds secrets that nobody has decided about: where they are, and how to decide.
pub fn check(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> Result<Option<String>> {
    let policy = policy(workspace)?;
    let mut status = secret_status(&package.manifest, &policy);
    if !status.scanned {
        let found = search_recorded(workspace, package)?;
        status.open = policy.objectionable(&found).into_iter().cloned().collect();
    }
    if status.open.is_empty() || status.decision == Some(Decision::Encrypt) {
        return Ok(None);
    }
    let id = package.manifest.package.id.short();
    let places = listed(&status.open.iter().collect::<Vec<_>>());
    // What slsart.toml said when it was recorded gives way to what it says now; what somebody said of this package does not.
    let stricter = matches!(policy.action, Some(Action::Encrypt | Action::Refuse));
    let warned = !stricter && status.decision == Some(Decision::Warn) || policy.action == Some(Action::Warn);
    if warned || status.decision == Some(Decision::Allow) {
        return Ok(warned.then(|| format!("package {id} holds secrets: {}", places.join("; "))));
    }
    let places = places.join("; ");
    let why = format!("package {id} holds secrets, and is not pushed before you decide: {places}");
    Err(Error::refused(why).hints(ways(&id)))
}

/// The ways to decide about a package.
fn ways(id: &str) -> Vec<String> {
    vec![
        format!(
            "encrypt them, once [secrets] recipients in {FILE} has keys: {}",
            slsart(["secrets", "encrypt", id])
        ),
        format!("push this package as it is: {}", slsart(["secrets", "allow", id])),
        format!(
            "for all packages: [secrets] action = \"warn\", or allow = [\"NAME\"] for what is no secret, in {FILE}"
        ),
    ]
}
