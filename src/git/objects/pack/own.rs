//! The packs that this program wrote, which alone it may replace by larger ones: a mark of each is in `.git/slsart/packs`.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use super::file::Pack;
use crate::git::permissions::SharedPermissions;

/// How the files that are no packs yet begin. Not `tmp_`, which `git gc --prune=now` removes while they are written.
const UNFINISHED: &str = "slsart-unfinished-";
/// Files of this age may belong to a process that has not locked them yet.
const FRESH: Duration = Duration::from_mins(1);
/// What the `.keep` of a pack says that no ref leads to yet.
pub(in crate::git) const KEPT: &str = "git slsart: until its refs are written\n";

/// The packs of ours, smallest first, while no other process replaces any.
#[derive(Debug, Default)]
pub(super) struct OwnPacks {
    pub(super) packs: Vec<Pack>,
    marks: PathBuf,
    shared: SharedPermissions,
    /// Held until the value is dropped.
    _lock: Option<File>,
}

impl OwnPacks {
    /// The packs in `directory` that `marks` tells of; none when another process is at them, or they can't be read: they
    /// only save room.
    pub(super) fn claim(directory: &Path, marks: PathBuf, shared: SharedPermissions) -> Self {
        let none = Self { marks, shared, ..Self::default() };
        let lock = || -> io::Result<File> {
            shared.make_directory(&none.marks)?;
            let path = none.marks.join("lock");
            let lock = File::create(&path)?;
            // Whoever made it has given it these modes.
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
                // `git gc` took it into one of its own; or a process was killed that removed it.
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

    /// Says that the pack at `path` is ours. Without that it stays as it is.
    pub(super) fn mark(&self, path: &Path) {
        if let Some(name) = path.file_name() {
            let mark = self.marks.join(name);
            let _ = fs::write(&mark, "").and_then(|()| self.shared.file(&mark));
        }
    }

    /// Removes packs whose objects are all in another.
    pub(super) fn remove(&self, paths: &[PathBuf]) {
        for path in paths.iter().filter(|path| may_go(path)) {
            // What stays is found twice, and the next recording or `git gc` takes it.
            remove_files(path);
            if let Some(name) = path.file_name() {
                let _ = fs::remove_file(self.marks.join(name));
            }
        }
    }
}

/// The index first: without it nobody looks for the pack.
fn remove_files(pack: &Path) {
    for extension in ["idx", "rev", "bitmap", "pack"] {
        let _ = fs::remove_file(pack.with_extension(extension));
    }
}

/// Not a pack with a `.keep`; nor one beside a multi-pack-index, which may name it.
fn may_go(pack: &Path) -> bool {
    let beside = |name: &str| pack.with_file_name(name).exists();
    !pack.with_extension("keep").exists() && !beside("multi-pack-index") && !beside("multi-pack-index.d")
}

/// Removes what killed processes left: packs that were not finished, and `.keep` files of those that were.
fn sweep(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let unfinished = name.starts_with(UNFINISHED);
        let kept = || {
            path.extension().is_some_and(|end| end == "keep")
                && fs::read(&path).is_ok_and(|text| text == KEPT.as_bytes())
        };
        // Whoever is at it holds its lock, but for the moment after it was made.
        let left = |file: File| is_older(&file, FRESH) && file.try_lock().is_ok();
        if (unfinished || kept()) && File::open(&path).is_ok_and(left) {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Whether a file was written longer ago than `age`, or by a clock that was ahead by as much: it may have gone backwards since.
pub(in crate::git) fn is_older(file: &File, age: Duration) -> bool {
    let modified = file.metadata().and_then(|data| data.modified());
    modified.is_ok_and(|time| match time.elapsed() {
        Ok(elapsed) => elapsed > age,
        Err(ahead) => ahead.duration() > age,
    })
}

/// A file that is no pack, index or the like yet, with git's permissions for one, and locked so that nobody sweeps it away.
pub(super) fn unfinished(directory: &Path) -> io::Result<NamedTempFile> {
    let file = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .permissions(Permissions::from_mode(0o444))
        .tempfile_in(directory)?;
    file.as_file().lock()?;
    Ok(file)
}

/// Keeps a pack from `git gc` until the value is dropped.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    _lock: File,
}

impl Kept {
    /// Keeps the pack at `pack`, which need not be there yet; `None` when somebody else keeps it.
    pub(super) fn new(pack: &Path) -> Option<Self> {
        let path = pack.with_extension("keep");
        // It has its name once it is locked and says whose it is: an empty one would be somebody else's for ever.
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
