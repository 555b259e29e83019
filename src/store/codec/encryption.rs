//! Encrypted contents of packages: where they are in a tree, and how they are written and opened. Specified in docs/format.md. A whole
//! file is the blob `age` in a folder at the file's place; a content of an archive is at its place below `age/` in the archive's folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::context::Environment;
use crate::error::{Error, Result};
use crate::git::{Batch, MODE_FILE, MODE_TREE, Oid, Repository, TreeEntry, data_dir};
use crate::package::Sha256;
use crate::secrets::{Identities, MAX_SEALED, Recipients, is_locked, seal, unseal};

pub(in crate::store) const FOLDER: &str = "age";

/// The most bytes that encrypting adds, and the most of a key file.
const MAX_ADDED: u64 = 1 << 20;

/// The blob of a file that is encrypted as a whole, and is `tree` in a package.
pub(in crate::store) fn whole(repository: &Repository, tree: Oid) -> Result<Option<Oid>> {
    let entry = repository.tree_entry(tree, FOLDER.as_bytes())?;
    Ok(entry.filter(|entry| entry.mode == MODE_FILE).map(|entry| entry.id))
}

/// Whether any part of the file `entry` of a package is encrypted.
pub(in crate::store) fn is_in(repository: &Repository, entry: &TreeEntry) -> Result<bool> {
    if entry.mode != MODE_TREE {
        return Ok(false);
    }
    Ok(repository.tree_entry(entry.id, FOLDER.as_bytes())?.is_some())
}

/// Where an encrypted content of an archive is.
pub(in crate::store) fn place(place: &str) -> String {
    format!("{FOLDER}/{place}")
}

/// Encrypts contents, each once: age gives other bytes each time, so an object that exists is reused. Only this machine knows which object
/// holds which content.
pub(in crate::store) struct Sealer<'a> {
    pub(in crate::store) repository: &'a Path,
    pub(in crate::store) recipients: &'a Recipients,
}

impl Sealer<'_> {
    /// Encrypts a content, and writes it. `has`: whether an object is in the repository.
    pub(in crate::store) fn write(
        &self,
        batch: &Batch,
        plain: &[u8],
        has: impl Fn(Oid) -> bool,
    ) -> Result<Oid> {
        let note = self.note(plain);
        let known = fs::read_to_string(&note).ok().and_then(|text| Oid::from_str(text.trim()).ok());
        if let Some(known) = known.filter(|known| has(*known)) {
            return Ok(known);
        }
        let id = batch.blob(&seal(plain, self.recipients)?, None)?;
        // The note only saves space: without it, the content is encrypted again.
        if let Some(parent) = note.parent() {
            let _ = fs::create_dir_all(parent).and_then(|()| fs::write(&note, format!("{id}\n")));
        }
        Ok(id)
    }

    fn note(&self, plain: &[u8]) -> PathBuf {
        let told = [self.recipients.names().join("\n").as_bytes(), b"\0", plain].concat();
        self.repository.join("sealed").join(Sha256::of(&told).to_string())
    }
}

pub(in crate::store) fn directory(repository: &Repository) -> PathBuf {
    data_dir(repository)
}

/// The keys of a user, read when they are needed.
#[derive(Clone, Copy)]
pub(in crate::store) struct Keys<'r> {
    pub(in crate::store) repository: &'r Repository,
    /// Where they are named; `None`: there are none.
    pub(in crate::store) environment: Option<&'r Environment>,
}

impl Keys<'_> {
    pub(in crate::store) fn open(&self, recipients: &Recipients) -> Result<bool> {
        match unseal(&seal(b"", recipients)?, &self.identities(), 0) {
            Err(error) if is_locked(&error) => Ok(false),
            opened => opened.map(|_| true),
        }
    }

    pub(in crate::store) fn identities(&self) -> Identities {
        let mut identities = Identities::default();
        let Some(environment) = self.environment else { return identities };
        let home = environment.value("HOME").map(PathBuf::from);
        let expand = |path: &str| match (path.strip_prefix("~/"), &home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        };
        let named = environment.text("SLSART_IDENTITY").map(str::to_owned);
        let named = named.or_else(|| self.repository.config("slsart.identity"));
        if let Some(path) = named {
            let place = expand(&path);
            match read(&place) {
                Ok(text) => identities.add(&text, &path),
                Err(error) => identities.add_unreadable(&path, &error),
            }
        }
        let config =
            environment.value("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let config = config.or_else(|| home.as_ref().map(|home| home.join(".config")));
        let usual = config.map(|config| config.join("git-slsart/identity")).into_iter();
        let ssh =
            home.iter().flat_map(|home| ["id_ed25519", "id_rsa"].map(|name| home.join(".ssh").join(name)));
        for path in usual.chain(ssh) {
            if let Ok(text) = read(&path) {
                identities.add(&text, &path.display().to_string());
            }
        }
        identities
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    if fs::metadata(path)?.len() > MAX_ADDED {
        return Err(std::io::Error::other("it is too large to be a key"));
    }
    fs::read_to_string(path)
}

pub(in crate::store) fn open(
    repository: &Repository,
    id: Oid,
    identities: &Identities,
    limit: u64,
) -> Result<Vec<u8>> {
    let limit = limit.min(MAX_SEALED);
    // What encrypting adds: a line for each recipient, and 16 bytes for each 64 KiB.
    let sealed = repository.read_blob(id, limit + limit / 1024 + MAX_ADDED)?;
    unseal(&sealed, identities, limit)
}

pub(in crate::store) fn too_large(what: &str) -> Error {
    Error::refused(format!("'{what}' holds secrets and is too large to be encrypted"))
        .hint("remove the secrets from it, or list them in `allow` in [secrets] of slsart.toml")
}
