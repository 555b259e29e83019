//! What is checked before anything starts: a file a check, each of which gives lines and stops none of the others. What is asked of
//! AWS is asked once for all of them, in `answers`; that it gives no answer is a warning.

mod account;
mod carried;
mod check;
mod credentials;
mod head;
mod installation;
mod licence;
mod limits;
pub(super) mod names;
mod node;
mod objects;
mod package;
mod runtimes;
mod signature;
mod stack;
mod toolchain;
mod variables;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::Value;

use crate::config::FILE;
use crate::deploy::history;
use crate::deploy::observe::aws_state::AwsState;
use crate::error::Result;
use crate::git::Source;
use crate::package::manifest::Target;
use crate::packaging::build_environment;
use crate::packaging::checkout::install_source;
use crate::service::S3Prefix;
use crate::store::StoredPackage;
use crate::store::deployments::{Action, Deployment};
use crate::toolchain::Programs;
use crate::toolchain::framework::Installed;
use crate::workspace::Workspace;

pub use account::ALLOW as ALLOW_ACCOUNT;
pub(super) use check::listed;
pub use check::{Check, CheckVerdict, allow, pass, write};
pub use credentials::ALLOW as ALLOW_NO_CREDENTIALS;
pub use head::all;
pub use installation::Installation;
pub use node::{Here, node};
pub use objects::ALLOW as ALLOW_MISSING;
pub(super) use package::banned;
pub use runtimes::ALLOW as ALLOW_RUNTIME;

/// What was checked of a package, and what AWS answered on the way.
pub struct CheckedPackage {
    /// The checks, in the order in which they are shown.
    pub checks: Vec<Check>,
    /// The S3 prefix that it was made with; `None` where the package is damaged.
    pub prefix: Option<S3Prefix>,
    /// What AWS says of the target; `None` where the package is damaged, and so does not say which stack it is for.
    pub answers: Option<AwsState>,
    /// The archives of the package that contain `slsart.toml`.
    pub configured: Vec<String>,
}

/// What is checked of a package before it is deployed, from whatever working tree. The package is read once.
///
/// # Arguments
/// `deployments`: those of its target, newest first. `framework`: the installed one, where there is one already.
pub fn of_package(
    workspace: &Workspace<'_>,
    package: &StoredPackage<'_>,
    action: Action,
    deployments: &[Deployment],
    framework: Option<&Installed>,
) -> Result<CheckedPackage> {
    let Workspace { context, repository, config, progress, .. } = workspace;
    let StoredPackage { manifest, source, .. } = package;
    let Target { path, .. } = &manifest.target;
    let programs = Programs::with_node(manifest.tools.node.as_deref(), &context.cwd, &context.environment);
    let read = package.inspect(*progress)?;
    let mut checks = vec![package::intact(package, &read.damages)];
    checks.extend(signature::of_package(workspace, package)?);
    checks.extend(signature::of_history(workspace, history::live(deployments))?);
    let (mut answers, mut prefix) = (None, None);
    if read.damages.is_empty() {
        let state = package.state()?;
        let told = AwsState::ask(workspace, manifest, state)?;
        checks.push(package::target(&manifest.target, state));
        if let Ok(template) = state.template() {
            checks.extend(of_template(workspace, &template, &read.unpacked, deployments, &told)?);
            checks.extend(of_answers(&told, &manifest.target, deployments));
        }
        answers = Some(told);
        prefix = state.prefix().ok();
    }
    checks.push(toolchain::check(&install_source(workspace, *source, path, &programs)?, action));
    let tree = Source::new(repository, repository.commit(*source)?.tree);
    checks.extend(of_node(workspace, package, tree, framework, &programs));
    let is_set = |name: &str| context.environment.value(name).is_some();
    checks.extend(licence::check(manifest.tools.framework.as_ref(), is_set));
    let found = build_environment::carried(workspace, tree, path)?;
    let own = |file: &str| tree.entry(&path.file(file)).is_ok_and(|found| found.is_some());
    checks.extend(carried::check(&config.carry, &found, &manifest.carried.paths, own)?);
    let variables = &manifest.environment;
    let values = build_environment::values_for(workspace, *source, &manifest.target, &variables.names)?;
    checks.extend(variables::check(variables, &values));
    let configured = read.tops.into_iter().filter(|(_, top)| top.contains(FILE)).map(|(name, _)| name);
    Ok(CheckedPackage { checks, prefix, answers, configured: configured.collect() })
}

/// What is checked of what the package gives to AWS. Which functions are live AWS says, else the history.
fn of_template(
    workspace: &Workspace<'_>,
    template: &Value,
    unpacked: &BTreeMap<String, u64>,
    deployments: &[Deployment],
    answers: &AwsState,
) -> Result<Vec<Check>> {
    let recorded = || package::live(workspace, history::live(deployments)?);
    let live = match &answers.template {
        Ok(Some(template)) => Some(runtimes::of_template(template)),
        Ok(None) => Some(BTreeMap::new()),
        Err(_) => recorded().as_ref().map(runtimes::of_template),
    };
    let today = workspace.context.clock.now().to_zoned_datetime(TimeZone::UTC).date();
    let mut checks = runtimes::check(&runtimes::of_template(template), live.as_ref(), today)?;
    checks.extend(limits::check(template, unpacked));
    Ok(checks)
}

/// What is checked of what AWS says; one line where it says nothing.
fn of_answers(answers: &AwsState, target: &Target, deployments: &[Deployment]) -> Vec<Check> {
    if let Some(error) = answers.silence() {
        return vec![credentials::silence(error)];
    }
    let AwsState { name, account, stack, images, objects, .. } = answers;
    let deployed = history::live(deployments).is_some();
    let mut checks = vec![
        account::check(account, account::recorded(deployments)),
        stack::check(stack, name, target.region.as_str(), deployed),
    ];
    checks.extend(objects::check(objects));
    checks.extend(objects::images(images));
    checks
}

/// The check of node, against the installed framework or else what is recorded of it.
fn of_node(
    workspace: &Workspace<'_>,
    package: &StoredPackage<'_>,
    source: Source<'_>,
    framework: Option<&Installed>,
    programs: &Programs,
) -> Option<Check> {
    let manifest = &package.manifest;
    let here = Here::of(programs, &workspace.context.cwd, workspace);
    if let Some(framework) = framework {
        return node(manifest, framework.engines().map(|engines| (&framework.tool, engines)), &here);
    }
    let engines = node::engines(manifest, source);
    node(manifest, manifest.tools.framework.as_ref().zip(engines.as_deref()), &here)
}
