//! The records of one remote, quickly: deployments and bans, before and after a deployment. Never asks the user; no answer in time counts
//! as none.

use super::MergeReport;
use crate::error::{Error, Result};
use crate::git::remote::Moved;
use crate::process::Patience;
use crate::store::tracking::record_refspecs;
use crate::workspace::Workspace;

/// How often a record is merged with others' before giving up.
const TRIES: usize = 5;

pub fn fetch_records(workspace: &Workspace<'_>, remote: &str) -> Result<MergeReport> {
    workspace.repository.fetch_quickly(remote, &record_refspecs(remote))?;
    workspace.store().tracking(remote).merge_records()
}

/// Sends the chain `name` to `remote`, merged with the remote's.
pub fn send_records(workspace: &Workspace<'_>, remote: &str, name: &str) -> Result<()> {
    let Workspace { repository, .. } = workspace;
    let store = workspace.store();
    for _ in 0..TRIES {
        // A `git fetch` may have brought new ones meanwhile.
        store.tracking(remote).merge_records()?;
        let Some(update) =
            store.tracking(remote).chain_updates()?.into_iter().find(|update| update.name == name)
        else {
            return Ok(());
        };
        let moved = repository.move_remote_ref(remote, name, (update.old, update.new), Patience::Always)?;
        match moved {
            Moved::Done => return store.tracking(remote).pushed(&update),
            Moved::Elsewhere => fetch_records(workspace, remote).map(drop)?,
            Moved::Refused(why) | Moved::Unreachable(why) => {
                let why = why.lines().next().unwrap_or_default().to_owned();
                return Err(Error::refused(format!("{remote} refused it: {why}")));
            }
        }
    }
    Err(Error::refused(format!("it changed during each of {TRIES} attempts")))
}
