//! What the packages were made with and from: plugins, framework, node; names of variables; commits.

use serde::Serialize;

use super::functions::Names;
use crate::error::Result;
use crate::git::{Oid, Repository};
use crate::package::Manifest;
use crate::store::StoredPackage;
use crate::toolchain::drift::{PluginChange, differences};

/// Most commits that are counted.
const MAX_COMMITS: usize = 10_000;
/// Most commits that are named.
const MAX_NAMED: usize = 100;

/// A program that has another version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToolChange {
    /// What it is: `framework`, `node`, `package_manager`.
    pub tool: &'static str,
    /// Before.
    pub before: String,
    /// After.
    pub after: String,
}

/// The commits that only one of two sources has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Commits {
    /// How many only the later has.
    pub added: usize,
    /// How many only the earlier has: what going there takes back.
    pub removed: usize,
    /// The first of both, newest first: those that are added, then those that are taken back.
    pub named: Vec<CommitLine>,
}

/// A commit in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommitLine {
    /// Its id.
    pub commit: String,
    /// Its short id.
    #[serde(skip)]
    pub short: String,
    /// Its subject.
    pub subject: String,
    /// Whether it is taken back.
    pub removed: bool,
}

/// What differs of what two packages were made with and from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// The plugins that differ.
    pub plugins: Vec<PluginChange>,
    /// The programs that differ, where both are known.
    pub tools: Vec<ToolChange>,
    /// The environment variables that only one config refers to.
    pub variables: Names,
    /// The commits between the sources; absent where one of them is not here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commits: Option<Commits>,
}

impl Provenance {
    pub(super) fn between(
        repository: &Repository,
        before: &StoredPackage<'_>,
        after: &StoredPackage<'_>,
    ) -> Result<Self> {
        let (old, new) = (&before.manifest, &after.manifest);
        Ok(Self {
            plugins: differences(&old.plugins, &new.plugins),
            tools: tools(old, new),
            variables: Names::between(&old.environment.names, &new.environment.names),
            commits: commits(repository, before.commit, after.commit)?,
        })
    }
}

fn tools(before: &Manifest, after: &Manifest) -> Vec<ToolChange> {
    let all = |manifest: &Manifest| {
        let tools = &manifest.tools;
        [
            ("framework", tools.framework.as_ref().map(ToString::to_string)),
            ("node", tools.node.clone()),
            ("package_manager", tools.package_manager.as_ref().map(ToString::to_string)),
        ]
    };
    let changes = all(before)
        .into_iter()
        .zip(all(after))
        .filter_map(|((tool, before), (_, after))| Some(ToolChange { tool, before: before?, after: after? }));
    changes.filter(|change| change.before != change.after).collect()
}

fn commits(repository: &Repository, before: Oid, after: Oid) -> Result<Option<Commits>> {
    // A shallow clone, or one that did not fetch the branch.
    if before == after || !repository.has(before) || !repository.has(after) {
        return Ok((before == after).then(Commits::default));
    }
    let added = repository.commits_between(before, after, MAX_COMMITS)?;
    let removed = repository.commits_between(after, before, MAX_COMMITS)?;
    let line = |id: &Oid, removed| {
        let subject = repository.commit(*id).map(|commit| commit.subject).unwrap_or_default();
        CommitLine { commit: id.to_string(), short: repository.short_id(*id), subject, removed }
    };
    let named = added.iter().map(|id| (id, false)).chain(removed.iter().map(|id| (id, true)));
    let named = named.take(MAX_NAMED).map(|(id, removed)| line(id, removed)).collect();
    Ok(Some(Commits { added: added.len(), removed: removed.len(), named }))
}
