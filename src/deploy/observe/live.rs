//! Which commit is live? AWS is asked what runs, and the answer is looked for among the recorded packages: what the history says
//! is live first, then the rest of the history, then all packages of the service, newest first.

mod running;
mod search;

use jiff::Timestamp;
use running::Running;
use search::{Findings, Search};
use serde::Serialize;
use serde_json::Value;

use crate::aws::{AwsError, LambdaFunction, Stack};
use crate::deploy::history;
use crate::deploy::history::packages::open;
use crate::deploy::history::release::{Live, describe_commit, describe_live};
use crate::deploy::observe::aws_state;
use crate::deploy::observe::drift::Drift;
use crate::deploy::observe::expected::Expected;
use crate::deploy::observe::expected::usual_stack;
use crate::deploy::observe::session;
use crate::error::{Error, Result};
use crate::package::manifest::Target;
use crate::sharing;
use crate::store::{Filter, StoredPackage};
use crate::workspace::{Wanted, Workspace};

/// What is live.
#[derive(Debug, Serialize)]
pub struct LiveReport {
    /// Where.
    pub target: Target,
    /// The account that was asked.
    pub account: String,
    /// The stack.
    pub stack: StackNow,
    /// What its code is.
    pub answer: Answer,
    /// The packages whose code it is, best first.
    pub packages: Vec<LiveCandidate>,
    /// What the history says is live.
    pub history: Option<Live>,
    /// Whether that is so, settings included; none where the history knows of nothing.
    pub as_history_says: Option<bool>,
    /// What differs from what the history says is live, or else from the package whose code it is.
    pub drift: Vec<Drift>,
    /// When a function was last changed.
    pub last_changed: Option<Timestamp>,
    /// The functions.
    pub functions: Vec<FunctionNow>,
    /// How many packages were looked at.
    pub searched: usize,
    /// Whether there are more that were not.
    pub more: bool,
    /// When AWS was asked.
    #[serde(skip)]
    pub at: Timestamp,
}

/// What the live code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The package's that the history says is live.
    Recorded,
    /// Another recorded package's.
    SameCode,
    /// Of no package that is recorded here.
    NotRecorded,
}

/// A stack, as it is now.
#[derive(Debug, Serialize)]
pub struct StackNow {
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: String,
    /// When it was last updated.
    pub changed: Option<Timestamp>,
}

/// A package with the code that is live.
#[derive(Debug, Serialize)]
pub struct LiveCandidate {
    /// Its commit.
    pub commit: String,
    /// The commit's name for people.
    #[serde(skip)]
    pub short: String,
    /// The commit's subject, or a tag.
    pub label: String,
    /// Its package.
    pub package: String,
    /// What it was made for.
    pub target: Target,
}

/// A function, as it is now.
#[derive(Debug, Serialize)]
pub struct FunctionNow {
    /// Its name in Lambda.
    pub name: String,
    /// The hash of its code, in base64.
    pub code_sha256: Option<String>,
    /// Its image, by digest.
    pub image: Option<String>,
    /// When it was last changed.
    pub changed: Option<Timestamp>,
}

/// What was found out of a target, and what it was found out with.
pub(in crate::deploy) struct LiveObservation<'r> {
    pub(in crate::deploy) report: LiveReport,
    /// The package whose code runs, the best of them; none where none is recorded here.
    pub(in crate::deploy) package: Option<StoredPackage<'r>>,
    /// The stack.
    pub(in crate::deploy) stack: Stack,
    /// The stack's template.
    pub(in crate::deploy) template: Value,
}

