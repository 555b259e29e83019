//! The S3 prefix of a deployment's uploads: the framework's `artifactDirectoryName`. Owns its form and making a newer one; does not know
//! which files name it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::fmt::strtime;

/// The times, in milliseconds since 1970, that have 13 digits: September 2001 to November 2286.
/// The framework's clean-up keeps the last prefixes in the order of their names, which is that of time only among equal lengths.
const THIRTEEN_DIGITS: std::ops::RangeInclusive<i64> = 1_000_000_000_000..=9_999_999_999_999;

/// `<deployment prefix>/<service>/<stage>/<milliseconds>-<ISO time>`.
///
/// The form is that of `generateArtifactDirectoryName` in the framework's
/// `lib/plugins/aws/package/lib/generate-artifact-directory-name.js`; its clean-up (`lib/plugins/aws/deploy/lib/cleanup-s3-bucket.js`)
/// sorts by name and expects the order of time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct S3Prefix {
    text: String,
    /// Where the last name, the time, begins in `text`.
    time_at: usize,
    millis: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    #[error(
        "{0:?} is not an S3 prefix as the framework makes them (<prefix>/<service>/<stage>/<milliseconds>-<ISO time>)"
    )]
    Form(String),
    /// The time is outside the range in which names sort by time.
    #[error(
        "no S3 prefix can be made for the time {0} (milliseconds since 1970): names would no longer sort by time"
    )]
    Time(i64),
}

impl PrefixError {
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Form(_) => "a plugin may set `package.artifactDirectoryName`; package without it",
            Self::Time(_) => "check this machine's clock",
        }
    }
}

impl S3Prefix {
    /// A prefix for the same service and stage with the time `now_millis` (milliseconds since 1970), or with the first time after `self`'s
    /// if that is later.
    pub fn fresh(&self, now_millis: i64) -> Result<Self, PrefixError> {
        let millis = now_millis.max(self.millis.saturating_add(1));
        let refuse = || PrefixError::Time(millis);
        if !THIRTEEN_DIGITS.contains(&millis) {
            return Err(refuse());
        }
        let time = Timestamp::from_millisecond(millis).map_err(|_| refuse())?;
        let iso = strtime::format("%Y-%m-%dT%H:%M:%S%.3fZ", time).map_err(|_| refuse())?;
        let text = format!("{}{millis}-{iso}", &self.text[..self.time_at]);
        Ok(Self { text, time_at: self.time_at, millis })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// When the package was made, in milliseconds since 1970.
    pub fn millis(&self) -> i64 {
        self.millis
    }

    pub fn service(&self) -> &str {
        self.name_from_end(1)
    }

    pub fn stage(&self) -> &str {
        self.name_from_end(0)
    }

    /// `key` relative to this prefix: `a.zip` for `<prefix>/a.zip`.
    pub fn file<'k>(&self, key: &'k str) -> Option<&'k str> {
        key.strip_prefix(&self.text)?.strip_prefix('/').filter(|file| !file.is_empty())
    }

    fn name_from_end(&self, n: usize) -> &str {
        self.text[..self.time_at].trim_end_matches('/').rsplit('/').nth(n).unwrap_or_default()
    }
}

impl FromStr for S3Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let refuse = || PrefixError::Form(text.chars().take(200).collect());
        let slash = text.rfind('/').ok_or_else(refuse)?;
        let time_at = slash + 1;
        let (millis, iso) = text[time_at..].split_once('-').ok_or_else(refuse)?;
        if millis.is_empty() || !millis.bytes().all(|b| b.is_ascii_digit()) || !starts_as_iso_time(iso) {
            return Err(refuse());
        }
        let millis: i64 = millis.parse().map_err(|_| refuse())?;
        let names: Vec<&str> = text[..slash].split('/').collect();
        // A deployment prefix may be empty, or have several names.
        if names.len() < 3 || names[names.len() - 2..].contains(&"") {
            return Err(refuse());
        }
        Ok(Self { text: text.to_owned(), time_at, millis })
    }
}

/// `\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}`, by which the framework recognises a deployment (`lib/plugins/aws/utils/parse-deployment-object-key.js`).
fn starts_as_iso_time(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00";
    let bytes = text.as_bytes();
    bytes.len() >= FORM.len()
        && bytes
            .iter()
            .zip(FORM)
            .all(|(byte, form)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form })
}

impl fmt::Display for S3Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OLD: &str = "serverless/orders/prod/1795455174186-2026-11-23T17:32:54.186Z";

    #[test]
    fn a_prefix_names_service_stage_and_time() {
        let prefix: S3Prefix = OLD.parse().unwrap();
        assert_eq!(
            (prefix.service(), prefix.stage(), prefix.millis()),
            ("orders", "prod", 1_795_455_174_186)
        );
        assert_eq!(prefix.file(&format!("{OLD}/a.zip")), Some("a.zip"));
        assert_eq!(prefix.file(&format!("{OLD}x/a.zip")), None);
        assert_eq!(prefix.file(OLD), None);

        let deep: S3Prefix = OLD.replace("serverless/", "some/where/").parse().unwrap();
        assert_eq!((deep.service(), deep.stage()), ("orders", "prod"));
    }

    #[test]
    fn other_texts_are_refused() {
        for bad in [
            "",
            "a",
            "a/b/c/d",
            "orders/prod/1795455174186-2026-11-23T17:32:54.186Z",
            "a//c/1-2026-11-23T17:32:54.186Z",
            "a/b/c/-2026-11-23T17:32:54.186Z",
            "a/b/c/99999999999999999999-2026-11-23T17:32:54.186Z",
            "a/b/c/1-now",
        ] {
            assert!(matches!(bad.parse::<S3Prefix>(), Err(PrefixError::Form(_))), "{bad:?}");
        }
    }

    #[test]
    fn a_fresh_prefix_has_the_frameworks_form_and_is_newer() {
        let old: S3Prefix = OLD.parse().unwrap();
        let fresh = old.fresh(1_795_455_214_000).unwrap();
        assert_eq!(fresh.as_str(), "serverless/orders/prod/1795455214000-2026-11-23T17:33:34.000Z");
        assert_eq!(fresh.as_str().parse::<S3Prefix>().unwrap(), fresh);
        // The package's clock may be ahead of ours.
        let fresh = old.fresh(0).unwrap();
        assert_eq!(fresh.as_str(), "serverless/orders/prod/1795455174187-2026-11-23T17:32:54.187Z");
    }

    #[test]
    fn a_time_whose_name_would_not_sort_is_refused() {
        let old: S3Prefix = OLD.replace("1795455174186", "9999999999999").parse().unwrap();
        assert_eq!(old.fresh(0), Err(PrefixError::Time(10_000_000_000_000)));
        let ancient: S3Prefix = OLD.replace("1795455174186", "1").parse().unwrap();
        assert_eq!(ancient.fresh(0), Err(PrefixError::Time(2)));
    }

    proptest! {
        #[test]
        fn names_sort_as_times_do(a in 1_000_000_000_000_i64..9_999_999_999_000, b in 0_i64..1_000_000_000_000) {
            let old = OLD.parse::<S3Prefix>().unwrap();
            let first = old.fresh(a).unwrap();
            let second = first.fresh(b).unwrap();
            prop_assert!(second.as_str() > first.as_str());
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC*", tail in "[0-9/TZ:.-]{0,40}") {
            let _ = text.parse::<S3Prefix>();
            let _ = format!("a/b/c/{tail}").parse::<S3Prefix>();
        }
    }
}
