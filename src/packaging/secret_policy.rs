//! Secrets of packages: reporting them at a recording, and deciding about those of a recorded package.

use super::Summary;
use crate::error::Result;
use crate::package::Manifest;
use crate::package::secrets::{Decision, SecretScan, listed};
use crate::secrets::SecretPolicy;
use crate::store::{Recorded, SecretOptions, StoredPackage};
use crate::text::command::slsart;
use crate::workspace::Workspace;
use crate::workspace::secrets::scanner_of_recorded;

/// Reports a recording, and warns of its secrets.
pub(super) fn told(
    workspace: &Workspace<'_>,
    recorded: Recorded,
    manifest: Manifest,
    policy: &SecretPolicy,
    subject: &str,
    left_out: Vec<String>,
) -> Summary {
    let (manifest, already) = match recorded {
        Recorded::New(manifest) => (*manifest, false),
        Recorded::Already(_) => (manifest, true),
    };
    let open = policy.objectionable(&manifest.secrets);
    if !already && !open.is_empty() {
        let what = listed(&open).join("; ");
        let progress = workspace.progress;
        match manifest.scan.as_ref().and_then(|scan| scan.decision) {
            Some(Decision::Encrypt) => progress.note(&format!("files with secrets are encrypted: {what}")),
            Some(Decision::Warn | Decision::Allow) => {
                progress.warn(&format!("the package holds secrets, and may be pushed: {what}"));
            }
            None => progress.warn(&format!(
                "the package holds secrets, and is not pushed before you decide: {what}; to decide: {}",
                slsart(["secrets"])
            )),
        }
    }
    Summary::of(&manifest, subject, already, left_out)
}

/// Searches a recorded package, and records the findings. Earlier decisions stay. Returns its new manifest.
pub fn scan(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> Result<Manifest> {
    let (scanner, policy) = scanner_of_recorded(workspace, package)?;
    let found = package.search(&scanner, workspace.progress)?;
    let mut manifest = package.manifest.clone();
    // A known secret stays even if its variable has another value now.
    let known = manifest.secrets.iter().filter(|known| !found.contains(known)).cloned().collect::<Vec<_>>();
    let before = manifest.scan.take();
    SecretOptions { scanner: &scanner, policy: &policy }.describe([found, known].concat(), &mut manifest);
    if let Some(scan) = &mut manifest.scan {
        let SecretScan { decision, recipients, .. } = before.unwrap_or_default();
        (scan.decision, scan.recipients) = (decision, recipients);
        // The decision covers the secrets that were known then.
        let new = manifest.secrets.iter().any(|secret| !package.manifest.secrets.contains(secret));
        if new && scan.decision.is_some() {
            scan.decision = None;
        }
    }
    if manifest != package.manifest {
        package.rewrite_manifest(&manifest, workspace.progress)?;
    }
    Ok(manifest)
}

/// Allows pushing a package with its secrets as they are.
pub fn allow(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> Result<Manifest> {
    let mut manifest = if package.manifest.scan.is_some() {
        package.manifest.clone()
    } else {
        searched(workspace, package)?
    };
    if let Some(scan) = &mut manifest.scan {
        scan.decision = Some(Decision::Allow);
    }
    package.rewrite_manifest(&manifest, workspace.progress)?;
    Ok(manifest)
}

fn searched(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> Result<Manifest> {
    let (scanner, policy) = scanner_of_recorded(workspace, package)?;
    let found = package.search(&scanner, workspace.progress)?;
    let mut manifest = package.manifest.clone();
    SecretOptions { scanner: &scanner, policy: &policy }.describe(found, &mut manifest);
    Ok(manifest)
}

/// Encrypts the parts of a recorded package that hold secrets. Returns its new manifest.
pub fn encrypt(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> Result<Manifest> {
    let (scanner, policy) = scanner_of_recorded(workspace, package)?;
    let policy = policy.encrypting()?;
    if !workspace.store().opens(&policy.recipients)? {
        workspace.progress.warn("none of your keys is a recipient: you can't deploy these packages");
    }
    package.encrypt(SecretOptions { scanner: &scanner, policy: &policy }, workspace.progress)
}
