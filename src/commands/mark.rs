//! `ban` and `unban`, `pin` and `unpin`: marks a package, or lifts the mark.

use std::fmt;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::args::TargetArgs;
use crate::deploy::history;
use crate::deploy::preflight::rollback_target::previous;
use crate::error::{Error, Result};
use crate::git::Oid;
use crate::package::PackageId;
use crate::package::manifest::Target;
use crate::sharing;
use crate::store::NotedPackage;
use crate::store::bans::BanState;
use crate::store::marks::{Mark, MarkState};
use crate::store::pins::PinState;
use crate::text::style::{BOLD, COMMIT, DIM, WARNING};
use crate::text::words::line;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Refuse to deploy a package from now on
///
/// `deploy` and `rollback` refuse the package and show the reason; a rollback without REF skips it. What is live stays live.
#[derive(Debug, Args)]
pub struct BanArgs {
    /// A commit, or a package's id
    #[arg(value_name = "REF")]
    revision: String,
    /// The reason, shown when a deployment is refused
    #[arg(short, long, value_name = "REASON")]
    message: String,
    #[command(flatten)]
    target: TargetArgs,
}

/// Protect a package from prune; without REF, list the protected packages
#[derive(Debug, Args)]
pub struct PinArgs {
    /// A commit, or a package's id
    #[arg(value_name = "REF")]
    revision: Option<String>,
    /// The reason, recorded with the pin
    #[arg(short, long, value_name = "REASON", requires = "revision")]
    message: Option<String>,
    #[command(flatten)]
    target: TargetArgs,
}

// What it lifts is the help of the command that has these arguments.
#[derive(Debug, Args)]
pub struct LiftArgs {
    /// A commit, or a package's id
    #[arg(value_name = "REF")]
    revision: String,
    /// The reason, recorded with it
    #[arg(short, long, value_name = "REASON")]
    message: Option<String>,
    #[command(flatten)]
    target: TargetArgs,
}

/// A ban or a pin, in `--json` of what it concerns.
#[derive(Debug, Serialize)]
pub(super) struct Marked {
    by: String,
    at: Timestamp,
    reason: Option<String>,
}

impl<S> From<&Mark<S>> for Marked {
    fn from(mark: &Mark<S>) -> Self {
        Self { by: mark.by.clone(), at: mark.at, reason: mark.reason.clone() }
    }
}

#[derive(Debug, Serialize)]
struct MarkedPackage {
    commit: String,
    package: PackageId,
    /// `None` where no note names the package.
    target: Option<Target>,
    #[serde(flatten)]
    mark: Marked,
    subject: String,
    #[serde(skip)]
    short: String,
}

#[derive(Debug, Serialize)]
struct MarkReport<S> {
    state: S,
    #[serde(flatten)]
    package: MarkedPackage,
    /// Whether the package is live on its target, by the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<bool>,
    /// The command that goes back from what is banned and live.
    #[serde(skip)]
    back: Option<String>,
}

#[derive(Debug, Serialize)]
struct PinsReport {
    pins: Vec<MarkedPackage>,
    #[serde(skip)]
    listed: Vec<String>,
}

pub(crate) fn ban(args: &BanArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let found = find(&args.revision, &args.target, workspace)?;
    let package = set(BanState::Banned, &found, Some(&args.message), workspace)?;
    report_ban(BanState::Banned, &found, package, workspace, ui)
}

pub(crate) fn unban(args: &LiftArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let found = find(&args.revision, &args.target, workspace)?;
    need_mark::<BanState>(&found, workspace)?;
    let does_not_count = "[trust] in slsart.toml requires signatures: only a signed record lifts a ban";
    if workspace.repository.trust().required && !workspace.repository.signs_commits()? {
        return Err(Error::refused(does_not_count)
            .hint("to sign what git slsart records: git config commit.gpgSign true"));
    }
    let package = append(BanState::Lifted, &found, args.message.as_deref(), workspace)?;
    report_ban(BanState::Lifted, &found, package, workspace, ui)?;
    if workspace.store().bans().of(found.commit, found.line.package)?.is_some() {
        return Err(Error::refused(format!(
            "{does_not_count}, and the key that signed this one is not trusted"
        ))
        .hint("the trusted keys are those of `signers` in slsart.toml, or of git's own settings"));
    }
    Ok(())
}

pub(crate) fn pin(args: &PinArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let Some(revision) = &args.revision else { return list(args, workspace, ui) };
    let found = find(revision, &args.target, workspace)?;
    let pins = vec![set(PinState::Pinned, &found, args.message.as_deref(), workspace)?];
    ui.done(&PinsReport { pins, listed: Vec::new() }, false)
}

pub(crate) fn unpin(args: &LiftArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let found = find(&args.revision, &args.target, workspace)?;
    need_mark::<PinState>(&found, workspace)?;
    let package = append(PinState::Lifted, &found, args.message.as_deref(), workspace)?;
    ui.done(&MarkReport { state: PinState::Lifted, package, live: None, back: None }, false)
}

fn find(revision: &str, target: &TargetArgs, workspace: &Workspace<'_>) -> Result<NotedPackage> {
    sharing::find(workspace, revision, &workspace.one_of(&target.wanted()?, revision)?)
}

