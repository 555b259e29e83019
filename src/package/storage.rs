//! How a file of a package is stored: as git objects or in Git LFS, and the repository's setting. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::manifest::FileEntry;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    Git,
    Lfs,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Git => "git",
            Self::Lfs => "lfs",
        })
    }
}

/// `storage` in `slsart.toml`, and `--storage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Storage {
    Git,
    Lfs,
    /// Files over a size in LFS, if git-lfs is installed.
    #[default]
    Auto,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    pub storage: Storage,
    pub lfs_above: Size,
    pub lfs_is_here: bool,
}

impl Placement {
    pub fn form_of(&self, file: &FileEntry) -> Form {
        let lfs = match self.storage {
            Storage::Git => false,
            Storage::Lfs => self.is_large(file) || !is_text(&file.path),
            Storage::Auto => self.is_large(file) && self.lfs_is_here,
        };
        // LFS has no empty objects.
        if lfs && file.size > 0 { Form::Lfs } else { Form::Git }
    }

    /// Whether git and its hosts have trouble with a file of this size.
    pub fn is_large(&self, file: &FileEntry) -> bool {
        file.size > self.lfs_above.0
    }
}

/// State and templates, which `show` and a plan read, and `git diff` compares.
fn is_text(path: &str) -> bool {
    let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    matches!(ending.as_str(), "json" | "yml" | "yaml" | "template")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Size(pub u64);

impl Default for Size {
    /// 50 MiB: GitHub warns of larger files, and refuses those over 100 MiB.
    fn default() -> Self {
        Self(50 << 20)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u64),
    Text(String),
}

impl TryFrom<Written> for Size {
    type Error = NotASize;

    fn try_from(written: Written) -> Result<Self, NotASize> {
        match written {
            Written::Number(bytes) => Ok(Self(bytes)),
            Written::Text(text) => text.parse(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a size: write a number of bytes, or one with a unit, such as \"50 MiB\"")]
pub struct NotASize(String);

impl FromStr for Size {
    type Err = NotASize;

    fn from_str(text: &str) -> Result<Self, NotASize> {
        let wrong = || NotASize(text.to_owned());
        let trimmed = text.trim();
        let digits = trimmed.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = match trimmed[digits.len()..].trim() {
            "" | "B" => 1,
            "kB" | "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(wrong()),
        };
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        number.checked_mul(unit).map(Self).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::Sha256;

    fn file(path: &str, size: u64) -> FileEntry {
        FileEntry { path: path.to_owned(), size, sha256: Sha256::of(b"") }
    }

    #[test]
    fn auto_sends_only_what_is_large_and_only_where_lfs_is() {
        let auto = Placement { storage: Storage::Auto, lfs_above: Size(10), lfs_is_here: true };
        assert_eq!(auto.form_of(&file("a.zip", 10)), Form::Git);
        assert_eq!(auto.form_of(&file("a.zip", 11)), Form::Lfs);
        assert_eq!(auto.form_of(&file("a.json", 11)), Form::Lfs);
        let without = Placement { lfs_is_here: false, ..auto };
        assert_eq!(without.form_of(&file("a.zip", 11)), Form::Git);
    }

    #[test]
    fn lfs_leaves_state_templates_and_empty_files_in_git() {
        let lfs = Placement { storage: Storage::Lfs, lfs_above: Size(10), lfs_is_here: true };
        assert_eq!(lfs.form_of(&file("a.zip", 1)), Form::Lfs);
        assert_eq!(lfs.form_of(&file("serverless-state.json", 10)), Form::Git);
        assert_eq!(lfs.form_of(&file("serverless-state.json", 11)), Form::Lfs);
        assert_eq!(lfs.form_of(&file("empty.zip", 0)), Form::Git);
        let git = Placement { storage: Storage::Git, ..lfs };
        assert_eq!(git.form_of(&file("a.zip", 11)), Form::Git);
    }

    #[test]
    fn sizes_have_units() {
        let size = |text: &str| text.parse::<Size>().ok().map(|size| size.0);
        assert_eq!(size("50 MiB"), Some(Size::default().0));
        assert_eq!([size("7"), size("2kB"), size("1 GiB")], [Some(7), Some(2_000), Some(1 << 30)]);
        for wrong in ["", "MiB", "-1", "1.5 MiB", "1 mib", "99999999999 GiB"] {
            assert_eq!(size(wrong), None, "{wrong:?}");
        }
    }
}
