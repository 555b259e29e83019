//! Where packages live in a repository: refs, notes, trees. The formats are specified in docs/format.md.
//! Knows git's objects and refs; knows nothing of the framework, of worktrees or of the terminal.

mod archive;
pub mod bans;
mod chain;
mod content;
mod decide;
pub mod deployments;
mod earlier;
mod guard;
pub mod inside;
mod inspect;
mod lfs;
pub mod line;
pub mod locks;
mod migrate;
mod names;
mod notes;
pub mod proof;
mod read;
mod remote;
mod sealed;
mod search;
pub mod sharing;
mod sign;
pub mod toolchains;
mod union;
mod write;

pub use archive::largest_object;
pub use chain::Signing;
pub use guard::Secrecy;
pub use inspect::Inspection;
pub use line::PackageLine;
pub use migrate::Change;
pub use read::{Damage, StoredPackage, Verified};
pub use remote::{Presence, Remote};
pub use search::{Filter, Found, Listing};
pub use sign::Signed;
pub use write::{Recorded, Recording};

use crate::context::Environment;
use crate::error::Result;
use crate::git::{Oid, Repository};
use crate::secrets::{Identities, Recipients, is_locked, seal, unseal};

/// The ref that holds the notes.
pub const NOTES_REF: &str = "refs/notes/slsart";

/// The file in a package's tree that describes it.
const MANIFEST: &str = "manifest.toml";

/// The packages of one repository.
#[derive(Clone, Copy)]
pub struct Store<'r> {
    repository: &'r Repository,
    /// Where the user's keys are told, for what is encrypted.
    environment: Option<&'r Environment>,
}

/// What a commit's note says.
#[derive(Debug, Default)]
pub struct Note {
    /// Its packages, oldest first.
    pub packages: Vec<PackageLine>,
    /// Lines that are none of this program's, or of a later version of it: kept, and told of.
    pub unread: Vec<String>,
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
        sealed::identities(self.repository, self.environment)
    }

    /// The note of `commit`; empty when it has none.
    pub fn note(&self, commit: Oid) -> Result<Note> {
        let Some(tip) = self.repository.ref_target(NOTES_REF)? else { return Ok(Note::default()) };
        let root = self.repository.commit(tip)?.tree;
        self.note_in(root, commit)
    }

    fn note_in(&self, notes_tree: Oid, commit: Oid) -> Result<Note> {
        let text = notes::read(self.repository, notes_tree, commit)?;
        Ok(text.map(|text| parse_note(&text)).unwrap_or_default())
    }

    fn notes_tree(&self) -> Result<Option<Oid>> {
        let tip = self.repository.ref_target(NOTES_REF)?;
        tip.map(|tip| Ok(self.repository.commit(tip)?.tree)).transpose()
    }
}

fn parse_note(text: &[u8]) -> Note {
    let mut note = Note::default();
    for line in String::from_utf8_lossy(text).lines().filter(|line| !line.trim().is_empty()) {
        match line.parse::<PackageLine>() {
            Ok(package) => note.packages.push(package),
            Err(_) => note.unread.push(line.to_owned()),
        }
    }
    // Two machines may have written them in any order.
    note.packages.sort_by(|one, other| (one.recorded, &one.package).cmp(&(other.recorded, &other.package)));
    // Two machines may also have recorded the same one.
    let mut packages: Vec<PackageLine> = Vec::with_capacity(note.packages.len());
    for line in note.packages {
        if !packages.iter().any(|known| known.is_same(&line)) {
            packages.push(line);
        }
    }
    note.packages = packages;
    note
}
