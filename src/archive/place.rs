//! Where an entry's content is put: a path that git can hold, and that reads well where it can.

use std::collections::HashSet;
use std::fmt;

/// A path below the archive's own: `recipe`, `tree/handler.js`, `odd/3`, `raw/12`. Of UTF-8 components, none of them empty,
/// `.`, `..` or alike to `.git`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(String);

impl Place {
    pub fn recipe() -> Self {
        Self("recipe".to_owned())
    }

    /// The place of a named entry. None: the name can't be one, and the entry is unnameable.
    pub(super) fn tree(name: &[u8]) -> Option<Self> {
        let name = std::str::from_utf8(name).ok()?;
        let fits = name.len() <= 4000 && name.split('/').count() <= 128 && name.split('/').all(holds);
        fits.then(|| Self(format!("tree/{name}")))
    }

    pub(super) fn unnameable(number: usize) -> Self {
        Self(format!("odd/{number}"))
    }

    pub(super) fn raw(number: usize) -> Self {
        Self(format!("raw/{number}"))
    }

    /// A place of an archive that is itself the entry at this place.
    pub(super) fn inside(&self, inner: &Self) -> Self {
        Self(format!("{}/{}", self.0, inner.0))
    }

    /// Names of the folders, then of the file.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether git holds a path with this component on every system (`verify_path` and its NTFS and HFS+ kin).
fn holds(component: &str) -> bool {
    let plain = !component.is_empty() && component.len() <= 255 && component != "." && component != "..";
    let characters =
        component.chars().all(|c| !c.is_control() && c != '\\' && c != ':' && !ignored_by_hfs(c));
    plain && characters && !is_git(component)
}

/// `.git`, as case-insensitive and as NTFS names it.
fn is_git(component: &str) -> bool {
    let name = component.trim_end_matches([' ', '.']).to_ascii_lowercase();
    name == ".git"
        || name.starts_with("git~")
        || [".gitmodules", ".gitattributes"].contains(&name.as_str())
        || name.starts_with(".git ")
}

/// Characters that HFS+ leaves out when it compares names.
fn ignored_by_hfs(character: char) -> bool {
    matches!(character, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// The places of named entries, in their order; none where an entry is unnameable: also for a name that came before, and for a file
/// that is a folder of another entry. `placed` says which entries need a place.
pub(super) fn places(names: &[&[u8]], placed: &[bool]) -> Vec<Option<Place>> {
    let trees: Vec<Option<Place>> = names
        .iter()
        .zip(placed)
        .map(|(name, placed)| if *placed { Place::tree(name) } else { None })
        .collect();
    let mut folders: HashSet<&[u8]> = HashSet::new();
    for (name, _) in names.iter().zip(&trees).filter(|(_, tree)| tree.is_some()) {
        for (at, _) in name.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            folders.insert(&name[..at]);
        }
    }
    let mut seen = HashSet::new();
    let free = names
        .iter()
        .zip(trees)
        .map(|(name, tree)| tree.filter(|_| !folders.contains(name) && seen.insert(*name)));
    free.collect()
}
