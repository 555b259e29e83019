//! `verify`.

mod report;
mod signatures;

use clap::Args;
use report::{RemoteCopy, VerificationReport, VerifiedPackage, are};

use super::packages::PackagesArgs;
use crate::error::{ANOTHER_COPY, Error, Kind, Result};
use crate::progress::Progress as _;
use crate::sharing;
use crate::store::{Damage, NotedPackage, Presence, RemotePackages};
use crate::text::words::count;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Read packages back and compare every byte with what was recorded
#[derive(Debug, Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    packages: PackagesArgs,
    /// Also ask a remote whether it has the packages, and fetch their LFS objects from it to compare [default: origin]
    #[arg(long, value_name = "REMOTE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    remote: Option<String>,
    /// Also check the signatures of the packages, and of the histories of their targets
    ///
    /// Exit status 4 if one is bad, 1 if a package is not signed with a trusted key. Trusted keys: `signers` in slsart.toml,
    /// else git's own settings.
    #[arg(long)]
    signatures: bool,
}

pub(crate) fn run(args: &VerifyArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let remote = args.remote.as_deref().map(|name| asked(name, workspace)).transpose()?;
    let found = args.packages.selected(workspace, ui)?;
    ui.progress().phase(&format!("Verifying {}", count(found.len(), "package")));
    ui.progress().expect_bytes(found.iter().map(|found| found.line.size).sum());
    let mut packages =
        found.iter().map(|found| verify(workspace, found, remote.as_ref())).collect::<Result<Vec<_>>>()?;
    let mut histories = None;
    if args.signatures {
        signatures::of_packages(workspace, &mut packages)?;
        histories = Some(signatures::of_histories(workspace, &packages, args.packages.all)?);
    }
    let is_intact =
        |row: &&VerifiedPackage| row.damages.is_empty() && row.problem.is_none() && row.locked.is_empty();
    let intact = packages.iter().filter(is_intact).count();
    let damaged = packages.iter().filter(|row| !row.damages.is_empty()).count();
    let report = VerificationReport { packages, intact, damaged, histories };
    ui.report(&report)?;
    verdict(&report)
}

/// Asks the remote that is meant, once for all packages.
fn asked(name: &str, workspace: &Workspace<'_>) -> Result<RemotePackages> {
    let default = workspace.repository.remotes().into_iter().next().unwrap_or_else(|| "origin".to_owned());
    workspace.progress.phase("Asking the remote");
    workspace.store().remote(if name.is_empty() { &default } else { name })
}

fn verdict(report: &VerificationReport) -> Result<()> {
    let damaged = report.damaged;
    let unread = report.packages.iter().filter(|row| row.problem.is_some()).count();
    let locked = report.packages.iter().filter(|row| !row.locked.is_empty()).count();
    if damaged == 0 && unread == 0 {
        signatures::verdict(report)?;
        on_remote(report)?;
        if locked == 0 {
            return Ok(());
        }
        return Err(Error::refused(format!("{} can't be compared without a key", count(locked, "package")))
            .hint(
                "name the file of your secret key: SLSART_IDENTITY=FILE, or git config slsart.identity FILE",
            ));
    }
    if damaged == 0 {
        return Err(Error::refused(format!("this git-slsart can't read {}", count(unread, "package")))
            .hint("install a newer git-slsart: cargo install git-slsart"));
    }
    Err(Error::integrity(format!(
        "{damaged} of {} {} damaged",
        count(report.packages.len(), "package"),
        are(damaged)
    ))
    .hint(ANOTHER_COPY))
}

fn on_remote(report: &VerificationReport) -> Result<()> {
    let remotes = || report.packages.iter().filter_map(|row| row.remote.as_ref());
    let lacking = |wanted: &dyn Fn(&RemoteCopy) -> bool| {
        let rows: Vec<_> = remotes().filter(|remote| wanted(remote)).collect();
        rows.first().map(|first| (rows.len(), first.name.clone(), first.name_of_ref.clone()))
    };
    let total = report.packages.len();
    if let Some((number, remote, name)) = lacking(&|remote| !remote.damages.is_empty()) {
        let what = format!("{remote} lacks LFS objects of {number} of {}", count(total, "package"));
        return Err(Error::integrity(what).hint(format!("send them again: git lfs push {remote} {name}")));
    }
    if let Some((number, remote, name)) = lacking(&|remote| remote.has == Presence::Absent) {
        let what = format!("{number} of {} {} not on {remote}", count(total, "package"), are(number));
        return Err(Error::refused(what).hint(format!(
            "push it: git lfs push {remote} {name} && git push {remote} {name} refs/notes/slsart"
        )));
    }
    if let Some((number, remote, name)) = lacking(&|remote| remote.has == Presence::OtherForm) {
        let what =
            format!("{number} of {} {} in another form on {remote}", count(total, "package"), are(number));
        return Err(Error::refused(what)
            .hint(format!("send this one: git lfs push {remote} {name} && git push {remote} +{name}"))
            .hint(format!("or take that one: git fetch {remote} +{name}:{name}")));
    }
    Ok(())
}

fn verify(
    workspace: &Workspace<'_>,
    found: &NotedPackage,
    remote: Option<&RemotePackages>,
) -> Result<VerifiedPackage> {
    let NotedPackage { commit, line } = found;
    let (mut on_remote, mut object) = (None, None);
    let mut locked = Vec::new();
    if sharing::is_elsewhere(workspace, found)? {
        sharing::fetch_package(workspace, found)?;
    }
    let (damages, problem) = match workspace.store().open(*commit, line) {
        Ok(package) => {
            object = Some(package.object);
            if let Some(remote) = remote {
                let (has, damages) = remote.verify(&package)?;
                let name_of_ref = package.ref_name();
                on_remote = Some(RemoteCopy { name: remote.name.clone(), has, damages, name_of_ref });
            }
            let verified = package.verify(workspace.progress)?;
            locked = verified.locked;
            (verified.damages, None)
        }
        Err(error) if error.kind == Kind::Integrity => {
            (vec![Damage { path: "manifest.toml".to_owned(), problem: error.message }], None)
        }
        // A later version recorded it: the others can still be judged.
        Err(error) if error.kind == Kind::Refused => (Vec::new(), Some(error.message)),
        Err(error) => return Err(error),
    };
    Ok(VerifiedPackage {
        commit: commit.to_string(),
        package: line.package.to_string(),
        target: line.target.clone(),
        damages,
        problem,
        locked,
        remote: on_remote,
        signature: None,
        object,
    })
}
