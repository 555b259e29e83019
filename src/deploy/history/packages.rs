//! The packages of a target's deployments.

use crate::error::{Error, Result};
use crate::git::Oid;
use crate::sharing;
use crate::store::deployments::Deployment;
use crate::store::{Filter, NotedPackage, StoredPackage};
use crate::workspace::Workspace;

/// The package that was deployed, which has to be here.
pub(in crate::deploy) fn package_of(
    workspace: &Workspace<'_>,
    deployment: &Deployment,
) -> Result<NotedPackage> {
    if let Some(found) = deployed(workspace, deployment)? {
        return Ok(found);
    }
    Err(pruned(workspace, deployment)?.unwrap_or_else(|| {
        Error::integrity(format!(
            "the package of the previous deployment, {}, is not here any more",
            deployment.package.short()
        ))
        .hint("if another machine recorded it: git slsart fetch")
    }))
}

/// The error for a package that was pruned, if that is why it is not here.
fn pruned(workspace: &Workspace<'_>, deployment: &Deployment) -> Result<Option<Error>> {
    let Ok(commit) = Oid::from_str(&deployment.commit) else { return Ok(None) };
    let all = workspace.store().packages().of(commit, &Filter { pruned: true, ..Filter::default() })?;
    let found = all.into_iter().find(|found| found.line.package == deployment.package);
    found.map(|found| workspace.pruned(&found)).transpose()
}

/// The package that was deployed; none where it is not here, and where the record is damaged and names no commit.
pub(in crate::deploy) fn deployed(
    workspace: &Workspace<'_>,
    deployment: &Deployment,
) -> Result<Option<NotedPackage>> {
    let Ok(commit) = Oid::from_str(&deployment.commit) else { return Ok(None) };
    let store = workspace.store();
    let is_it = |found: &NotedPackage| found.line.package == deployment.package;
    let found = store.packages().of(commit, &Filter::default())?.into_iter().find(is_it);
    match found {
        Some(found) => Ok(Some(found)),
        None => Ok(store.packages().still_here(commit, &Filter::default())?.into_iter().find(is_it)),
    }
}

/// The package of a deployment; none where it is not here any more.
pub(in crate::deploy) fn open<'r>(
    workspace: &Workspace<'r>,
    deployment: &Deployment,
) -> Option<StoredPackage<'r>> {
    let found = deployed(workspace, deployment).ok()??;
    sharing::open(workspace, &found).ok()
}
