//! The packs that this program wrote. It may replace no others. A mark of each is in `.git/slsart/packs`.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use super::file::Pack;
use crate::git::permissions::SharedPermissions;

/// The prefix of unfinished packs. Not `tmp_`, which `git gc --prune=now` removes while they are written.
const UNFINISHED: &str = "slsart-unfinished-";
/// Files of this age may belong to a process that has not locked them yet.
const FRESH: Duration = Duration::from_mins(1);
/// The text of the `.keep` of a pack that no ref leads to yet.
pub(in crate::git) const KEPT: &str = "git slsart: until its refs are written\n";

/// Our packs, smallest first, while no other process replaces any.
#[derive(Debug, Default)]
pub(super) struct OwnPacks {
    pub(super) packs: Vec<Pack>,
    marks: PathBuf,
    shared: SharedPermissions,
    _lock: Option<File>,
}

impl OwnPacks {
    /// The packs in `directory` with a mark in `marks`; none if another process works on them, or they can't be read: they only save
    /// space.
    pub(super) fn claim(directory: &Path, marks: PathBuf, shared: SharedPermissions) -> Self {
        let none = Self { marks, shared, ..Self::default() };
        let lock = || -> io::Result<File> {
            shared.make_directory(&none.marks)?;
            let path = none.marks.join("lock");
            let lock = File::create(&path)?;
            // The process that created it has set these modes.
            let _ = shared.file(&path);
            Ok(lock)
        };
        let Ok(lock) = lock() else { return none };
        if lock.try_lock().is_err() {
            return none;
        }
        sweep(directory);
        let Ok(names) = fs::read_dir(&none.marks) else { return none };
        let mut packs = Vec::new();
        for name in names.flatten().map(|entry| entry.file_name()) {
            let path = directory.join(&name);
            if path.extension().is_none_or(|extension| extension != "pack") {
                continue;
            }
            match Pack::open(path.clone()) {
                Ok(pack) if may_go(&path) => packs.push(pack),
                // `git gc` repacked it, or a process was killed after removing it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    remove_files(&path);
                    let _ = fs::remove_file(none.marks.join(name));
                }
                _ => {}
            }
        }
        packs.sort_by(|one, other| (one.size, &one.path).cmp(&(other.size, &other.path)));
        Self { packs, _lock: Some(lock), ..none }
    }

    /// Marks the pack at `path` as ours. A pack without a mark is never replaced.
    pub(super) fn mark(&self, path: &Path) {
        if let Some(name) = path.file_name() {
            let mark = self.marks.join(name);
            let _ = fs::write(&mark, "").and_then(|()| self.shared.file(&mark));
        }
    }

    pub(super) fn remove(&self, paths: &[PathBuf]) {
        for path in paths.iter().filter(|path| may_go(path)) {
            // A pack that stays is a duplicate; the next recording or `git gc` removes it.
            remove_files(path);
            if let Some(name) = path.file_name() {
                let _ = fs::remove_file(self.marks.join(name));
            }
        }
    }
}

/// The index first: without it git ignores the pack.
fn remove_files(pack: &Path) {
    for extension in ["idx", "rev", "bitmap", "pack"] {
        let _ = fs::remove_file(pack.with_extension(extension));
    }
}

/// Packs with a `.keep` stay, and packs beside a multi-pack-index, which may name them.
fn may_go(pack: &Path) -> bool {
    let beside = |name: &str| pack.with_file_name(name).exists();
    !pack.with_extension("keep").exists() && !beside("multi-pack-index") && !beside("multi-pack-index.d")
}

/// Removes what killed processes left: unfinished packs, and `.keep` files of finished ones.
fn sweep(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let unfinished = name.starts_with(UNFINISHED);
        let kept = || {
            path.extension().is_some_and(|end| end == "keep")
                && fs::read(&path).is_ok_and(|text| text == KEPT.as_bytes())
        };
        // A writer holds its lock, except right after it created the file.
        let left = |file: File| is_older(&file, FRESH) && file.try_lock().is_ok();
        if (unfinished || kept()) && File::open(&path).is_ok_and(left) {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Whether a file was written longer ago than `age`. A time as far in the future counts too: the clock may have been set back.
pub(in crate::git) fn is_older(file: &File, age: Duration) -> bool {
    let modified = file.metadata().and_then(|data| data.modified());
    modified.is_ok_and(|time| match time.elapsed() {
        Ok(elapsed) => elapsed > age,
        Err(ahead) => ahead.duration() > age,
    })
}

/// Creates an unfinished file with git's permissions for a pack, locked so that no process sweeps it.
pub(super) fn unfinished(directory: &Path) -> io::Result<NamedTempFile> {
    let file = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .permissions(Permissions::from_mode(0o444))
        .tempfile_in(directory)?;
    file.as_file().lock()?;
    Ok(file)
}

#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    _lock: File,
}

impl Kept {
    /// Keeps the pack at `pack`, which need not exist yet; `None` if it has a `.keep` already.
    pub(super) fn new(pack: &Path) -> Option<Self> {
        let path = pack.with_extension("keep");
        // The file gets its name only once it is locked and has its text: an empty one would look like another program's for ever.
        let mut file = unfinished(pack.parent()?).ok()?;
        file.write_all(KEPT.as_bytes()).ok()?;
        let lock = file.persist_noclobber(&path).ok()?;
        Some(Self { path, _lock: lock })
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
