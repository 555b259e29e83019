//! The directory that holds what the tests of a process make.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A directory that is removed when this process ends, however it ends.
pub(crate) struct Room {
    pub(crate) path: PathBuf,
    /// What removes it once its input, a pipe of this process, closes.
    _remover: Child,
}

/// A file system in memory: ext4 takes seconds to make thousands of files shortly after as many were removed, which is all
/// that these tests do.
const MEMORY: &str = "/dev/shm";
/// What there has to be free of it, in bytes.
const ENOUGH: u64 = 4 << 30;

impl Room {
    /// One in memory where there is enough of that, else in `otherwise`.
    #[expect(clippy::disallowed_methods, reason = "what removes it is a program")]
    pub(crate) fn make(otherwise: &Path) -> Self {
        let free = rustix::fs::statvfs(MEMORY).map_or(0, |of| of.f_bavail * of.f_frsize);
        let place = if free < ENOUGH { otherwise } else { Path::new(MEMORY) };
        let path = tempfile::Builder::new().prefix("slsart-").tempdir_in(place).unwrap().keep();
        let remover = Command::new("sh")
            .args(["-c", "trap '' INT TERM; read -r _; rm -rf \"$0\""])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        Self { path, _remover: remover }
    }
}
