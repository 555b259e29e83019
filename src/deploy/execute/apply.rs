//! Carrying out a plan: worktree, plugins, checks, copy, framework, history. Whatever happens, it is written down and the
//! worktree goes.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::config::Snapshot;
use crate::deploy::execute::copy::copy;
use crate::deploy::execute::history_sync;
use crate::deploy::history::release::Live;
use crate::deploy::observe::failure::{self, Attempt};
use crate::deploy::observe::proof::{self, Expectation};
use crate::deploy::preflight::checks::{self, Check, CheckVerdict, Here, Installation};
use crate::deploy::preflight::plan::{Plan, Restore};
use crate::error::{Error, Kind, Result};
use crate::package::Manifest;
use crate::package::manifest::Target;
use crate::packaging::checkout::{Checkout, InstallMode, Stopwatch};
use crate::process::{Group, Output, interrupt};
use crate::service::DeployArguments;
use crate::store::Signing;
use crate::store::deployments::{Deployment, Effect, Outcome, Phase, RUN_PHASE};
use crate::store::proof::Proof;
use crate::text::style::{BOLD, COMMIT};
use crate::text::words::{seconds, short};
use crate::workspace::Workspace;

/// How to carry out a plan.
#[derive(Debug, Clone)]
pub struct DeployOptions {
    /// Why, in the words of who does it.
    pub reason: Option<String>,
    /// Plugins, and the framework, that may be others than were recorded.
    pub allowed_drift: Vec<String>,
    /// Resources that hold data and may be deleted or replaced, by their logical ids; kept in the history.
    pub allowed_deletions: Vec<String>,
    /// Whether other machines need not see it.
    pub no_lock: bool,
    /// Where the package manager's output goes.
    pub installing: Output,
    /// Where the framework's output goes.
    pub deploying: Output,
}

/// What was done.
#[derive(Debug, Serialize)]
pub struct DeployReport {
    /// The commit that is live now.
    pub commit: String,
    /// Its short id.
    #[serde(skip)]
    pub short: String,
    /// Its tag or subject.
    pub label: String,
    /// Where.
    pub target: Target,
    /// Its package.
    pub package: String,
    /// When it was done.
    pub ended: Timestamp,
    /// How long each phase took.
    pub phases: Vec<Phase>,
    /// What was live before.
    pub before: Option<Live>,
    /// What was found in AWS afterwards; none where it was not to be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
}

/// Carries out `plan`, whose locks are taken.
///
/// # Arguments
/// `remote`: it has the lock too, and gets the record.
pub(in crate::deploy) fn carry_out(
    workspace: &Workspace<'_>,
    plan: &Plan<'_>,
    options: &DeployOptions,
    remote: Option<&str>,
) -> Result<DeployReport> {
    let Workspace { repository, context, .. } = *workspace;
    let store = workspace.store();
    let package = &plan.package;
    let manifest = &package.manifest;
    let mut record = Deployment::begin(
        plan.action,
        plan.target.clone(),
        package.commit,
        manifest.package.id,
        repository.actor()?,
        context.clock.now_precise(),
    );
    record.reason.clone_from(&options.reason);
    record.allowed_deletions.clone_from(&options.allowed_deletions);
    // Recorded before anything is uploaded: AWS shows by it how far a deployment came that is killed.
    let at = context.clock.now_precise().as_millisecond().max(plan.newest_prefix);
    record.prefix = plan.prefix.as_ref().and_then(|made| Some(made.fresh(at).ok()?.as_str().to_owned()));
    store.histories().append(&record, Signing::Configured)?;
    let outcome = run(workspace, plan, options, at, &mut record);
    record.ended = Some(context.clock.now_precise());
    record.outcome = match &outcome {
        Ok(()) => Outcome::Succeeded,
        Err(error) if error.kind == Kind::Interrupted => Outcome::Interrupted,
        Err(error) => {
            record.error = Some(error.message.clone());
            Outcome::Failed
        }
    };
    if record.outcome != Outcome::Succeeded {
        record.effect = Some(record.effect());
    }
    if !record.has_run() {
        record.prefix = None;
    }
    let written = write_end(workspace, &record);
    if let Some(remote) = remote {
        history_sync::tell(workspace, &plan.target, remote);
    }
    outcome.map_err(|error| recovery_hints(workspace, error, plan, &record))?;
    written
        .map_err(|error| error.hint("the deployment succeeded: only its result is missing in the history"))?;
    Ok(DeployReport {
        commit: plan.restore.commit.clone(),
        short: plan.restore.short.clone(),
        label: plan.restore.label.clone(),
        target: plan.target.clone(),
        package: plan.restore.package.clone(),
        ended: record.ended.unwrap_or(record.started),
        phases: record.phases,
        before: plan.live.clone(),
        proof: record.proof,
    })
}

