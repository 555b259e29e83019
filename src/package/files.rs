//! The files of a package: their records, and which paths they may have.

use serde::{Deserialize, Serialize};

use super::id::Sha256;

/// A real package has a handful.
pub const MAX_FILES: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    pub path: String,
    pub size: u64,
    pub sha256: Sha256,
}

/// Whether `path` is relative, stays below its directory, and can be a path in a git tree on every platform.
pub fn is_safe_path(path: &str) -> bool {
    let safe_component = |part: &str| {
        !matches!(part, "" | "." | "..")
            && !part.eq_ignore_ascii_case(".git")
            && !part.to_ascii_lowercase().starts_with("git~")
            && part.len() <= 255
            && !part.contains(['\\', '\0'])
            && !part.chars().any(char::is_control)
    };
    path.len() <= 4096 && path.split('/').all(safe_component)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_their_directory_are_not_safe() {
        for path in ["../x", "/x", "a//b", "a/..", ".git/x", ".GIT", "a\\b", "", "a/git~1", "a\nb"] {
            assert!(!is_safe_path(path), "{path:?}");
        }
        assert!(is_safe_path("files/serverless-state.json") && is_safe_path(".gitignore"));
    }
}
