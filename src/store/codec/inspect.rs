//! Reads a package once from end to end: checks every byte, and collects facts about the content.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Write as _};

use tempfile::SpooledTempFile;

use super::package::{Damage, StoredPackage};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::service::{MAX_STATE_BYTES, STATE_FILE, State};

/// Archives up to this size are kept in memory rather than in a file, to read their directory.
const MAX_IN_MEMORY: usize = 16 * 1024 * 1024;

#[derive(Debug, Default)]
pub struct Inspection {
    pub damages: Vec<Damage>,
    /// The archives by path, each with the unpacked size in bytes of all entries, according to its directory.
    pub unpacked: BTreeMap<String, u64>,
    /// The same archives, each with the names of the files at its top.
    pub tops: BTreeMap<String, BTreeSet<String>>,
}

impl StoredPackage<'_> {
    /// Reads every file once and compares it with its hash; keeps the state for [`Self::state`], and reads the directories of the others that
    /// are zips.
    pub fn inspect(&self, progress: &dyn Progress) -> Result<Inspection> {
        let mut found = Inspection::default();
        for file in &self.manifest.files {
            if file.path == STATE_FILE && file.size <= MAX_STATE_BYTES as u64 {
                let mut content = Vec::new();
                let damage = self.verify_file(file, progress, &mut |bytes| {
                    content.extend_from_slice(bytes);
                    Ok(())
                })?;
                // What is wrong with it is said by who asks for it.
                if let (None, Ok(state)) = (&damage, State::parse(&content)) {
                    self.state.get_or_init(|| state);
                }
                found.damages.extend(damage);
                continue;
            }
            let failed = |error| Error::refused("cannot write a temporary file").because(error);
            let mut copy = SpooledTempFile::new(MAX_IN_MEMORY);
            let damage =
                self.verify_file(file, progress, &mut |bytes| copy.write_all(bytes).map_err(failed))?;
            match damage {
                None => {
                    if let Some((size, top)) = look_into(copy) {
                        found.unpacked.insert(file.path.clone(), size);
                        found.tops.insert(file.path.clone(), top);
                    }
                }
                damage => found.damages.extend(damage),
            }
        }
        Ok(found)
    }
}

/// `None` if it is not a zip, or its directory is invalid.
fn look_into(copy: SpooledTempFile) -> Option<(u64, BTreeSet<String>)> {
    let mut zip = zip::ZipArchive::new(BufReader::new(copy)).ok()?;
    let (mut total, mut top) = (0_u64, BTreeSet::new());
    for number in 0..zip.len() {
        let entry = zip.by_index_raw(number).ok()?;
        total = total.checked_add(entry.size())?;
        let name = String::from_utf8_lossy(entry.name_raw());
        if !name.contains('/') {
            top.insert(name.into_owned());
        }
    }
    Some((total, top))
}
