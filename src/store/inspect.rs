//! How large a zip of a package is when it is unpacked.

use std::fs::File;
use std::io::{BufReader, Write as _};

use super::StoredPackage;
use crate::error::{Error, Result};
use crate::progress::Silent;

impl StoredPackage<'_> {
    /// The sum of the sizes, in bytes, that the entries of the zip at `path` have unpacked, as its directory says them; `None` where
    /// the package has no such file, or it is no zip.
    pub fn unpacked_size(&self, path: &str) -> Result<Option<u64>> {
        let Some(file) = self.manifest.files.iter().find(|file| file.path == path) else { return Ok(None) };
        let failed = |error| Error::refused("cannot write a temporary file").because(error);
        let mut copy = tempfile::tempfile().map_err(failed)?;
        self.stream(file, &Silent, &mut |bytes| copy.write_all(bytes).map_err(failed))?;
        Ok(zip::ZipArchive::new(BufReader::new(copy)).ok().and_then(total))
    }
}

/// `None` where the directory can't be read, or says what no archive has.
fn total(mut zip: zip::ZipArchive<BufReader<File>>) -> Option<u64> {
    (0..zip.len()).try_fold(0_u64, |total, number| total.checked_add(zip.by_index_raw(number).ok()?.size()))
}
