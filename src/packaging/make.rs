//! `package`: makes a package of a commit, in a clean worktree or in place, and records it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::SystemTime;

use super::Summary;
use super::build_environment::BuildEnvironment;
use super::carry;
use super::checkout::{Checkout, InstallMode};
use super::draft::Draft;
use super::placement;
use super::secret_policy;
use crate::config::Snapshot;
use crate::error::{Error, Kind, Result};
use crate::git::{Commit, Oid, Source};
use crate::package::directory::PackageDirectory;
use crate::package::manifest::{Origin, Target, Tool, Tools};
use crate::package::storage::Storage;
use crate::process::{Group, Output, interrupt};
use crate::service::{PackageArguments, Region, STATE_FILE, Service, Stage, State};
use crate::sharing;
use crate::store::{Filter, Recording, SecretOptions};
use crate::toolchain::{Programs, framework, plugin_hooks};
use crate::workspace::secrets::scanner_and_policy;
use crate::workspace::{Workspace, name_of};

#[derive(Debug, Clone, Copy)]
pub struct Making {
    /// In the user's working tree, instead of a clean worktree.
    pub in_place: bool,
    /// In place even with uncommitted changes.
    pub allow_dirty: bool,
    /// Even if the commit has a package for this target.
    pub again: bool,
    pub storage: Storage,
    pub installing: Output,
    pub packaging: Output,
}

pub fn make(
    workspace: &Workspace<'_>,
    commit: Oid,
    service: &Service,
    stage: &Stage,
    region: &Region,
    making: Making,
) -> Result<Summary> {
    let commit = workspace.repository.commit(commit)?;
    let dirty = if making.in_place { changes(workspace, &commit, making.allow_dirty)? } else { false };
    if !making.again
        && !dirty
        && let Some(summary) = existing(workspace, &commit, service, stage, region)?
    {
        return Ok(summary);
    }
    placement::check(workspace, making.storage)?;
    carry::warn_unmatched(workspace, &workspace.services(commit.id)?)?;
    let job = Job { workspace, commit, service, stage, region, making };
    if making.in_place { job.in_place(dirty) } else { job.in_worktree() }
}

/// Whether the working tree has changes; an error if it must not have any, or HEAD is elsewhere.
fn changes(workspace: &Workspace<'_>, commit: &Commit, allowed: bool) -> Result<bool> {
    let repository = workspace.repository;
    repository.work_tree()?;
    if repository.head() != Some(commit.id) {
        return Err(Error::refused("--in-place packages the working tree, and HEAD is at another commit")
            .hint("leave out --in-place to package that commit in a worktree of its own"));
    }
    let paths: Vec<String> = repository
        .dirty_paths()?
        .into_iter()
        .filter(|path| !path.split('/').any(|part| part == ".serverless"))
        .collect();
    if paths.is_empty() || allowed {
        return Ok(!paths.is_empty());
    }
    let shown = paths.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    let more = if paths.len() > 3 { format!(" and {} more", paths.len() - 3) } else { String::new() };
    Err(Error::refused(format!("the working tree has changes: {shown}{more}"))
        .hint("commit them first, or leave out --in-place to package the commit as it is")
        .hint("--allow-dirty packages the changes too, and marks the package"))
}

fn existing(
    workspace: &Workspace<'_>,
    commit: &Commit,
    service: &Service,
    stage: &Stage,
    region: &Region,
) -> Result<Option<Summary>> {
    let filter = Filter {
        service: Some(service.path.as_str().into()),
        stage: Some(stage.to_string()),
        region: Some(region.to_string()),
        ..Filter::default()
    };
    let found = workspace.store().packages().of(commit.id, &filter)?;
    let Some(found) = found.into_iter().rfind(|found| found.line.dirty_tree.is_none()) else {
        return Ok(None);
    };
    let package = sharing::open(workspace, &found)?;
    Ok(Some(Summary::of(&package.manifest, &commit.subject, true, Vec::new())))
}

