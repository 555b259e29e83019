//! A commit ready to run its framework: a disposable worktree with carried files and the lockfile's packages.

mod installer;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Instant;

use installer::Installer;
pub use installer::{InstallMode, InstallSource, install_source};

use super::carry::carry;
use super::lacking;
use crate::context::Environment;
use crate::error::{Error, Kind, Result};
use crate::git::worktree::{self, Worktree};
use crate::git::{Oid, Source};
use crate::package::manifest::Tool;
use crate::process::{Group, Output};
use crate::service::{Service, ServicePath};
use crate::store::toolchains::Toolchain;
use crate::text::words::short;
use crate::toolchain::{Lockfile, Programs, framework, install};
use crate::workspace::Workspace;

/// A checked-out service with its plugins in place. The worktree goes when this is dropped.
pub struct Checkout<'r> {
    worktree: Worktree<'r>,
    source: Oid,
    pub service: PathBuf,
    pub carried: Vec<String>,
    pub lockfile: Option<Lockfile>,
    /// The snapshot that was restored into it, if any.
    pub restored: Option<Toolchain>,
    pub programs: Programs,
    pub framework: framework::Installed,
    pub phases: Vec<(&'static str, u64)>,
}

impl<'r> Checkout<'r> {
    /// Checks out `commit`, copies carried files, gets the packages as `mode` says and finds the framework. If a version of `node` is
    /// named and a version manager has it, it runs everything.
    pub fn prepare(
        workspace: &Workspace<'r>,
        commit: Oid,
        path: &ServicePath,
        mode: InstallMode,
        node: Option<&str>,
        output: Output,
    ) -> Result<Self> {
        let Workspace { context, repository, progress, .. } = *workspace;
        let cache = context.cache_dir();
        for left in worktree::sweep(repository, &cache)? {
            progress.warn(&format!(
                "'{}' was left by a command that was killed, and can't be removed",
                left.display()
            ));
        }
        progress.phase("Checking out the commit");
        let mut phases = Vec::new();
        let mut timed = Stopwatch::start();
        let (worktree, lacking) = Worktree::create(repository, &cache, commit)?;
        if !lacking.is_empty() {
            progress.warn(&format!("submodules that this repository does not have: {}", lacking.join(", ")));
        }
        let service = path.under(worktree.path());
        if !is_inside(&service, worktree.path()) {
            return Err(Error::refused(format!("the commit has no directory '{path}'"))
                .hint("the service's directory must exist in the commit, and must not be a link out of the repository"));
        }
        // A linked worktree may have files of its own; for missing ones, the main one's are used.
        let main = repository.main();
        let mut carried = Vec::new();
        for from in [Some(repository), main.as_ref()].into_iter().flatten() {
            let copied = carry(&workspace.config.carry, from, path, &service)?;
            if !copied.is_empty() {
                progress.note(&format!("carried from the working tree: {}", copied.join(", ")));
            }
            carried.extend(copied);
        }
        let programs = Programs::with_node(node, &service, &context.environment);
        if let Some(node) = programs.node() {
            progress.note(&format!("Using node {} from {}", node.version, node.place(&context.environment)));
        }
        phases.push(("worktree", timed.lap()));
        let source = Source::new(repository, repository.commit(commit)?.tree);
        let lockfile = Lockfile::find(source, path)?;
        let Some(found) = &lockfile else {
            return Err(Error::refused(format!("the commit has no lockfile for the service '{path}'"))
                .hint("commit the lockfile of your package manager, such as package-lock.json: without it the plugins of this commit are unknown")
                .hint("a package that is made elsewhere can still be recorded: git slsart record DIR"));
        };
        let top = worktree.path();
        let installer =
            Installer { workspace, source: commit, top, lockfile: found, programs: &programs, output };
        let restored = installer
            .install(mode)
            .map_err(|error| lacking::explain(error, workspace, source, path, None))?;
        phases.push(("plugins", timed.lap()));
        let framework = framework::find(worktree.path(), path)?;
        Ok(Self {
            worktree,
            source: commit,
            service,
            carried,
            lockfile,
            restored,
            programs,
            framework,
            phases,
        })
    }

    /// Records a snapshot of the package manager's installation. Call it before anything runs in the checkout. Returns the snapshot, and
    /// whether it is new; `None` if nothing was installed.
    pub fn save_toolchain(&self, workspace: &Workspace<'_>) -> Result<Option<(Toolchain, bool)>> {
        let Some(lockfile) = &self.lockfile else { return Ok(None) };
        let (source, top, programs) = (self.source, self.top(), &self.programs);
        let installer = Installer { workspace, source, top, lockfile, programs, output: Output::OnFailure };
        installer.save(&self.service, self.package_manager(&workspace.context.environment))
    }

    /// Records a snapshot of the installation, unless it was restored from one. A failure is only a warning: nothing needs the snapshot
    /// yet.
    pub fn snapshot_plugins(&self, workspace: &Workspace<'_>) {
        if self.restored.is_some() {
            return;
        }
        let progress = workspace.progress;
        match self.save_toolchain(workspace) {
            Ok(Some((toolchain, true))) => {
                progress.note(&format!("kept the plugins: toolchain {}", short(&toolchain.id, 12)));
            }
            Ok(_) => {}
            // The next step notices the signal.
            Err(error) if error.kind == Kind::Interrupted => {}
            Err(error) => {
                progress.warn(&format!(
                    "the plugins could not be kept for a rollback without a registry: {error}"
                ));
            }
        }
    }

    pub fn run(
        &self,
        workspace: &Workspace<'_>,
        service: &Service,
        arguments: Vec<OsString>,
        output: Output,
        group: Group,
    ) -> Result<()> {
        let run = self.framework.invocation(&self.service, arguments).in_disposable_directory();
        let outcome = self.programs.within(run).group(group).run(output);
        let source = Source::new(workspace.repository, workspace.repository.commit(self.source)?.tree);
        outcome
            .map_err(|error| lacking::explain(error, workspace, source, &service.path, Some(&service.config)))
    }

    pub fn top(&self) -> &Path {
        self.worktree.path()
    }

    pub fn package_manager(&self, environment: &Environment) -> Option<Tool> {
        let kind = self.lockfile.as_ref()?.kind;
        let version = install::version(&self.programs, kind, &self.service, environment)?;
        Some(Tool { name: install::program(kind).to_owned(), version })
    }
}

/// Whether `path` is a directory that really is below `top`.
fn is_inside(path: &Path, top: &Path) -> bool {
    let real = path.canonicalize().ok().zip(top.canonicalize().ok());
    real.is_some_and(|(path, top)| path.is_dir() && path.starts_with(top))
}

pub struct Stopwatch(Instant);

impl Stopwatch {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since the start or the last lap.
    pub fn lap(&mut self) -> u64 {
        let elapsed = self.0.elapsed();
        self.0 = Instant::now();
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }
}
