//! Finding packages: of a commit, along the history, near a commit that has none, by id.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use crate::error::Result;
use crate::git::Oid;
use crate::package::PackageId;
use crate::package::manifest::Target;
use crate::store::ledger::note_line::PackageLine;
use crate::store::ledger::note_tree;
use crate::store::names;
use crate::store::{Note, Store};

/// How far along the history a package near a commit is looked for.
const NEAR: usize = 2_000;

/// How many commits are looked at one by one before the commits that have a package are listed.
const DENSE: usize = 500;

/// Which packages are meant. What is `None` may be anything.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// A service.
    pub service: Option<ServiceFilter>,
    /// A stage.
    pub stage: Option<String>,
    /// A region.
    pub region: Option<String>,
    /// Whether those that were pruned are meant too.
    pub pruned: bool,
}

impl Filter {
    /// The packages for one target.
    #[must_use]
    pub fn of(target: &Target) -> Self {
        Self {
            service: Some(ServiceFilter { name: None, ..ServiceFilter::from(target.path.as_str()) }),
            stage: Some(target.stage.to_string()),
            region: Some(target.region.to_string()),
            pruned: false,
        }
    }

    /// Whether `target` is meant.
    #[must_use]
    pub fn matches(&self, target: &Target) -> bool {
        let is = |wanted: &Option<String>, has: &str| wanted.as_ref().is_none_or(|wanted| wanted == has);
        let (path, name) = (target.path.as_str(), target.service.as_str());
        self.service.as_ref().is_none_or(|service| service.is(path, Some(name)))
            && is(&self.stage, target.stage.as_str())
            && is(&self.region, target.region.as_str())
    }

    /// Of `all`, those whose targets are nearest to the service: a service that was renamed, or has moved, is still found by what it
    /// was, but only where nothing has both its name and its directory.
    pub fn keep_nearest<T>(&self, all: &mut Vec<T>, target: impl Fn(&T) -> &Target) {
        let Some(service) = &self.service else { return };
        let nearness = |one: &T| service.of(target(one));
        let most = all.iter().map(nearness).max();
        all.retain(|one| Some(nearness(one)) == most);
    }
}

/// A service, by its directory and its name. Both change in the life of a service; what has one of them is the same service, unless it is
/// rather one of the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceFilter {
    /// Its directory in the repository.
    pub path: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Where its configuration does not say its name, as in `serverless.js`: the names that packages of its directory have, such as one
    /// for each stage. None of them is nearer than another.
    pub names: BTreeSet<String>,
    /// The directories and names of the other services of today.
    pub others: Vec<(String, Option<String>)>,
}

/// What a person typed: a directory or a name.
impl From<&str> for ServiceFilter {
    fn from(text: &str) -> Self {
        Self { path: Some(text.to_owned()), name: Some(text.to_owned()), ..Self::default() }
    }
}

impl ServiceFilter {
    /// Whether what has this directory and name is the service.
    #[must_use]
    pub fn is(&self, path: &str, name: Option<&str>) -> bool {
        let mine = self.nearness(path, name);
        let theirs = |(other, called): &(String, Option<String>)| {
            nearness(other == path, called.as_deref().is_some_and(|called| Some(called) == name))
        };
        mine > 0 && self.others.iter().all(|other| theirs(other) < mine)
    }

    /// How near that is; 0 where it is something else.
    #[must_use]
    pub fn nearness(&self, path: &str, name: Option<&str>) -> u8 {
        let is = |mine: &Option<String>, has: Option<&str>| mine.is_some() && mine.as_deref() == has;
        let is_named = name.is_some_and(|name| self.names.contains(name));
        nearness(is_named || is(&self.path, Some(path)), is(&self.name, name))
    }

    /// Whether the repository has no other: nobody needs to be told its name.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.others.is_empty() && self.path.as_deref() == Some(".")
    }

    fn of(&self, target: &Target) -> u8 {
        self.nearness(target.path.as_str(), Some(target.service.as_str()))
    }
}

/// AWS knows a stack by its service's name, so that it counts for more than the directory.
fn nearness(is_path: bool, is_name: bool) -> u8 {
    2 * u8::from(is_name) + u8::from(is_path)
}

impl fmt::Display for ServiceFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The top of the repository says nothing; a name does.
        let path = self.path.as_deref().filter(|path| *path != ".");
        f.write_str(path.or(self.name.as_deref()).unwrap_or("."))
    }
}

impl Note {
    /// The lines that `filter` means, oldest first.
    fn lines(self, filter: &Filter) -> Vec<PackageLine> {
        let pruned = self.pruned.into_iter().filter(|_| filter.pruned);
        let mut lines: Vec<_> = self.packages.into_iter().chain(pruned).collect();
        lines.retain(|line| filter.matches(&line.target));
        lines.sort_by_key(|line| line.recorded);
        lines
    }
}

/// A package, and the commit it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The commit.
    pub commit: Oid,
    /// What its note says of the package.
    pub line: PackageLine,
}

