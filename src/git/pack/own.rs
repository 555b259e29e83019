//! The packs that this program wrote, which alone it may replace by larger ones: a mark of each is in `.git/slsart/packs`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::file::Pack;

/// The packs of ours, smallest first, while no other process replaces any.
#[derive(Debug, Default)]
pub(super) struct OwnPacks {
    pub(super) packs: Vec<Pack>,
    marks: PathBuf,
    /// Held until the value is dropped.
    _lock: Option<File>,
}

impl OwnPacks {
    /// The packs below `objects` that `marks` tells of; none when another process is at them.
    pub(super) fn claim(objects: &Path, marks: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&marks)?;
        let lock = File::create(marks.join("lock"))?;
        if lock.try_lock().is_err() {
            return Ok(Self { marks, ..Self::default() });
        }
        let multi = named_in_multi_pack_index(objects);
        let mut packs = Vec::new();
        for entry in fs::read_dir(&marks)? {
            let name = entry?.file_name();
            let path = objects.join("pack").join(&name);
            if path.extension().is_none_or(|extension| extension != "pack") {
                continue;
            }
            // A pack with a `.keep` is to stay; one that a multi-pack-index names can't go before that is written anew.
            if path.with_extension("keep").exists() || multi {
                continue;
            }
            match Pack::open(path) {
                Ok(pack) => packs.push(pack),
                // `git gc` took it into one of its own.
                Err(error) if error.kind() == io::ErrorKind::NotFound => fs::remove_file(marks.join(name))?,
                Err(_) => {}
            }
        }
        packs.sort_by(|one, other| (one.size, &one.path).cmp(&(other.size, &other.path)));
        Ok(Self { packs, marks, _lock: Some(lock) })
    }

    /// Says that the pack at `path` is ours.
    pub(super) fn mark(&self, path: &Path) -> io::Result<()> {
        path.file_name().map_or(Ok(()), |name| fs::write(self.marks.join(name), ""))
    }

    /// Removes packs whose objects are all in another. Its index first: without it nobody looks for the pack.
    pub(super) fn remove(&self, paths: &[PathBuf]) {
        for path in paths {
            for extension in ["idx", "rev", "bitmap", "pack"] {
                // What stays is found twice, and `git gc` takes it.
                let _ = fs::remove_file(path.with_extension(extension));
            }
            if let Some(name) = path.file_name() {
                let _ = fs::remove_file(self.marks.join(name));
            }
        }
    }
}

fn named_in_multi_pack_index(objects: &Path) -> bool {
    let directory = objects.join("pack");
    directory.join("multi-pack-index").exists() || directory.join("multi-pack-index.d").exists()
}
