//! Carries out a prune plan. The order makes it safe: first the tombstones, then links, then the refs, which show what is left to do. If
//! it is killed in between, the next run of the same command completes it.

use jiff::Timestamp;

use super::plan::{From, PruneFate, PrunePlan};
use crate::error::{Error, Result};
use crate::git::Oid;
use crate::git::transfer::{RefAnswer, Update};
use crate::sharing::{self, PushSelection};
use crate::store::{NOTES_REF, NotedPackage};
use crate::text::words::short;
use crate::workspace::Workspace;

#[derive(Debug, Default)]
pub struct Freed {
    /// LFS objects that nothing keeps from `git lfs prune` any more.
    pub objects: usize,
    pub bytes: u64,
}

/// Prunes, on a remote first where the plan was made for one.
///
/// # Errors
/// When the remote does not delete all: then everything is still here, and the next run continues.
pub fn apply(
    workspace: &Workspace<'_>,
    plan: &PrunePlan,
    from: Option<&From>,
    at: Timestamp,
) -> Result<Freed> {
    let store = workspace.store();
    let gone = plan.going.iter().filter(|going| going.fate == PruneFate::Gone);
    store.notes().write_tombstones(&gone.map(|going| &going.found).collect::<Vec<&NotedPackage>>(), at)?;
    if let Some(from) = from {
        remove_from(workspace, plan, from)?;
    }
    let tips: Vec<Oid> = plan.going.iter().filter_map(|going| going.tip).collect();
    let (objects, bytes) = store.lfs_objects().release(&tips, &plan.staying)?;
    let removed: Vec<(String, Oid)> = plan.removed().collect();
    workspace.repository.delete_refs(removed.iter().map(|(name, tip)| (name.as_str(), *tip)))?;
    Ok(Freed { objects, bytes })
}

/// The remote's notes are updated before its packages go: they never name a package that it does not have.
fn remove_from(workspace: &Workspace<'_>, plan: &PrunePlan, from: &From) -> Result<()> {
    let From { remote, .. } = from;
    let gone = plan.going.iter().map(|going| going.found.key()).collect();
    let told = sharing::push(workspace, remote, &PushSelection::Gone(gone), false)?;
    let refused = |what: &str, why: &str| {
        let why = why.lines().map(str::trim).collect::<Vec<_>>().join("; ");
        Error::refused(format!("{remote} refuses to delete {what}: {why}"))
            .hint("nothing was removed here; run the command again once the remote allows it")
    };
    if let Some(kept) = told.refused.iter().find(|kept| kept.what == NOTES_REF) {
        return Err(refused("packages", &kept.why));
    }
    let update = |(name, tip): (String, Oid)| Update { name, new: None, old: Some(tip) };
    let updates: Vec<Update> = plan.removed_from(from).into_iter().map(update).collect();
    if updates.is_empty() {
        return Ok(());
    }
    workspace.progress.phase(&format!("Removing from {remote}"));
    let answers = workspace.repository.push(remote, &updates, workspace.progress)?;
    for (update, answer) in updates.iter().zip(answers) {
        let last = update.name.rsplit('/').next().unwrap_or_default();
        let what = format!("package {}", short(last, 8));
        match answer {
            RefAnswer::Done => {}
            RefAnswer::Elsewhere => return Err(refused(&what, "it was changed meanwhile")),
            RefAnswer::Refused(why) => return Err(refused(&what, &why)),
        }
    }
    Ok(())
}
