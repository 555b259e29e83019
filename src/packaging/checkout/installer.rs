//! Installs a checkout's packages: restores the snapshot of its commit, else runs the package manager. Warns of each snapshot that does
//! not fit, and why.

use std::path::Path;

use crate::error::{Error, Kind, Result};
use crate::git::directory::DirectoryScan;
use crate::git::{Oid, Source};
use crate::package::manifest::{LockfileEntry, Tool};
use crate::process::Output;
use crate::service::ServicePath;
use crate::store::toolchains::{FORMAT, StoredToolchain, Toolchain};
use crate::text::command::slsart;
use crate::text::words::short;
use crate::toolchain::pnp::Pnp;
use crate::toolchain::{Lockfile, Programs, install, parts};
use crate::workspace::Workspace;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallMode {
    /// The commit's snapshot, if one fits this machine; else the package manager.
    PreferSnapshot,
    PackageManager,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallSource {
    Snapshot(String),
    PackageManager { program: &'static str, lockfile: String, unfit: Vec<String>, found: bool },
    NoLockfile,
}

/// Where the packages of the service at `path` in the commit `source` will come from on this machine.
pub fn install_source(
    workspace: &Workspace<'_>,
    source: Oid,
    path: &ServicePath,
    programs: &Programs,
) -> Result<InstallSource> {
    let Workspace { repository, context, .. } = *workspace;
    let tree = repository.commit(source)?.tree;
    let Some(lockfile) = Lockfile::find(Source::new(repository, tree), path)? else {
        return Ok(InstallSource::NoLockfile);
    };
    let mut unfit = Vec::new();
    match fitting(workspace, source, &lockfile, programs, &context.cwd, &mut unfit) {
        Ok(fitting) => {
            if let Some(stored) = fitting.into_iter().next() {
                return Ok(InstallSource::Snapshot(stored.toolchain.id));
            }
        }
        Err(error) if error.kind == Kind::Interrupted => return Err(error),
        // Such as that there is no node.
        Err(error) => unfit.push(error.message),
    }
    let program = install::program(lockfile.kind);
    let found = programs.find(program, &context.environment).is_some();
    Ok(InstallSource::PackageManager { program, lockfile: lockfile.path, unfit, found })
}

/// The snapshots for `source` and its lockfile that fit this machine, as node sees it in `directory`; newest first. The reasons against
/// others are added to `unfit`.
fn fitting(
    workspace: &Workspace<'_>,
    source: Oid,
    lockfile: &Lockfile,
    programs: &Programs,
    directory: &Path,
    unfit: &mut Vec<String>,
) -> Result<Vec<StoredToolchain>> {
    let found = workspace.store().toolchains().of(source)?;
    unfit.extend(found.unread.iter().map(|name| format!("{name} can't be read")));
    let is_of_lockfile = |stored: &StoredToolchain| {
        let LockfileEntry { path, sha256, .. } = &stored.toolchain.lockfile;
        (path, sha256) == (&lockfile.path, &lockfile.sha256)
    };
    let mut mine: Vec<_> = found.stored.into_iter().filter(is_of_lockfile).collect();
    if mine.is_empty() {
        return Ok(mine);
    }
    let here = install::machine(programs, directory)?;
    mine.retain(|stored| match stored.toolchain.machine.incompatibility(&here) {
        Some(why) => {
            unfit.push(format!("the toolchain {} does not fit: {why}", short(&stored.toolchain.id, 12)));
            false
        }
        None => true,
    });
    Ok(mine)
}

pub(super) struct Installer<'a> {
    pub(super) workspace: &'a Workspace<'a>,
    pub(super) source: Oid,
    pub(super) top: &'a Path,
    pub(super) lockfile: &'a Lockfile,
    pub(super) programs: &'a Programs,
    pub(super) output: Output,
}

impl Installer<'_> {
    /// Restores or installs the packages. Returns the restored snapshot, if any.
    pub(super) fn install(&self, mode: InstallMode) -> Result<Option<Toolchain>> {
        let progress = self.workspace.progress;
        let program = install::program(self.lockfile.kind);
        let mut tried = Vec::new();
        if mode == InstallMode::PreferSnapshot {
            if let Some(restored) = self.restore(&mut tried)? {
                return Ok(Some(restored));
            }
            for why in &tried {
                progress.warn(&format!("{why}; {program} installs the plugins instead"));
            }
        }
        progress.phase(&format!("Installing plugins ({program})"));
        if self.output == Output::Stream {
            progress.pause();
        }
        install::install(self.programs, self.top, self.lockfile, self.output).map_err(|error| {
            if mode == InstallMode::PackageManager || error.kind == Kind::Interrupted {
                return error;
            }
            if tried.is_empty() {
                let source = short(&self.source.to_string(), 12).to_owned();
                tried.push(format!(
                    "there is no toolchain for this commit here: fetch it with `git slsart fetch --all`, or make it with `{}` where the registry can be reached",
                    slsart(["toolchain", "save", &source])
                ));
            }
            error.hints(tried)
        })?;
        Ok(None)
    }

    /// Restores the newest snapshot of the commit that fits this machine; unusable ones are added to `tried`.
    fn restore(&self, tried: &mut Vec<String>) -> Result<Option<Toolchain>> {
        let store = self.workspace.store();
        let Self { workspace, source, lockfile, programs, top, .. } = *self;
        for stored in fitting(workspace, source, lockfile, programs, top, tried)? {
            let id = short(&stored.toolchain.id, 12).to_owned();
            workspace.progress.phase(&format!("Restoring plugins (toolchain {id})"));
            match store.toolchains().restore(&stored, self.top) {
                Ok(()) => return Ok(Some(stored.toolchain)),
                Err(error) if error.kind == Kind::Interrupted => return Err(error),
                Err(error) => tried.push(format!("the toolchain {id} can't be restored: {error}")),
            }
        }
        Ok(None)
    }

    pub(super) fn save(
        &self,
        service: &Path,
        package_manager: Option<Tool>,
    ) -> Result<Option<(Toolchain, bool)>> {
        let Workspace { repository, progress, context, .. } = *self.workspace;
        let source = Source::new(repository, repository.commit(self.source)?.tree);
        let found = parts::installed(self.top, source, self.lockfile)?;
        if found.is_empty() {
            return Ok(None);
        }
        progress.phase("Keeping the plugins");
        let scan = DirectoryScan::read_parts(self.top, &found)?;
        if let Some(link) = scan.link_outward() {
            return Err(Error::refused(format!("the link '{}' leads out of the repository", link.display()))
                .hint("its target can't be recorded: let the package manager install into the repository itself"));
        }
        let pnp = Pnp::find(&self.lockfile.directory.under(self.top), self.top);
        if let Some(place) = pnp.map(|pnp| pnp.outside(self.top)).transpose()?.flatten() {
            return Err(Error::refused(format!(
                "yarn has a package outside the repository, in '{}'",
                place.display()
            ))
            .hint(
                "it can't be kept there: leave out cacheFolder in .yarnrc.yml, and links to other projects",
            ));
        }
        let parts = found.iter().map(|part| part.to_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
        let toolchain = Toolchain {
            format: FORMAT,
            id: scan.id().to_string(),
            source: self.source.to_string(),
            saved: context.clock.now(),
            files: scan.files(),
            size: scan.size(),
            parts: parts.ok_or_else(|| Error::refused("a directory's name is not UTF-8"))?,
            lockfile: LockfileEntry {
                path: self.lockfile.path.clone(),
                kind: self.lockfile.kind.to_string(),
                sha256: self.lockfile.sha256,
            },
            package_manager,
            machine: install::machine(self.programs, service)?,
        };
        let new = self.workspace.store().toolchains().save(&scan, &toolchain)?;
        Ok(Some((toolchain, new)))
    }
}
