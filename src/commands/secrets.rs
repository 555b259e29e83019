//! `secrets list`, `scan`, `allow` and `encrypt`: what is decided of the secrets in recorded packages.

use std::fmt;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::args::TargetArgs;
use super::packages::PackagesArgs;
use crate::error::Result;
use crate::package::manifest::Target;
use crate::package::secrets::{Decision, Secret};
use crate::package::{Manifest, PackageId};
use crate::packaging::secret_policy;
use crate::progress::Progress as _;
use crate::secrets::SecretPolicy;
use crate::sharing::{self, secret_status};
use crate::store::{Filter, StoredPackage};
use crate::text::style::{BOLD, COMMIT, DIM, GOOD, WARNING};
use crate::text::table::{Column, Table};
use crate::text::words::{count, line, short};
use crate::ui::Ui;
use crate::workspace::Workspace;
use crate::workspace::secrets::policy;

/// Most places that are shown of a package.
const SHOWN: usize = 20;

/// Show the secrets in packages, and encrypt or allow them
///
/// Packages are searched when they are recorded: for keys and tokens of known kinds, passwords in URLs, and the values of
/// your .env files and of the environment variables that the service refers to. Only the places of secrets are recorded,
/// never their values. A package with secrets is not pushed before you encrypt them, allow them, or set an action for all in
/// [secrets] of slsart.toml.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct SecretsArgs {
    #[command(subcommand)]
    command: Option<SecretsCommand>,
    #[command(flatten)]
    list: SecretsListArgs,
}

#[derive(Debug, Subcommand)]
enum SecretsCommand {
    List(SecretsListArgs),
    Scan(ScanArgs),
    Allow(AllowArgs),
    Encrypt(EncryptArgs),
}

/// List the packages with undecided secrets
#[derive(Debug, Default, Args)]
struct SecretsListArgs {
    /// Also those that are decided
    #[arg(short, long)]
    all: bool,
}

/// Search packages again
#[derive(Debug, Args)]
struct ScanArgs {
    #[command(flatten)]
    packages: PackagesArgs,
}

/// Allow packages to be pushed with their secrets
#[derive(Debug, Args)]
struct AllowArgs {
    /// Commits, or packages' ids
    #[arg(value_name = "REF", required = true)]
    revisions: Vec<String>,
    /// Only show what would be allowed
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    target: TargetArgs,
}

/// Encrypt files with secrets, for the recipients in slsart.toml
///
/// In an archive, only the files with secrets are encrypted, so that packages still share the others. State and templates
/// are encrypted completely. The package's id stays the same. Git's garbage collection removes the old copies here; copies
/// that were pushed before stay on the remote.
#[derive(Debug, Args)]
struct EncryptArgs {
    #[command(flatten)]
    packages: PackagesArgs,
    /// Only show what would be encrypted
    #[arg(short = 'n', long)]
    dry_run: bool,
}

#[derive(Debug, Serialize)]
struct SecretsReport {
    dry_run: bool,
    packages: Vec<SecretsRow>,
    /// How many others were recorded before packages were searched.
    unsearched: usize,
    #[serde(skip)]
    done: &'static str,
}

#[derive(Debug, Serialize)]
struct SecretsRow {
    commit: String,
    package: PackageId,
    target: Target,
    /// Absent where nothing is decided, or there is nothing to decide.
    decision: Option<Decision>,
    /// Whether a decision is needed.
    undecided: bool,
    recipients: Vec<String>,
    secrets: Vec<Secret>,
    /// How many there are beside those.
    more: usize,
}

impl SecretsRow {
    fn of(manifest: &Manifest, policy: &SecretPolicy) -> Self {
        let standing = secret_status(manifest, policy);
        let undecided = standing.is_undecided();
        let scan = manifest.scan.clone().unwrap_or_default();
        Self {
            commit: manifest.source.commit.clone(),
            package: manifest.package.id,
            target: manifest.target.clone(),
            decision: scan.decision,
            undecided,
            recipients: scan.recipients,
            secrets: manifest.secrets.clone(),
            more: scan.more,
        }
    }
}

