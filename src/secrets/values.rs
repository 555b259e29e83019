//! Which values of environment variables are secrets. A `.env` file also has names of tables and log levels, which are in every template.

/// A shorter value is no secret: it occurs everywhere.
const MIN_LENGTH: usize = 8;
/// A longer value is not searched for.
const MAX_LENGTH: usize = 64 * 1024;

/// Names of secrets end so, or contain it as a word.
const SECRET_WORDS: &[&str] = &[
    "PASSWORD",
    "PASSWD",
    "PASS",
    "PASSPHRASE",
    "PWD",
    "SECRET",
    "SECRETS",
    "TOKEN",
    "KEY",
    "APIKEY",
    "CREDENTIAL",
    "CREDENTIALS",
    "PRIVATE",
    "SALT",
    "PEPPER",
    "DSN",
    "COOKIE",
    "SIGNATURE",
    "PIN",
    "AUTH",
];

/// Names that end in one of these words have public values.
const PUBLIC_ENDS: &[&str] = &[
    "NAME",
    "URL",
    "URI",
    "HOST",
    "HOSTNAME",
    "DOMAIN",
    "ENDPOINT",
    "ORIGIN",
    "ORIGINS",
    "PORT",
    "REGION",
    "STAGE",
    "ENV",
    "ENVIRONMENT",
    "LEVEL",
    "BUCKET",
    "TABLE",
    "QUEUE",
    "TOPIC",
    "STREAM",
    "ARN",
    "ID",
    "IDS",
    "PATH",
    "DIR",
    "FILE",
    "EMAIL",
    "FROM",
    "VERSION",
    "TAG",
    "SHA",
    "COMMIT",
    "BRANCH",
    "LOCALE",
    "TIMEZONE",
    "TZ",
    "FORMAT",
    "MODE",
    "TYPE",
    "OPTIONS",
    "ACCOUNT",
    "PROFILE",
    "USER",
    "USERNAME",
    "OWNER",
    "TEAM",
    "PREFIX",
    "SUFFIX",
    "ALIAS",
    "DESCRIPTION",
    "TITLE",
];

pub(super) fn is_secret(name: &str, value: &str) -> bool {
    let value = value.trim();
    if value.len() < MIN_LENGTH || value.len() > MAX_LENGTH || is_reference(value) || is_common(value) {
        return false;
    }
    let has_password = value.split_once("://").is_some_and(|(_, rest)| {
        rest.split(['/', '?', '#'])
            .next()
            .is_some_and(|authority| authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')))
    });
    if has_password || is_named_so(name) {
        return has_password || !is_plainly_public(value);
    }
    let upper = name.to_ascii_uppercase();
    let last = upper.rsplit(['_', '.', '-']).next().unwrap_or_default();
    !PUBLIC_ENDS.contains(&last) && !is_plainly_public(value) && !is_name(value)
}

/// Whether the value of `name` in JSON is a secret because of its name, whatever its form.
pub(super) fn is_named(name: &str, value: &str) -> bool {
    let words = words(name);
    let telling = words.last().is_some_and(|last| {
        let pair = words.len() > 1 && last == "KEY" && {
            let before = words[words.len() - 2].as_str();
            ["API", "SECRET", "PRIVATE", "SIGNING", "ENCRYPTION", "AUTH"].contains(&before)
        };
        let single = ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "APIKEY", "CREDENTIALS"];
        pair || single.contains(&last.as_str())
    });
    telling
        && (MIN_LENGTH..=1024).contains(&value.len())
        && !is_reference(value)
        && !is_common(value)
        && !is_plainly_public(value)
        && !value.contains(char::is_whitespace)
        && value.bytes().any(|byte| byte.is_ascii_digit() || b"!@#$%^&*+=".contains(&byte))
        && super::kinds::entropy(value.as_bytes()) >= 2.5
}

fn is_named_so(name: &str) -> bool {
    words(name).iter().any(|word| SECRET_WORDS.contains(&word.as_str()))
        && !words(name).last().is_some_and(|last| PUBLIC_ENDS.contains(&last.as_str()))
}

