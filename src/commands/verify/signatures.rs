//! `verify --signatures`: what git says of the signatures of packages, and of their targets' histories.

use super::report::{SignedHistory, VerificationReport, VerifiedPackage, are};
use crate::commands::signature::{none_is_bad, of_records};
use crate::error::{Error, Result};
use crate::git::Oid;
use crate::git::commit_signature::SignatureVerdict;
use crate::package::manifest::Target;
use crate::text::command::slsart;
use crate::text::words::{count, short};
use crate::workspace::Workspace;

/// Puts the signatures of the packages into their rows.
pub(super) fn of_packages(workspace: &Workspace<'_>, rows: &mut [VerifiedPackage]) -> Result<()> {
    let objects: Vec<Oid> = rows.iter().filter_map(|row| row.object).collect();
    let signatures = workspace.repository.commit_signatures(&objects)?;
    for row in rows {
        row.signature = row.object.and_then(|object| signatures.get(&object).cloned());
    }
    Ok(())
}

/// The signatures of the histories of `targets` that have one.
pub(super) fn of_histories(
    workspace: &Workspace<'_>,
    rows: &[VerifiedPackage],
    all: bool,
) -> Result<Vec<SignedHistory>> {
    let mut targets = workspace.store().histories().targets()?;
    targets.retain(|target| all || rows.iter().any(|row| row.target == *target));
    let history = |target: Target| {
        let signatures = of_records(workspace, &target)?.into_iter().map(|(_, signed)| signed).collect();
        Ok(SignedHistory { target, signatures })
    };
    targets.into_iter().map(history).collect()
}

/// The error for signatures that are bad, and for packages without one that is known. A history's record can't be signed afterwards: that it
/// has none is no failure.
pub(super) fn verdict(report: &VerificationReport) -> Result<()> {
    let total = count(report.packages.len(), "package");
    let with = |wanted: &[SignatureVerdict]| -> Vec<&VerifiedPackage> {
        let is =
            |row: &&VerifiedPackage| row.signature.as_ref().is_some_and(|one| wanted.contains(&one.verdict));
        report.packages.iter().filter(is).collect()
    };
    let bad = with(&[SignatureVerdict::Bad]);
    if let Some(first) = bad.first() {
        let verb = if bad.len() == 1 { "has" } else { "have" };
        let object = first.object.map(|object| object.to_string()).unwrap_or_default();
        return Err(Error::integrity(format!("{} of {total} {verb} a bad signature", bad.len()))
            .hint(format!("git verify-commit {object}")));
    }
    none_is_bad(report.histories.iter().flatten().flat_map(|history| &history.signatures))?;
    let lacking = with(&[SignatureVerdict::Unsigned, SignatureVerdict::UnknownKey]);
    if let Some(first) = lacking.first() {
        let package = short(&first.package, 8);
        return Err(Error::refused(format!(
            "{} of {total} {} not signed with a trusted key",
            lacking.len(),
            are(lacking.len())
        ))
        .hint(format!("to sign one that you vouch for: {}", slsart(["sign", package]))));
    }
    Ok(())
}
