//! `fetch`.

use std::fmt;

use clap::Args;

use super::push::{remote, write_chains, write_parcels};
use crate::error::Result;
use crate::sharing::{self, FetchReport, FetchScope};
use crate::text::command::slsart;
use crate::text::style::{BOLD, DIM, WARNING};
use crate::text::words::{count, line};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Fetch notes and histories from a remote, and packages on request
///
/// Notes and histories are merged with the local ones. The content of packages is fetched only with REF or --all; a rollback
/// fetches what it needs by itself.
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// The remote [default: `remote` in [share] of slsart.toml, else `origin` or the only one]
    remote: Option<String>,
    /// The commits or packages to fetch with their content and toolchains
    #[arg(value_name = "REF")]
    revisions: Vec<String>,
    /// The content of all packages
    #[arg(short, long, conflicts_with = "revisions")]
    all: bool,
}

pub(crate) fn run(args: &FetchArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let remote = remote(workspace, args.remote.as_deref(), "fetch")?;
    let wish = match (args.all, args.revisions.is_empty()) {
        (true, _) => FetchScope::All,
        (false, true) => FetchScope::Nothing,
        (false, false) => FetchScope::Packages(args.revisions.clone()),
    };
    let fetched = sharing::fetch(workspace, &remote, &wish)?;
    ui.done(&fetched, !fetched.missing.is_empty())?;
    fetched.complete()
}

impl fmt::Display for FetchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { remote, records, packages, missing, toolchains } = self;
        if records.notes {
            writeln!(f, "{BOLD}Notes{BOLD:#}     updated, with new packages")?;
        }
        if records.notes && packages.is_empty() && missing.is_empty() {
            writeln!(
                f,
                "{DIM}{:10}their content is fetched when it is needed; to fetch it now: {}{DIM:#}",
                "",
                slsart(["fetch", remote, "--all"])
            )?;
        }
        write_chains(f, &records.chains)?;
        write_parcels(f, "Fetched", packages)?;
        if *toolchains > 0 {
            writeln!(f, "{BOLD}Plugins{BOLD:#}   {}", count(*toolchains, "toolchain"))?;
        }
        for missing in missing {
            let package = missing.package.package.short();
            writeln!(f, "{WARNING}Missing{WARNING:#}   package {package}: {}", line(&missing.why))?;
        }
        if records.is_empty() && packages.is_empty() && missing.is_empty() {
            writeln!(f, "{DIM}nothing new on {remote}{DIM:#}")?;
        }
        Ok(())
    }
}
