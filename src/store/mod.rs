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
pub mod marks;
mod migrate;
mod names;
mod notes;
pub mod pins;
pub mod proof;
pub mod pruning;
mod read;
mod remote;
mod sealed;
mod search;
pub mod sharing;
mod sign;
pub mod toolchains;
pub mod travel;
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
    /// Those that were pruned, as their tombstones have them, oldest first.
    pub pruned: Vec<PackageLine>,
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
    bury(&mut note);
    // Two machines may have recorded the same one: the later line is the one that outlives a tombstone.
    let mut packages: Vec<PackageLine> = Vec::with_capacity(note.packages.len());
    for line in note.packages.into_iter().rev() {
        if !packages.iter().any(|known| known.is_same(&line)) {
            packages.push(line);
        }
    }
    packages.reverse();
    note.packages = packages;
    note
}

/// Takes out what was pruned. A package is gone where its tombstone is not older than any line without one: who records it again
/// writes a later line.
fn bury(note: &mut Note) {
    let (tombstones, lines): (Vec<_>, Vec<_>) =
        std::mem::take(&mut note.packages).into_iter().partition(|line| line.pruned.is_some());
    let is_buried = |line: &PackageLine| {
        tombstones
            .iter()
            .any(|tombstone| tombstone.shares_content(line) && tombstone.recorded >= line.recorded)
    };
    note.packages = lines.into_iter().filter(|line| !is_buried(line)).collect();
    // The newest tombstone of each.
    for tombstone in tombstones.into_iter().rev() {
        let is_known = |known: &PackageLine| known.shares_content(&tombstone);
        if !note.packages.iter().any(is_known) && !note.pruned.iter().any(is_known) {
            note.pruned.push(tombstone);
        }
    }
    note.pruned.reverse();
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::package::manifest::tests::sample;

    fn line(recorded: i64, pruned: Option<i64>) -> PackageLine {
        let at = |second| Timestamp::from_second(second).unwrap();
        PackageLine { recorded: at(recorded), pruned: pruned.map(at), ..PackageLine::of(&sample()) }
    }

    /// How many packages are there, and how many were pruned, in whatever order the lines stand.
    fn read(lines: &[PackageLine]) -> (usize, usize) {
        let text = |lines: &mut dyn Iterator<Item = &PackageLine>| {
            lines.map(|line| line.to_string() + "\n").collect::<String>()
        };
        let [one, other] = [text(&mut lines.iter()), text(&mut lines.iter().rev())].map(|text| {
            let note = parse_note(text.as_bytes());
            (note.packages.len(), note.pruned.len())
        });
        assert_eq!(one, other);
        one
    }

    #[test]
    fn a_package_is_gone_until_a_later_line_says_otherwise() {
        assert_eq!(read(&[line(1, None)]), (1, 0));
        assert_eq!(read(&[line(1, None), line(1, Some(5))]), (0, 1));
        assert_eq!(read(&[line(1, None), line(1, Some(5)), line(2, None)]), (1, 0));
        assert_eq!(read(&[line(1, None), line(2, None), line(2, Some(5)), line(1, Some(9))]), (0, 1));
        assert_eq!(read(&[line(1, Some(5))]), (0, 1), "the other line is on its way");
        let mut other = line(1, None);
        other.target.stage = "dev".parse().unwrap();
        assert_eq!(read(&[line(1, None), line(1, Some(5)), other]), (1, 1));
    }
}
