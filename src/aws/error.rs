//! Why AWS gave no answer, in terms that a user can act on.

use crate::error::{Error, Kind};
use crate::text::command::quoted;

#[cfg_attr(not(feature = "aws"), allow(dead_code, reason = "only answers of AWS make most of them"))]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AwsError {
    /// This program was built without AWS.
    #[cfg(any(test, not(feature = "aws")))]
    #[error("this build of git-slsart has no AWS")]
    NotBuilt,
    #[error("SLSART_OFFLINE is set: AWS is not asked")]
    Off,
    /// A signal stopped this process.
    #[error("interrupted")]
    Interrupted,
    /// There are no credentials, or their source fails.
    #[error("there are no AWS credentials: {0}")]
    NoCredentials(String),
    /// The configured profile does not exist.
    #[error("the AWS profile '{0}' does not exist")]
    NoProfile(String),
    /// The credentials have expired.
    #[error("the AWS credentials have expired")]
    Expired { profile: Option<String> },
    /// AWS does not accept the credentials.
    #[error("AWS refuses the credentials: {0}")]
    BadCredentials(String),
    /// The credentials lack a permission.
    #[error("AWS does not let these credentials {action}")]
    Forbidden {
        action: &'static str,
        /// AWS's own message.
        message: String,
    },
    /// AWS did not answer, or was not found.
    #[error("AWS can't be reached: {0}")]
    Unreachable(String),
    /// Too many requests, even after waiting.
    #[error("AWS throttled the requests")]
    Throttled,
    #[error("AWS could not {action}: {message}")]
    Other {
        action: &'static str,
        /// AWS's own message.
        message: String,
    },
}

impl AwsError {
    /// Whether every other request would fail too: the error does not depend on the request.
    pub fn is_general(&self) -> bool {
        !matches!(self, Self::Forbidden { .. } | Self::Other { .. })
    }

    /// Whether there are no valid credentials, so that nothing can be deployed.
    pub fn is_of_credentials(&self) -> bool {
        use AwsError::{BadCredentials, Expired, NoCredentials, NoProfile};
        matches!(self, NoCredentials(_) | NoProfile(_) | Expired { .. } | BadCredentials(_))
    }

    pub fn hint(&self) -> Option<String> {
        Some(match self {
            #[cfg(any(test, not(feature = "aws")))]
            Self::NotBuilt => {
                "build it with its default features: cargo install --locked --path .".to_owned()
            }
            Self::Off => "unset SLSART_OFFLINE".to_owned(),
            Self::NoCredentials(_) => {
                "set or correct AWS_PROFILE, or log in: aws sso login, aws configure".to_owned()
            }
            Self::NoProfile(_) => {
                "correct AWS_PROFILE or ~/.aws/config; to list the profiles: aws configure list-profiles"
                    .to_owned()
            }
            Self::Expired { profile: Some(profile) } => {
                format!("log in again: aws sso login --profile {}", quoted(profile))
            }
            Self::Expired { profile: None } => {
                "log in again: aws sso login, or fetch new keys for the environment".to_owned()
            }
            Self::BadCredentials(_) => {
                "to see whose credentials they are: aws sts get-caller-identity".to_owned()
            }
            Self::Forbidden { message, .. } => format!("AWS says: {message}"),
            Self::Unreachable(_) => "check the network, and AWS_ENDPOINT_URL where it is set".to_owned(),
            Self::Throttled => "wait a minute, and run the command again".to_owned(),
            Self::Interrupted | Self::Other { .. } => return None,
        })
    }

    pub fn into_error(self) -> Error {
        if self == Self::Interrupted {
            return Error::interrupted();
        }
        Error::new(Kind::Refused, self.to_string()).hints(self.hint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expired_credentials_name_the_profile_to_log_in_with() {
        let error = AwsError::Expired { profile: Some("ops team".to_owned()) }.into_error();
        assert_eq!(
            (error.kind, &error.hints[..]),
            (Kind::Refused, &["log in again: aws sso login --profile 'ops team'".to_owned()][..])
        );
        assert_eq!(AwsError::Interrupted.into_error().kind, Kind::Interrupted);
    }
}
