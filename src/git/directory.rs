//! A directory on disk as the git tree that it would be, and back, byte for byte: no filters, no attributes, no line endings.
//! Knows nothing of what the directory is for. The form is specified in docs/format.md, "Directories as trees".

mod names;
mod restore;
mod scan;
mod spread;
mod write;

use std::path::Path;

pub use scan::{DirectoryScan, Listed};

use super::Oid;
use crate::error::Result;

/// The id of the tree that `path` would be, without writing it. The same files give the same id on every machine. Anything but files,
/// symbolic links and directories is an error.
pub fn hash_directory(path: &Path) -> Result<Oid> {
    DirectoryScan::read(path).map(|scan| scan.id())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::super::{MODE_EXECUTABLE, MODE_FILE, MODE_LINK, Repository, TreeEntry};
    use super::*;
    use crate::error::Kind;
    use crate::process::Invocation;

    fn repository() -> (tempfile::TempDir, Repository) {
        let root = tempfile::tempdir().unwrap();
        Invocation::new("git").args(["init", "--quiet", "--bare"]).arg(root.path()).read().unwrap();
        let repository = Repository::open(root.path(), None, None).unwrap();
        (root, repository)
    }

    fn put(top: &Path, path: &str, bytes: &[u8]) {
        let path = top.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn picture(top: &Path) -> BTreeMap<Vec<u8>, String> {
        let mut all = BTreeMap::new();
        for entry in walkdir::WalkDir::new(top).min_depth(1) {
            let entry = entry.unwrap();
            let name = entry.path().strip_prefix(top).unwrap().as_os_str().as_bytes().to_vec();
            let kind = entry.file_type();
            let what = if kind.is_symlink() {
                format!("link {:?}", fs::read_link(entry.path()).unwrap())
            } else if kind.is_dir() {
                "directory".to_owned()
            } else {
                let run = entry.metadata().unwrap().permissions().mode() & 0o100;
                format!("file {run} {:?}", fs::read(entry.path()).unwrap())
            };
            all.insert(name, what);
        }
        all
    }

    fn odd_directory(top: &Path) {
        put(top, "a/index.js", b"one\r\ntwo\n");
        put(top, "a/.gitattributes", b"* text\n");
        put(top, "a/.git/config", b"[core]\n");
        put(top, "a/.GIT", b"x");
        put(top, "a/.slsart-b", b"y");
        put(top, "a/bin/run", b"#!/bin/sh\n");
        put(top, ".bin-large", &vec![7; 9 * 1024 * 1024]);
        put(top, "nul", b"\0\xff\0");
        fs::write(top.join(std::ffi::OsStr::from_bytes(b"not-\xff-utf8")), b"z").unwrap();
        fs::set_permissions(top.join("a/bin/run"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir_all(top.join("empty/within")).unwrap();
        symlink("../a/bin/run", top.join("link")).unwrap();
        symlink("/nowhere/at/all", top.join("dangling")).unwrap();
    }

    #[test]
    fn what_is_restored_is_what_was_saved_and_git_itself_is_content_with_it() {
        let (root, repository) = repository();
        let from = tempfile::tempdir().unwrap();
        odd_directory(from.path());
        let scan = DirectoryScan::read(from.path()).unwrap();
        let batch = repository.batch().unwrap();
        let tree = scan.write(&batch).unwrap();
        batch.finish().unwrap().remove();
        assert_eq!(tree, scan.id());
        let to = tempfile::tempdir().unwrap();
        repository.restore_directory(tree, &to.path().join("x")).unwrap();
        assert_eq!(picture(&to.path().join("x")), picture(from.path()));
        assert_eq!(hash_directory(&to.path().join("x")).unwrap(), tree);
        assert_eq!(repository.list_directory(tree).unwrap(), scan.list());
        assert_eq!(fs::read_dir(root.path().join("objects/pack")).unwrap().count(), 2);
        let fsck = repository.command().args(["fsck", "--strict", "--no-dangling"]).read().unwrap();
        assert_eq!(String::from_utf8_lossy(&fsck), "");
    }

    #[test]
    fn caches_are_left_out_and_everything_else_counts() {
        let top = tempfile::tempdir().unwrap();
        let modules = top.path().join("node_modules");
        put(&modules, "p/index.js", b"1");
        let id = || hash_directory(&modules).unwrap();
        let plain = id();
        put(&modules, ".cache/babel/x", b"2");
        assert_eq!(id(), plain);
        put(&modules, "p/.cache/x", b"2");
        let other = id();
        assert_ne!(other, plain);
        fs::set_permissions(modules.join("p/index.js"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_ne!(id(), other);
    }

    #[test]
    fn what_is_no_file_is_refused_by_name() {
        let top = tempfile::tempdir().unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(top.path().join("daemon.sock")).unwrap();
        let error = hash_directory(top.path()).unwrap_err();
        assert!(error.message.contains("daemon.sock"), "{error}");
    }

    #[test]
    fn a_forged_tree_reaches_nothing_outside() {
        let (_root, repository) = repository();
        let outside = tempfile::tempdir().unwrap();
        let write = |entries: Vec<TreeEntry>| {
            let batch = repository.batch().unwrap();
            let tree = batch.tree(entries, None).unwrap();
            batch.finish().unwrap().remove();
            tree
        };
        let batch = repository.batch().unwrap();
        let link = batch.blob(outside.path().as_os_str().as_bytes(), None).unwrap();
        batch.finish().unwrap().remove();
        let entry = |name: &[u8], id, mode| TreeEntry { name: name.to_vec(), id, mode };
        let inner = write(vec![entry(b"stolen", link, MODE_FILE)]);
        let twice = vec![entry(b"a", link, MODE_LINK), entry(b"a", inner, super::super::MODE_TREE)];
        for (number, entries) in [
            twice,
            vec![entry(b"..", inner, super::super::MODE_TREE)],
            vec![entry(b"../x", link, MODE_EXECUTABLE)],
            vec![entry(b".git", link, MODE_FILE)],
            vec![entry(b"m", link, 0o160_000)],
        ]
        .into_iter()
        .enumerate()
        {
            let to = tempfile::tempdir().unwrap();
            let tree = write(entries);
            assert!(repository.restore_directory(tree, &to.path().join("x")).is_err(), "{number}");
            assert_eq!(fs::read_dir(to.path()).unwrap().count(), 1);
        }
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
        let to = tempfile::tempdir().unwrap();
        symlink(outside.path(), to.path().join("x")).unwrap();
        assert!(repository.restore_directory(inner, &to.path().join("x")).is_err());
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_missing_object_is_told_of() {
        let (_root, repository) = repository();
        let batch = repository.batch().unwrap();
        let absent = Oid::from_str(&"12".repeat(20)).unwrap();
        let tree =
            batch.tree(vec![TreeEntry { name: b"f".to_vec(), id: absent, mode: MODE_FILE }], None).unwrap();
        batch.finish().unwrap().remove();
        let to = tempfile::tempdir().unwrap();
        let error = repository.restore_directory(tree, &to.path().join("x")).unwrap_err();
        assert_eq!(error.kind, Kind::Integrity);
    }
}
