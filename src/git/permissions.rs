//! `core.sharedRepository`: the modes of files and directories that several users of a repository write to.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::Repository;

/// The mode bits that files of a repository must have beside those of the umask.
#[derive(Debug, Clone, Copy, Default)]
pub struct SharedPermissions(u32);

impl Repository {
    pub fn shared_permissions(&self) -> SharedPermissions {
        let value = self.config("core.sharedrepository").unwrap_or_default().to_ascii_lowercase();
        SharedPermissions(match value.as_str() {
            "group" | "true" | "1" => 0o660,
            "all" | "world" | "everybody" | "2" => 0o664,
            octal if octal.starts_with('0') => u32::from_str_radix(octal, 8).unwrap_or(0) & 0o666,
            _ => 0,
        })
    }
}

impl SharedPermissions {
    pub fn file(self, path: &Path) -> io::Result<()> {
        self.add(path, self.0)
    }

    pub fn read_only_file(self, path: &Path) -> io::Result<()> {
        self.add(path, self.0 & 0o444)
    }

    /// Makes a directory and its missing parents, with these modes.
    pub fn make_directory(self, path: &Path) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        path.parent().map_or(Ok(()), |parent| self.make_directory(parent))?;
        match fs::create_dir(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            // Read permission on a directory comes with permission to enter it.
            made => made.and_then(|()| self.add(path, self.0 | 0o2000 | (self.0 >> 2) & 0o111)),
        }
    }

    fn add(self, path: &Path, modes: u32) -> io::Result<()> {
        if self.0 == 0 {
            return Ok(());
        }
        let mode = fs::metadata(path)?.permissions().mode();
        fs::set_permissions(path, Permissions::from_mode(mode | modes))
    }
}
