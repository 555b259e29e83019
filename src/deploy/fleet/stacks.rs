//! What the stacks of this repository export and import, now and when all is done: read from recorded packages alone.

use super::step::StepState;
use crate::deploy::fleet::order::StackExports;
use crate::deploy::history;
use crate::deploy::history::packages::package_of;
use crate::deploy::preflight::plan::Plan;
use crate::error::{Error, Kind, Result};
use crate::package::manifest::Target;
use crate::service::Sharing;
use crate::store::StoredPackage;
use crate::text::words::line;
use crate::workspace::Workspace;

/// The stacks: those of the plans first, in the plans' order, then all others that were deployed from here.
pub(in crate::deploy) struct Stacks {
    pub(in crate::deploy) all: Vec<StackExports>,
    /// What each is called.
    pub(in crate::deploy) targets: Vec<Target>,
    /// What is not known of each plan's.
    pub(in crate::deploy) remarks: Vec<Vec<String>>,
}

/// The stacks that names may be shared by when `plans` are carried out.
pub(in crate::deploy) fn of(
    workspace: &Workspace<'_>,
    plans: &[Plan<'_>],
    states: &[StepState],
) -> Result<Stacks> {
    let mut found = Stacks { all: Vec::new(), targets: Vec::new(), remarks: Vec::new() };
    for (plan, state) in plans.iter().zip(states) {
        let moves = *state == StepState::ToDo;
        let mut remarks = Vec::new();
        let now = known(live(workspace, &plan.target), "what it exports and imports now", &mut remarks)?;
        let then = if moves {
            known(sharing(&plan.package).map(Some), "what it will export and import", &mut remarks)?
        } else {
            now.clone()
        };
        if moves {
            for unknown in now.unknown.iter().chain(&then.unknown) {
                let remark = format!("not known: {unknown}");
                if !remarks.contains(&remark) {
                    remarks.push(remark);
                }
            }
        }
        found.all.push(StackExports { region: plan.target.region.to_string(), moves, now, then });
        found.targets.push(plan.target.clone());
        found.remarks.push(remarks);
    }
    let regions: Vec<String> = found.all.iter().map(|stack| stack.region.clone()).collect();
    for target in workspace.store().histories().targets()? {
        let region = target.region.to_string();
        if !regions.contains(&region) || found.targets.iter().any(|known| known.is_same_stack(&target)) {
            continue;
        }
        let mut unknown = Vec::new();
        let now = known(live(workspace, &target), "what it exports and imports", &mut unknown)?;
        unknown.extend(now.unknown.iter().cloned());
        if !unknown.is_empty() {
            doubt(&mut found, &target, &unknown);
        }
        found.all.push(StackExports { region, moves: false, then: now.clone(), now });
        found.targets.push(target);
    }
    Ok(found)
}

/// Tells those that remove an export what is not known of a stack that may import it.
fn doubt(found: &mut Stacks, target: &Target, unknown: &[String]) {
    for (stack, remarks) in found.all.iter().zip(&mut found.remarks) {
        let removes = stack.now.exports.keys().any(|name| !stack.then.exports.contains_key(name));
        if stack.moves && removes {
            remarks.push(format!(
                "{target} may import what is no longer exported; not known: {}",
                unknown.join("; ")
            ));
        }
    }
}

/// What is shared, or nothing and a remark where that can't be read.
fn known(read: Result<Option<Sharing>>, what: &str, remarks: &mut Vec<String>) -> Result<Sharing> {
    match read {
        Ok(sharing) => Ok(sharing.unwrap_or_default()),
        Err(error) if matches!(error.kind, Kind::Interrupted | Kind::Bug) => Err(error),
        Err(error) => {
            remarks.push(format!("not known: {what}: {}", line(&error.to_string())));
            Ok(Sharing::default())
        }
    }
}

/// What a target's live stack shares, by the history.
fn live(workspace: &Workspace<'_>, target: &Target) -> Result<Option<Sharing>> {
    let known = workspace.store().histories().of(target)?.deployments;
    let Some(live) = history::live(&known) else { return Ok(None) };
    let found = package_of(workspace, live)
        .map_err(|error| Error::not_recorded("its live package is not here").because(error))?;
    sharing(&crate::sharing::open(workspace, &found)?).map(Some)
}

fn sharing(package: &StoredPackage<'_>) -> Result<Sharing> {
    Ok(package.state()?.sharing()?)
}
