//! What a manifest says of secrets in a package: where they are, never what they are. The format is specified in docs/format.md.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The version of the scanner that this program has: another one may find what it does not.
pub const SCANNER: u32 = 1;

/// Most secrets that a manifest lists.
pub const MAX_SECRETS: usize = 500;

/// `[secrets]`: that a package was searched for secrets, and what was decided of those in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    pub scanner: u32,
    /// A mark of the values that were looked for; absent where there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<String>,
    /// What was decided; absent where nothing was, or there was nothing to decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Whom it is encrypted to: age and ssh public keys, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// How many secrets there are beside those listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What was decided of a package's secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// They may be pushed as they are: `slsart.toml` said so.
    Warn,
    /// They may be pushed as they are: somebody said so of this package.
    Allow,
    Encrypt,
}

/// `action` of `[secrets]` in `slsart.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Record and push them, with a warning.
    Warn,
    /// Record nothing that holds any.
    Refuse,
    Encrypt,
}

/// `[[secret]]`: where a secret is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Secret {
    pub file: String,
    /// The file in it, where it is an archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Where in that: keys of JSON joined by dots, or a line or byte, counted from 1.
    pub place: String,
    /// What it is, such as `github-token`.
    pub kind: String,
    /// The environment variable whose value it is, or the name that it is given to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, entry, place, kind, name } = self;
        write!(f, "{file}")?;
        if let Some(entry) = entry {
            write!(f, ": {entry}")?;
        }
        write!(f, ": {place} ({}", words(kind))?;
        match name {
            Some(name) => write!(f, " {name})"),
            None => write!(f, ")"),
        }
    }
}

fn words(kind: &str) -> String {
    match kind {
        "variable" => "the value of".to_owned(),
        "named" => "the value named".to_owned(),
        kind => kind.replace('-', " "),
    }
}

/// A line for each of the first few, and how many more there are.
pub fn listed(secrets: &[&Secret]) -> Vec<String> {
    const SHOWN: usize = 8;
    let mut lines: Vec<String> = secrets.iter().take(SHOWN).map(ToString::to_string).collect();
    if secrets.len() > SHOWN {
        lines.push(format!("and {} more: git slsart secrets --json", secrets.len() - SHOWN));
    }
    lines
}
