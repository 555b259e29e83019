//! After an amend or a rebase: packages follow their commits if the tree is the same.

use crate::config::PostCommit;
use crate::error::Result;
use crate::git::Oid;
use crate::packaging::after_commit::start_packaging;
use crate::packaging::attach::follow;
use crate::workspace::Workspace;

/// Moves packages along. After a rebase, HEAD's commit is packaged in the background if commits are and it has no package. Returns
/// failures, a line each.
pub fn run(workspace: &Workspace<'_>, pairs: &[(Oid, Oid)], is_rebase: bool) -> Result<Vec<String>> {
    let Workspace { repository, config, .. } = workspace;
    if config.hooks.post_commit == PostCommit::Off {
        return Ok(Vec::new());
    }
    let mut warnings = Vec::new();
    for (old, new) in pairs {
        if let Err(error) = follow(workspace, *old, *new) {
            let short = repository.short_id(*old);
            warnings.push(format!("the packages of {short} could not follow it: {error}"));
        }
    }
    let head = repository.head().filter(|head| pairs.iter().any(|(_, new)| new == head));
    if is_rebase
        && config.hooks.post_commit == PostCommit::Package
        && let Some(head) = head
        && workspace.store().notes().of(head)?.packages.is_empty()
    {
        start_packaging(workspace, head)?;
    }
    Ok(warnings)
}
