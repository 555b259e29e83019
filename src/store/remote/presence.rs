//! Which packages a remote has: their refs and LFS objects. Objects are checked by fetching them into a separate store: `git lfs push
//! --dry-run` and `fetch --dry-run` don't ask the server.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::git::lfs::is_missing_object;
use crate::git::scratch::Scratch;
use crate::git::{Oid, Repository};
use crate::store::codec::lfs::objects;
use crate::store::codec::package::{Damage, StoredPackage};
use crate::store::names::PACKAGES;

#[derive(Debug)]
pub struct RemotePackages {
    pub name: String,
    refs: BTreeMap<String, Oid>,
}

#[derive(Debug, Clone, PartialEq, Eq, Copy, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// The package, in the same form.
    Same,
    /// The package in another form: it was migrated here, or there.
    OtherForm,
    Absent,
}

impl RemotePackages {
    pub(in crate::store) fn ask(repository: &Repository, remote: &str) -> Result<Self> {
        repository.need_remote(remote)?;
        let refs = repository.remote_refs(remote, &format!("{PACKAGES}*"))?;
        Ok(Self { name: remote.to_owned(), refs: refs.into_iter().collect() })
    }

    /// Asks the remote for the package's ref and, if it has that, for every LFS object, whose bytes are compared. Objects that it has need
    /// no link of ours any more.
    ///
    /// # Returns
    /// What the remote has, and the files whose objects it lacks.
    pub fn verify(&self, package: &StoredPackage<'_>) -> Result<(Presence, Vec<Damage>)> {
        let repository = package.repository();
        let name = package.ref_name();
        let presence = match self.refs.get(&name) {
            None => return Ok((Presence::Absent, Vec::new())),
            Some(id) if repository.ref_target(&name)? == Some(*id) => Presence::Same,
            Some(_) => Presence::OtherForm,
        };
        let files = package.lfs_files()?;
        if files.is_empty() {
            return Ok((presence, Vec::new()));
        }
        for lender in repository.borrowed_lfs() {
            if files.iter().any(|file| objects::place_in(&lender, file).exists()) {
                return Err(Error::refused(format!(
                    "this repository borrows LFS objects from '{}': git-lfs would read them there instead of asking {}",
                    lender.display(),
                    self.name
                ))
                .hint("run this in that repository, or in a clone of its own"));
            }
        }
        let scratch = Scratch::new(repository)?;
        match repository.fetch_lfs_into(scratch.path(), &self.name, &name) {
            Err(error) if !is_missing_object(&error) => return Err(error),
            _ => {}
        }
        let mut damages = Vec::new();
        for file in files {
            if objects::is_whole(&objects::place_in(scratch.path(), file), file)? {
                objects::release(repository, file)?;
            } else {
                let problem = format!("{} does not have the LFS object of '{}'", self.name, file.path);
                damages.push(Damage { path: file.path.clone(), problem });
            }
        }
        Ok((presence, damages))
    }
}
