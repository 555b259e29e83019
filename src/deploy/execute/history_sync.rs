//! What other machines did to a target, and what this one sends them. The histories come from the remote that holds the
//! locks: before a plan is made, and again once its lock is taken, since no other machine writes from then on. The record of
//! a deployment
//! goes there before the lock is left.

use crate::deploy::execute::lock;
use crate::deploy::history::{self, Watermark};
use crate::error::{Error, Kind, Result};
use crate::package::manifest::Target;
use crate::sharing::{self, fetch_records, send_records};
use crate::store::deployments::{Deployment, Effect};
use crate::store::histories::history_ref;
use crate::text::command::slsart;
use crate::text::words::{person, short};
use crate::workspace::Workspace;

/// Has what other machines recorded here before a plan is made.
///
/// # Arguments
/// `no_lock`: whether other machines are left out of this.
///
/// # Returns
/// What is to be known of a history that may be old; none where it is not.
pub fn look(workspace: &Workspace<'_>, no_lock: bool) -> Result<Option<String>> {
    if no_lock {
        return Ok(None);
    }
    let Some(remote) = lock::usual_remote(workspace)? else { return Ok(None) };
    workspace.progress.phase(&format!("Asking {remote} what was deployed"));
    match fetch_records(workspace, &remote) {
        Ok(new) if new.is_empty() => Ok(None),
        // Another machine may have deployed packages that are unknown here.
        Ok(_) => match sharing::remote(workspace, None).map(|remote| sharing::refresh(workspace, &remote)) {
            Ok(Err(error)) if error.kind == Kind::Interrupted => Err(error),
            // A package that is then not known says so.
            _ => Ok(None),
        },
        Err(error) if error.kind == Kind::Interrupted => Err(error),
        Err(error) => {
            let why = error.causes().into_iter().next().unwrap_or_else(|| error.to_string());
            Ok(Some(format!(
                "{remote} does not answer ({}): the history here may be out of date",
                why.lines().next().unwrap_or_default()
            )))
        }
    }
}

/// Refuses to go on where a target's history is not what its plan was made with. For when the locks are taken.
pub(in crate::deploy) fn check_unmoved<'p>(
    workspace: &Workspace<'_>,
    planned: impl Iterator<Item = (&'p Target, &'p Watermark)>,
    remote: Option<&str>,
) -> Result<()> {
    if let Some(remote) = remote {
        fetch_records(workspace, remote).map_err(|error| {
            error.hint(format!("another machine may have deployed meanwhile: wait until {remote} answers, or go on with --no-lock"))
        })?;
    }
    for (target, mark) in planned {
        let deployments = workspace.store().histories().of(target)?.deployments;
        if Watermark::of(&deployments) != *mark {
            return Err(moved(workspace, target, mark, &deployments));
        }
    }
    Ok(())
}

fn moved(workspace: &Workspace<'_>, target: &Target, mark: &Watermark, deployments: &[Deployment]) -> Error {
    let what = match (mark.newly_live(deployments), deployments.first()) {
        (Some(live), _) => {
            format!("{} deployed {} to {target} meanwhile", person(&live.by), short(&live.commit, 7))
        }
        (None, Some(newest)) if newest.effect() == Effect::Unknown => {
            format!(
                "the history of {target} changed meanwhile: {}",
                history::unfinished(newest, workspace.context.clock.now())
            )
        }
        (None, _) => format!("the history of {target} changed meanwhile"),
    };
    Error::refused(what).hint("nothing was deployed: the plan is stale").hint(format!(
        "see what changed, then run the command again: {}",
        workspace.slsart(&["history"], target)
    ))
}

/// Sends the record of a deployment to the remote whose lock is held. What is live is live, whether others know it or not.
pub(in crate::deploy) fn tell(workspace: &Workspace<'_>, target: &Target, remote: &str) {
    let progress = workspace.progress;
    progress.phase(&format!("Sending the record to {remote}"));
    if let Err(error) = send_records(workspace, remote, &history_ref(target)) {
        progress.warn(&format!(
            "the record of this deployment is not on {remote}, so other machines don't see the deployment ({error}); to push it: {}",
            slsart(["push", remote])
        ));
    }
}