struct Job<'a, 'r> {
    workspace: &'a Workspace<'r>,
    commit: Commit,
    service: &'a Service,
    stage: &'a Stage,
    region: &'a Region,
    making: Making,
}

impl Job<'_, '_> {
    fn in_worktree(self) -> Result<Summary> {
        let path = &self.service.path;
        let (commit, tree) = (self.commit.id, self.commit.tree);
        let own = |error: Error| match error.kind {
            Kind::Child(_) => error.hint(format!(
                "to debug it in a worktree of your own: git worktree add --detach DIR {}",
                self.workspace.repository.short_id(commit)
            )),
            _ => error,
        };
        let checkout = Checkout::prepare(
            self.workspace,
            commit,
            path,
            InstallMode::PackageManager,
            None,
            self.making.installing,
        )
        .map_err(own)?;
        if self.workspace.config.toolchain.snapshot == Snapshot::Always {
            checkout.snapshot_plugins(self.workspace);
        }
        if !self.workspace.progress.is_wanted() {
            return Err(Error::new(Kind::Interrupted, "a newer commit is packaged instead"));
        }
        let manager = checkout.package_manager(&self.workspace.context.environment);
        let tools = tools(&checkout.framework, &checkout.service, manager)?;
        self.run_framework(&checkout.framework, &checkout.service, || {
            checkout.run(self.workspace, self.service, self.arguments(), self.making.packaging, Group::Ours)
        })
        .map_err(own)?;
        let Checkout { service, carried, .. } = &checkout;
        let environment = BuildEnvironment { workspace: self.workspace, service, carried };
        let progress = self.workspace.progress;
        let summary = self.record(&checkout.framework, &environment, (commit, tree), Origin::Worktree, tools);
        if summary.is_err() {
            progress.failed();
        }
        progress.phase("Removing the worktree");
        drop(checkout);
        summary
    }

    fn in_place(self, dirty: bool) -> Result<Summary> {
        let repository = self.workspace.repository;
        let top = repository.work_tree()?.to_owned();
        let service = self.service.path.under(&top);
        let framework = framework::find(&top, &self.service.path)?;
        // The tree is taken before packaging, and compared after: a file saved meanwhile would be in the package but not in its source.
        let before = if dirty { repository.write_work_tree()? } else { self.commit.tree };
        let tools = tools(&framework, &service, None)?;
        self.run_framework(&framework, &service, || {
            framework.invocation(&service, self.arguments()).run(self.making.packaging)
        })?;
        let after = if dirty || !repository.dirty_paths()?.is_empty() {
            repository.write_work_tree()?
        } else {
            self.commit.tree
        };
        if before != after {
            return Err(Error::refused(
                "the working tree changed while it was packaged: nothing was recorded",
            )
            .hint("run the command again"));
        }
        let source = if before == self.commit.tree {
            self.commit.id
        } else {
            let message = format!("Working tree on top of {}\n\n{}\n", self.commit.id, self.commit.subject);
            let batch = repository.batch()?;
            let snapshot = batch.commit(before, &[self.commit.id], &message)?;
            batch.finish()?.remove();
            snapshot
        };
        let carried = carry::listed(&self.workspace.config.carry, repository, &self.service.path)?;
        let carried: Vec<_> = carried.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        let environment =
            BuildEnvironment { workspace: self.workspace, service: &service, carried: &carried };
        self.record(&framework, &environment, (source, before), Origin::InPlace, tools)
    }

    fn arguments(&self) -> Vec<OsString> {
        let arguments = PackageArguments {
            stage: self.stage,
            region: self.region,
            directory: None,
            config: &self.service.config,
            verbose: false,
        };
        arguments.to_vec()
    }

