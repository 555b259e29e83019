//! `sign`.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::packages::PackagesArgs;
use crate::error::{ANOTHER_COPY, Error, Result};
use crate::package::manifest::Target;
use crate::progress::Progress as _;
use crate::sharing;
use crate::store::Signed;
use crate::text::style::{BOLD, COMMIT, DIM};
use crate::text::words::{count, line, short};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Sign recorded packages
///
/// Signs packages with the key that git signs commits with: you vouch for them, no matter who made them. Each package is
/// read back first, and compared with its record. A package with a good signature is left alone; one with a bad signature is
/// refused. If git signs commits (commit.gpgSign), new packages are signed automatically; this command is for older ones and
/// those of others.
#[derive(Debug, Args)]
pub struct SignArgs {
    #[command(flatten)]
    packages: PackagesArgs,
}

#[derive(Debug, Serialize)]
struct SignReport {
    packages: Vec<SignRow>,
}

#[derive(Debug, Serialize)]
struct SignRow {
    commit: String,
    package: String,
    target: Target,
    /// Whether it was signed now, and not before.
    signed: bool,
    #[serde(skip)]
    before: Option<String>,
    #[serde(rename = "ref")]
    name_of_ref: String,
}

pub(crate) fn run(args: &SignArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let found = args.packages.selected(workspace, ui)?;
    ui.progress().phase(&format!("Verifying and signing {}", count(found.len(), "package")));
    ui.progress().expect_bytes(found.iter().map(|found| found.line.size).sum());
    let mut packages = Vec::new();
    let outcome = found.iter().try_for_each(|found| {
        let package = sharing::open(workspace, found)?;
        if let Some(damage) = package.verify(workspace.progress)?.damages.first() {
            let what = format!("package {} is damaged: {}", found.line.package.short(), damage.problem);
            return Err(Error::integrity(what).hint(ANOTHER_COPY));
        }
        let (signed, before) = match package.sign()? {
            Signed::New => (true, None),
            Signed::Already(signature) => (false, signature.signer.or(signature.key)),
        };
        packages.push(SignRow {
            commit: found.commit.to_string(),
            package: found.line.package.to_string(),
            target: found.line.target.clone(),
            signed,
            before,
            name_of_ref: package.ref_name(),
        });
        Ok(())
    });
    // What is signed stays so, whatever became of the next.
    if outcome.is_ok() || !packages.is_empty() {
        ui.done(&SignReport { packages }, outcome.is_err())?;
    }
    outcome
}

impl fmt::Display for SignReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for SignRow { commit, package, target, signed, before, .. } in &self.packages {
            let word = if *signed { "Signed " } else { "Already" };
            let (commit, package) = (short(commit, 7), short(package, 8));
            write!(f, "{BOLD}{word}{BOLD:#}  {COMMIT}{commit}{COMMIT:#}  {BOLD}{package}{BOLD:#}  {target}")?;
            match before {
                Some(before) => writeln!(f, "  {DIM}signed by {}{DIM:#}", line(before))?,
                None => writeln!(f)?,
            }
        }
        if self.packages.is_empty() { writeln!(f, "no packages here") } else { Ok(()) }
    }
}
