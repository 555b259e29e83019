//! Writing a directory that was read into a pack: what is there already is not written again.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt as _;

use super::scan::{Directory, DirectoryScan, Entry, open};
use super::spread::spread;
use crate::error::{Error, Result};
use crate::git::{Batch, MODE_LINK, MODE_TREE, Oid};

/// Most bytes of a file that is held in memory, one a thread.
const MAX_HELD: u64 = 8 * 1024 * 1024;

impl DirectoryScan {
    /// Adds its tree and everything in it to `batch`; fails if a file changed since it was read.
    pub fn write(&self, batch: &Batch) -> Result<Oid> {
        let mut seen = HashSet::new();
        let mut missing: Vec<(&Directory, &Entry)> = Vec::new();
        for directory in &self.directories {
            let files = directory.entries.iter().filter(|entry| entry.mode != MODE_TREE);
            missing.extend(files.filter(|entry| seen.insert(entry.id)).map(|entry| (directory, entry)));
        }
        spread(missing.len(), |index| {
            let (directory, entry) = missing[index];
            if batch.has(entry.id) { Ok(()) } else { write_entry(batch, directory, entry) }
        })?;
        if self.directories.iter().any(|directory| directory.entries.is_empty()) {
            batch.blob(b"", None)?;
        }
        let trees = spread(self.directories.len(), |index| {
            self.directories[index].tree().and_then(|entries| batch.tree(entries, None))
        })?;
        Ok(trees[0])
    }
}

fn write_entry(batch: &Batch, directory: &Directory, entry: &Entry) -> Result<()> {
    let path = entry.path(directory);
    let unreadable = |error| Error::io("read", &path, error);
    let id = if entry.mode == MODE_LINK {
        let target = fs::read_link(&path).map_err(unreadable)?;
        batch.blob(&target.into_os_string().into_vec(), None)?
    } else if entry.size <= MAX_HELD {
        let mut bytes = Vec::with_capacity(usize::try_from(entry.size).unwrap_or_default() + 1);
        let file = open(&path).map_err(unreadable)?;
        file.take(entry.size + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 != entry.size {
            return Err(changed(&path));
        }
        batch.blob(&bytes, None)?
    } else {
        let content = || -> io::Result<Box<dyn Read>> { Ok(Box::new(open(&path)?)) };
        batch.blob_stream(entry.size, &content, None)?
    };
    if id == entry.id { Ok(()) } else { Err(changed(&path)) }
}

fn changed(path: &std::path::Path) -> Error {
    Error::refused(format!("'{}' changed while it was saved: nothing was saved", path.display()))
        .hint("make sure that nothing else writes there, and run the command again")
}
