//! The packs that this program wrote, which alone it may replace by larger ones: a mark of each is in `.git/slsart/packs`.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::Pack;
use crate::git::shared::Shared;

/// How the files that are no packs yet begin. Not `tmp_`, which `git gc --prune=now` removes while they are written.
pub(super) const UNFINISHED: &str = "slsart-unfinished-";
/// Files of this age may belong to a process that has not locked them yet.
const FRESH: Duration = Duration::from_mins(1);
/// What the `.keep` of a pack says that no ref leads to yet.
pub(in crate::git) const KEPT: &str = "git slsart: until its refs are written\n";

/// The packs of ours, smallest first, while no other process replaces any.
#[derive(Debug, Default)]
pub(super) struct OwnPacks {
    pub(super) packs: Vec<Pack>,
    marks: PathBuf,
    shared: Shared,
    /// Held until the value is dropped.
    _lock: Option<File>,
}

impl OwnPacks {
    /// The packs in `directory` that `marks` tells of; none when another process is at them, or they can't be read: they
    /// only save room.
    pub(super) fn claim(directory: &Path, marks: PathBuf, shared: Shared) -> Self {
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
        let old = || {
            let modified = fs::metadata(&path).and_then(|data| data.modified());
            modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > FRESH))
        };
        let free = || File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
        if (unfinished || kept()) && old() && free() {
            let _ = fs::remove_file(&path);
        }
    }
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
        let mut file = File::create_new(&path).ok()?;
        let written = file.lock().and_then(|()| file.write_all(KEPT.as_bytes()));
        let kept = Self { path, _lock: file };
        written.ok().map(|()| kept)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
