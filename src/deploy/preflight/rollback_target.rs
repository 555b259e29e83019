//! What a rollback that names no package goes to: the history decides.

use crate::deploy::history;
use crate::deploy::history::packages::package_of;
use crate::deploy::history::release::{Live, describe_live};
use crate::deploy::preflight::plan::Plan;
use crate::error::{Error, Kind, Result};
use crate::package::manifest::Target;
use crate::store::NotedPackage;
use crate::store::bans::Ban;
use crate::store::deployments::{Action, Deployment, Effect};
use crate::text::words::{count, line, short};
use crate::workspace::{Wanted, Workspace};

/// A place in a target's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RollbackTarget {
    /// The previous successful deployment of a package that is not banned.
    Previous,
    /// The one that `history` shows this number for, from 1 for the first.
    Number(usize),
    /// What was live before the last rollback.
    Undone,
}

impl<'r> Plan<'r> {
    /// The plan to go to a place in the target's history.
    pub fn back(workspace: &Workspace<'r>, goal: RollbackTarget, wanted: &Wanted) -> Result<Self> {
        let target = deployed_target(workspace, wanted)?;
        let known = workspace.store().histories().of(&target)?;
        let deployments = &known.deployments;
        match goal {
            RollbackTarget::Undone => {
                let undone = history::undone(deployments).ok_or_else(|| {
                    Error::not_recorded(format!("there is no rollback of {target} to undo"))
                        .hint("--undo works only if the last deployment was a rollback")
                        .hint(packages(workspace, &target))
                })?;
                Self::of_found(workspace, Action::Undo, &package_of(workspace, undone)?)
            }
            RollbackTarget::Number(number) => {
                let chosen = history::numbered(deployments, number).ok_or_else(|| {
                    let there = count(deployments.len(), "deployment");
                    Error::not_recorded(format!("{target} has {there}, and no number {number}"))
                        .hint(format!("the numbers: {}", workspace.slsart(&["history"], &target)))
                })?;
                let mut plan = Self::of_found(workspace, Action::Rollback, &package_of(workspace, chosen)?)?;
                if chosen.effect() != Effect::Live {
                    plan.warnings.insert(0, format!("deployment {number} did not make its package live"));
                }
                Ok(plan)
            }
            RollbackTarget::Previous => {
                let Previous { found, skipped } = previous(workspace, deployments)?;
                let Some(found) = found else { return Err(none(workspace, &target, deployments, skipped)) };
                let mut plan = Self::of_found(workspace, Action::Rollback, &found)?;
                plan.warnings.splice(0..0, skipped);
                Ok(plan)
            }
        }
    }
}

/// What a rollback goes to that names no package.
pub struct Previous {
    /// The package of the nearest deployment to go back to; none where there is none.
    pub found: Option<NotedPackage>,
    /// What was nearer and is not meant, and why.
    pub skipped: Vec<String>,
}

/// What a rollback goes to that names no package, and what the picker stands on: the nearest successful deployment of another package,
/// unless it is banned or pruned. Nothing that a rollback has left.
///
/// # Errors
/// When its package is lost.
pub fn previous(workspace: &Workspace<'_>, deployments: &[Deployment]) -> Result<Previous> {
    let mut skipped = Vec::new();
    for deployment in history::back(deployments) {
        let found = match package_of(workspace, deployment) {
            Err(error) if error.kind == Kind::NotRecorded => {
                skipped.push(format!("{} is skipped: {error}", short(&deployment.commit, 7)));
                continue;
            }
            found => found?,
        };
        match workspace.store().bans().of(found.commit, found.line.package)? {
            Some(ban) => skipped.push(skip(workspace, &found, &ban)),
            None => return Ok(Previous { found: Some(found), skipped }),
        }
    }
    Ok(Previous { found: None, skipped })
}

/// The one target with a history that is meant.
fn deployed_target(workspace: &Workspace<'_>, wanted: &Wanted) -> Result<Target> {
    let filter = workspace.target(wanted, None)?;
    let mut targets = workspace.store().histories().targets()?;
    targets.retain(|target| filter.matches(target));
    filter.keep_nearest(&mut targets, |target| target);
    if targets.is_empty() {
        workspace.need_known_target(&filter, wanted, "rollback")?;
    }
    match targets.len() {
        0 => Err(Error::not_recorded("nothing was deployed to this target by git slsart yet")
            .hint("`git slsart log` lists the packages")),
        1 => Ok(targets.swap_remove(0)),
        _ => {
            let list: Vec<_> = targets.iter().map(ToString::to_string).collect();
            Err(Error::refused("several targets have a history")
                .hint(format!("name one with --service, --stage and --region: {}", list.join("; "))))
        }
    }
}

/// Why there is nothing to go back to, and what can be made live instead.
fn none(
    workspace: &Workspace<'_>,
    target: &Target,
    deployments: &[Deployment],
    skipped: Vec<String>,
) -> Error {
    let error =
        Error::not_recorded(format!("there is no other release of {target} to go back to")).hints(skipped);
    let name = |deployment| {
        let Live { short, label, .. } = describe_live(workspace.repository, deployment);
        format!("{short} {}", line(&label))
    };
    let is_live = |deployment: &&Deployment| deployment.effect() == Effect::Live;
    let mut released = deployments.iter().filter(is_live);
    let error = match (history::undone(deployments), released.next()) {
        (Some(undone), _) => error.hint(format!(
            "{} was rolled back from; to make it live again: {}",
            name(undone),
            workspace.slsart(&["rollback", "--undo"], target)
        )),
        (None, Some(only)) if released.all(|other| other.package == only.package) => {
            error.hint(format!("{} is the only release that was ever live", name(only)))
        }
        (None, _) => error,
    };
    error.hint(packages(workspace, target))
}

fn packages(workspace: &Workspace<'_>, target: &Target) -> String {
    format!("packages that can be deployed: {}", workspace.slsart(&["log"], target))
}

fn skip(workspace: &Workspace<'_>, found: &NotedPackage, ban: &Ban) -> String {
    let short = workspace.repository.short_id(found.commit);
    format!("{short} ({}) is skipped: {ban}", found.line.package.short())
}
