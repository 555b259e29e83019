//! Whether the package is signed, and by whom. A signature that is bad always blocks; one that is missing or untrusted,
//! only where `[trust] require` says so.

use super::Check;
use crate::error::{ANOTHER_COPY, Result};
use crate::git::commit_signature::{Signature, SignatureVerdict, Trust};
use crate::store::StoredPackage;
use crate::store::deployments::Deployment;
use crate::text::command::slsart;
use crate::text::words::count;
use crate::workspace::Workspace;

const NAME: &str = "signature";

/// Most records of a history that are looked at: each costs git a process.
const MAX_RECORDS: usize = 10;

/// A line for the package; none where it is not signed and need not be.
pub(super) fn of_package(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> Result<Option<Check>> {
    let signature = package.signature()?;
    Ok(judge(&signature, &package.manifest.package.id.short(), workspace.repository.trust()))
}

fn judge(signature: &Signature, package: &str, trust: &Trust) -> Option<Check> {
    let Signature { verdict, signer, key, remark } = signature;
    let remark = remark.map(|remark| format!(": {remark}")).unwrap_or_default();
    let whose = signer.as_ref().or(key.as_ref()).map(|name| format!(" by {name}")).unwrap_or_default();
    let required = "and [trust] in slsart.toml requires a trusted signature";
    let way = format!("once you have checked the package, sign it: {}", slsart(["sign", package]));
    match verdict {
        SignatureVerdict::Good => Some(Check::ok(NAME, format!("signed{whose}{remark}"))),
        SignatureVerdict::Bad => {
            let message = format!("the package's signature{whose} is bad{remark}");
            Some(Check::blocks(NAME, message, ANOTHER_COPY).of_damage())
        }
        SignatureVerdict::Unsigned => {
            trust.required.then(|| Check::blocks(NAME, format!("the package is not signed, {required}"), way))
        }
        SignatureVerdict::UnknownKey => trust.required.then(|| {
            let message = format!("the package is signed{whose}, which is not trusted{remark}; {required}");
            let file =
                trust.signers.as_ref().map(|path| format!("the trusted keys are in {}; ", path.display()));
            Check::blocks(NAME, message, format!("{}{way}", file.unwrap_or_default()))
        }),
    }
}

/// A line for the records that say what is live, where signatures are required and one of them has none that is known. They stop nothing: a
/// deployment does not depend on them.
pub(super) fn of_history(workspace: &Workspace<'_>, live: Option<&Deployment>) -> Result<Option<Check>> {
    let Some(live) = live.filter(|_| workspace.repository.trust().required) else { return Ok(None) };
    let records = workspace.store().histories().records(&live.target)?;
    let first = records.iter().position(|(_, record)| record.id == live.id).unwrap_or(0);
    let deciding: Vec<_> = records.iter().take((first + 1).min(MAX_RECORDS)).map(|(id, _)| *id).collect();
    let signatures = workspace.repository.commit_signatures(&deciding)?;
    let wanting = signatures.values().filter(|signature| signature.verdict != SignatureVerdict::Good).count();
    Ok((wanting > 0).then(|| {
        let records = count(wanting, "record");
        let verb = if wanting == 1 { "says" } else { "say" };
        let message =
            format!("{records} that {verb} what is live: no trusted signature; the history may be wrong");
        Check::warning(NAME, message).hinted(workspace.slsart(&["history", "--verify"], &live.target))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::preflight::checks;

    fn verdict(verdict: SignatureVerdict, required: bool) -> Option<checks::CheckVerdict> {
        let signature = Signature { verdict, ..Signature::none() };
        judge(&signature, "be694c54", &Trust { required, signers: None }).map(|check| check.verdict)
    }

    #[test]
    fn what_is_bad_always_blocks_and_what_is_not_known_where_that_is_required() {
        use checks::CheckVerdict::{Blocks, Ok};
        let all = [
            SignatureVerdict::Good,
            SignatureVerdict::Bad,
            SignatureVerdict::Unsigned,
            SignatureVerdict::UnknownKey,
        ];
        assert_eq!(all.map(|one| verdict(one, false)), [Some(Ok), Some(Blocks), None, None]);
        assert_eq!(all.map(|one| verdict(one, true)), [Some(Ok), Some(Blocks), Some(Blocks), Some(Blocks)]);
    }
}