/// Marks a package that has no such mark yet.
fn set<S: MarkState>(
    state: S,
    found: &NotedPackage,
    reason: Option<&str>,
    workspace: &Workspace<'_>,
) -> Result<MarkedPackage> {
    let Some(mark) = workspace.store().marks::<S>().of(found.commit, found.line.package)? else {
        return append(state, found, reason, workspace);
    };
    let (package, command, done) = (found.line.package.short(), S::COMMAND, S::DONE);
    let lift = workspace.slsart(&[&format!("un{command}"), &package], &found.line.target);
    Err(Error::refused(format!("the package {package} is {done} already: {mark}"))
        .hint(format!("to {command} it for another reason, lift that first: {lift}")))
}

fn need_mark<S: MarkState>(found: &NotedPackage, workspace: &Workspace<'_>) -> Result<()> {
    let package = found.line.package;
    match workspace.store().marks::<S>().of(found.commit, package)? {
        Some(_) => Ok(()),
        None => Err(Error::refused(format!("the package {} is not {}", package.short(), S::DONE))),
    }
}

fn append<S: MarkState>(
    state: S,
    found: &NotedPackage,
    reason: Option<&str>,
    workspace: &Workspace<'_>,
) -> Result<MarkedPackage> {
    let by = workspace.repository.actor()?;
    let mark = Mark::new(state, found, by, workspace.context.clock.now(), reason.map(str::to_owned));
    workspace.store().marks().append(&mark)?;
    Ok(marked_package(workspace, found.commit, Some(found.line.target.clone()), &mark))
}

fn marked_package<S>(
    workspace: &Workspace<'_>,
    commit: Oid,
    target: Option<Target>,
    mark: &Mark<S>,
) -> MarkedPackage {
    let repository = workspace.repository;
    MarkedPackage {
        commit: mark.commit.clone(),
        package: mark.package,
        target,
        mark: Marked::from(mark),
        subject: repository.commit(commit).map(|commit| commit.subject).unwrap_or_default(),
        short: repository.short_id(commit),
    }
}

fn report_ban(
    state: BanState,
    found: &NotedPackage,
    package: MarkedPackage,
    workspace: &Workspace<'_>,
    ui: &Ui,
) -> Result<()> {
    let target = &found.line.target;
    let known = workspace.store().histories().of(target)?.deployments;
    let live = history::live(&known)
        .is_some_and(|live| live.package == package.package && live.commit == package.commit);
    let is_live_and_banned = live && state == BanState::Banned;
    let has_previous = is_live_and_banned && previous(workspace, &known)?.found.is_some();
    let back = has_previous.then(|| workspace.slsart(&["rollback"], target));
    ui.done(&MarkReport { state, package, live: Some(live), back }, false)
}

fn list(args: &PinArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let wanted = args.target.wanted()?;
    let filter = workspace.listed(&wanted, true)?;
    let narrowed = filter.service.is_some() || filter.stage.is_some() || filter.region.is_some();
    let store = workspace.store();
    let mut all: Vec<_> = store.pins().all()?.into_iter().collect();
    all.sort_by_key(|(_, pin)| std::cmp::Reverse(pin.at));
    let mut report = PinsReport { pins: Vec::new(), listed: Vec::new() };
    for ((commit, package), pin) in all {
        let lines = store.notes().of(commit)?.packages.into_iter();
        let target = lines.map(|line| (line.package, line.target)).find(|(known, _)| *known == package);
        let target = target.map(|(_, target)| target);
        if target.as_ref().map_or(!narrowed, |target| filter.matches(target)) {
            report.pins.push(marked_package(workspace, commit, target, &pin));
            report.listed.push(pin.to_string());
        }
    }
    if report.pins.is_empty() && wanted.is_narrow() {
        workspace.need_known(&filter)?;
    }
    ui.report(&report)
}

impl fmt::Display for PinsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pins.is_empty() {
            return writeln!(f, "{DIM}no package is pinned; to pin one: git slsart pin REF{DIM:#}");
        }
        let mut listed = self.listed.iter();
        for package in &self.pins {
            package.write(f, "Pinned")?;
            listed.next().map_or(Ok(()), |pin| writeln!(f, "          {DIM}{pin}{DIM:#}"))?;
        }
        Ok(())
    }
}

impl<S: MarkState> fmt::Display for MarkReport<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.package.write(f, if self.state.is_set() { "Banned" } else { "Lifted" })?;
        let back = self.back.as_ref();
        back.map_or(Ok(()), |back| writeln!(f, "{WARNING}!{WARNING:#} it is live; to go back: {back}"))
    }
}

impl MarkedPackage {
    fn write(&self, f: &mut fmt::Formatter<'_>, word: &str) -> fmt::Result {
        let Self { short, subject, package, target, .. } = self;
        let target = target.as_ref().map(|target| format!(" · {target}")).unwrap_or_default();
        let (subject, package) = (line(subject), package.short());
        writeln!(
            f,
            "{BOLD}{word}{BOLD:#}    {COMMIT}{short}{COMMIT:#}  {subject}  {DIM}package {package}{target}{DIM:#}"
        )
    }
}
