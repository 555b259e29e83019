//! What changed inside the archives of code, file by file, with lines added and removed.

use serde::Serialize;

use super::template::Change;
use crate::error::{Kind, Result};
use crate::git::compare_text;
use crate::package::manifest::FileEntry;
use crate::store::StoredPackage;
use crate::store::archive_diff::{self, EntryContent};

/// Most bytes of a file whose lines are counted.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Most bytes, of all files of an archive, whose lines are counted.
const MAX_BYTES_OF_ALL: usize = 512 * 1024 * 1024;

/// How much of a change is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// How many lines.
    Counts,
    /// Which lines.
    Texts,
}

/// An archive that is not the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArchiveChange {
    /// Its path in the later package, or in the earlier where it is gone.
    pub path: String,
    /// The files in it that are not the same; none where only how they are packed differs.
    pub files: Vec<FileChange>,
    /// Why it could not be looked into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A file inside an archive that is not the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// Its path in the archive.
    pub path: String,
    /// How it differs.
    pub change: Change,
    /// Lines added; absent where it is no text, or too large.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added: Option<usize>,
    /// Lines removed, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<usize>,
    /// The differing lines as a patch has them, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// What changed in the code of a function, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CodeChange {
    /// The archive in question: its path in [`ArchiveChange::path`].
    pub archive: String,
    /// How many files are not the same; absent where the archive could not be looked into.
    pub file_count: Option<usize>,
    /// Lines added in them, as far as they are texts.
    pub added: usize,
    /// Lines removed, likewise.
    pub removed: usize,
}

impl ArchiveChange {
    /// What differs between two archives; `None` where they are the same, byte for byte. One that can't be read is a problem and no
    /// error: whoever asks wants to know of all else the more.
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
            Ok(false) => Some("it is no zip".to_owned()),
            Err(error) if error.kind == Kind::Interrupted => return Err(error),
            Err(error) => Some(error.message),
        };
        Ok(Some(Self { path: after.1.path.clone(), files, problem }))
    }

    /// The same in short.
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
