//! Marks that a user gives a package and may take back: bans and pins. One chain of records a package, so that every mark's author and
//! reason stay known.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::chain::{Record, Signing, append};
use super::note::NotedPackage;
use crate::error::{Error, Result};
use crate::git::commit_signature::SignatureVerdict;
use crate::git::{Oid, Repository};
use crate::package::PackageId;
use crate::store::names::{self, PackageKey};
use crate::text::words::{line, person};

const FORMAT: u32 = 1;
/// Most commits of a chain that are read before one has a record.
const MAX_RECORDS: usize = 10_000;
const MAX_BYTES: u64 = 1024 * 1024;

pub trait MarkState: Copy + Eq + Serialize + DeserializeOwned {
    const REFS: &'static str;
    const FILE: &'static str;
    /// The error for an unreadable record.
    const UNREAD: &'static str;
    /// The state of a marked package's newest record.
    const SET: Self;
    /// The command that marks a package; `un…` takes the mark back.
    const COMMAND: &'static str;
    /// The participle for a marked package.
    const DONE: &'static str;

    fn is_set(self) -> bool {
        self == Self::SET
    }

    fn command(self) -> String {
        if self.is_set() { Self::COMMAND.to_owned() } else { format!("un{}", Self::COMMAND) }
    }
}

/// A record: a package was marked, or its mark lifted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark<S> {
    pub format: u32,
    pub state: S,
    /// The package's commit, 40 hexadecimal digits.
    pub commit: String,
    pub package: PackageId,
    /// `Name <email>`.
    pub by: String,
    pub at: Timestamp,
    /// The user's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl<S> Mark<S> {
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

pub type MarksOrErrors<S> = BTreeMap<PackageKey, Result<Mark<S>>>;

pub struct Marks<'r, S> {
    repository: &'r Repository,
    kind: PhantomData<S>,
}

impl<'r, S: MarkState> Marks<'r, S> {
    pub(in crate::store) fn new(repository: &'r Repository) -> Self {
        Self { repository, kind: PhantomData }
    }

    pub fn append(&self, mark: &Mark<S>) -> Result<()> {
        let text =
            toml::to_string(mark).map_err(|error| Error::bug("a record can't be written").because(error))?;
        let name = names::mark(S::REFS, &mark.commit, mark.package);
        let message = self.message(mark);
        let record = Record { name: &name, file: S::FILE, text: &text, message: &message };
        append(self.repository, &record, Signing::Configured)
    }

    /// The mark of a package of `commit`. An unreadable mark is an error: the package may be marked.
    pub fn of(&self, commit: Oid, package: PackageId) -> Result<Option<Mark<S>>> {
        let tip = self.repository.ref_target(&names::mark(S::REFS, &commit.to_string(), package))?;
        tip.map_or(Ok(None), |tip| self.at(tip, (commit, package)))
    }

    /// All marked packages; fails if any mark is unreadable.
    pub fn all(&self) -> Result<BTreeMap<PackageKey, Mark<S>>> {
        let all = self.all_or_errors()?.into_iter();
        all.map(|(key, mark)| Ok((key, mark?))).collect()
    }

    /// All marked packages, with an error in place of each unreadable mark.
    pub fn all_or_errors(&self) -> Result<MarksOrErrors<S>> {
        let mut marks = BTreeMap::new();
        for (name, tip) in self.repository.refs_matching(S::REFS)? {
            let Some(key) = names::parse_mark(S::REFS, &name) else { continue };
            marks.extend(self.at(tip, key).transpose().map(|mark| (key, mark)));
        }
        Ok(marks)
    }

    /// The state of a chain's newest records. Records that two machines wrote independently are all newest, whatever their clocks say; if
    /// any of them is a mark, it holds. Where signatures are required, anyone may mark, but only a trusted key may take a mark back.
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
                    .hint(format!("its chain of records is too long; to see it: git log --graph {tip}")));
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

    /// Whether a record may take a mark back.
    fn counts(&self, record: Oid) -> Result<bool> {
        Ok(!self.repository.trust().required
            || self.repository.signature_of(record)?.verdict == SignatureVerdict::Good)
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
