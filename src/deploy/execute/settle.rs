//! Writing into the history what AWS shows of deployments that did not finish.

use crate::deploy::execute::lock::{self, LocalLock};
use crate::deploy::history;
use crate::deploy::observe::effect;
use crate::deploy::observe::live::{self, LiveObservation, LiveReport};
use crate::error::Result;
use crate::git::worktree;
use crate::store::Signing;
use crate::store::deployments::Deployment;
use crate::workspace::{Wanted, Workspace};

/// Which commit is live on the target that is `wanted`. What the history left open of that goes into it.
pub fn look(workspace: &Workspace<'_>, wanted: &Wanted) -> Result<LiveReport> {
    let looked = live::look(workspace, wanted)?;
    if settle(workspace, &looked)? == 0 {
        return Ok(looked.report);
    }
    live::look(workspace, wanted).map(|looked| looked.report)
}

/// Writes a record for each deployment of which AWS shows now what it left.
///
/// # Returns
/// How many there are.
fn settle(workspace: &Workspace<'_>, looked: &LiveObservation<'_>) -> Result<usize> {
    let LiveObservation { report, stack, template, .. } = looked;
    let store = workspace.store();
    let histories = store.histories();
    if history::uncertain(&histories.of(&report.target)?.deployments).next().is_none() {
        return Ok(0);
    }
    // One that runs may change the stack later.
    let Some(_lock) = LocalLock::try_take(workspace, &report.target, "git slsart live")? else {
        return Ok(0);
    };
    let busy = busy(workspace, looked)?;
    let is_idle = busy.is_none();
    let before = histories.of(&report.target)?.deployments;
    let mut after = before.clone();
    let mut count = effect::settle(&mut after, stack, template, is_idle);
    let live = after.iter().position(|known| history::live(&before).is_some_and(|live| live.id == known.id));
    if let Some(live) = live.filter(|_| count == 0 && report.as_history_says == Some(true)) {
        count = effect::certain(&mut after, live, is_idle);
    }
    if count == 0 {
        let left = history::uncertain(&before).next();
        if let Some((left, why)) = left.zip(busy) {
            let now = workspace.context.clock.now();
            workspace.progress.warn(&format!("{}: {why}", history::unfinished(left, now)));
        }
        return Ok(0);
    }
    // Records decide the order: those of all later deployments are written, the oldest first.
    let live = history::live(&after).map(|live| live.id.clone());
    let until =
        before.iter().position(|known| history::live(&before).is_some_and(|live| live.id == known.id));
    let later: Vec<&Deployment> = after.iter().take(until.unwrap_or(after.len())).collect();
    for known in later.into_iter().rev() {
        histories.append(known, Signing::Configured)?;
    }
    for known in after.iter().zip(&before).filter(|(after, before)| after != before).map(|(after, _)| after) {
        let what = if live.as_ref() == Some(&known.id) { "made its package live" } else { "changed nothing" };
        let now = workspace.context.clock.now();
        workspace.progress.note(&format!("recorded: {}, and {what}", history::unfinished(known, now)));
    }
    Ok(count)
}

/// Why a deployment that did not finish may still change the stack; `None` if nothing of it can run.
fn busy(workspace: &Workspace<'_>, looked: &LiveObservation<'_>) -> Result<Option<String>> {
    if worktree::is_any_in_use(workspace.repository, &workspace.context.cache_dir())? {
        let why = "a program still works in a checkout of this repository, and may change what is live";
        return Ok(Some(format!("{why}: look again when it has ended")));
    }
    let target = &looked.report.target;
    let remote = match lock::usual_remote(workspace) {
        Ok(None) => return Ok(None),
        Ok(Some(remote)) => remote,
        Err(error) => return Ok(Some(error.to_string())),
    };
    Ok(match lock::holder(workspace, &remote, target) {
        Ok(None) => None,
        Ok(Some(_)) => {
            let unlock = workspace.slsart(&["unlock"], target);
            Some(format!("{remote} still has its lock; only if nothing of it runs any more: {unlock}"))
        }
        Err(error) => Some(format!("whether it still runs is not known: {error}")),
    })
}
