//! Secrets in a manifest: their places, never their values. The format is specified in docs/format.md.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The version of this program's scanner: another may find more.
pub const SCANNER: u32 = 1;

pub const MAX_SECRETS: usize = 500;

/// `[secrets]`: a package was searched for secrets, and what was decided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretScan {
    pub scanner: u32,
    /// A mark of the values that were searched for; absent if there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<String>,
    /// Absent if nothing is decided, or there is nothing to decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// The recipients of the encryption: age and ssh public keys, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// How many secrets are not listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// `slsart.toml` allows pushing them as they are.
    Warn,
    /// A user allowed pushing them as they are.
    Allow,
    Encrypt,
}

/// `action` of `[secrets]` in `slsart.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretAction {
    Warn,
    /// Refuse to record them.
    Refuse,
    Encrypt,
}

/// `[[secret]]`: where a secret is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Secret {
    pub file: String,
    /// The file in it, if it is an archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The place in that: keys of JSON joined by dots, or a line or byte, counted from 1.
    pub place: String,
    pub kind: String,
    /// The environment variable or key that has it as its value.
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
