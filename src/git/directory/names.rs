//! The names of a tree's entries: a file's own where git can hold it, else an escaped one. Each name has one form only.

use std::borrow::Cow;

/// The prefix of an escaped name; by itself, it marks an empty directory.
pub(super) const ESCAPE: &[u8] = b".slsart-";

/// The entry's name for a file's.
pub(super) fn escape(name: &[u8]) -> Cow<'_, [u8]> {
    if name.is_empty() || name.starts_with(ESCAPE) || is_git(name) {
        Cow::Owned([ESCAPE, name].concat())
    } else {
        Cow::Borrowed(name)
    }
}

/// The file's name for an entry's; empty for the mark of an empty directory. `None` if [`escape`] never gives that name, or no directory
/// can hold it.
pub(super) fn unescape(name: &[u8]) -> Option<&[u8]> {
    let plain = name.strip_prefix(ESCAPE).unwrap_or(name);
    let fits = !matches!(plain, b"." | b"..") && !plain.contains(&b'/') && !plain.contains(&0);
    (fits && *escape(plain) == *name).then_some(plain)
}

/// Whether git, on one system or another, takes a name for `.git` or for one of the files that steer it: case, what NTFS
/// makes of endings and short names, and characters that HFS+ leaves out count for nothing.
fn is_git(name: &[u8]) -> bool {
    let text = String::from_utf8_lossy(name);
    let plain: String = text.chars().filter(|character| !ignored_by_hfs(*character)).collect();
    let plain = plain.to_ascii_lowercase();
    plain.starts_with(".git") || (plain.starts_with("gi") && plain.contains('~'))
}

/// Characters that HFS+ leaves out when it compares names (git's `utf8.c`).
fn ignored_by_hfs(character: char) -> bool {
    matches!(character, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_git_cannot_hold_is_escaped_and_the_rest_is_not() {
        for name in [".git", ".GIT", ".gitmodules", "GIT~1", "gi7eba~1", ".g\u{200c}it", ".git ", ".slsart-x"]
        {
            assert!(escape(name.as_bytes()).starts_with(ESCAPE), "{name}");
        }
        for name in ["index.js", ".npmignore", "git.js", "a~1", ".bin", "gi", "é"] {
            assert_eq!(*escape(name.as_bytes()), *name.as_bytes());
        }
        assert_eq!(unescape(ESCAPE), Some(&b""[..]));
    }

    #[test]
    fn a_forged_name_is_none() {
        for name in [
            "",
            ".",
            "..",
            ".git",
            "a/b",
            ".slsart-..",
            ".slsart-.",
            ".slsart-index.js",
            ".slsart-a/b",
            "a\0",
        ] {
            assert_eq!(unescape(name.as_bytes()), None, "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in proptest::collection::vec(1..=255_u8, 1..40)) {
            prop_assume!(!name.contains(&b'/') && name != b"." && name != b"..");
            let escaped = escape(&name);
            prop_assert_eq!(unescape(&escaped), Some(&name[..]));
        }

        #[test]
        fn likely_names_come_back(name in r"(\.slsart-){0,3}(\.|)(?i)git(modules|~1|)[ .]{0,2}") {
            let escaped = escape(name.as_bytes());
            prop_assert_eq!(unescape(&escaped), Some(name.as_bytes()));
            prop_assert!(!escaped.to_ascii_lowercase().starts_with(b".git"));
        }
    }
}
