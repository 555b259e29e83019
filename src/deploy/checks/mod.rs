//! What is checked before anything starts: a file a check, each of which gives lines and stops none of the others. Nothing here
//! reaches AWS.

mod carried;
mod check;
mod head;
mod installation;
mod licence;
mod limits;
mod node;
mod package;
mod runtimes;
mod toolchain;
mod variables;

use jiff::tz::TimeZone;

use crate::error::Result;
use crate::git::Source;
use crate::package::manifest::Target;
use crate::packaging::{equip, surroundings};
use crate::store::StoredPackage;
use crate::store::deployments::{Action, Deployment};
use crate::toolchain::Programs;
use crate::toolchain::framework::Installed;
use crate::workspace::Workspace;

pub use check::{Check, Verdict, allow, pass, write};
pub use head::all;
pub use installation::{Drift, drifts, installation};
pub use node::{Here, node};
pub use runtimes::ALLOW as ALLOW_RUNTIME;

/// What is checked of a package before it is deployed, from whatever working tree.
///
/// # Arguments
/// `live`: what is live, as far as the history knows. `framework`: the installed one, where there is one already.
pub fn of_package(
    workspace: &Workspace<'_>,
    package: &StoredPackage<'_>,
    action: Action,
    live: Option<&Deployment>,
    framework: Option<&Installed>,
) -> Result<Vec<Check>> {
    let Workspace { context, repository, config, progress, .. } = workspace;
    let StoredPackage { manifest, source, .. } = package;
    let Target { path, .. } = &manifest.target;
    let programs = Programs::with_node(manifest.tools.node.as_deref(), &context.cwd, &context.environment);
    let intact = package::intact(package, *progress)?;
    let is_whole = intact.verdict == Verdict::Ok;
    let mut checks = vec![intact];
    if is_whole {
        checks.extend(of_state(workspace, package, live)?);
    }
    checks.push(toolchain::check(&equip::outlook(workspace, *source, path, &programs)?, action));
    checks.extend(node(manifest, framework, &Here::of(&programs, &context.cwd, workspace)));
    let is_set = |name: &str| context.environment.value(name).is_some();
    checks.extend(licence::check(manifest.tools.framework.as_ref(), is_set));
    let tree = Source::new(repository, repository.commit(*source)?.tree);
    let found = surroundings::carried(workspace, tree, path)?;
    let own = |file: &str| tree.entry(&path.file(file)).is_ok_and(|found| found.is_some());
    checks.extend(carried::check(&config.carry, &found, &manifest.carried.paths, own)?);
    let variables = &manifest.environment;
    let values = surroundings::values_for(workspace, *source, &manifest.target, &variables.names)?;
    checks.extend(variables::check(variables, &values));
    Ok(checks)
}

/// What is checked of what the package's state says.
fn of_state(
    workspace: &Workspace<'_>,
    package: &StoredPackage<'_>,
    live: Option<&Deployment>,
) -> Result<Vec<Check>> {
    let state = package::state(package)?;
    let mut checks = vec![package::target(&package.manifest.target, &state)];
    let Ok(template) = state.template() else { return Ok(checks) };
    let live = live.and_then(|live| package::live(workspace, live));
    let live = live.as_ref().map(runtimes::of_template);
    let today = workspace.context.clock.now().to_zoned_datetime(TimeZone::UTC).date();
    checks.extend(runtimes::check(&runtimes::of_template(&template), live.as_ref(), today)?);
    checks.extend(limits::check(&template, |file| package.unpacked_size(file))?);
    Ok(checks)
}
