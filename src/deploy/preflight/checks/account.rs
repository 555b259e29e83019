//! Whether the credentials are for the account that the target was deployed to. Pure: the answer is handed to it.

use super::Check;
use super::check::unanswered;
use crate::aws::AwsError;
use crate::store::deployments::Deployment;
use crate::store::proof::ProofVerdict;

/// The option that lets an account pass.
pub const ALLOW: &str = "--allow-account";

const NAME: &str = "account";

/// The account of the last deployment that was proven; `deployments` are newest first.
pub(super) fn recorded(deployments: &[Deployment]) -> Option<&str> {
    let proofs = deployments.iter().filter_map(|known| known.proof.as_ref());
    proofs.filter(|proof| proof.verdict == ProofVerdict::Proven).find_map(|proof| proof.account.as_deref())
}

/// The check of the account that was told against the `recorded` one.
pub(super) fn check(account: &Result<String, AwsError>, recorded: Option<&str>) -> Check {
    match (account, recorded) {
        (Err(error), _) => unanswered(NAME, error),
        (Ok(account), None) => Check::ok(NAME, format!("{account}; no earlier deployment to compare with")),
        (Ok(account), Some(recorded)) if account == recorded => {
            Check::ok(NAME, format!("{account}, as in the last proven deployment"))
        }
        (Ok(account), Some(recorded)) => Check::blocks(
            NAME,
            format!(
                "the credentials are for account {account}, and the last proven deployment was in {recorded}"
            ),
            "use the credentials of that account, such as: AWS_PROFILE=NAME",
        )
        .allowed_by(ALLOW, account),
    }
}

#[cfg(test)]
mod tests {
    use super::super as checks;
    use super::*;

    #[test]
    fn another_account_blocks_until_it_is_named() {
        let account = Ok("111111111111".to_owned());
        assert_eq!(check(&account, Some("111111111111")).verdict, checks::CheckVerdict::Ok);
        assert_eq!(check(&account, None).verdict, checks::CheckVerdict::Ok);
        let mut other = vec![check(&account, Some("222222222222"))];
        assert_eq!(other[0].verdict, checks::CheckVerdict::Blocks);
        assert!(other[0].hint.as_ref().unwrap().ends_with("--allow-account 111111111111"), "{other:?}");
        checks::allow(&mut other, ALLOW, &["222222222222".to_owned()]);
        assert_eq!(other[0].verdict, checks::CheckVerdict::Blocks);
        checks::allow(&mut other, ALLOW, &["111111111111".to_owned()]);
        assert_eq!(other[0].verdict, checks::CheckVerdict::Warning);
        let denied =
            AwsError::Forbidden { action: "say whose credentials these are", message: "no".to_owned() };
        assert_eq!(check(&Err(denied), Some("222222222222")).verdict, checks::CheckVerdict::Warning);
    }
}
