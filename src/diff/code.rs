//! What changed inside the archives of code, file by file, with lines added and removed.

use serde::Serialize;

use super::template::Change;
use crate::error::{Kind, Result};
use crate::git::compare_text;
use crate::package::manifest::FileEntry;
use crate::store::StoredPackage;
use crate::store::archive_diff::{self, EntryContent};

const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Most bytes, of all files of an archive, whose lines are counted.
const MAX_BYTES_OF_ALL: usize = 512 * 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    Counts,
    Texts,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArchiveChange {
    /// Its path in the later package, or in the earlier if it was removed.
    pub path: String,
    /// The files in it that differ; none if only the compression differs.
    pub files: Vec<FileChange>,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileChange {
    pub path: String,
    pub change: Change,
    /// Lines added; absent if it is no text, or too large.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<usize>,
    /// The differing lines in patch format, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CodeChange {
    /// Its path, as in [`ArchiveChange::path`].
    pub archive: String,
    /// How many files differ; absent if the archives could not be compared.
    pub file_count: Option<usize>,
    /// Lines added in its text files.
    pub added: usize,
    pub removed: usize,
}

impl CodeChange {
    /// Of code whose archives are not both here. `key`: that of the new one in S3.
    pub(super) fn unknown(key: &str) -> Self {
        let archive = key.rsplit('/').next().unwrap_or_default().to_owned();
        Self { archive, file_count: None, added: 0, removed: 0 }
    }
}

impl ArchiveChange {
    /// The differences between two archives; `None` if they are the same, byte for byte. An unreadable archive is a problem and no error,
    /// so that the rest is still reported.
    pub(super) fn between(
        before: (&StoredPackage<'_>, &FileEntry),
        after: (&StoredPackage<'_>, &FileEntry),
        detail: Detail,
    ) -> Result<Option<Self>> {
        if before.1.sha256 == after.1.sha256 {
            return Ok(None);
        }
        let mut files = Vec::new();
        let mut left = MAX_BYTES_OF_ALL;
        let compared = archive_diff::compare(before, after, MAX_BYTES, &mut |changed| {
            files.push(file_change(changed, detail, &mut left)?);
            Ok(())
        });
        let problem = match compared {
            Ok(true) => None,
            Ok(false) => Some("it is not a zip".to_owned()),
            Err(error) if error.kind == Kind::Interrupted => return Err(error),
            Err(error) => Some(error.message),
        };
        Ok(Some(Self { path: after.1.path.clone(), files, problem }))
    }

    pub fn summary(&self) -> CodeChange {
        let sum = |lines: fn(&FileChange) -> Option<usize>| self.files.iter().filter_map(lines).sum();
        CodeChange {
            archive: self.path.clone(),
            file_count: self.problem.is_none().then_some(self.files.len()),
            added: sum(|file| file.added),
            removed: sum(|file| file.removed),
        }
    }
}

fn file_change(changed: archive_diff::ChangedEntry, detail: Detail, left: &mut usize) -> Result<FileChange> {
    let archive_diff::ChangedEntry { name, before, after } = changed;
    let change = match (&before, &after) {
        (None, _) => Change::Added,
        (_, None) => Change::Removed,
        _ => Change::Changed,
    };
    let bytes = |body: Option<EntryContent>| match body {
        None => Some(Vec::new()),
        Some(EntryContent::Bytes(bytes)) => Some(bytes),
        Some(EntryContent::Opaque) => None,
    };
    let mut lines = None;
    if let (Some(before), Some(after)) = (bytes(before), bytes(after))
        && let Some(rest) = left.checked_sub(before.len() + after.len())
    {
        *left = rest;
        lines = compare_text(&before, &after, detail == Detail::Texts)?;
    }
    let counted = lines.as_ref().map(|lines| (lines.added, lines.removed));
    Ok(FileChange {
        path: name,
        change,
        added: counted.map(|(added, _)| added),
        removed: counted.map(|(_, removed)| removed),
        diff: lines.and_then(|lines| lines.hunks),
    })
}
