//! The pointer of a file in LFS, as in the Git LFS specification 1, and its line of `.gitattributes`. Pure.

use crate::package::manifest::FileEntry;

/// The pointer of `file`; its hash and size determine every byte.
pub(in crate::store) fn pointer(file: &FileEntry) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n", file.sha256, file.size)
}

/// The text of `.gitattributes` at the top of a package's tree, for the files at `paths` in the order of the manifest; empty without files
/// in LFS.
pub(in crate::store) fn attributes<'a>(paths: impl Iterator<Item = &'a str>) -> String {
    let line = |text: String, path| text + &pattern(path) + " filter=lfs diff=lfs merge=lfs -text\n";
    paths.fold(String::new(), line)
}

/// The pattern that matches the file alone. It begins with `files/`, so that `!` and `#` are never first.
fn pattern(path: &str) -> String {
    let mut glob = "files/".to_owned();
    for character in path.chars() {
        if matches!(character, '*' | '?' | '[') {
            glob.push('\\');
        }
        glob.push(character);
    }
    // A quoted pattern is unquoted as a C string first; a path has neither backslash nor control character.
    if glob.contains([' ', '"']) {
        return format!("\"{}\"", glob.replace('\\', "\\\\").replace('"', "\\\""));
    }
    glob
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::Sha256;

    #[test]
    fn a_pointer_is_what_git_lfs_writes() {
        let file = FileEntry { path: "a".to_owned(), size: 3, sha256: Sha256::of(b"abc") };
        assert_eq!(
            pointer(&file),
            "version https://git-lfs.github.com/spec/v1\n\
             oid sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\nsize 3\n"
        );
    }

    #[test]
    fn patterns_are_quoted_only_where_they_must_be() {
        assert_eq!(pattern("orders.zip"), "files/orders.zip");
        assert_eq!(pattern("a b.zip"), "\"files/a b.zip\"");
        assert_eq!(pattern("[x]*.zip"), "files/\\[x]\\*.zip");
        assert_eq!(pattern("a \"?\""), "\"files/a \\\"\\\\?\\\"\"");
    }
}