/// Writes down how a deployment ended, unsigned where it can't be signed any more: what is live must not be forgotten.
fn write_end(workspace: &Workspace<'_>, record: &Deployment) -> Result<()> {
    let store = workspace.store();
    store.histories().append(record, Signing::Configured).or_else(|error| {
        store.histories().append(record, Signing::Never)?;
        workspace.progress.warn(&format!("the record of the deployment's result is not signed: {error}"));
        Ok(())
    })
}

fn run(
    workspace: &Workspace<'_>,
    plan: &Plan<'_>,
    options: &DeployOptions,
    at: i64,
    record: &mut Deployment,
) -> Result<()> {
    let Workspace { context, progress, .. } = *workspace;
    let package = &plan.package;
    let Target { path, stage, region, .. } = &package.manifest.target;
    let services = workspace.services(package.source)?;
    let service = services.iter().find(|service| service.path == *path).ok_or_else(|| {
        Error::refused(format!("the package's source has no service in '{path}'"))
            .hint("`services` in slsart.toml may leave it out")
    })?;
    let node = package.manifest.tools.node.as_deref();
    let checkout = Checkout::prepare(
        workspace,
        package.source,
        path,
        InstallMode::PreferSnapshot,
        node,
        options.installing,
    )?;
    record.phases = checkout.phases.iter().map(|(name, milliseconds)| phase(name, *milliseconds)).collect();
    progress.phase("Checking plugins and package");
    check_checkout(workspace, &package.manifest, &checkout, &options.allowed_drift)?;
    if workspace.config.toolchain.snapshot != Snapshot::Never {
        checkout.snapshot_plugins(workspace);
    }
    checkout.framework.check_licence(&context.environment)?;
    let directory = checkout.top().join(".slsart-package");
    let (prefix, template) = copy(package, &directory, at, progress)?;
    record.prefix = Some(prefix);
    let claim = Expectation::of(package, template)?;
    interrupt::check()?;
    progress.phase(&format!("Deploying ({})", checkout.framework.tool));
    if options.deploying == Output::Stream {
        progress.pause();
    }
    let arguments =
        DeployArguments { stage, region, directory: &directory, config: &service.config, verbose: false };
    let started = context.clock.now_precise();
    let mut timed = Stopwatch::start();
    // What begins now ends and is written down, also when the terminal goes away.
    let _hangup = interrupt::defer_hangup();
    let outcome = checkout.run(workspace, service, arguments.to_vec(), options.deploying, Group::Own);
    record.phases.push(phase(RUN_PHASE, timed.lap()));
    if outcome.is_err() {
        progress.failed();
    }
    progress.phase("Removing the worktree");
    drop(checkout);
    let Restore { short, label, .. } = &plan.restore;
    let attempt = Attempt {
        target: &plan.target,
        label: if label.is_empty() { short } else { label },
        plugins: &package.manifest.plugins,
        last_update: plan.last_update,
    };
    outcome.map_err(|error| failure::explain(error, workspace, &attempt, &claim, record, started))?;
    proof::proven(workspace, &claim, record)
}