/// The words of a name, in capitals: the same for `dbPassword`, `DB_PASSWORD` and `db-password`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let starts = c.is_ascii_uppercase() && before.is_ascii_lowercase();
        if (starts || !c.is_ascii_alphanumeric()) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut()
            && c.is_ascii_alphanumeric()
        {
            word.push(c.to_ascii_uppercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_reference(value: &str) -> bool {
    value.contains("${")
        || value.contains("{{resolve:")
        || value.starts_with("arn:")
        || value.starts_with('<')
}

fn is_common(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let words = [
        "changeme",
        "change-me",
        "change_me",
        "password",
        "undefined",
        "disabled",
        "production",
        "development",
        "placeholder",
        "not-a-secret",
        "localhost",
        "required",
        "optional",
        "supersecret",
        "anonymous",
    ];
    words.contains(&lower.as_str())
        || value.bytes().all(|byte| byte.is_ascii_digit() || b".,:-+/ TZ".contains(&byte))
        || value.bytes().collect::<std::collections::BTreeSet<_>>().len() < 4
}

/// Addresses without a password, paths, hosts and regions.
fn is_plainly_public(value: &str) -> bool {
    let host = |text: &str| {
        text.contains('.')
            && !text.starts_with('.')
            && text.split('.').all(|part| {
                !part.is_empty()
                    && part
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            })
            && text
                .rsplit('.')
                .next()
                .is_some_and(|last| last.len() < 12 && last.bytes().all(|b| b.is_ascii_lowercase()))
    };
    let email =
        value.split_once('@').is_some_and(|(user, domain)| !user.contains([':', '/']) && host(domain));
    let region = {
        let parts: Vec<&str> = value.split('-').collect();
        parts.len() > 2
            && parts[0].len() == 2
            && parts.last().is_some_and(|last| last.len() == 1 && last.parse::<u8>().is_ok())
    };
    value.contains("://")
        || value.starts_with('/') && value.matches('/').count() > 1
        || value.starts_with("./")
        || value.starts_with("../")
        || email
        || region
        || host(value.split(':').next().unwrap_or_default())
}

/// A word or a few of them, as names of resources are: lower-case letters, joined by `-` or `_`.
fn is_name(value: &str) -> bool {
    let letters = value.bytes().all(|byte| byte.is_ascii_lowercase() || b"-_ ".contains(&byte));
    let capitals = value.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    value.len() < 16 && (letters || capitals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dotenv_file_has_beside_secrets_is_none() {
        for (name, value) in [
            ("LOG_LEVEL", "information"),
            ("TABLE_NAME", "orders-table-prod-2"),
            ("FEATURE", "true"),
            ("ACCOUNT", "123456789012"),
            ("REGION", "eu-central-1"),
            ("WHERE", "eu-central-1"),
            ("API_URL", "https://api.internal.acme.io/v1/orders"),
            ("API_TOKEN", "short"),
            ("API_TOKEN", "${ssm:/orders/token}"),
            ("DB_PASSWORD", "{{resolve:secretsmanager:orders:SecretString:password}}"),
            ("SECRET_ARN", "arn:aws:secretsmanager:us-east-1:1:secret:orders-a1b2c3"),
            ("SECRET_NAME", "prod/orders/db-2024x"),
            ("CERT", "/etc/ssl/private/key.pem"),
            ("SUPPORT", "help@acme.io"),
            ("DB_PASSWORD", "changeme"),
            ("KEY", "aaaaaaaaaaaa"),
            ("NODE_OPTIONS", "--max-old-space-size=4096"),
            ("GREETING", "hello-world"),
        ] {
            assert!(!is_secret(name, value), "{name}={value}");
        }
    }

    #[test]
    fn secrets_are_told_by_their_names_or_else_by_not_being_public() {
        for (name, value) in [
            ("DB_PASSWORD", "hunter2hunter"),
            ("DB_URL", "postgres://orders:hunter2hunter@db.acme.io/orders"),
            ("STRIPE", "q8Zr-77-Lm"),
            ("SOMETHING", "correct horse battery staple"),
            ("apiKey", "k-9f8e7d6c"),
        ] {
            assert!(is_secret(name, value), "{name}={value}");
        }
    }

    #[test]
    fn a_value_in_json_is_told_by_what_it_is_called() {
        assert!(is_named("MasterUserPassword", "hunter2hunter"));
        assert!(is_named("STRIPE_API_KEY", "k-9f8e7d6c5b"));
        for (name, value) in [
            ("MasterUserPassword", "{{resolve:ssm-secure:db:1}}"),
            ("TOKEN_URL", "https://a.b/oauth/token1"),
            ("SecretName", "orders-db-1"),
            ("PartitionKey", "order-id-1"),
            ("password", "correct-horse"),
            ("NextToken", "/orders/db/token1"),
        ] {
            assert!(!is_named(name, value), "{name}={value}");
        }
    }
}
