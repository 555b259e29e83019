//! Every kind with what is one and what only looks like it. Tokens are put together here, so that no scanner takes this file for a
//! leak.

use base64::Engine as _;
use proptest::prelude::*;

use super::*;

fn scanner() -> Scanner {
    Scanner::new([("DB_PASSWORD", "hunter2\"hunter"), ("LOG_LEVEL", "information")]).unwrap()
}

fn found(text: &str) -> Vec<&'static str> {
    scanner().matcher.hits(text.as_bytes(), false).into_iter().map(|hit| hit.kind).collect()
}

/// Something that looks random, of `length` characters out of `alphabet`.
fn random(length: usize, alphabet: &str) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = 7_usize;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        letters[(state >> 33) % letters.len()]
    };
    (0..length).map(|_| next()).collect()
}

const HEX: &str = "0123456789abcdef";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ALL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn jwt(header: &str, claims: &str) -> String {
    use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL;
    format!("{}.{}.{}", URL.encode(header), URL.encode(claims), random(43, ALL))
}

#[test]
fn each_kind_is_found() {
    let all = |length| random(length, ALL);
    let hex = |length| random(length, HEX);
    let samples = [
        ("aws-access-key-id", ["AK", "IA"].concat() + &random(16, UPPER)),
        ("aws-access-key-id", ["AS", "IA"].concat() + &random(16, UPPER)),
        ("aws-secret-access-key", format!("aws_secret_access_key = {}", all(40))),
        ("aws-secret-access-key", format!(r#""secretAccessKey": "{}""#, all(40))),
        ("aws-secret-access-key", format!("AWS_SECRET_ACCESS_KEY={}", all(40))),
        ("private-key", format!("-----BEGIN {} KEY-----\n{}\n", "RSA PRIVATE", all(64))),
        ("private-key", format!("-----BEGIN {} KEY-----\\n{}\\n", "PRIVATE", all(64))),
        ("private-key", format!("-----BEGIN {} KEY-----\n{}\n", "OPENSSH PRIVATE", all(64))),
        ("age-secret-key", ["AGE-SECRET", "-KEY-1"].concat() + &random(58, UPPER)),
        ("github-token", ["gh", "p_"].concat() + &all(36)),
        ("github-token", format!("github_{}_{}_{}", "pat", all(22), all(59))),
        ("gitlab-token", ["glp", "at-"].concat() + &all(20)),
        ("slack-token", format!("{}-{}-{}", "xoxb", random(12, "0123456789"), all(24))),
        (
            "slack-webhook",
            format!(
                "https://hooks.slack.com/{}/T{}/B{}/{}",
                "services",
                random(10, UPPER),
                random(10, UPPER),
                all(24)
            ),
        ),
        ("stripe-key", ["sk_", "live_"].concat() + &all(24)),
        ("stripe-webhook-secret", ["whs", "ec_"].concat() + &all(32)),
        ("npm-token", ["np", "m_"].concat() + &all(36)),
        ("google-api-key", ["AI", "za"].concat() + &all(35)),
        ("google-oauth-secret", ["GOC", "SPX-"].concat() + &all(28)),
        ("twilio-key", ["S", "K"].concat() + &hex(32)),
        ("sendgrid-key", format!("{}.{}.{}", "SG", all(22), all(43))),
        ("mailgun-key", ["ke", "y-"].concat() + &hex(32)),
        ("openai-key", format!("sk-{}{}{}{}", "proj-", all(40), "T3BlbkFJ", all(40))),
        ("anthropic-key", format!("sk-{}-api03-{}", "ant", all(95))),
        ("huggingface-token", ["h", "f_"].concat() + &all(34)),
        ("pypi-token", ["py", "pi-AgE"].concat() + &all(80)),
        ("docker-token", ["dckr", "_pat_"].concat() + &all(27)),
        ("digitalocean-token", ["dop", "_v1_"].concat() + &hex(64)),
        ("shopify-token", ["shp", "at_"].concat() + &hex(32)),
        ("square-token", ["sq0", "csp-"].concat() + &all(43)),
        ("atlassian-token", ["ATA", "TT3"].concat() + &all(180)),
        ("vault-token", ["hv", "s."].concat() + &all(90)),
        ("new-relic-key", ["NR", "AK-"].concat() + &random(27, UPPER)),
        ("sentry-token", ["snt", "rys_"].concat() + &all(100)),
        ("databricks-token", ["da", "pi"].concat() + &hex(32)),
        ("planetscale-token", ["pscale", "_pw_"].concat() + &all(43)),
        ("doppler-token", ["dp.", "pt."].concat() + &all(43)),
        ("linear-key", ["lin", "_api_"].concat() + &all(40)),
        ("postman-key", format!("{}-{}-{}", "PMAK", hex(24), hex(34))),
        ("jwt", jwt(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"sub":"orders","iss":"acme"}"#)),
        ("password-in-url", "postgres://orders:s3cr3t-9x@db.acme.io:5432/orders".to_owned()),
        ("password-in-url", "url: \"https://ci:0a9b8c7d@git.acme.io\"".to_owned()),
        ("variable", "x = hunter2\"hunter".to_owned()),
        ("variable", r#"{"x": "hunter2\"hunter"}"#.to_owned()),
        ("variable", "https://a.io/?p=hunter2%22hunter&x".to_owned()),
    ];
    let mut kinds: Vec<&str> = kinds::KINDS.iter().map(|kind| kind.name).collect();
    for (kind, sample) in samples {
        assert_eq!(found(&format!("a = '{sample}'\n")), [kind], "{kind} alone");
        assert_eq!(found(&format!("first\r\n{sample}")), [kind], "{kind} at the end");
        kinds.retain(|known| *known != kind);
    }
    assert!(kinds.is_empty(), "without a sample: {kinds:?}");
}

#[test]
fn what_only_looks_like_one_is_none() {
    let all = |length| random(length, ALL);
    let nothing = [
        ["AKIAIOSFODNN7", "EXAMPLE"].concat(),
        format!("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY{}KEY", "EXAMPLE"),
        "aws_secret_access_key: ${ssm:/orders/secret/with/a/long/path/of/forty}".to_owned(),
        format!("x{}{}", ["AK", "IA"].concat(), random(16, UPPER)),
        ["gh", "p_"].concat() + &"x".repeat(36),
        ["gh", "p_"].concat() + &all(12),
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo\n"
            .to_owned(),
        "key.startsWith('-----BEGIN RSA PRIVATE KEY-----') && key.endsWith('-----END RSA PRIVATE KEY-----')"
            .to_owned(),
        "postgres://user:password@localhost/db, postgres://${user}:${password}@db.acme.io/x".to_owned(),
        "http://user:secretpass@example.com/ and redis://:s3cretive@localhost:6379".to_owned(),
        "https://registry.acme.io:8443/a@b/c and https://acme.io/x:y@z".to_owned(),
        jwt(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"sub":"1234567890","name":"John Doe"}"#),
        jwt(r#"{"alg":"HS256"}"#, r#"{"role":"anon","iss":"supabase"}"#),
        "//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbXX0=".to_owned(),
        "LOG_LEVEL=information hunter2 hunter".to_owned(),
        "xhunter2\"hunters".to_owned(),
        "SKU1234 SG.1 key-value hf_ sk-1 npm_config_cache=x npm_package_version".to_owned(),
    ];
    for sample in nothing {
        assert!(found(&sample).is_empty(), "{sample}");
    }
}

#[test]
fn places_are_keys_in_json_and_lines_in_text() {
    let token = ["gh", "p_"].concat() + &random(36, ALL);
    let json = format!(
        r#"{{"a": {{"TOKEN": "{token}", "b": [1, {{"url": "x"}}, "hunter2\"hunter"]}}, "dbPassword": "pw-4711-x"}}"#
    );
    let places = scanner().file("state.json", json.as_bytes());
    let places: Vec<String> = places.iter().map(ToString::to_string).collect();
    assert_eq!(
        places,
        [
            "state.json: a.TOKEN (github token)",
            "state.json: a.b[2] (the value of DB_PASSWORD)",
            "state.json: dbPassword (the value named dbPassword)",
        ]
    );
    let keyed =
        scanner().file("a.json", format!(r#"{{"a": {{"{token}": {{"url": "{token}"}}}}}}"#).as_bytes());
    let keyed: Vec<String> = keyed.iter().map(ToString::to_string).collect();
    assert_eq!(keyed, ["a.json: a (github token)", "a.json: a.*.url (github token)"]);
    let code = format!("one\ntwo '{token}'\n");
    let place = |bytes: &[u8], entry| scanner().entry("a.zip", entry, bytes).first().map(ToString::to_string);
    assert_eq!(place(code.as_bytes(), "a.js").unwrap(), "a.zip: a.js: line 2 (github token)");
    assert_eq!(
        place(&[b"\0\0", code.as_bytes()].concat(), "a.bin").unwrap(),
        "a.zip: a.bin: byte 16 (github token)"
    );
    // What a registry gives to everybody is no secret, but a variable's value is one everywhere.
    assert_eq!(place(code.as_bytes(), "node_modules/a/test.js"), None);
    assert!(place(b"hunter2\"hunter", "node_modules/a/test.js").is_some());
}

#[test]
fn a_secret_across_two_parts_of_a_stream_is_found_once() {
    let token = ["gh", "p_"].concat() + &random(36, ALL);
    let text = format!("{} {token} {}", "-".repeat((1 << 20) - 20), "-".repeat(1 << 20));
    let found = scanner().stream("a.zip", "big.txt", &mut text.as_bytes()).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].place, format!("byte {}", (1 << 20) - 20 + 1 + 4 + 1));
}

#[test]
fn a_mark_tells_other_values_and_other_packages_apart() {
    let id = |text: &str| PackageId::of([(text, 1, Sha256::of(b""))]);
    let mark = |value: &str, id| Scanner::new([("DB_PASSWORD", value)]).unwrap().mark(id).unwrap();
    assert_eq!(mark("hunter2hunter", id("a")), mark("hunter2hunter", id("a")));
    assert_ne!(mark("hunter2hunter", id("a")), mark("hunter2hunters", id("a")));
    assert_ne!(mark("hunter2hunter", id("a")), mark("hunter2hunter", id("b")));
    assert_eq!(mark("hunter2hunter", id("a")).len(), 4);
    assert_eq!(Scanner::new([("STAGE", "production")]).unwrap().mark(id("a")), None);
}

proptest! {
    #[test]
    fn a_value_is_found_wherever_it_stands_and_never_told(
        value in "[A-Za-z0-9!#%&*+,./:;=?@^_~ -]{9,40}[a-z][0-9]",
        before in "[ \n'\"=]{1,20}",
        after in "[ \n'\"]{1,20}",
    ) {
        let value = value.trim().to_owned();
        prop_assume!(values::is_secret("DB_PASSWORD", &value));
        let scanner = Scanner::new([("DB_PASSWORD", value.as_str())]).unwrap();
        let text = format!("{before}{value}{after}");
        let found = scanner.entry("a.zip", "a.js", text.as_bytes());
        prop_assert!(found.iter().any(|secret| secret.name.as_deref() == Some("DB_PASSWORD")), "{text:?}");
        let json = serde_json::json!({ "a": value }).to_string();
        let found_in_json = scanner.file("a.json", json.as_bytes());
        prop_assert!(!found_in_json.is_empty());
        for secret in found.iter().chain(&found_in_json) {
            let told = format!("{secret} {secret:?}");
            prop_assert!(!told.contains(&value));
        }
    }

    #[test]
    fn any_bytes_are_searched_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), odd in "(://|eyJ|:|@|-----BEGIN |PRIVATE KEY-----|AKIA|[.]|a|[0-9]|\\\\n){0,60}") {
        let scanner = scanner();
        for bytes in [&bytes[..], odd.as_bytes()] {
            let _ = (scanner.entry("a", "b", bytes), scanner.file("a.json", bytes));
        }
    }
}
