//! Stage, region, service name and service path, validated when they are parsed. Owns their rules. A valid value is never an option and
//! never leaves the repository.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::nearest::did_you_mean;

const MAX_NAME_BYTES: usize = 128;
/// Longest path of a service in its repository, in bytes: Linux's limit.
const MAX_PATH_BYTES: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a {what}: {reason}")]
pub struct NameError {
    what: &'static str,
    value: String,
    reason: Cow<'static, str>,
}

impl NameError {
    fn new(what: &'static str, value: &str, reason: impl Into<Cow<'static, str>>) -> Self {
        // The value may be anything, of any length: the error shows its beginning.
        let mut shown: String = value.chars().take(80).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        Self { what, value: shown, reason: reason.into() }
    }

    pub fn hint(&self) -> Option<String> {
        let text = match self.what {
            "stage" => "the framework takes letters, digits and hyphens, as in `--stage prod`",
            "region" => "give an AWS region, as in `--region eu-west-1`",
            "service path" => {
                "give the service's directory relative to the repository's root, as in `services/orders`"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }
}

/// The rule for all names: one visible word that a command line can't take for an option.
fn check_word(what: &'static str, value: &str) -> Result<(), NameError> {
    let reason = if value.is_empty() {
        "it is empty".into()
    } else if value.len() > MAX_NAME_BYTES {
        format!("it is longer than {MAX_NAME_BYTES} bytes").into()
    } else if value.starts_with('-') {
        Cow::from("it begins with a hyphen, as an option does")
    } else if value.chars().any(|c| c.is_control() || c.is_whitespace()) {
        "it holds a space or a control character".into()
    } else {
        return Ok(());
    };
    Err(NameError::new(what, value, reason))
}

fn check_stage(value: &str) -> Result<(), NameError> {
    // osls accepts only `^[A-Za-z0-9-]+$` (lib/utils/stage-pattern.js); serverless 3 accepts more, so do we.
    check_word("stage", value)
}

fn check_region(value: &str) -> Result<(), NameError> {
    check_word("region", value)?;
    if value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Ok(());
    }
    Err(NameError::new("region", value, "a region has only letters, digits and hyphens"))
}

fn check_service_name(value: &str) -> Result<(), NameError> {
    // The framework's schema says `^[a-zA-Z][0-9a-zA-Z-]+$` (lib/config-schema.js), but a service may turn validation off.
    check_word("service name", value)
}

fn check_service_path(value: &str) -> Result<(), NameError> {
    let refuse = |reason: &'static str| Err(NameError::new("service path", value, reason));
    if value == "." {
        return Ok(());
    }
    if value.is_empty() {
        return refuse("it is empty; the root is `.`");
    }
    if value.len() > MAX_PATH_BYTES {
        return refuse("it is longer than a path can be");
    }
    if value.starts_with('/') {
        return refuse("it is absolute");
    }
    if value.chars().any(|c| c.is_control() || c == '\\') {
        return refuse("it holds a backslash or a control character");
    }
    for component in value.split('/') {
        match component {
            "" | "." => return refuse("it has an empty or `.` component"),
            ".." => return refuse("it leaves the repository"),
            name if name.eq_ignore_ascii_case(".git") => return refuse("it is inside git's own directory"),
            _ => {}
        }
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(value: &str) -> Result<Self, NameError> {
                $check(value).map(|()| Self(value.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(value: String) -> Result<Self, NameError> {
                $check(&value).map(|()| Self(value))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name! {
    /// A stage, as in `--stage prod`.
    Stage, check_stage
}
name! {
    /// An AWS region, as in `--region eu-west-1`.
    Region, check_region
}
name! {
    /// The name of a service, as its config's `service` says.
    ServiceName, check_service_name
}
name! {
    /// The directory of a service relative to the repository's root, with `/` between names; the root itself is `.`.
    ServicePath, check_service_path
}

/// What the names of AWS's regions begin with, before the number. One that is missing here is no error.
const AREAS: &[&str] = &[
    "af-south",
    "ap-east",
    "ap-northeast",
    "ap-south",
    "ap-southeast",
    "ca-central",
    "ca-west",
    "cn-north",
    "cn-northwest",
    "eu-central",
    "eu-isoe-west",
    "eu-north",
    "eu-south",
    "eu-west",
    "eusc-de-east",
    "il-central",
    "me-central",
    "me-south",
    "mx-central",
    "sa-east",
    "us-east",
    "us-gov-east",
    "us-gov-west",
    "us-iso-east",
    "us-iso-west",
    "us-isob-east",
    "us-isof-east",
    "us-isof-south",
    "us-west",
];

impl Region {
    /// What to print for a name that AWS probably does not have.
    pub fn slip(&self) -> Option<String> {
        if !self.is_like_aws() {
            return Some("regions are named as in eu-west-1".to_owned());
        }
        let (area, number) = self.0.rsplit_once('-')?;
        let is_known = AREAS.contains(&area);
        (!is_known)
            .then(|| did_you_mean(&self.0, AREAS.iter().map(|area| format!("{area}-{number}"))))
            .flatten()
    }

    /// Whether it looks like AWS's own names: `eu-west-1`, `us-gov-east-1`.
    pub fn is_like_aws(&self) -> bool {
        let parts: Vec<&str> = self.0.split('-').collect();
        let is_word = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
        match parts.as_slice() {
            [words @ .., number] => {
                words.len() >= 2
                    && words.iter().all(|word| is_word(word))
                    && number.parse::<u8>().is_ok_and(|number| number > 0)
            }
            [] => false,
        }
    }
}

impl ServicePath {
    pub fn root() -> Self {
        Self(".".to_owned())
    }

    pub fn is_root(&self) -> bool {
        self.0 == "."
    }

    pub fn depth(&self) -> usize {
        self.ancestors().len() - 1
    }

    pub fn under(&self, repository: &Path) -> PathBuf {
        if self.is_root() { repository.to_path_buf() } else { repository.join(&self.0) }
    }

    /// The repository-relative path of `file`, a path relative to the service's directory.
    pub fn file(&self, file: &str) -> String {
        if self.is_root() { file.to_owned() } else { format!("{}/{file}", self.0) }
    }

    /// This directory and those above it, up to the repository's root, nearest first.
    pub fn ancestors(&self) -> Vec<Self> {
        let mut all = vec![self.clone()];
        if self.is_root() {
            return all;
        }
        let above = self.0.rmatch_indices('/').map(|(at, _)| Self(self.0[..at].to_owned()));
        all.extend(above);
        all.push(Self::root());
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_a_command_line_could_misread_are_refused() {
        for bad in ["", "-s", "--force", "a b", "a\nb", "a\u{7}b", &"x".repeat(129)] {
            assert!(bad.parse::<Stage>().is_err(), "{bad:?}");
            assert!(bad.parse::<Region>().is_err(), "{bad:?}");
            assert!(bad.parse::<ServiceName>().is_err(), "{bad:?}");
        }
        for good in ["prod", "pr-12", "Dev2", "é"] {
            assert_eq!(good.parse::<Stage>().unwrap().to_string(), good);
        }
        assert!("eu-west-1/x".parse::<Region>().is_err());
    }

    #[test]
    fn a_region_is_like_those_of_aws() {
        let is = |region: &str| region.parse::<Region>().unwrap().is_like_aws();
        assert!(["eu-west-1", "us-gov-east-1", "ap-southeast-12", "eusc-de-east-1"].into_iter().all(is));
        assert!(!["east", "eu-west", "useast1", "eu-west-1a", "eu--1", "us-1"].into_iter().any(is));
    }

    #[test]
    fn a_slip_in_a_region_is_answered_with_those_that_exist() {
        let slip = |region: &str| region.parse::<Region>().unwrap().slip();
        assert!(slip("us-est-1").unwrap().starts_with("did you mean us-east-1"), "{:?}", slip("us-est-1"));
        assert_eq!(slip("east").unwrap(), "regions are named as in eu-west-1");
        for region in ["us-east-1", "ap-southeast-9", "xx-somewhere-1"] {
            assert_eq!(slip(region), None, "{region}");
        }
    }

    #[test]
    fn a_service_path_stays_in_the_repository() {
        for bad in ["", "/etc", "..", "a/../b", "a//b", "a/", "./a", "a\\b", "a/.git", ".GIT/hooks", "a\0b"] {
            assert!(bad.parse::<ServicePath>().is_err(), "{bad:?}");
        }
        for good in [".", "a", "services/order desk", "a/.b", "a..b/c"] {
            assert!(good.parse::<ServicePath>().is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_service_path_knows_the_directories_above_it() {
        let names = |path: &str| -> Vec<String> {
            path.parse::<ServicePath>().unwrap().ancestors().into_iter().map(String::from).collect()
        };
        assert_eq!(names("a/b c/d"), ["a/b c/d", "a/b c", "a", "."]);
        assert_eq!(names("a"), ["a", "."]);
        assert_eq!(names("."), ["."]);
    }

    #[test]
    fn serde_applies_the_same_rules() {
        let path: ServicePath = serde_json::from_str("\"services/a\"").unwrap();
        assert_eq!(serde_json::to_string(&path).unwrap(), "\"services/a\"");
        assert!(serde_json::from_str::<ServicePath>("\"../a\"").is_err());
        assert!(serde_json::from_str::<Stage>("\"-x\"").is_err());
    }

    #[test]
    fn an_error_shows_only_the_beginning_of_what_it_refuses() {
        let error = "x".repeat(10_000).parse::<Stage>().unwrap_err();
        assert!(error.to_string().len() < 300, "{error}");
        assert!(error.hint().unwrap().contains("--stage"));
    }
}