/// What a walk along the history has found.
#[derive(Debug, Default)]
pub struct Listing {
    /// The packages, in the order of the walk.
    pub found: Vec<Found>,
    /// Whether there may be more than were asked for.
    pub more: bool,
    /// Note lines that could not be read, with their commits.
    pub unread: Vec<(Oid, String)>,
}

impl Store<'_> {
    /// Whether the package is in this repository, and not only told of by a note.
    pub fn has_package(&self, commit: Oid, package: PackageId) -> Result<bool> {
        Ok(self.repository.ref_target(&names::package(&commit.to_string(), package))?.is_some())
    }

    /// Whether this repository, or `remote` as it was last seen, has a note of a package of `commit`.
    pub fn is_noted(&self, commit: Oid, remote: &str) -> Result<bool> {
        for name in [crate::store::NOTES_REF, &names::tracked_notes(remote)] {
            // A URL in a remote's place is no part of a ref's name.
            let Ok(Some(tip)) = self.repository.ref_target(name) else { continue };
            if !self.note_in(self.repository.commit(tip)?.tree, commit)?.packages.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The packages of `commit` that `filter` means, oldest first.
    pub fn packages_of(&self, commit: Oid, filter: &Filter) -> Result<Vec<Found>> {
        let lines = self.note(commit)?.lines(filter).into_iter();
        Ok(lines.map(|line| Found { commit, line }).collect())
    }

    /// The newest `limit` packages of the commits reachable from `from`, in the order of the commits.
    pub fn along(&self, from: Oid, filter: &Filter, limit: usize) -> Result<Listing> {
        let mut listing = Listing::default();
        let Some(root) = self.notes_tree()? else { return Ok(listing) };
        let mut noted = Vec::new();
        let mut left: Option<HashSet<Oid>> = None;
        for (walked, commit) in self.repository.history(&[from])?.enumerate() {
            if walked == DENSE {
                // Packages are rare here: knowing all commits that have one ends the walk at the last of them, not at the
                // first commit ever made.
                let mut all: HashSet<Oid> = note_tree::commits(self.repository, root)?.into_iter().collect();
                for commit in &noted {
                    all.remove(commit);
                }
                left = Some(all);
            }
            let worth_a_look = match &mut left {
                Some(left) if left.is_empty() => break,
                Some(left) => left.remove(&commit),
                None => true,
            };
            if !worth_a_look {
                continue;
            }
            if self.collect(root, commit, filter, &mut listing)? {
                noted.push(commit);
            }
            if listing.found.len() > limit {
                listing.found.truncate(limit);
                listing.more = true;
                break;
            }
        }
        Ok(listing)
    }

    /// The targets that the last `most` commits down to `from` have packages for.
    pub fn recent_targets(&self, from: Oid, most: usize) -> Result<BTreeSet<Target>> {
        let mut targets = BTreeSet::new();
        let Some(root) = self.notes_tree()? else { return Ok(targets) };
        for commit in self.repository.history(&[from])?.take(most) {
            targets.extend(self.note_in(root, commit)?.packages.into_iter().map(|line| line.target));
        }
        Ok(targets)
    }

    /// All packages of all commits, also of those that no branch leads to any more, newest first.
    pub fn all(&self, filter: &Filter) -> Result<Listing> {
        let mut listing = Listing::default();
        let Some(root) = self.notes_tree()? else { return Ok(listing) };
        for commit in note_tree::commits(self.repository, root)? {
            self.collect(root, commit, filter, &mut listing)?;
        }
        listing.found.sort_by(|one, other| {
            (other.line.recorded, &other.line.package).cmp(&(one.line.recorded, &one.line.package))
        });
        Ok(listing)
    }

    /// Packages near `commit` that `filter` means: up to `most` of its ancestors' and of commits after it on HEAD's
    /// branch, nearest first.
    pub fn near(&self, commit: Oid, filter: &Filter, most: usize) -> Result<Vec<Found>> {
        let Some(root) = self.notes_tree()? else { return Ok(Vec::new()) };
        let mut left: HashSet<Oid> = note_tree::commits(self.repository, root)?.into_iter().collect();
        let mut found = Vec::new();
        let mut starts = vec![commit];
        starts.extend(self.repository.head().filter(|head| *head != commit));
        for start in starts {
            for near in self.repository.history(&[start])?.take(NEAR) {
                if left.is_empty() || found.len() >= most {
                    return Ok(found);
                }
                if left.remove(&near) {
                    found.extend(self.note_in(root, near)?.packages.into_iter().rev().find_map(|line| {
                        filter.matches(&line.target).then_some(Found { commit: near, line })
                    }));
                }
            }
        }
        Ok(found)
    }

    /// The packages whose id starts with `prefix`, which has at least four digits.
    pub fn with_id(&self, prefix: &str) -> Result<Vec<Found>> {
        if !is_prefix(prefix) {
            return Ok(Vec::new());
        }
        let prefix = prefix.to_ascii_lowercase();
        let refs = self.repository.refs_matching(&format!("{}*/{prefix}*", names::PACKAGES))?;
        let named = refs.iter().filter_map(|(name, _)| names::parse_package(name));
        let mut found = Vec::new();
        for (commit, id) in named {
            let lines = self.note(commit)?.packages.into_iter();
            found.extend(lines.filter(|line| line.package == id).map(|line| Found { commit, line }));
        }
        if found.is_empty()
            && let Some(root) = self.notes_tree()?
        {
            // Its content is elsewhere, it seems.
            for commit in note_tree::commits(self.repository, root)? {
                let lines = self.note_in(root, commit)?.packages.into_iter();
                let named = lines.filter(|line| line.package.to_string().starts_with(&prefix));
                found.extend(named.map(|line| Found { commit, line }));
            }
        }
        Ok(found)
    }

    /// The commits that have a note and whose ids start with `prefix`, which has at least seven digits.
    pub fn noted(&self, prefix: &str) -> Result<Vec<Oid>> {
        let is_id = (7..=40).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
        let Some(root) = self.notes_tree()?.filter(|_| is_id) else { return Ok(Vec::new()) };
        let prefix = prefix.to_ascii_lowercase();
        let mut commits = note_tree::commits(self.repository, root)?;
        commits.retain(|commit| commit.to_string().starts_with(&prefix));
        Ok(commits)
    }

    /// A package that was pruned, whose id starts with `prefix`, which has at least four digits.
    pub fn pruned_with_id(&self, prefix: &str, filter: &Filter) -> Result<Option<Found>> {
        if !is_prefix(prefix) {
            return Ok(None);
        }
        let prefix = prefix.to_ascii_lowercase();
        let mut all = self.all(&Filter { pruned: true, ..filter.clone() })?.found.into_iter();
        Ok(all
            .find(|found| found.line.pruned.is_some() && found.line.package.to_string().starts_with(&prefix)))
    }

    /// Adds the packages of `commit` to `listing`.
    ///
    /// # Returns
    /// Whether the commit has a note.
    fn collect(&self, root: Oid, commit: Oid, filter: &Filter, listing: &mut Listing) -> Result<bool> {
        let note = self.note_in(root, commit)?;
        let is_noted = !(note.packages.is_empty() && note.pruned.is_empty() && note.unread.is_empty());
        listing.unread.extend(note.unread.iter().map(|line| (commit, line.clone())));
        let lines = note.lines(filter).into_iter().rev();
        listing.found.extend(lines.map(|line| Found { commit, line }));
        Ok(is_noted)
    }
}

/// Whether a word may be the beginning of an id.
fn is_prefix(word: &str) -> bool {
    word.len() >= 4 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::manifest::tests::sample;

    fn target(path: &str, name: &str) -> Target {
        let mut target = sample().target;
        target.path = path.parse().unwrap();
        target.service = name.parse().unwrap();
        target
    }

    #[test]
    fn a_service_is_found_by_its_directory_and_its_name_but_not_where_it_is_another() {
        let others = vec![("b".to_owned(), Some("beta".to_owned()))];
        let alpha = ServiceFilter { name: Some("alpha".to_owned()), others, ..ServiceFilter::from("a") };
        for (path, name, is_it) in [
            ("a", "alpha", true),
            ("old/a", "alpha", true),
            ("a", "old-alpha", true),
            ("b", "beta", false),
            ("c", "gamma", false),
            // What has the directory of one and the name of the other is the stack of the name.
            ("b", "alpha", true),
            ("a", "beta", false),
        ] {
            assert_eq!(alpha.is(path, Some(name)), is_it, "{path} {name}");
        }
    }

    #[test]
    fn what_has_both_is_nearer_than_what_has_one() {
        let filter = Filter {
            service: Some(ServiceFilter { name: Some("alpha".to_owned()), ..ServiceFilter::from("a") }),
            ..Filter::default()
        };
        let kept = |targets: &[(&str, &str)]| {
            let mut all: Vec<_> = targets.iter().map(|(path, name)| target(path, name)).collect();
            filter.keep_nearest(&mut all, |target| target);
            all.iter().map(|target| format!("{} {}", target.path, target.service)).collect::<Vec<_>>()
        };
        assert_eq!(kept(&[("a", "was"), ("a", "alpha"), ("old", "alpha")]), ["a alpha"]);
        assert_eq!(kept(&[("a", "was"), ("old", "alpha")]), ["old alpha"]);
        assert_eq!(kept(&[("a", "was")]), ["a was"]);
    }

    #[test]
    fn of_names_that_only_packages_tell_none_is_nearer() {
        let names = ["alpha-dev", "alpha-prod"].map(str::to_owned).into();
        let service = ServiceFilter { name: None, names, ..ServiceFilter::from("a") };
        let all = [target("a", "alpha-dev"), target("a", "alpha-qa"), target("old", "alpha-prod")];
        assert!(all.iter().all(|target| service.of(target) == 1));
        assert!(!service.is("old", Some("beta")));
    }
}
