//! Interprets the SDK's errors.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use super::AwsError;

/// An error of any SDK operation.
pub(super) trait Refusal: StdError {
    /// The service's code, message and HTTP status.
    fn service(&self) -> Option<(Option<String>, String, u16)>;
    /// Whether no answer came.
    fn silence(&self) -> bool;
}

impl<E: ProvideErrorMetadata + StdError + 'static> Refusal for SdkError<E, HttpResponse> {
    fn service(&self) -> Option<(Option<String>, String, u16)> {
        let Self::ServiceError(context) = self else { return None };
        let error = context.err();
        let status = context.raw().status().as_u16();
        Some((error.code().map(str::to_owned), error.message().unwrap_or_default().to_owned(), status))
    }

    fn silence(&self) -> bool {
        match self {
            Self::TimeoutError(_) => true,
            Self::DispatchFailure(failure) => failure.is_io() || failure.is_timeout(),
            _ => false,
        }
    }
}

/// The meaning of `error`, and the service's code. `action` completes "AWS could not …".
pub(super) fn refusal(
    error: &impl Refusal,
    action: &'static str,
    profile: Option<&str>,
) -> (AwsError, Option<String>) {
    if let Some((code, message, status)) = error.service() {
        let means = said(code.as_deref().unwrap_or_default(), &message, status, action, profile);
        return (means, code);
    }
    let causes = causes(error);
    // A credentials provider that uses the network fails in the same way as the request itself.
    if let Some(credentials) = causes.iter().find_map(|cause| cause.downcast_ref::<CredentialsError>()) {
        return (without_credentials(credentials, &causes, profile), None);
    }
    let innermost = causes.last().map_or_else(|| error.to_string(), ToString::to_string);
    if error.silence() {
        return (AwsError::Unreachable(innermost), None);
    }
    (AwsError::Other { action, message: innermost }, None)
}

/// The meaning of a service's answer. The codes are those of "Common errors" in the references of Lambda, `CloudFormation`, S3 and STS.
fn said(code: &str, message: &str, status: u16, action: &'static str, profile: Option<&str>) -> AwsError {
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => {
            AwsError::Expired { profile: profile.map(str::to_owned) }
        }
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "InvalidToken" => AwsError::BadCredentials(message.to_owned()),
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "SlowDown" => AwsError::Throttled,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized" => {
            AwsError::Forbidden { action, message: message.to_owned() }
        }
        _ if status == 403 => AwsError::Forbidden { action, message: format!("{code} {message}") },
        _ => AwsError::Other { action, message: message.to_owned() },
    }
}

fn without_credentials(
    error: &CredentialsError,
    causes: &[&(dyn StdError + 'static)],
    profile: Option<&str>,
) -> AwsError {
    let words: Vec<String> = causes.iter().map(ToString::to_string).collect();
    let expired = words.iter().any(|text| {
        let text = text.to_lowercase();
        text.contains("expired") || (text.contains("sso") && text.contains("token"))
    });
    if let Some(missing) = words.iter().find_map(|text| missing_profile(text)) {
        return AwsError::NoProfile(missing);
    }
    match error {
        _ if expired => AwsError::Expired { profile: profile.map(str::to_owned) },
        CredentialsError::CredentialsNotLoaded(_) | CredentialsError::ProviderTimedOut(_) => {
            AwsError::NoCredentials(match profile {
                Some(name) => format!("~/.aws has none for the profile '{name}'"),
                None => "neither the environment nor ~/.aws has any".to_owned(),
            })
        }
        _ => AwsError::NoCredentials(words.last().cloned().unwrap_or_default()),
    }
}

/// The missing profile in the SDK's message (`ProfileFileError` in `aws-config`): the configured one, or its source.
fn missing_profile(words: &str) -> Option<String> {
    let (_, rest) = words.split_once("profile `")?;
    rest.split_once("` was not defined").map(|(name, _)| name.to_owned())
}

fn causes<'e>(error: &'e impl Refusal) -> Vec<&'e (dyn StdError + 'static)> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause);
        next = cause.source();
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_that_is_missing_is_named() {
        let words = "profile `ops` was not defined: could not find source profile";
        assert_eq!(missing_profile(words).as_deref(), Some("ops"));
        assert_eq!(missing_profile("profile `ops` did not contain credential information"), None);
    }

    #[test]
    fn a_services_code_says_what_to_do() {
        let means = |code: &str, status| said(code, "words", status, "show the stack", Some("ops"));
        assert_eq!(means("ExpiredToken", 403), AwsError::Expired { profile: Some("ops".to_owned()) });
        assert_eq!(means("TooManyRequestsException", 429), AwsError::Throttled);
        assert_eq!(means("InvalidClientTokenId", 403), AwsError::BadCredentials("words".to_owned()));
        let forbidden = means("AccessDenied", 403);
        assert_eq!(forbidden.to_string(), "AWS does not let these credentials show the stack");
        // S3 answers a HEAD without a body, and so without a code.
        assert!(matches!(means("", 403), AwsError::Forbidden { .. }));
        assert!(matches!(means("ValidationError", 400), AwsError::Other { .. }));
    }
}
