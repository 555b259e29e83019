//! When a remote was last asked for its packages: a file of this machine in `.git/slsart/seen`, since git remembers no fetch that brought
//! nothing.

use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::git::{Repository, data_dir};
use crate::workspace::Workspace;

fn file(repository: &Repository, remote: &str) -> PathBuf {
    let name = utf8_percent_encode(remote, NON_ALPHANUMERIC).to_string();
    data_dir(repository).join("seen").join(name)
}

/// When `remote` was last asked; `None` if unknown.
pub fn seen(repository: &Repository, remote: &str) -> Option<Timestamp> {
    fs::read_to_string(file(repository, remote)).ok()?.trim().parse().ok()
}

/// Notes that `remote` was asked. If that can't be written, the time stays unknown.
pub(super) fn note(workspace: &Workspace<'_>, remote: &str) {
    let path = file(workspace.repository, remote);
    if let Some(directory) = path.parent() {
        let _ = fs::create_dir_all(directory);
        let _ = fs::write(path, format!("{}\n", workspace.context.clock.now()));
    }
}
