//! A commit's note: its packages, without those that have a later tombstone. Pure.

use super::note_line::PackageLine;
use crate::git::Oid;
use crate::store::names::{PackageKey, ref_of};

#[derive(Debug, Default)]
pub struct Note {
    pub packages: Vec<PackageLine>,
    /// Those that were pruned, as their tombstones have them, oldest first.
    pub pruned: Vec<PackageLine>,
    /// Lines that are none of this program's, or of a later version of it: kept, and told of.
    pub unread: Vec<String>,
}

/// A package, and the commit it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotedPackage {
    /// The commit.
    pub commit: Oid,
    /// What its note says of the package.
    pub line: PackageLine,
}

impl NotedPackage {
    /// What names it.
    pub fn key(&self) -> PackageKey {
        (self.commit, self.line.package)
    }

    /// The ref of its content, whether that is here or not.
    pub fn ref_name(&self) -> String {
        ref_of(self.key())
    }
}

pub(in crate::store) fn parse_note(text: &[u8]) -> Note {
    let mut note = Note::default();
    for line in String::from_utf8_lossy(text).lines().filter(|line| !line.trim().is_empty()) {
        match line.parse::<PackageLine>() {
            Ok(package) => note.packages.push(package),
            Err(_) => note.unread.push(line.to_owned()),
        }
    }
    // Two machines may have written them in any order.
    note.packages.sort_by(|one, other| (one.recorded, &one.package).cmp(&(other.recorded, &other.package)));
    write_tombstones(&mut note);
    // Two machines may have recorded the same package: the later line is compared with a tombstone.
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

/// Removes pruned packages: those whose tombstone is not older than any of their lines. Recording again writes a later line.
fn write_tombstones(note: &mut Note) {
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
