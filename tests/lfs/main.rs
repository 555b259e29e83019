//! Packages in Git LFS, with the real git-lfs: against a real server over HTTP, and over `file://`. The bed (`make setup`)
//! has both.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on fails")]
#![allow(clippy::needless_raw_string_hashes, reason = "snapbox writes the snapshots so")]
#![allow(dead_code, reason = "the sandbox is shared with the tests of the commands")]

#[path = "../support/room.rs"]
mod room;
#[path = "../support/sandbox.rs"]
mod sandbox;
#[path = "../support/schemas.rs"]
mod schemas;
mod server;

mod migrate;
mod places;
mod prune;
mod read;
mod record;
mod remote;
mod sharing;

use std::fs;
use std::path::{Path, PathBuf};

use sandbox::{Outcome, Sandbox};
use walkdir::WalkDir;

/// A sandbox with a package for `prod` in `dist`, recorded so that its zip is in LFS.
fn recorded() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.build("dist", "prod");
    sandbox.slsart("record -q ../dist --storage lfs").succeeded();
    sandbox
}

/// The ref of the only package.
fn package(sandbox: &Sandbox) -> String {
    let refs = sandbox.git("for-each-ref --format=%(refname) refs/slsart/packages/");
    assert_eq!(refs.lines().count(), 1, "{refs}");
    refs
}

/// The files below a directory that are named like objects, sorted.
fn objects(directory: &Path) -> Vec<PathBuf> {
    let files =
        WalkDir::new(directory).sort_by_file_name().into_iter().flatten().map(walkdir::DirEntry::into_path);
    files.filter(|path| path.is_file() && path.file_name().unwrap().len() == 64).collect()
}

/// Where the local LFS store has its objects.
fn store(sandbox: &Sandbox) -> Vec<PathBuf> {
    objects(&sandbox.path(".git/lfs/objects"))
}

/// The links of our own.
fn links(sandbox: &Sandbox) -> Vec<PathBuf> {
    objects(&sandbox.path(".git/slsart/lfs"))
}

/// As if another machine had recorded it: the object is nowhere here.
fn forget(sandbox: &Sandbox) {
    for path in store(sandbox).into_iter().chain(links(sandbox)) {
        fs::remove_file(path).unwrap();
    }
}

/// Fails unless the package comes back as it was built.
#[track_caller]
fn comes_back(sandbox: &Sandbox) {
    extracts(sandbox).succeeded();
    sandbox.shell("diff -r ../dist ../out && rm -r ../out").succeeded();
}

fn extracts(sandbox: &Sandbox) -> Outcome {
    sandbox.slsart("extract HEAD -q -o ../out")
}

/// Fails unless the package is refused with `code`, and nothing of it was handed on.
#[track_caller]
fn is_refused(sandbox: &Sandbox, code: i32) -> Outcome {
    let outcome = extracts(sandbox);
    assert_eq!(outcome.code, code, "{outcome}");
    assert!(!sandbox.beside("out").exists());
    assert_eq!(fs::read_dir(sandbox.beside("")).unwrap().flatten().filter(is_scratch).count(), 0);
    outcome
}

fn is_scratch(entry: &fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with(".slsart-")
}

/// A PATH on which git is, and git-lfs is not.
fn without_lfs(sandbox: &Sandbox) -> String {
    let directory = sandbox.beside("bin");
    fs::create_dir_all(&directory).unwrap();
    for name in ["git", "sh"] {
        let found = sandbox.shell(&format!("command -v {name}")).succeeded().stdout;
        std::os::unix::fs::symlink(found.trim(), directory.join(name)).unwrap();
    }
    directory.to_str().unwrap().to_owned()
}
