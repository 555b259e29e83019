//! Where packages live in a repository. The formats are specified in docs/format.md.
//! `codec` turns a package into git objects and back, `ledger` keeps what is known of packages and deployments, `remote` merges
//! both with what a remote has. Knows nothing of the framework, of worktrees or of the terminal.

mod codec;
mod ledger;
mod names;
mod remote;

pub use codec::archive_diff;
pub use codec::inspect::Inspection;
pub use codec::migrate::Change;
pub use codec::package::{Damage, StoredPackage, Verified};
pub use codec::package_signature::Signed;
pub use codec::record::{Recorded, Recording};
pub use codec::secret_recorder::Secrecy;
pub use codec::toolchains;
pub use codec::zip_tree::largest_object;
pub use ledger::chain::Signing;
pub use ledger::note::Note;
pub use ledger::note_line::{self, PackageLine};
pub use ledger::packages::{Filter, Found, Listing, ServiceFilter};
pub use ledger::{bans, deployments, locks, marks, pins, proof, pruning};
pub use names::NOTES_REF;
pub use remote::presence::{Presence, Remote};
pub use remote::{tracking, travel};

use codec::encryption;
use ledger::note::parse_note;
use ledger::note_tree;

use crate::context::Environment;
use crate::error::Result;
use crate::git::{Oid, Repository};
use crate::secrets::{Identities, Recipients, is_locked, seal, unseal};

/// The file in a package's tree that describes it.
const MANIFEST: &str = "manifest.toml";

/// The packages of one repository.
#[derive(Clone, Copy)]
pub struct Store<'r> {
    repository: &'r Repository,
    /// Where the user's keys are told, for what is encrypted.
    environment: Option<&'r Environment>,
}

impl<'r> Store<'r> {
    /// The store of `repository`.
    #[must_use]
    pub fn new(repository: &'r Repository) -> Self {
        Self { repository, environment: None }
    }

    /// The same, with the keys of a user in this environment: what is encrypted can be read with them.
    #[must_use]
    pub fn with_keys_of(self, environment: &'r Environment) -> Self {
        Self { environment: Some(environment), ..self }
    }

    /// Whether a key of the user opens what is encrypted to `recipients`.
    pub fn opens(&self, recipients: &Recipients) -> Result<bool> {
        match unseal(&seal(b"", recipients)?, &self.identities(), 0) {
            Err(error) if is_locked(&error) => Ok(false),
            opened => opened.map(|_| true),
        }
    }

    fn identities(&self) -> Identities {
        encryption::identities(self.repository, self.environment)
    }

    /// The note of `commit`; empty when it has none.
    pub fn note(&self, commit: Oid) -> Result<Note> {
        let Some(tip) = self.repository.ref_target(NOTES_REF)? else { return Ok(Note::default()) };
        let root = self.repository.commit(tip)?.tree;
        self.note_in(root, commit)
    }

    fn note_in(&self, notes_tree: Oid, commit: Oid) -> Result<Note> {
        let text = note_tree::read(self.repository, notes_tree, commit)?;
        Ok(text.map(|text| parse_note(&text)).unwrap_or_default())
    }

    fn notes_tree(&self) -> Result<Option<Oid>> {
        let tip = self.repository.ref_target(NOTES_REF)?;
        tip.map(|tip| Ok(self.repository.commit(tip)?.tree)).transpose()
    }
}
