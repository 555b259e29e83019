//! Comparing: texts line by line, and what lies between two commits.

use std::path::Path;

use crate::error::Result;
use crate::git::{Oid, Repository, failed, missing_object};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextChange {
    /// Lines that only the later one has.
    pub added: usize,
    /// Lines that only the earlier one has.
    pub removed: usize,
    /// The differing parts in patch format, if asked for.
    pub hunks: Option<String>,
}

/// Compares two files line by line; `None` if git takes one of them for binary.
pub fn compare_text(before: &[u8], after: &[u8], with_hunks: bool) -> Result<Option<TextChange>> {
    let cannot = |error| failed("two files can't be compared", error);
    let name = Some(Path::new("file"));
    let mut patch = git2::Patch::from_buffers(before, name, after, name, None).map_err(cannot)?;
    let (_, added, removed) = patch.line_stats().map_err(cannot)?;
    if patch.delta().flags().is_binary() {
        return Ok(None);
    }
    let mut hunks = String::new();
    if with_hunks {
        let mut take = |_: git2::DiffDelta<'_>, _: Option<git2::DiffHunk<'_>>, line: git2::DiffLine<'_>| {
            let text = String::from_utf8_lossy(line.content());
            match line.origin() {
                origin @ ('+' | '-' | ' ') => {
                    hunks.push(origin);
                    hunks.push_str(&text);
                }
                // The caller names the file.
                'F' => {}
                _ => hunks.push_str(&text),
            }
            true
        };
        patch.print(&mut take).map_err(cannot)?;
    }
    Ok(Some(TextChange { added, removed, hunks: with_hunks.then_some(hunks) }))
}

impl Repository {
    /// The newest `most` commits that `to` has and `from` has not, newest first.
    pub fn commits_between(&self, from: Oid, to: Oid, most: usize) -> Result<Vec<Oid>> {
        let cannot = |error| failed("cannot walk the history", error);
        let mut walk = self.inner.revwalk().map_err(cannot)?;
        walk.push(to).map_err(|error| missing_object("commit", to, error))?;
        walk.hide(from).map_err(|error| missing_object("commit", from, error))?;
        // A shallow clone's history ends in a commit whose parents are absent.
        Ok(walk.map_while(std::result::Result::ok).take(most).collect())
    }

    /// Where files of these names went from one commit to another, as git detects renames: the former path and the present one.
    pub fn renames(&self, from: Oid, to: Oid, names: &[&str]) -> Result<Vec<(String, String)>> {
        let command = self.command().args(["diff-tree", "-r", "-z", "--find-renames", "--diff-filter=R"]);
        let command = command.args(["--name-status", &from.to_string(), &to.to_string(), "--"]);
        let output = command.args(names.iter().map(|name| format!(":(top,glob)**/{name}"))).read()?;
        let words: Vec<_> = output.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        let renames = words.chunks_exact(3);
        Ok(renames.map(|words| (words[1].clone().into_owned(), words[2].clone().into_owned())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_and_shown_and_what_is_no_text_is_none() {
        let change =
            |before: &str, after: &str| compare_text(before.as_bytes(), after.as_bytes(), true).unwrap();
        let found = change("a\nb\nc\n", "a\nB\nc\nd").unwrap();
        assert_eq!((found.added, found.removed), (2, 1));
        assert_eq!(
            found.hunks.unwrap(),
            "@@ -1,3 +1,4 @@\n a\n-b\n+B\n c\n+d\n\\ No newline at end of file\n"
        );
        assert_eq!(change("", "a\nb\n").unwrap().added, 2);
        assert_eq!(change("a\n", "").unwrap().removed, 1);
        assert_eq!(change("a\n", "a\n").unwrap().added, 0);
        assert_eq!(change("a\n", "\0\u{1}\n"), None);
    }
}