pub(crate) fn run(args: &SecretsArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    match &args.command {
        None => list(&args.list, workspace, ui),
        Some(SecretsCommand::List(args)) => list(args, workspace, ui),
        Some(SecretsCommand::Scan(args)) => each(
            &args.packages.opened(workspace, ui)?,
            false,
            "Searched ",
            workspace,
            ui,
            secret_policy::scan,
        ),
        Some(SecretsCommand::Allow(args)) => {
            let AllowArgs { revisions, target, .. } = args;
            let packages = PackagesArgs { revisions: revisions.clone(), all: false, target: target.clone() };
            each(
                &packages.opened(workspace, ui)?,
                args.dry_run,
                "Allowed  ",
                workspace,
                ui,
                secret_policy::allow,
            )
        }
        Some(SecretsCommand::Encrypt(args)) => each(
            &args.packages.opened(workspace, ui)?,
            args.dry_run,
            "Encrypted",
            workspace,
            ui,
            secret_policy::encrypt,
        ),
    }
}

fn list(args: &SecretsListArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let policy = policy(workspace)?;
    let mut report = SecretsReport { dry_run: false, packages: Vec::new(), unsearched: 0, done: "" };
    for found in workspace.store().packages().all(&Filter::default())?.found {
        // What is noted and not here is nobody's to decide about here.
        let Ok(package) = workspace.store().open(found.commit, &found.line) else { continue };
        if package.manifest.scan.is_none() {
            report.unsearched += 1;
        }
        let row = SecretsRow::of(&package.manifest, &policy);
        if row.undecided || args.all && !row.secrets.is_empty() {
            report.packages.push(row);
        }
    }
    ui.report(&report)
}

/// Does something to each package, and reports how each is then.
fn each<'a>(
    packages: &[StoredPackage<'a>],
    dry_run: bool,
    done: &'static str,
    workspace: &Workspace<'a>,
    ui: &Ui,
    act: impl Fn(&Workspace<'a>, &StoredPackage<'a>) -> Result<Manifest>,
) -> Result<()> {
    let policy = policy(workspace)?;
    let mut report = SecretsReport { dry_run, packages: Vec::new(), unsearched: 0, done };
    ui.progress().phase(&format!("Searching {}", count(packages.len(), "package")));
    ui.progress().expect_bytes(packages.iter().map(|package| package.manifest.package.size).sum());
    let mut outcome = Ok(());
    for package in packages {
        let manifest = if dry_run { Ok(package.manifest.clone()) } else { act(workspace, package) };
        match manifest {
            Ok(manifest) => report.packages.push(SecretsRow::of(&manifest, &policy)),
            Err(error) => {
                outcome = Err(error);
                break;
            }
        }
    }
    // What is done stays so, whatever became of the next.
    if outcome.is_ok() || !report.packages.is_empty() {
        ui.done(&report, dry_run || outcome.is_err())?;
    }
    outcome
}

impl fmt::Display for SecretsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.packages {
            let SecretsRow { commit, package, target, decision, undecided, recipients, secrets, more } = row;
            let (commit, package) = (short(commit, 7), package.short());
            let word = if self.dry_run || self.done.is_empty() { "Package  " } else { self.done };
            let mut table = Table::new([
                Column::left().style(BOLD),
                Column::left().style(COMMIT),
                Column::left().rank(1).style(BOLD),
                Column::ragged(),
            ]);
            table.line([word.to_owned(), commit.to_owned(), package, target.to_string()]);
            fmt::Display::fmt(&table, f)?;
            let state = match decision {
                Some(Decision::Encrypt) => {
                    format!("{GOOD}encrypted{GOOD:#} to {}", line(&recipients.join(", ")))
                }
                Some(Decision::Allow) => "allowed: they are pushed as they are".to_owned(),
                Some(Decision::Warn) => "pushed as they are, with a warning".to_owned(),
                None if *undecided => format!("{WARNING}undecided{WARNING:#}: the package is not pushed"),
                None if secrets.is_empty() => "no secrets".to_owned(),
                None => "allowed, by `allow` in [secrets] of slsart.toml".to_owned(),
            };
            writeln!(f, "           {state}")?;
            for secret in secrets.iter().take(SHOWN) {
                writeln!(f, "           {}", line(&secret.to_string()))?;
            }
            let hidden = secrets.len().saturating_sub(SHOWN) + more;
            if hidden > 0 {
                writeln!(f, "           {DIM}and {hidden} more{DIM:#}")?;
            }
        }
        if self.packages.is_empty() {
            writeln!(f, "no undecided secrets")?;
        }
        let undecided = self.packages.iter().filter(|row| row.undecided);
        for way in sharing::ways_to_decide(undecided.map(|row| &row.package)) {
            writeln!(f, "{DIM}{way}{DIM:#}")?;
        }
        if self.unsearched > 0 {
            let unsearched = count(self.unsearched, "package");
            writeln!(
                f,
                "{DIM}{unsearched} recorded before packages were searched: git slsart secrets scan --all{DIM:#}"
            )?;
        }
        Ok(())
    }
}
