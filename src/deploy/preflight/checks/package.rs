//! The package itself: its bytes, and what it is for.

use serde_json::Value;

use super::Check;
use super::check::INTACT;
use crate::deploy::history::packages::open;
use crate::error::{ANOTHER_COPY, Result};
use crate::package::manifest::Target;
use crate::service::State;
use crate::store::deployments::Deployment;
use crate::store::{Damage, NotedPackage, StoredPackage};
use crate::workspace::Workspace;

/// Every byte is what was recorded.
pub(super) fn intact(package: &StoredPackage<'_>, damages: &[Damage]) -> Check {
    match damages.first() {
        None => Check::ok(INTACT, format!("{} files are what was recorded", package.manifest.files.len())),
        Some(damage) => Check::blocks(INTACT, damage.problem.clone(), ANOTHER_COPY),
    }
}

/// The package was made for what it is recorded for: nothing in the framework compares the two.
pub(super) fn target(target: &Target, state: &State) -> Check {
    let hint = "the package was recorded for a target other than its own: package the commit again";
    if let Err(mismatch) = state.check_target(target.stage.as_str(), target.region.as_str()) {
        return Check::blocks("target", mismatch.to_string(), hint);
    }
    match state.service_name() {
        Some(name) if name != target.service.as_str() => {
            let message = format!("the package belongs to the service {name}, not to {}", target.service);
            Check::blocks("target", message, hint)
        }
        _ => Check::ok("target", format!("made for {target}")),
    }
}

/// The template of the package that is live by the history, if it can be read here.
pub(super) fn live(workspace: &Workspace<'_>, live: &Deployment) -> Option<Value> {
    open(workspace, live)?.state().ok()?.template().ok()
}

/// The check that a package is not banned: a line only where it is.
pub fn banned(workspace: &Workspace<'_>, found: &NotedPackage) -> Result<Option<Check>> {
    let Some(ban) = workspace.store().bans().of(found.commit, found.line.package)? else { return Ok(None) };
    let short = workspace.repository.short_id(found.commit);
    let package = found.line.package.short();
    let message = format!("{short} ({package}) of {} must not be deployed: {ban}", found.line.target.service);
    let lift = workspace.slsart(&["unban", &package], &found.line.target);
    Ok(Some(Check::blocks("banned", message, format!("to lift the ban: {lift}"))))
}
