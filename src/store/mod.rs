//! Where packages live in a repository. The formats are specified in docs/format.md.
//! `codec` turns a package into git objects and back, `ledger` keeps what is known of packages and deployments, `remote` merges
//! both with what a remote has. Knows nothing of the framework, of worktrees or of the terminal.

mod codec;
mod ledger;
mod names;
mod remote;

pub use codec::archive_diff;
pub use codec::inspect::Inspection;
pub use codec::lfs_objects::LfsObjects;
pub use codec::migrate::FormChange;
pub use codec::package::{Damage, StoredPackage, VerifyReport};
pub use codec::package_signature::Signed;
pub use codec::record::{Recorded, Recording};
pub use codec::secret_recorder::SecretOptions;
pub use codec::toolchains;
pub use codec::zip_tree::largest_object;
pub use ledger::chain::Signing;
pub use ledger::filter::{Filter, ServiceFilter};
pub use ledger::note::{Note, NotedPackage};
pub use ledger::note_line::{self, PackageLine};
pub use ledger::notes::Notes;
pub use ledger::packages::{Listing, Packages};
pub use ledger::{bans, deployments, histories, locks, marks, pins, proof};
pub use names::{NOTES_REF, PackageKey, TOOLCHAINS, key_of, ref_of};
pub use remote::merge::MergeReport;
pub use remote::presence::{Presence, RemotePackages};
pub use remote::tracking::{self, RemoteNotes, Tracking};

use codec::encryption::Keys;
use codec::record::Recorder;
use histories::Histories;
use locks::Locks;
use marks::{MarkState, Marks};
use toolchains::Toolchains;

use crate::context::Environment;
use crate::error::Result;
use crate::git::{Oid, Repository};
use crate::package::Manifest;
use crate::progress::Progress;
use crate::secrets::Recipients;

/// The packages of one repository, and a handle for each kind of facts about them.
#[derive(Clone, Copy)]
pub struct Store<'r> {
    repository: &'r Repository,
    keys: Keys<'r>,
}

impl<'r> Store<'r> {
    pub fn new(repository: &'r Repository) -> Self {
        Self { repository, keys: Keys { repository, environment: None } }
    }

    /// With the user's keys from this environment, which open encrypted content.
    #[must_use]
    pub fn with_keys_of(self, environment: &'r Environment) -> Self {
        Self { keys: Keys { environment: Some(environment), ..self.keys }, ..self }
    }

    pub fn opens(&self, recipients: &Recipients) -> Result<bool> {
        self.keys.open(recipients)
    }

    /// Records a package: all of it, or nothing.
    pub fn record(&self, recording: &Recording<'_>, progress: &dyn Progress) -> Result<Recorded> {
        Recorder::new(self.repository).record(recording, progress)
    }

    /// Gives a recorded package to another commit with the very tree that it was made from.
    pub fn attach(&self, package_tree: Oid, manifest: &Manifest, commit: Oid) -> Result<()> {
        Recorder::new(self.repository).attach(package_tree, manifest, commit)
    }

    /// Opens the package that `line` of the note of `commit` lists.
    ///
    /// # Errors
    /// [`crate::error::Kind::Integrity`] when its ref, commit or manifest is missing or differs from the note.
    pub fn open(&self, commit: Oid, line: &PackageLine) -> Result<StoredPackage<'r>> {
        StoredPackage::open(self.keys, commit, line)
    }

    pub fn packages(&self) -> Packages<'r> {
        Packages::new(self.repository)
    }

    pub fn notes(&self) -> Notes<'r> {
        Notes::new(self.repository)
    }

    pub fn histories(&self) -> Histories<'r> {
        Histories::new(self.repository)
    }

    pub fn marks<S: MarkState>(&self) -> Marks<'r, S> {
        Marks::new(self.repository)
    }

    pub fn bans(&self) -> Marks<'r, bans::BanState> {
        self.marks()
    }

    pub fn pins(&self) -> Marks<'r, pins::PinState> {
        self.marks()
    }

    pub fn locks(&self) -> Locks<'r> {
        Locks::new(self.repository)
    }

    pub fn toolchains(&self) -> Toolchains<'r> {
        Toolchains::new(self.repository)
    }

    pub fn lfs_objects(&self) -> LfsObjects<'r> {
        LfsObjects::new(self.repository)
    }

    pub fn tracking<'a>(&self, remote: &'a str) -> Tracking<'a>
    where
        'r: 'a,
    {
        Tracking::new(self.repository, remote)
    }

    pub fn elsewhere(&self) -> Result<RemoteNotes<'r>> {
        RemoteNotes::read(self.repository)
    }

    pub fn remote(&self, remote: &str) -> Result<RemotePackages> {
        RemotePackages::ask(self.repository, remote)
    }
}
