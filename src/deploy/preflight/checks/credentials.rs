//! What to make of an AWS that gives no answer at all: without credentials nothing can be deployed, and the rest is a warning.

use super::Check;
use super::check::unanswered;
use crate::aws::AwsError;

const NAME: &str = "aws";
/// The option for those whose framework finds credentials where this program does not look.
pub const ALLOW: &str = "--no-credentials";

/// The check of why AWS gave no answer.
pub(super) fn silence(error: &AwsError) -> Check {
    let check = unanswered(NAME, error);
    if error.is_of_credentials() {
        let hint = check.hint.unwrap_or_default();
        return Check::blocks(NAME, check.message, hint).allowed_by(ALLOW, "");
    }
    // Who set it knows how to unset it.
    let hint = check.hint.filter(|_| *error != AwsError::Off);
    Check { hint, ..check }
}

/// The same where nothing is deployed: a warning.
pub(super) fn eased(check: Check) -> Check {
    let is_it = check.allowed_by.as_ref().is_some_and(|(option, _)| *option == ALLOW);
    if is_it { Check::warning(check.name, check.message) } else { check }
}

#[cfg(test)]
mod tests {
    use super::super::{CheckVerdict, allow};
    use super::*;

    #[test]
    fn only_credentials_that_are_missing_or_refused_block() {
        let none = AwsError::NoCredentials("none".to_owned());
        let all = [none.clone(), AwsError::NoProfile("x".to_owned()), AwsError::Expired { profile: None }];
        assert!(all.iter().all(|error| silence(error).verdict == CheckVerdict::Blocks));
        for error in [AwsError::Off, AwsError::NotBuilt, AwsError::Throttled] {
            assert_eq!(silence(&error).verdict, CheckVerdict::Warning, "{error}");
        }
        let mut checks = [silence(&none)];
        let hint = checks[0].hint.clone().unwrap();
        assert!(hint.ends_with("; to go on all the same: --no-credentials"), "{hint}");
        assert_eq!(eased(checks[0].clone()).verdict, CheckVerdict::Warning);
        allow(&mut checks, ALLOW, &[String::new()]);
        assert_eq!(checks[0].verdict, CheckVerdict::Warning);
    }
}
