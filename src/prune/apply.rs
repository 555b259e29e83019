//! Doing what was planned. The order is the safety: first the lines that say so, then links, then the refs, which tell what is left
//! to do. Whatever is killed in between, the next run of the same command completes it.

use jiff::Timestamp;

use super::plan::{Fate, Plan};
use crate::error::Result;
use crate::git::Oid;
use crate::store::Found;
use crate::workspace::Workspace;

/// What was freed beside git's objects.
#[derive(Debug, Default)]
pub struct Freed {
    /// LFS objects that nothing keeps from `git lfs prune` any more.
    pub objects: usize,
    /// The sum of their sizes, in bytes.
    pub bytes: u64,
}

/// Prunes.
pub fn apply(workspace: &Workspace<'_>, plan: &Plan, at: Timestamp) -> Result<Freed> {
    let store = workspace.store();
    let gone = plan.going.iter().filter(|going| going.fate == Fate::Gone);
    store.bury(&gone.map(|going| &going.found).collect::<Vec<&Found>>(), at)?;
    let tips: Vec<Oid> = plan.going.iter().map(|going| going.tip).collect();
    let (objects, bytes) = store.let_go_of_links(&tips, &plan.staying)?;
    let removed: Vec<(String, Oid)> = plan.removed().collect();
    workspace.repository.delete_refs(removed.iter().map(|(name, tip)| (name.as_str(), *tip)))?;
    Ok(Freed { objects, bytes })
}