/// Stops where what is installed is not what was recorded, or the framework does not run on the node that is here: that was not known
/// before where neither the manifest nor the lockfile says it.
fn check_checkout(
    workspace: &Workspace<'_>,
    manifest: &Manifest,
    checkout: &Checkout<'_>,
    allowed: &[String],
) -> Result<()> {
    let installed = Installation::read(workspace.repository, checkout.top(), &manifest.target.path, manifest);
    check_drift(workspace, &installed, allowed)?;
    for check in installed.checks() {
        if check.verdict == CheckVerdict::Warning {
            workspace.progress.warn(&format!("{}: {}", check.name, check.message));
        }
    }
    // That it is another than the recorded one was said before it started.
    let here = Here::of(&checkout.programs, &checkout.service, workspace);
    let framework = &checkout.framework;
    let engines = framework.engines().map(|engines| (&framework.tool, engines));
    let node: Vec<Check> = checks::node(manifest, engines, &here).into_iter().collect();
    checks::pass(&node)
}

/// Stops where an installed plugin is not the recorded one, but for those that were allowed by name.
fn check_drift(workspace: &Workspace<'_>, installed: &Installation<'_>, allowed: &[String]) -> Result<()> {
    let (allowed, refused): (Vec<_>, Vec<_>) =
        installed.drifts().partition(|drift| allowed.contains(&drift.name));
    for drift in allowed {
        workspace.progress.warn(&format!("{}: allowed by --allow-plugin-drift", drift.message));
    }
    if refused.is_empty() {
        return Ok(());
    }
    let messages = refused.iter().map(|drift| drift.message.as_str()).collect::<Vec<_>>().join("; ");
    let names =
        refused.iter().map(|drift| format!("--allow-plugin-drift '{}'", drift.name)).collect::<Vec<_>>();
    Err(Error::refused(messages)
        .hint("the installed plugins must be the ones that made the package")
        .hint(format!("to deploy with the installed plugins all the same: {}", names.join(" "))))
}

fn phase(name: &str, milliseconds: u64) -> Phase {
    Phase { name: name.to_owned(), milliseconds }
}

/// The command that makes the package live again that was live before.
pub(in crate::deploy) fn way_back(workspace: &Workspace<'_>, target: &Target, before: &Live) -> String {
    workspace.slsart(&["rollback", short(&before.package, 8)], target)
}

/// What to say of the target after a failure: whether anything can have changed, and how to go on.
fn recovery_hints(workspace: &Workspace<'_>, error: Error, plan: &Plan<'_>, record: &Deployment) -> Error {
    if !record.has_run() {
        return error.hint("the framework was not started: nothing was changed in AWS");
    }
    let Some(live) = &plan.live else { return error };
    let back = way_back(workspace, &plan.target, live);
    match record.effect() {
        Effect::Live if live.package != plan.restore.package => error.hint(format!("to go back: {back}")),
        Effect::None | Effect::Live => error,
        // The framework succeeded: the error came later, and has its own hint.
        Effect::Unknown if record.proof.is_some() => error,
        Effect::Unknown => error.hint(format!("to be certain what is live, roll back: {back}")),
    }
}

impl fmt::Display for DeployReport {
    /// What is live, and what proves it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: u64 = self.phases.iter().map(|phase| phase.milliseconds).sum();
        let parts = self.phases.iter().map(|phase| format!("{} {}", phase.name, seconds(phase.milliseconds)));
        let parts = parts.collect::<Vec<_>>().join(", ");
        let Self { short, label, target, .. } = self;
        writeln!(
            f,
            "{BOLD}Live{BOLD:#}      {COMMIT}{short}{COMMIT:#}  {label} on {target}, in {} s ({parts})",
            seconds(total)
        )?;
        self.proof.as_ref().map_or(Ok(()), |proof| proof::write(proof, f))
    }
}
