//! What is recorded of a package, for comparison with what AWS has.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

use crate::project::{Project, STAGE};

/// The package of a commit, extracted.
pub(crate) struct Recorded {
    /// Its directory.
    pub(crate) directory: PathBuf,
}

impl Project {
    /// Extracts the package of `commit`.
    #[track_caller]
    pub(crate) fn recorded(&self, commit: &str) -> Recorded {
        let directory = self.beside(&format!("extracted-{commit}"));
        self.slsart(&format!("extract {commit} -s {STAGE} -o '{}'", directory.display())).succeeds();
        Recorded { directory }
    }
}

impl Recorded {
    /// A file's hash as Lambda writes it in `CodeSha256`.
    pub(crate) fn code_sha256(&self, file: &str) -> String {
        BASE64_STANDARD.encode(Sha256::digest(self.read(file)))
    }

    /// A file's content.
    pub(crate) fn read(&self, file: &str) -> Vec<u8> {
        let path = self.directory.join(file);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}
