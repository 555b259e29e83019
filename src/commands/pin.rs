//! `pin` and `unpin`.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::ban::Marked;
use crate::cli::TargetArgs;
use crate::error::{Error, Result};
use crate::git::Oid;
use crate::package::PackageId;
use crate::package::manifest::Target;
use crate::store::NotedPackage;
use crate::store::pins::{Pin, PinState};
use crate::text::style::{BOLD, COMMIT, DIM};
use crate::text::words::line;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Keep a package, whatever is pruned; without REF, list what is kept so
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::EXIT_STATUS)]
pub struct PinArgs {
    /// A commit, or a package's id
    #[arg(value_name = "REF")]
    revision: Option<String>,
    /// Why: kept beside the pin
    #[arg(short, long, value_name = "REASON", requires = "revision")]
    message: Option<String>,
    #[command(flatten)]
    target: TargetArgs,
}

/// Lift the pin of a package
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::EXIT_STATUS)]
pub struct UnpinArgs {
    /// A commit, or a package's id
    #[arg(value_name = "REF")]
    revision: String,
    /// Why: kept beside the pin
    #[arg(short, long, value_name = "REASON")]
    message: Option<String>,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, Serialize)]
struct Pins {
    pins: Vec<Row>,
    /// Whether they are all that there are.
    #[serde(skip)]
    listed: bool,
}

#[derive(Debug, Serialize)]
struct Lifted {
    state: PinState,
    #[serde(flatten)]
    row: Row,
}

#[derive(Debug, Serialize)]
struct Row {
    commit: String,
    package: PackageId,
    /// `None` where no note tells of the package.
    target: Option<Target>,
    #[serde(flatten)]
    act: Marked,
    /// Its commit's.
    subject: String,
    #[serde(skip)]
    short: String,
    #[serde(skip)]
    shown: String,
}

pub(super) fn pin(args: &PinArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let Some(revision) = &args.revision else { return list(args, workspace, ui) };
    let found = workspace.find(revision, &workspace.one_of(&args.target.wanted()?, revision)?)?;
    if let Some(pin) = workspace.store().pins().of(found.commit, found.line.package)? {
        let package = found.line.package.short();
        return Err(Error::refused(format!("the package {package} is pinned already: {pin}")).hint(format!(
            "to pin it for another reason, lift that first: {}",
            workspace.slsart(&["unpin", &package], &found.line.target)
        )));
    }
    let pin = append(PinState::Pinned, &found, args.message.as_deref(), workspace)?;
    let pins = vec![row(workspace, found.commit, Some(found.line.target), &pin)];
    ui.done(&Pins { pins, listed: false }, false)
}

pub(super) fn unpin(args: &UnpinArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let found = workspace.find(&args.revision, &workspace.one_of(&args.target.wanted()?, &args.revision)?)?;
    if workspace.store().pins().of(found.commit, found.line.package)?.is_none() {
        let package = found.line.package.short();
        return Err(Error::refused(format!("the package {package} is not pinned")));
    }
    let pin = append(PinState::Lifted, &found, args.message.as_deref(), workspace)?;
    let row = row(workspace, found.commit, Some(found.line.target), &pin);
    ui.done(&Lifted { state: PinState::Lifted, row }, false)
}

fn list(args: &PinArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let filter = workspace.listed(&args.target.wanted()?, true)?;
    let narrowed = filter.service.is_some() || filter.stage.is_some() || filter.region.is_some();
    let store = workspace.store();
    let mut pins = Vec::new();
    for ((commit, package), pin) in store.pins().all()? {
        let lines = store.notes().of(commit)?.packages.into_iter();
        let target = lines.map(|line| (line.package, line.target)).find(|(known, _)| *known == package);
        let target = target.map(|(_, target)| target);
        if target.as_ref().map_or(!narrowed, |target| filter.matches(target)) {
            pins.push(row(workspace, commit, target, &pin));
        }
    }
    pins.sort_by_key(|row| std::cmp::Reverse(row.act.at()));
    ui.report(&Pins { pins, listed: true })
}

fn append(
    state: PinState,
    found: &NotedPackage,
    reason: Option<&str>,
    workspace: &Workspace<'_>,
) -> Result<Pin> {
    let by = workspace.repository.actor()?;
    let pin = Pin::new(state, found, by, workspace.context.clock.now(), reason.map(str::to_owned));
    workspace.store().marks().append(&pin)?;
    Ok(pin)
}

fn row(workspace: &Workspace<'_>, commit: Oid, target: Option<Target>, pin: &Pin) -> Row {
    Row {
        commit: pin.commit.clone(),
        package: pin.package,
        target,
        act: Marked::from(pin),
        subject: workspace.repository.commit(commit).map(|commit| commit.subject).unwrap_or_default(),
        short: workspace.repository.short_id(commit),
        shown: pin.to_string(),
    }
}

impl fmt::Display for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pins.is_empty() {
            return writeln!(f, "{DIM}no package is pinned; to keep one: git slsart pin REF{DIM:#}");
        }
        for row in &self.pins {
            row.write(f, "Pinned")?;
            if self.listed {
                writeln!(f, "          {DIM}{}{DIM:#}", row.shown)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Lifted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.row.write(f, "Lifted")
    }
}

impl Row {
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
