//! Carrying out a plan: worktree, plugins, checks, copy, framework, history. Whatever happens, it is written down and the
//! worktree goes.

use std::fmt;
use std::fs::{self, File, TryLockError};

use jiff::Timestamp;
use serde::Serialize;

use super::checks::{self, Check, Here, Verdict};
use super::copy::copy;
use super::plan::{Live, Plan};
use crate::config::Snapshot;
use crate::error::{Error, Kind, Result};
use crate::git::data_dir;
use crate::package::Sha256;
use crate::package::manifest::Target;
use crate::packaging::checkout::{Checkout, Stopwatch};
use crate::packaging::equip::{self, Plugins};
use crate::process::{Output, interrupt};
use crate::service::DeployArguments;
use crate::store::deployments::{Deployment, Outcome, Phase, RUN_PHASE};
use crate::text::style::{BOLD, COMMIT};
use crate::text::words::seconds;
use crate::workspace::Workspace;

/// How to carry out a plan.
#[derive(Debug, Clone)]
pub struct Applying {
    /// Why, in the words of who does it.
    pub reason: Option<String>,
    /// Plugins, and the framework, that may be others than were recorded.
    pub allowed_drift: Vec<String>,
    /// Where the package manager's output goes.
    pub installing: Output,
    /// Where the framework's output goes.
    pub deploying: Output,
}

/// What was done.
#[derive(Debug, Serialize)]
pub struct Done {
    /// What is live now.
    pub live: String,
    /// Its commit's short id.
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
}

/// Carries out `plan`.
pub fn apply(workspace: &Workspace<'_>, plan: &Plan<'_>, applying: &Applying) -> Result<Done> {
    let Workspace { repository, context, .. } = *workspace;
    let _lock = lock(workspace, &plan.target)?;
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
    record.reason.clone_from(&applying.reason);
    store.append(&record)?;
    let outcome = run(workspace, plan, applying, &mut record);
    record.ended = Some(context.clock.now_precise());
    record.outcome = match &outcome {
        Ok(()) => Outcome::Succeeded,
        Err(error) if error.kind == Kind::Interrupted => Outcome::Interrupted,
        Err(error) => {
            record.error = Some(error.message.clone());
            Outcome::Failed
        }
    };
    let written = store.append(&record);
    outcome.map_err(|error| aftermath(error, plan, &record))?;
    written.map_err(|error| {
        error.hint("the deployment itself succeeded: only its end is missing in the history")
    })?;
    Ok(Done {
        live: plan.restore.commit.clone(),
        short: plan.restore.short.clone(),
        label: plan.restore.label.clone(),
        target: plan.target.clone(),
        package: plan.restore.package.clone(),
        ended: record.ended.unwrap_or(record.started),
        phases: record.phases,
        before: plan.live.clone(),
    })
}

/// Keeps a second deployment of the same target from starting beside this one, on this machine; it ends with the value.
fn lock(workspace: &Workspace<'_>, target: &Target) -> Result<File> {
    let directory = data_dir(workspace.repository).join("locks");
    fs::create_dir_all(&directory).map_err(|error| Error::io("create", &directory, error))?;
    let path = directory.join(Sha256::of(target.to_string().as_bytes()).to_string());
    let file = File::create(&path).map_err(|error| Error::io("write", &path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::refused(format!("another deployment of {target} is going on"))
                .hint("wait for its end, or stop it: two at once leave nobody knowing what is live"))
        }
        Err(TryLockError::Error(error)) => Err(Error::io("lock", &path, error)),
    }
}

fn run(
    workspace: &Workspace<'_>,
    plan: &Plan<'_>,
    applying: &Applying,
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
    let checkout =
        Checkout::prepare(workspace, package.source, path, Plugins::Restored, node, applying.installing)?;
    record.phases = checkout.phases.iter().map(|(name, milliseconds)| phase(name, *milliseconds)).collect();
    progress.phase("Checking plugins and package");
    check_checkout(workspace, plan, &checkout, &applying.allowed_drift)?;
    if workspace.config.toolchain.snapshot != Snapshot::Never {
        equip::keep(&checkout, workspace);
    }
    checkout.framework.check_licence(&context.environment)?;
    let directory = checkout.top().join(".slsart-package");
    let at = context.clock.now_precise().as_millisecond().max(plan.newest_prefix);
    record.prefix = Some(copy(package, &directory, at, progress)?);
    interrupt::check()?;
    progress.phase(&format!("Deploying ({})", checkout.framework.tool));
    if applying.deploying == Output::Stream {
        progress.pause();
    }
    let arguments =
        DeployArguments { stage, region, directory: &directory, config: &service.config, verbose: false };
    let mut timed = Stopwatch::start();
    let outcome = checkout.invocation(arguments.to_vec()).run(applying.deploying);
    record.phases.push(phase(RUN_PHASE, timed.lap()));
    progress.phase("Removing the worktree");
    drop(checkout);
    outcome
}

/// Stops where what is installed is not what was recorded, or the framework does not run on the node that is here.
fn check_checkout(
    workspace: &Workspace<'_>,
    plan: &Plan<'_>,
    checkout: &Checkout<'_>,
    allowed: &[String],
) -> Result<()> {
    let manifest = &plan.package.manifest;
    check_drift(workspace, plan, checkout, allowed)?;
    for check in checks::installation(workspace.repository, checkout.top(), &manifest.target.path, manifest) {
        if check.verdict == Verdict::Warning {
            workspace.progress.warn(&format!("{}: {}", check.name, check.message));
        }
    }
    // That it is another than the recorded one was said before it started.
    let here = Here::of(&checkout.programs, &checkout.service, workspace);
    let node: Vec<Check> = checks::node(manifest, Some(&checkout.framework), &here).into_iter().collect();
    checks::pass(&node)
}

/// Stops where an installed plugin is not the recorded one, but for those that were allowed by name.
fn check_drift(
    workspace: &Workspace<'_>,
    plan: &Plan<'_>,
    checkout: &Checkout<'_>,
    allowed: &[String],
) -> Result<()> {
    let manifest = &plan.package.manifest;
    let drifts = checks::drifts(workspace.repository, checkout.top(), &manifest.target.path, manifest);
    let (allowed, refused): (Vec<_>, Vec<_>) =
        drifts.into_iter().partition(|drift| allowed.contains(&drift.name));
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
        .hint("the plugins that are installed must be those that the package was made with")
        .hint(format!("to deploy with what is installed all the same: {}", names.join(" "))))
}

fn phase(name: &str, milliseconds: u64) -> Phase {
    Phase { name: name.to_owned(), milliseconds }
}

/// What to say of the target after a failure: whether anything can have changed, and how to go on.
fn aftermath(error: Error, plan: &Plan<'_>, record: &Deployment) -> Error {
    if !record.has_run() {
        return error.hint("the framework was not started: nothing was changed in AWS");
    }
    let stage = &plan.target.stage;
    let error = error.hint(
        "the framework's output says how far it came: CloudFormation goes back by itself when the update of the stack \
         failed, but a plugin that fails after it leaves the update done",
    );
    match &plan.live {
        Some(live) => {
            error.hint(format!("to make sure of it: git slsart rollback {} -s {stage}", &live.package[..8]))
        }
        None => error,
    }
}

impl fmt::Display for Done {
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
        match self.before.as_ref().filter(|before| before.package != self.package) {
            Some(before) => writeln!(
                f,
                "{BOLD}Undo{BOLD:#}      git slsart rollback {} -s {}",
                &before.package[..8],
                target.stage
            ),
            None => Ok(()),
        }
    }
}
