//! Where a package's files will be kept: what the repository wants, and what this machine can do.

use crate::error::Result;
use crate::git::lfs::install_lfs;
use crate::package::directory::PackageDirectory;
use crate::package::manifest::FileEntry;
use crate::package::storage::{Placement, Storage};
use crate::store::largest_object;
use crate::workspace::Workspace;

/// Fails if `storage` needs git-lfs and it is not installed. Called before anything that takes time or writes.
pub(super) fn check(workspace: &Workspace<'_>, storage: Storage) -> Result<()> {
    if storage == Storage::Lfs { workspace.repository.need_lfs() } else { Ok(()) }
}

pub(super) fn of(
    workspace: &Workspace<'_>,
    storage: Storage,
    directory: &PackageDirectory,
) -> Result<Placement> {
    let Workspace { repository, progress, config, .. } = workspace;
    let mut placement = Placement { storage, lfs_above: config.lfs_above, lfs_is_here: true };
    let is_large = |file: &&FileEntry| {
        let object = || largest_object(&directory.place_of(&file.path), file.size);
        placement.is_large(file) && object() > placement.lfs_above.0
    };
    let large: Vec<&str> = directory.files.iter().filter(is_large).map(|file| file.path.as_str()).collect();
    if storage == Storage::Auto && !large.is_empty() && !repository.has_lfs()? {
        placement.lfs_is_here = false;
        progress.warn(&format!(
            "large files are kept in git objects, since git-lfs is not installed: {}; a git host may refuse them ({})",
            large.join(", "),
            install_lfs()
        ));
    }
    Ok(placement)
}
