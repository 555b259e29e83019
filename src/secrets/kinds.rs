//! The kinds of secrets with a recognisable form: how each begins, what it looks like, and what looks similar. The forms are those that
//! each issuer documents.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use regex::bytes::Regex;

pub(super) struct Kind {
    pub(super) name: &'static str,
    /// Its beginning, or what precedes it.
    pub(super) starts: &'static [&'static str],
    /// Its form from there; the first group, or the whole match, is the secret.
    form: &'static str,
    /// Whether a letter or digit may precede it.
    inside: bool,
    /// The least entropy of a byte of the secret, in bits.
    entropy: f64,
    check: fn(&[u8]) -> bool,
}

pub(super) const MAX_FORM: usize = 8192;

const fn token(name: &'static str, starts: &'static [&'static str], form: &'static str) -> Kind {
    Kind { name, starts, form, inside: false, entropy: 3.0, check: |_| true }
}

pub(super) const KINDS: &[Kind] = &[
    Kind {
        entropy: 2.5,
        ..token("aws-access-key-id", &["AKIA", "ASIA"], r"^((?:AKIA|ASIA)[A-Z2-7]{16})(?:[^A-Za-z0-9]|$)")
    },
    Kind {
        inside: true,
        entropy: 4.0,
        ..token(
            "aws-secret-access-key",
            &["secret_access_key", "SECRET_ACCESS_KEY", "ecretAccessKey"],
            r#"^(?i:secret_access_key|ecretAccessKey)[\s"'\\]{0,4}[:=]?[=>]?[\s"'\\]{0,4}([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)"#,
        )
    },
    Kind {
        inside: true,
        entropy: 0.0,
        ..token(
            "private-key",
            &["-----BEGIN "],
            r"^-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?s:.{0,400}?)([A-Za-z0-9+/]{40})",
        )
    },
    token("age-secret-key", &["AGE-SECRET-KEY-1"], r"^AGE-SECRET-KEY-1([A-Z0-9]{58})"),
    token("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], r"^gh[pousr]_([A-Za-z0-9]{36,255})"),
    token("github-token", &["github_pat_"], r"^github_pat_([A-Za-z0-9]{20,24}_[A-Za-z0-9]{50,64})"),
    token(
        "gitlab-token",
        &["glpat-", "gldt-", "glrt-", "glptt-"],
        r"^gl(?:pat|dt|rt|ptt)-([A-Za-z0-9_.-]{20,300})",
    ),
    token(
        "slack-token",
        &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xapp-"],
        r"^(?:xox[bpars]|xapp)-(\d[A-Za-z0-9-]{20,250})",
    ),
    Kind {
        inside: true,
        ..token(
            "slack-webhook",
            &["hooks.slack.com/"],
            r"^hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9_]{8,16}/[A-Za-z0-9_]{8,16}/[A-Za-z0-9_/]{18,60})",
        )
    },
    token(
        "stripe-key",
        &["sk_live_", "rk_live_", "sk_test_", "rk_test_"],
        r"^[sr]k_(?:live|test)_([A-Za-z0-9]{20,250})",
    ),
    token("stripe-webhook-secret", &["whsec_"], r"^whsec_([A-Za-z0-9+/]{28,64})"),
    token("npm-token", &["npm_"], r"^npm_([A-Za-z0-9]{36})(?:[^A-Za-z0-9_]|$)"),
    token("google-api-key", &["AIza"], r"^AIza([A-Za-z0-9_-]{35})(?:[^A-Za-z0-9_-]|$)"),
    token("google-oauth-secret", &["GOCSPX-"], r"^GOCSPX-([A-Za-z0-9_-]{28})"),
    token("twilio-key", &["SK"], r"^SK([0-9a-f]{32})(?:[^A-Za-z0-9]|$)"),
    token("sendgrid-key", &["SG."], r"^SG\.([A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43})"),
    token("mailgun-key", &["key-"], r"^key-([0-9a-f]{32})(?:[^A-Za-z0-9]|$)"),
    token(
        "openai-key",
        &["sk-"],
        r"^sk-((?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,160}T3BlbkFJ[A-Za-z0-9_-]{20,160})",
    ),
    token("anthropic-key", &["sk-ant-"], r"^sk-ant-([a-z]{3,8}\d\d-[A-Za-z0-9_-]{80,120})"),
    token("huggingface-token", &["hf_"], r"^hf_([A-Za-z0-9]{34})(?:[^A-Za-z0-9]|$)"),
    token("pypi-token", &["pypi-AgE"], r"^pypi-(AgE[A-Za-z0-9_-]{50,300})"),
    token("docker-token", &["dckr_pat_"], r"^dckr_pat_([A-Za-z0-9_-]{27,60})"),
    token("digitalocean-token", &["dop_v1_", "doo_v1_", "dor_v1_"], r"^do[opr]_v1_([0-9a-f]{64})"),
    token(
        "shopify-token",
        &["shpat_", "shpca_", "shppa_", "shpss_"],
        r"^shp(?:at|ca|pa|ss)_([0-9a-fA-F]{32})",
    ),
    token(
        "square-token",
        &["EAAA", "sq0csp-"],
        r"^(?:EAAA|sq0csp-)([A-Za-z0-9_-]{43,60})(?:[^A-Za-z0-9_+/=-]|$)",
    ),
    token("atlassian-token", &["ATATT3"], r"^ATATT3([A-Za-z0-9_=-]{100,250})"),
    token("vault-token", &["hvs.", "hvb."], r"^hv[sb]\.([A-Za-z0-9_-]{24,300})"),
    token("new-relic-key", &["NRAK-"], r"^NRAK-([A-Z0-9]{27})"),
    token("sentry-token", &["sntrys_", "sntryu_"], r"^sntry[su]_([A-Za-z0-9+/=_]{40,300})"),
    token("databricks-token", &["dapi"], r"^dapi([0-9a-f]{32})(?:[^A-Za-z0-9]|$)"),
    token("planetscale-token", &["pscale_"], r"^pscale_(?:pw|tkn|oauth)_([A-Za-z0-9_.-]{32,64})"),
    token("doppler-token", &["dp.pt.", "dp.st."], r"^dp\.[ps]t\.([A-Za-z0-9_.-]{40,80})"),
    token("linear-key", &["lin_api_"], r"^lin_api_([A-Za-z0-9]{40})"),
    token("postman-key", &["PMAK-"], r"^PMAK-([0-9a-f]{24}-[0-9a-f]{34})"),
    Kind {
        check: is_private_jwt,
        ..token("jwt", &["eyJ"], r"^(eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,})")
    },
    Kind {
        inside: true,
        entropy: 2.0,
        check: is_password,
        ..token(
            "password-in-url",
            &["://"],
            r#"^://[^\s/?#"'`<>@:\\]{0,128}:([^\s/?#"'`<>@\\]{4,256})@(?:[A-Za-z0-9_.-]*[A-Za-z0-9])(?:[:/?#,"'`\s\\]|$)"#,
        )
    },
];

/// Compiled when first needed: most never are.
static FORMS: [OnceLock<Option<Regex>>; KINDS.len()] = [const { OnceLock::new() }; KINDS.len()];

fn form(number: usize) -> Option<&'static Regex> {
    let make = || Regex::new(&format!("(?-u){}", KINDS[number].form)).ok();
    FORMS.get(number)?.get_or_init(make).as_ref()
}

/// The secret of kind `number` that begins at `at`, as a range of `bytes`.
pub(super) fn at(number: usize, bytes: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
    let kind = KINDS.get(number)?;
    if !kind.inside && at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_') {
        // In JSON and source code, `
        //
        // ` before it is a line break.
        let escaped = at > 1 && bytes[at - 2] == b'\\' && matches!(bytes[at - 1], b'n' | b'r' | b't');
        if !escaped {
            return None;
        }
    }
    let window = &bytes[at..bytes.len().min(at + MAX_FORM)];
    let found = form(number)?.captures(window)?;
    let secret = found.get(1).or_else(|| found.get(0))?;
    let host_is_public = kind.name == "password-in-url" && is_nowhere(&window[secret.end()..]);
    let good = !host_is_public
        && entropy(secret.as_bytes()) >= kind.entropy
        && !is_example(secret.as_bytes())
        && (kind.check)(secret.as_bytes());
    good.then(|| at + secret.start()..at + secret.end())
}