/// Which commit is live on the target that is `wanted`, and what that was found out with.
pub(in crate::deploy) fn look<'r>(workspace: &Workspace<'r>, wanted: &Wanted) -> Result<LiveObservation<'r>> {
    let target = target(workspace, wanted)?;
    let deployments = workspace.store().histories().of(&target)?.deployments;
    let live = history::live(&deployments);
    let package = live.and_then(|live| open(workspace, live));
    let newest = || newest_of(workspace, &target);
    // The stack's name and the profile are the package's; of what was never deployed from here, the newest package's.
    let told_by = package.clone().map_or_else(newest, |package| Ok(Some(package)))?;
    let told = told_by.as_ref().map(Expected::of).transpose()?;
    let profile = told.as_ref().and_then(|told| told.profile.as_deref());
    let stack = told.as_ref().map_or_else(|| usual_stack(&target), |told| told.stack.clone());
    workspace.progress.phase("Asking AWS");
    let aws = session::connect(workspace.context, &target, profile).map_err(AwsError::into_error)?;
    let account = aws.account().map_err(AwsError::into_error)?;
    let Some(stack) = aws.stack(&stack).map_err(AwsError::into_error)? else {
        let again = live.map(|live| workspace.slsart(&["deploy", &live.package.short()], &target));
        return Err(no_stack(&stack, &target, &account, again));
    };
    let expected = package.as_ref().map(Expected::of).transpose()?;
    let template = aws_state::template(&aws, &stack.name).map_err(AwsError::into_error)?.unwrap_or_default();
    let running = Running::look(&aws, &stack, &template, expected.as_ref()).map_err(AwsError::into_error)?;
    let search = Search::new(workspace, &target, &running);
    let (answer, found) = if expected.as_ref().is_some_and(|expected| running.is(expected)) {
        (Answer::Recorded, Findings::only(package.clone()))
    } else {
        let found = search.run(&deployments)?;
        let answer = if found.packages.is_empty() { Answer::NotRecorded } else { Answer::SameCode };
        (answer, found)
    };
    let against = match &expected {
        Some(expected) => Some(expected.clone()),
        None => found.packages.first().map(Expected::of).transpose()?,
    };
    let drift = against.map(|against| running.drift(&against)).unwrap_or_default();
    let functions: Vec<FunctionNow> = running.all().map(now).collect();
    let report = LiveReport {
        account,
        answer,
        packages: found.packages.iter().map(|package| candidate(workspace, package)).collect(),
        as_history_says: live.map(|_| answer == Answer::Recorded && drift.is_empty()),
        history: live.map(|live| describe_live(workspace.repository, live)),
        drift,
        last_changed: functions.iter().filter_map(|function| function.changed).max(),
        functions,
        searched: found.searched,
        more: found.more,
        stack: StackNow { name: stack.name.clone(), status: stack.status.clone(), changed: stack.changed },
        target,
        at: workspace.context.clock.now(),
    };
    Ok(LiveObservation { report, package: found.packages.into_iter().next(), stack, template })
}

/// The one target that is meant: of those that were deployed to, else of those that have a package.
fn target(workspace: &Workspace<'_>, wanted: &Wanted) -> Result<Target> {
    let filter = workspace.target(wanted, None)?;
    let mut targets = workspace.store().histories().targets()?;
    targets.retain(|target| filter.matches(target));
    if targets.is_empty() {
        targets = workspace
            .store()
            .packages()
            .all(&filter)?
            .found
            .into_iter()
            .map(|found| found.line.target)
            .collect();
    }
    filter.keep_nearest(&mut targets, |target| target);
    targets.sort();
    targets.dedup();
    if targets.is_empty() {
        workspace.need_known_target(&filter, wanted, "live")?;
    }
    match targets.len() {
        0 => Err(Error::not_recorded("neither a deployment nor a package is recorded for this target")
            .hint("`git slsart log --all` lists the packages")),
        1 => Ok(targets.swap_remove(0)),
        _ => {
            let list: Vec<_> = targets.iter().map(ToString::to_string).collect();
            Err(Error::refused("several targets match")
                .hint(format!("name one with --service, --stage and --region: {}", list.join("; "))))
        }
    }
}

fn newest_of<'r>(workspace: &Workspace<'r>, target: &Target) -> Result<Option<StoredPackage<'r>>> {
    let newest = workspace.store().packages().all(&Filter::of(target))?.found.into_iter().next();
    newest.map(|found| sharing::open(workspace, &found)).transpose()
}

fn no_stack(stack: &str, target: &Target, account: &str, again: Option<String>) -> Error {
    let message = format!("there is no stack '{stack}' in {} of account {account}", target.region);
    if let Some(again) = again {
        Error::integrity(format!("{message}, but the history has a deployment to it"))
            .hint("check that these are the credentials of that deployment")
            .hint(format!("if the stack was removed, to create it again: {again}"))
    } else {
        Error::refused(message).hint("check that these are the credentials for that account")
    }
}

fn candidate(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> LiveCandidate {
    let (short, label) = describe_commit(workspace.repository, package.commit);
    LiveCandidate {
        commit: package.commit.to_string(),
        short,
        label,
        package: package.manifest.package.id.to_string(),
        target: package.manifest.target.clone(),
    }
}

fn now(function: &LambdaFunction) -> FunctionNow {
    FunctionNow {
        name: function.name.clone(),
        code_sha256: function.code_sha256.clone(),
        image: function.image.clone(),
        changed: function.changed,
    }
}
