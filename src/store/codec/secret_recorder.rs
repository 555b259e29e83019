//! Searches for secrets while a package is written: what is found in each content, and whether to encrypt it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use flate2::read::DeflateDecoder;

use super::encryption::{self, Sealer};
use crate::archive::{Content, Place};
use crate::error::{Error, Result};
use crate::git::Repository;
use crate::package::manifest::FileEntry;
use crate::package::secrets::{MAX_SECRETS, SCANNER, Secret, SecretScan};
use crate::package::storage::Form;
use crate::package::{Manifest, PackageId};
use crate::secrets::{Scanner, SecretPolicy};

/// Most unpacked bytes of an archive's entry that are searched.
const MAX_UNPACKED: u64 = 64 << 20;

#[derive(Clone, Copy)]
pub struct SecretOptions<'a> {
    pub scanner: &'a Scanner,
    pub policy: &'a SecretPolicy,
}

/// Collects the secrets that are found in a package while it is written.
pub(in crate::store) struct SecretRecorder<'a> {
    secret_options: SecretOptions<'a>,
    directory: PathBuf,
    /// Found before, with values that may not be available now.
    known: Vec<Secret>,
    found: Mutex<Vec<Secret>>,
}

impl<'a> SecretRecorder<'a> {
    pub(in crate::store) fn new(repository: &Repository, secret_options: SecretOptions<'a>) -> Self {
        let directory = encryption::directory(repository);
        Self { secret_options, directory, known: Vec::new(), found: Mutex::default() }
    }

    /// Also finds the secrets that are known already.
    pub(in crate::store) fn knowing(self, known: &[Secret]) -> Self {
        Self { known: known.to_vec(), ..self }
    }

    pub(in crate::store) fn sealer(&self) -> Sealer<'_> {
        Sealer { repository: &self.directory, recipients: &self.secret_options.policy.recipients }
    }

    /// Searches a file that is recorded whole. Returns whether to encrypt it.
    pub(in crate::store) fn file(&self, file: &str, bytes: &[u8]) -> bool {
        self.take(file, None, self.secret_options.scanner.file(file, bytes))
    }

    pub(in crate::store) fn large_file(&self, file: &str, path: &Path) -> io::Result<bool> {
        let found = self.secret_options.scanner.stream(file, "", &mut File::open(path)?)?;
        let found = found.into_iter().map(|secret| Secret { entry: None, ..secret }).collect();
        Ok(self.take(file, None, found))
    }

    pub(in crate::store) fn content(
        &self,
        file: &str,
        place: &Place,
        content: &Content<'_>,
    ) -> io::Result<bool> {
        let scanner = self.secret_options.scanner;
        let entry = place.as_str();
        let entry = entry.strip_prefix("tree/").unwrap_or(entry);
        let mut found = match content.bytes() {
            Some(bytes) => scanner.entry(file, entry, bytes),
            None => scanner.stream(file, entry, &mut content.reader()?)?,
        };
        if place.as_str().starts_with("raw/") {
            // It is in the zip as it is, most likely deflated; other bytes fail to inflate.
            let mut plain = Vec::new();
            let _ = DeflateDecoder::new(content.reader()?).take(MAX_UNPACKED).read_to_end(&mut plain);
            found.extend(scanner.entry(file, entry, &plain));
        }
        Ok(self.take(file, Some(entry), found))
    }

    /// Searches a file in LFS: as it is, and the entries of a zip. Fails if it would have to be encrypted.
    pub(in crate::store) fn in_lfs(&self, file: &FileEntry, path: &Path) -> Result<()> {
        let unreadable = |error| Error::io("read", path, error);
        let mut seal = false;
        let open = File::open(path).map_err(unreadable)?;
        match zip::ZipArchive::new(BufReader::new(open)) {
            Ok(mut zip) => {
                for index in 0..zip.len() {
                    let Ok(entry) = zip.by_index(index) else { continue };
                    let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
                    // An entry that can't be unpacked can't be searched.
                    let mut part = entry.take(MAX_UNPACKED);
                    let found = self.secret_options.scanner.stream(&file.path, &name, &mut part);
                    seal |= self.take(&file.path, Some(&name), found.unwrap_or_default());
                }
            }
            Err(_) if file.size <= MAX_UNPACKED => {
                let bytes = std::fs::read(path).map_err(unreadable)?;
                seal = self.file(&file.path, &bytes);
            }
            Err(_) => seal = self.large_file(&file.path, path).map_err(unreadable)?,
        }
        if seal { Err(in_lfs(&file.path)) } else { Ok(()) }
    }

    /// Takes over what the manifest of an earlier package lists for a file of the same bytes.
    ///
    /// # Returns
    ///
    /// Whether the file can be reused too: it was searched for the same secrets, and is in the wanted form.
    pub(in crate::store) fn as_before(&self, earlier: &Manifest, file: &FileEntry, kept: Form) -> bool {
        let Some(scan) = earlier.scan.as_ref().filter(|scan| scan.scanner == SCANNER && scan.more == 0)
        else {
            return false;
        };
        let before: Vec<Secret> =
            earlier.secrets.iter().filter(|secret| secret.file == file.path).cloned().collect();
        let policy = self.secret_options.policy;
        let form = if policy.encrypts(&before) {
            kept == Form::Git && scan.recipients == policy.recipients.names()
        } else {
            before.is_empty() || scan.recipients.is_empty()
        };
        let same = form && scan.values == self.secret_options.scanner.mark(earlier.package.id);
        if same {
            self.found.lock().unwrap_or_else(PoisonError::into_inner).extend(before);
        }
        same
    }

    fn take(&self, file: &str, entry: Option<&str>, mut found: Vec<Secret>) -> bool {
        let is_here = |secret: &&Secret| secret.file == file && secret.entry.as_deref() == entry;
        found.extend(self.known.iter().filter(is_here).cloned());
        if found.is_empty() {
            return false;
        }
        let seal = self.secret_options.policy.encrypts(&found);
        self.found.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
        seal
    }

    pub(in crate::store) fn finish(self) -> Vec<Secret> {
        let mut found = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl SecretOptions<'_> {
    /// Writes the findings into a manifest, with the policy's decisions.
    pub fn describe(&self, found: Vec<Secret>, manifest: &mut Manifest) {
        let policy = self.policy;
        let open = !policy.objectionable(&found).is_empty();
        let mut scan = self.scan(manifest.package.id);
        if open {
            scan.decision = policy.decision();
        }
        if policy.encrypts(&found) {
            scan.recipients = policy.recipients.names().to_vec();
        }
        scan.more = found.len().saturating_sub(MAX_SECRETS);
        manifest.secrets = first(found);
        manifest.scan = Some(scan);
    }

    fn scan(&self, id: PackageId) -> SecretScan {
        SecretScan { scanner: SCANNER, values: self.scanner.mark(id), ..SecretScan::default() }
    }
}

/// As many as a manifest lists, spread over all files and archive entries.
fn first(mut found: Vec<Secret>) -> Vec<Secret> {
    if found.len() > MAX_SECRETS {
        let mut seen = BTreeSet::new();
        found.sort_by_cached_key(|secret| !seen.insert((secret.file.clone(), secret.entry.clone())));
        found.truncate(MAX_SECRETS);
        found.sort_unstable();
    }
    found
}

/// A file that holds secrets can't be in LFS.
pub(in crate::store) fn in_lfs(path: &str) -> Error {
    Error::refused(format!(
        "'{path}' holds secrets and would be kept in Git LFS, where it can't be encrypted"
    ))
    .hint("keep it in git objects: --storage git, or storage = \"git\" in slsart.toml")
}
