//! `ban` and `unban`.

use std::fmt;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::TargetArgs;
use crate::deploy::history;
use crate::error::{Error, Result};
use crate::package::PackageId;
use crate::package::manifest::Target;
use crate::sharing;
use crate::store::NotedPackage;
use crate::store::bans::{Ban, BanState};
use crate::store::marks::Mark;
use crate::text::style::{BOLD, COMMIT, DIM, WARNING};
use crate::text::words::line;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Mark a package as bad: it is not deployed any more
///
/// `deploy` and `rollback` refuse it and say why; a rollback without REF passes it over. What is live stays live.
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::EXIT_STATUS)]
pub struct BanArgs {
    /// A commit, or a package's id
    #[arg(value_name = "REF")]
    revision: String,
    /// Why: shown to whoever wants to deploy it
    #[arg(short, long, value_name = "REASON")]
    message: String,
    #[command(flatten)]
    target: TargetArgs,
}

/// Lift the ban of a package
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::EXIT_STATUS)]
pub struct UnbanArgs {
    /// A commit, or a package's id
    #[arg(value_name = "REF")]
    revision: String,
    /// Why: kept beside the ban
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

impl Marked {
    /// When it was said.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }
}

#[derive(Debug, Serialize)]
struct Report {
    state: BanState,
    commit: String,
    package: PackageId,
    target: Target,
    #[serde(flatten)]
    act: Marked,
    /// Whether it is live on its target, as far as the history knows.
    live: bool,
    /// The command that goes back from it.
    #[serde(skip)]
    back: String,
    #[serde(skip)]
    short: String,
    /// Its commit's.
    subject: String,
}

pub(super) fn ban(args: &BanArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let filter = workspace.one_of(&args.target.wanted()?, &args.revision)?;
    let found = sharing::find(workspace, &args.revision, &filter)?;
    if let Some(ban) = workspace.store().bans().of(found.commit, found.line.package)? {
        let package = found.line.package.short();
        return Err(Error::refused(format!("the package {package} is banned already: {ban}")).hint(format!(
            "to ban it for another reason, lift that first: {}",
            workspace.slsart(&["unban", &package], &found.line.target)
        )));
    }
    append(BanState::Banned, &found, Some(&args.message), workspace, ui)
}

pub(super) fn unban(args: &UnbanArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let filter = workspace.one_of(&args.target.wanted()?, &args.revision)?;
    let found = sharing::find(workspace, &args.revision, &filter)?;
    if workspace.store().bans().of(found.commit, found.line.package)?.is_none() {
        let package = found.line.package.short();
        return Err(Error::refused(format!("the package {package} is not banned")));
    }
    let does_not_count =
        "[trust] in slsart.toml requires signatures: a ban is lifted only by a record that is signed";
    if workspace.repository.trust().required && !workspace.repository.signs_commits()? {
        return Err(Error::refused(does_not_count)
            .hint("to sign what git slsart records: git config commit.gpgSign true"));
    }
    append(BanState::Lifted, &found, args.message.as_deref(), workspace, ui)?;
    if workspace.store().bans().of(found.commit, found.line.package)?.is_some() {
        return Err(Error::refused(format!(
            "{does_not_count} by somebody who is known, and this one is not"
        ))
        .hint("whose signatures are known says `signers` in slsart.toml, or git's own settings"));
    }
    Ok(())
}

fn append(
    state: BanState,
    found: &NotedPackage,
    reason: Option<&str>,
    workspace: &Workspace<'_>,
    ui: &Ui,
) -> Result<()> {
    let Workspace { repository, context, .. } = workspace;
    let by = repository.actor()?;
    let record = Ban::new(state, found, by, context.clock.now(), reason.map(str::to_owned));
    workspace.store().marks().append(&record)?;
    let known = workspace.store().histories().of(&found.line.target)?.deployments;
    let live = history::live(&known)
        .is_some_and(|live| live.package == record.package && live.commit == record.commit);
    let report = Report {
        act: Marked::from(&record),
        state,
        commit: record.commit,
        package: record.package,
        target: found.line.target.clone(),
        back: workspace.slsart(&["rollback"], &found.line.target),
        live,
        short: repository.short_id(found.commit),
        subject: repository.commit(found.commit).map(|commit| commit.subject).unwrap_or_default(),
    };
    ui.done(&report, false)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, package, target, short, subject, live, .. } = self;
        let verb = if *state == BanState::Banned { "Banned  " } else { "Lifted  " };
        let package = package.short();
        writeln!(
            f,
            "{BOLD}{verb}{BOLD:#}  {COMMIT}{short}{COMMIT:#}  {}  {DIM}package {package} · {target}{DIM:#}",
            line(subject)
        )?;
        if *live && *state == BanState::Banned {
            writeln!(f, "{WARNING}!{WARNING:#} it is live; to go back: {}", self.back)?;
        }
        Ok(())
    }
}