    /// Runs the framework, and makes sure that the package in `.serverless` is of this run.
    fn run_framework(
        &self,
        framework: &framework::Installed,
        service: &Path,
        run: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        interrupt::check()?;
        let Workspace { progress, context, .. } = self.workspace;
        framework.check_licence(&context.environment)?;
        progress.phase(&format!("Packaging ({})", framework.tool));
        if self.making.packaging == Output::Stream {
            progress.pause();
        }
        let before = state_stamp(service);
        run()?;
        if state_stamp(service).is_some_and(|after| before != Some(after)) {
            return Ok(());
        }
        Err(Error::refused(format!("{} succeeded, but wrote no package to .serverless", framework.tool))
            .hint("if `package.path` in the service's configuration names another directory, remove it, or record that directory: git slsart record DIR"))
    }

    /// Records the package that `framework` made in this environment. The source: its commit, and its tree.
    fn record(
        self,
        framework: &framework::Installed,
        environment: &BuildEnvironment<'_>,
        (source, tree): (Oid, Oid),
        origin: Origin,
        tools: Tools,
    ) -> Result<Summary> {
        let Workspace { repository, progress, context, .. } = self.workspace;
        progress.phase("Recording the package");
        let service = environment.service;
        let mut directory = PackageDirectory::read(&service.join(".serverless"))?;
        let state = State::parse(&directory.state)?;
        let target = Target {
            service: service_name(&state, self.service)?,
            path: self.service.path.clone(),
            stage: self.stage.clone(),
            region: self.region.clone(),
        };
        state.check_target(self.stage.as_str(), self.region.as_str()).map_err(|mismatch| {
            Error::refused(mismatch.to_string())
                .hint("the service's configuration sets its own stage or region: name that")
        })?;
        let draft = Draft {
            directory: &mut directory,
            state: &state,
            packaged_in: Some(service),
            source: Source::new(repository, tree),
            commit: &self.commit,
            tree,
            service: self.service,
            target,
            origin,
            tools,
            engines: framework.engines().map(str::to_owned),
            hooks: plugin_hooks::read(framework, service, &state.plugins(), self.arguments()),
            build_environment: Some(environment),
            at: context.clock.now(),
        };
        let manifest = draft.manifest(*progress)?;
        let placement = placement::of(self.workspace, self.making.storage, &directory)?;
        let read = |file: &str| fs::read_to_string(service.join(file)).ok();
        let (scanner, policy) =
            scanner_and_policy(self.workspace, &manifest.environment.names, self.stage, read)?;
        let recording = Recording {
            directory: &directory,
            manifest: &manifest,
            commit: self.commit.id,
            source,
            placement,
            secret_options: SecretOptions { scanner: &scanner, policy: &policy },
        };
        let recorded = self.workspace.store().record(&recording, *progress)?;
        let subject = &self.commit.subject;
        Ok(secret_policy::told(self.workspace, recorded, manifest, &policy, subject, directory.left_out))
    }
}

/// The service's name as the framework resolved it.
pub(super) fn service_name(state: &State, service: &Service) -> Result<crate::service::ServiceName> {
    match (state.service_name(), name_of(service)) {
        (Some(name), _) => {
            name.parse().map_err(|error: crate::service::NameError| Error::refused(error.to_string()))
        }
        (None, Some(name)) => Ok(name.clone()),
        (None, None) => Err(Error::refused("the package does not name its service")),
    }
}

/// Identifies a version of a service's state file.
fn state_stamp(service: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(service.join(".serverless").join(STATE_FILE)).ok()?;
    Some((metadata.modified().ok()?, metadata.ino()))
}

fn tools(framework: &framework::Installed, service: &Path, package_manager: Option<Tool>) -> Result<Tools> {
    Ok(Tools {
        framework: Some(framework.tool.clone()),
        node: Some(Programs::usual().node_version(service)?),
        package_manager,
        ..own_tools()
    })
}

/// The tools, if nothing was run.
pub(super) fn own_tools() -> Tools {
    Tools {
        slsart: env!("CARGO_PKG_VERSION").to_owned(),
        framework: None,
        node: None,
        package_manager: None,
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
    }
}
