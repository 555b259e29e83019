//! `status`.

mod render;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::args::TargetArgs;
use super::first_package;
use super::jobs::JobRow;
use super::mark::Marked;
use crate::error::Result;
use crate::git::{Commit, Oid};
use crate::package::PackageId;
use crate::package::manifest::Target;
use crate::service::{Service, ServiceName, ServicePath};
use crate::sharing::PackageRef;
use crate::status::{self, Lacking, TargetStatus};
use crate::store::bans::Ban;
use crate::store::deployments::Deployment;
use crate::store::{NotedPackage, PackageLine};
use crate::text::command::slsart;
use crate::ui::Ui;
use crate::workspace::{Workspace, name_of, option};

/// Show what is live, what is packaged, and what is not pushed
///
/// For each target: what is live by the history (`git slsart live` asks AWS), how far HEAD is from it, and HEAD's package.
/// Then what the remotes lack, as of the last push or fetch, and the background job. Reads only this repository: neither AWS
/// nor a remote is asked.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Include all services, not only the current directory's
    #[arg(short, long, conflicts_with = "service")]
    all: bool,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, Serialize)]
struct StatusReport {
    head: Option<HeadCommit>,
    targets: Vec<TargetReport>,
    /// The services that nothing was ever packaged of, where others were.
    unpackaged: Vec<NeverPackaged>,
    remotes: Vec<RemoteRow>,
    lfs: Lfs,
    jobs: Vec<JobRow>,
    /// The current directory's service, where only its targets are listed and there are others.
    service: Option<String>,
    /// How to get packages where there are none.
    #[serde(skip)]
    first: String,
    #[serde(skip)]
    now: Timestamp,
}

#[derive(Debug, Serialize)]
struct HeadCommit {
    commit: String,
    #[serde(skip)]
    short: String,
    subject: String,
}

#[derive(Debug, Serialize)]
struct NeverPackaged {
    path: ServicePath,
    /// Absent where only running the configuration tells it.
    service: Option<ServiceName>,
    /// The command that packages it.
    #[serde(skip)]
    make: String,
}

#[derive(Debug, Serialize)]
struct TargetReport {
    target: Target,
    /// The name that HEAD gives the service in the target's directory, where it is another.
    renamed_to: Option<ServiceName>,
    live: Option<Attempt>,
    /// A later deployment after which it is not certain what is live.
    later: Option<Attempt>,
    package: Option<Packaged>,
    ahead_count: Option<usize>,
    behind_count: Option<usize>,
    unread_count: usize,
    /// The command that makes HEAD's package for it; `None` where HEAD does not have the service.
    #[serde(skip)]
    make: Option<String>,
}

#[derive(Debug, Serialize)]
struct Attempt {
    action: &'static str,
    outcome: &'static str,
    commit: String,
    #[serde(skip)]
    short: String,
    subject: String,
    package: String,
    banned: Option<Marked>,
    by: String,
    started: Timestamp,
    ended: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct Packaged {
    package: String,
    size: u64,
    recorded: Timestamp,
    dirty: bool,
    banned: Option<Marked>,
}

#[derive(Debug, Serialize)]
struct RemoteRow {
    remote: String,
    known: bool,
    seen: Option<Timestamp>,
    packages: Vec<PackageRef>,
    /// How many of them are not pushed before their secrets are decided about.
    undecided_count: usize,
    #[serde(skip)]
    undecided: Vec<PackageId>,
    chains: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Lfs {
    object_count: usize,
    size: u64,
}

pub(crate) fn run(args: &StatusArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let repository = workspace.repository;
    let wanted = args.target.wanted()?;
    let filter = workspace.listed(&wanted, args.all)?;
    super::warn_of_config(workspace, ui)?;
    let status = status::status(workspace, &filter)?;
    if status.targets.is_empty() && wanted.is_narrow() {
        workspace.need_known(&filter)?;
    }
    let (object_count, size) = status.lfs;
    ui.report(&StatusReport {
        head: status.head.map(|head| HeadCommit {
            short: repository.short_id(head.id),
            commit: head.id.to_string(),
            subject: head.subject,
        }),
        targets: status.targets.into_iter().map(|standing| section(standing, workspace)).collect(),
        unpackaged: status.unpackaged.into_iter().map(never_packaged).collect(),
        first: first_package(workspace)?,
        remotes: status.remotes.into_iter().map(RemoteRow::from).collect(),
        lfs: Lfs { object_count, size },
        jobs: status.jobs.iter().map(|job| JobRow::of(job, repository)).collect(),
        service: workspace.narrowed_to(&wanted, &filter)?,
        now: workspace.context.clock.now(),
    })
}

fn never_packaged(service: Service) -> NeverPackaged {
    let name = name_of(&service).cloned();
    let option = option(service.path.as_str(), name.as_ref().map(ServiceName::as_str));
    let make = slsart(["package"].into_iter().chain(option));
    NeverPackaged { path: service.path, service: name, make }
}

fn section(standing: TargetStatus, workspace: &Workspace<'_>) -> TargetReport {
    let repository = workspace.repository;
    let TargetStatus { target, renamed, is_in_head, live, ahead, behind, later, package, unread, .. } =
        standing;
    let (live_ban, package_ban) = (standing.live_ban.as_ref(), standing.package_ban.as_ref());
    let attempt = |deployment: Deployment, ban: Option<&Ban>| {
        let commit = Oid::from_str(&deployment.commit).ok();
        let known: Option<Commit> = commit.and_then(|commit| repository.commit(commit).ok());
        Attempt {
            action: deployment.action.name(),
            outcome: deployment.outcome.name(),
            short: commit.map(|commit| repository.short_id(commit)).unwrap_or_default(),
            commit: deployment.commit,
            subject: known.map(|commit| commit.subject).unwrap_or_default(),
            package: deployment.package.to_string(),
            banned: ban.map(Marked::from),
            by: deployment.by,
            started: deployment.started,
            ended: deployment.ended,
        }
    };
    let packaged = |line: PackageLine| Packaged {
        package: line.package.to_string(),
        size: line.size,
        recorded: line.recorded,
        dirty: line.dirty_tree.is_some(),
        banned: package_ban.map(Marked::from),
    };
    let Target { path, service, stage, region } = &target;
    let make = is_in_head.then(|| workspace.package_command(&[], (path, Some(service)), stage, Some(region)));
    TargetReport {
        target,
        renamed_to: renamed,
        make,
        live: live.map(|live| attempt(live, live_ban)),
        later: later.map(|later| attempt(later, None)),
        package: package.map(packaged),
        ahead_count: ahead,
        behind_count: behind,
        unread_count: unread,
    }
}

impl From<Lacking> for RemoteRow {
    fn from(lacking: Lacking) -> Self {
        let Lacking { remote, seen, is_known, packages, undecided, chains } = lacking;
        let mut packages = packages;
        packages.sort_by_key(|NotedPackage { line, .. }| std::cmp::Reverse(line.recorded));
        let packages = packages.iter().map(PackageRef::from).collect();
        Self { remote, known: is_known, seen, packages, undecided_count: undecided.len(), undecided, chains }
    }
}