fn is_example(secret: &[u8]) -> bool {
    let upper = secret.to_ascii_uppercase();
    let has = |word: &[u8]| upper.windows(word.len()).any(|window| window == word);
    has(b"EXAMPLE") || has(b"XXXXXX") || has(b"123456789012345") || has(b"YOUR_") || has(b"REDACTED")
}

/// Whether a host, after `@`, is a placeholder or local.
fn is_nowhere(after: &[u8]) -> bool {
    let host: Vec<u8> =
        after.iter().skip(1).take_while(|byte| !b":/?#,\"'`\\".contains(byte)).copied().collect();
    let host = String::from_utf8_lossy(&host).to_ascii_lowercase();
    let reserved =
        ["localhost", "127.0.0.1", "0.0.0.0", "host", "hostname", "server", "domain", "domain.com"];
    reserved.contains(&host.as_str())
        || ["example.com", "example.org", "example.net", ".example", ".test", ".invalid"]
            .iter()
            .any(|end| host == end.trim_start_matches('.') || host.ends_with(end))
}

fn is_password(secret: &[u8]) -> bool {
    let text = String::from_utf8_lossy(secret).to_ascii_lowercase();
    let placeholder =
        ["pass", "passw", "password", "passwd", "pwd", "secret", "user", "token", "changeme", "foobar"];
    !(placeholder.contains(&text.as_str())
        || text.contains(['$', '{', '}', '*', '(', ')', '[', ']', '|'])
        || text.contains("%s")
        || text.bytes().all(|byte| byte == b'.' || byte == b'x'))
}

/// Whether a JWT is neither the well-known example nor meant to be public.
fn is_private_jwt(token: &[u8]) -> bool {
    let mut parts = token.split(|byte| *byte == b'.');
    let mut json = || -> Option<serde_json::Value> {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok()
    };
    let (Some(header), Some(claims)) = (json(), json()) else { return false };
    header.get("alg").is_some_and(|alg| alg != "none")
        && claims.get("sub").is_none_or(|subject| subject != "1234567890")
        && claims.get("role").is_none_or(|role| role != "anon")
}

/// The average entropy of a byte, in bits, by frequency.
pub(super) fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let total = f64::from(counts.iter().sum::<u32>().max(1));
    let share = |count: &u32| f64::from(*count) / total;
    counts.iter().filter(|count| **count > 0).map(share).map(|share| -share * share.log2()).sum()
}
