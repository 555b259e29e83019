//! The AWS of a target, reached as the framework reaches it: what is asked must be the account that is deployed to.

use crate::aws::{Aws, AwsError, AwsSettings, Login};
use crate::context::{Context, Environment};
use crate::package::manifest::Target;

/// Set to anything, it keeps this program from asking AWS; the framework still deploys.
const OFFLINE: &str = "SLSART_OFFLINE";

/// The AWS of `target`. `profile` is the one that the service's config names.
pub fn connect(context: &Context, target: &Target, profile: Option<&str>) -> Result<Aws, AwsError> {
    let environment = &context.environment;
    if environment.value(OFFLINE).is_some() {
        return Err(AwsError::Off);
    }
    let text = |name| environment.text(name).map(str::to_owned);
    Aws::connect(&AwsSettings {
        region: target.region.to_string(),
        login: login(environment, target.stage.as_str(), profile),
        endpoint: text("AWS_ENDPOINT_URL"),
        s3_endpoint: text("AWS_ENDPOINT_URL_S3"),
    })
}

/// Where the framework takes the credentials from, first to last: the stage's profile, the stage's keys, `AWS_PROFILE`, keys, the
/// config's profile, the rest of the chain (osls 4 `getAwsSdkV3CredentialsProvider` in `lib/aws/credentials.js`, serverless 3
/// `getCredentials` in `lib/plugins/aws/provider.js`).
fn login(environment: &Environment, stage: &str, profile: Option<&str>) -> Login {
    let of_stage = format!("AWS_{}", stage.to_uppercase());
    let profile_of = |prefix: &str| environment.text(&format!("{prefix}_PROFILE")).map(str::to_owned);
    let keys_of = |prefix: &str| {
        let text = |name: &str| environment.text(&format!("{prefix}_{name}")).map(str::to_owned);
        Some(Login::Keys {
            id: text("ACCESS_KEY_ID")?,
            secret: text("SECRET_ACCESS_KEY")?,
            token: text("SESSION_TOKEN"),
        })
    };
    let configured = || profile.map(str::to_owned).map(Login::Profile);
    None.or_else(|| profile_of(&of_stage).map(Login::Profile))
        .or_else(|| keys_of(&of_stage))
        .or_else(|| profile_of("AWS").map(Login::Profile))
        .or_else(|| keys_of("AWS"))
        .or_else(configured)
        .or_else(|| profile_of("AWS_DEFAULT").map(Login::Profile))
        .unwrap_or(Login::Chain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)], profile: Option<&str>) -> String {
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        format!("{:?}", login(&Environment::new(variables), "prod", profile))
    }

    #[test]
    fn credentials_are_looked_for_in_the_frameworks_order() {
        let keys = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "s")];
        assert_eq!(of(&[], None), "Chain");
        assert_eq!(of(&[("AWS_DEFAULT_PROFILE", "d")], None), "Profile(\"d\")");
        assert_eq!(of(&[("AWS_DEFAULT_PROFILE", "d")], Some("ops")), "Profile(\"ops\")");
        assert_eq!(of(&keys, Some("ops")), "Keys(\"a\")");
        let profile = [&keys[..], &[("AWS_PROFILE", "me")]].concat();
        assert_eq!(of(&profile, Some("ops")), "Profile(\"me\")");
        let stage = [("AWS_PROD_ACCESS_KEY_ID", "p"), ("AWS_PROD_SECRET_ACCESS_KEY", "s")];
        let stage = [&profile[..], &stage].concat();
        assert_eq!(of(&stage, None), "Keys(\"p\")");
        assert_eq!(of(&[&stage[..], &[("AWS_PROD_PROFILE", "sp")]].concat(), None), "Profile(\"sp\")");
        assert_eq!(of(&[("AWS_ACCESS_KEY_ID", "half")], None), "Chain");
    }
}
