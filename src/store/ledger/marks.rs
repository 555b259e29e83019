//! What somebody said of a package that holds until somebody takes it back: one chain of records a package, so that who said it,
//! why, and who took it back stay known. Bans and pins are such marks.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::chain::{Record, Signing, append};
use super::note::NotedPackage;
use crate::error::{Error, Result};
use crate::git::commit_signature::Verdict;
use crate::git::{Oid, Repository};
use crate::package::PackageId;
use crate::store::names::{self, PackageKey};
use crate::text::words::{line, person};

/// The version of the records' format.
const FORMAT: u32 = 1;
/// Most commits of a chain that are read before one says something.
const MAX_RECORDS: usize = 10_000;
/// Most bytes a record may have.
const MAX_BYTES: u64 = 1024 * 1024;

/// A kind of marks, by what a record can say.
pub trait MarkState: Copy + Eq + Serialize + DeserializeOwned {
    /// The prefix of the chains' refs.
    const REFS: &'static str;
    /// The file in a record's tree.
    const FILE: &'static str;
    /// The error where a record can't be read.
    const UNREAD: &'static str;
    /// What the newest record says where the package is marked.
    const SET: Self;
    /// The command that marks a package; `un…` lifts the mark.
    const COMMAND: &'static str;
    /// What is true of a marked package.
    const DONE: &'static str;

    fn is_set(self) -> bool {
        self == Self::SET
    }

    /// The command that records it.
    fn command(self) -> String {
        if self.is_set() { Self::COMMAND.to_owned() } else { format!("un{}", Self::COMMAND) }
    }
}

/// A record: a package was marked, or its mark taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark<S> {
    /// The version of the format.
    pub format: u32,
    /// What was done.
    pub state: S,
    /// The package's commit, 40 hexadecimal digits.
    pub commit: String,
    /// The package.
    pub package: PackageId,
    /// Who did it: `Name <email>`.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why, in the words of who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl<S> Mark<S> {
    /// The record of what is done to a package.
    pub fn new(state: S, found: &NotedPackage, by: String, at: Timestamp, reason: Option<String>) -> Self {
        let (commit, package) = (found.commit.to_string(), found.line.package);
        Self { format: FORMAT, state, commit, package, by, at, reason }
    }
}

impl<S: MarkState> fmt::Display for Mark<S> {
    /// `banned by Dana on 2026-01-05: loses orders`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (by, on) = (line(person(&self.by)), self.at.strftime("%Y-%m-%d"));
        let done = if self.state.is_set() { S::DONE.to_owned() } else { format!("{} lifted", S::COMMAND) };
        write!(f, "{done} by {by} on {on}")?;
        self.reason.iter().try_for_each(|reason| write!(f, ": {}", line(reason)))
    }
}

/// Each package with its mark, or the error of reading that.
pub type MarksOrErrors<S> = BTreeMap<PackageKey, Result<Mark<S>>>;

/// The marks of one kind.
pub struct Marks<'r, S> {
    repository: &'r Repository,
    kind: PhantomData<S>,
}

impl<'r, S: MarkState> Marks<'r, S> {
    pub(in crate::store) fn new(repository: &'r Repository) -> Self {
        Self { repository, kind: PhantomData }
    }

    /// Appends a record to the package's chain.
    pub fn append(&self, mark: &Mark<S>) -> Result<()> {
        let text =
            toml::to_string(mark).map_err(|error| Error::bug("a record can't be written").because(error))?;
        let name = names::mark(S::REFS, &mark.commit, mark.package);
        let message = self.message(mark);
        let record = Record { name: &name, file: S::FILE, text: &text, message: &message };
        append(self.repository, &record, Signing::Configured)
    }

    /// The mark of a package of `commit`, if it has one.
    ///
    /// # Errors
    /// When that can't be read: then nobody knows whether it has.
    pub fn of(&self, commit: Oid, package: PackageId) -> Result<Option<Mark<S>>> {
        let tip = self.repository.ref_target(&names::mark(S::REFS, &commit.to_string(), package))?;
        tip.map_or(Ok(None), |tip| self.at(tip, (commit, package)))
    }

    /// All packages that are marked.
    ///
    /// # Errors
    /// As [`Self::of`], of any of them.
    pub fn all(&self) -> Result<BTreeMap<PackageKey, Mark<S>>> {
        let all = self.all_or_errors()?.into_iter();
        all.map(|(key, mark)| Ok((key, mark?))).collect()
    }

    /// The same, with the error of each whose mark can't be read in its place.
    pub fn all_or_errors(&self) -> Result<MarksOrErrors<S>> {
        let mut marks = BTreeMap::new();
        for (name, tip) in self.repository.refs_matching(S::REFS)? {
            let Some(key) = names::parse_mark(S::REFS, &name) else { continue };
            marks.extend(self.at(tip, key).transpose().map(|mark| (key, mark)));
        }
        Ok(marks)
    }

    /// What the newest records of a chain say. Those that two machines wrote without knowing of each other are all newest, whatever
    /// their clocks say: a mark among them holds. Where signatures are required, a mark holds whoever made it, and is taken back only by
    /// somebody who is known.
    fn at(&self, tip: Oid, (of, package): (Oid, PackageId)) -> Result<Option<Mark<S>>> {
        let of = of.to_string();
        let mut pending = vec![tip];
        let mut seen = HashSet::new();
        let mut first: Option<Mark<S>> = None;
        while let Some(id) = pending.pop() {
            if !seen.insert(id) {
                continue;
            }
            if seen.len() > MAX_RECORDS {
                return Err(Error::integrity(S::UNREAD)
                    .hint(format!("its records have no end; to see them: git log --graph {tip}")));
            }
            let commit = self.repository.commit(id)?;
            let Some(entry) = self.repository.tree_entry(commit.tree, S::FILE.as_bytes())? else {
                pending.extend(commit.parents);
                continue;
            };
            let unread = || Error::integrity(S::UNREAD).hint(format!("to see it: git show {id}"));
            let bytes = self.repository.read_blob(entry.id, MAX_BYTES)?;
            let text = String::from_utf8(bytes).map_err(|error| unread().because(error))?;
            let mark: Mark<S> = toml::from_str(&text).map_err(|error| unread().because(error))?;
            if mark.format > FORMAT || (mark.commit.as_str(), mark.package) != (of.as_str(), package) {
                return Err(unread());
            }
            if !mark.state.is_set() && !self.counts(id)? {
                pending.extend(commit.parents);
                continue;
            }
            let is_first = first.as_ref().is_none_or(|known| mark.at < known.at);
            if mark.state.is_set() && is_first {
                first = Some(mark);
            }
        }
        Ok(first)
    }

    /// Whether a record that takes a mark back does so.
    fn counts(&self, record: Oid) -> Result<bool> {
        Ok(!self.repository.trust().required
            || self.repository.signature_of(record)?.verdict == Verdict::Good)
    }

    fn message(&self, mark: &Mark<S>) -> String {
        let short = Oid::from_str(&mark.commit)
            .map_or_else(|_| mark.commit.clone(), |id| self.repository.short_id(id));
        let reason = mark.reason.as_deref().map(str::trim).unwrap_or_default();
        let first = reason.lines().next().map(|line| format!(" — {line}")).unwrap_or_default();
        let more =
            reason.split_once('\n').map(|(_, more)| format!("\n{}\n", more.trim())).unwrap_or_default();
        format!(
            "{} {short} ({}){first}\n{more}\nPackage: {}\nBy: {}\n",
            mark.state.command(),
            mark.package.short(),
            mark.package,
            mark.by
        )
    }
}
