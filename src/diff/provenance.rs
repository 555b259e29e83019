//! The packages' provenance: plugins, framework, node; names of variables; commits.

use serde::Serialize;

use super::functions::NameChanges;
use crate::error::Result;
use crate::git::{Oid, Repository};
use crate::package::Manifest;
use crate::store::StoredPackage;
use crate::toolchain::drift::{PluginChange, differences};

const MAX_COMMITS: usize = 10_000;
const MAX_NAMED: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToolChange {
    /// `framework`, `node` or `package_manager`.
    pub tool: &'static str,
    pub before: String,
    pub after: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Commits {
    pub added: usize,
    /// How many only the earlier has, which a rollback takes back.
    pub removed: usize,
    /// The first of both, newest first: added ones, then those that are undone.
    pub named: Vec<CommitLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommitLine {
    pub commit: String,
    #[serde(skip)]
    pub short: String,
    pub subject: String,
    pub removed: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Provenance {
    pub plugins: Vec<PluginChange>,
    /// The programs that differ, if both are known.
    pub tools: Vec<ToolChange>,
    pub variables: NameChanges,
    /// The commits between the sources; absent if one of them is not here.
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
            variables: NameChanges::between(&old.environment.names, &new.environment.names),
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
    // A shallow clone, or a branch that was not fetched.
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
