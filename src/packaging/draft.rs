//! The manifest of a package that is about to be recorded, from its directory and its source.

use std::ffi::OsStr;
use std::path::Path;

use jiff::Timestamp;

use super::build_environment::BuildEnvironment;
use crate::error::Result;
use crate::git::{Commit, Oid, Source};
use crate::package::directory::{PackageDirectory, count_entries};
use crate::package::manifest::{
    FORMAT, LockfileEntry, Manifest, NodeWanted, Origin, Package, SourceEntry, Target, Tool, Tools, Variables,
};
use crate::progress::Progress;
use crate::service::{self, FrameworkKind, MAX_CONFIG_BYTES, Place, Service, State};
use crate::toolchain::plugin_hooks::PluginHooks;
use crate::toolchain::{Locked, Lockfile, LockfileKind, node, plugins};

pub(super) struct Draft<'a> {
    pub(super) directory: &'a mut PackageDirectory,
    pub(super) state: &'a State,
    /// Where the service was packaged, if known: archives that its configuration names are found from there.
    pub(super) packaged_in: Option<&'a Path>,
    pub(super) source: Source<'a>,
    pub(super) commit: &'a Commit,
    pub(super) tree: Oid,
    pub(super) service: &'a Service,
    pub(super) target: Target,
    pub(super) origin: Origin,
    pub(super) tools: Tools,
    /// The range of node versions that the installed framework supports.
    pub(super) engines: Option<String>,
    pub(super) hooks: PluginHooks,
    pub(super) build_environment: Option<&'a BuildEnvironment<'a>>,
    pub(super) at: Timestamp,
}

impl Draft<'_> {
    pub(super) fn manifest(mut self, progress: &dyn Progress) -> Result<Manifest> {
        self.gather_archives()?;
        let path = &self.service.path;
        let lockfile = Lockfile::find(self.source, path)?;
        let locked = lockfile.as_ref().map(|lockfile| self.locked(lockfile, progress)).transpose()?.flatten();
        let lock = locked.as_ref().zip(lockfile.as_ref().map(|lockfile| &lockfile.directory));
        let listed = self.state.plugins();
        let mut plugins =
            plugins::identify(self.source, path, &listed.modules, listed.local_path.as_deref(), lock)?;
        if self.tools.framework.is_none() {
            self.tools.framework = locked.as_ref().and_then(locked_framework);
        }
        if let (None, Some(tool)) = (&self.engines, &self.tools.framework) {
            self.engines = locked.as_ref().and_then(|locked| locked.engines(tool));
        }
        let mut framework =
            self.tools.framework.as_ref().map(|tool| plugins::identify_package(&tool.name, lock));
        // For a package made elsewhere, the installation here proves nothing.
        let installation = self.packaged_in.filter(|_| self.origin != Origin::Recorded);
        if let Some((service, top)) = installation.and_then(|service| Some((service, self.top(service)?))) {
            plugins
                .iter_mut()
                .chain(&mut framework)
                .for_each(|plugin| plugins::add_installed(plugin, service, top));
        }
        for plugin in &mut plugins {
            plugin.hooks = self.hooks.remove(&plugin.name);
        }
        let names = self.environment_names();
        let environment = match &self.build_environment {
            Some(built_in) => built_in.variables(names, &self.target.stage)?,
            None => Variables::named(names),
        };
        Ok(Manifest {
            format: FORMAT,
            package: Package {
                id: self.directory.id(),
                size: self.directory.size(),
                recorded: self.at,
                made: self.origin,
            },
            source: SourceEntry {
                commit: self.commit.id.to_string(),
                tree: self.tree.to_string(),
                dirty: self.tree != self.commit.tree,
            },
            environment,
            carried: self.build_environment.map(BuildEnvironment::carried).unwrap_or_default(),
            scan: None,
            secrets: Vec::new(),
            target: self.target,
            tools: self.tools,
            framework,
            node: NodeWanted { framework: self.engines, ..node::wanted(self.source, path)? },
            lockfile: lockfile.map(|lockfile| LockfileEntry {
                path: lockfile.path,
                kind: lockfile.kind.to_string(),
                sha256: lockfile.sha256,
            }),
            plugins,
            files: self.directory.files.clone(),
        })
    }

    /// Makes sure that every archive that the state names is in the package, adding outside ones, and is a zip.
    fn gather_archives(&mut self) -> Result<()> {
        let files = self.directory.files.iter().map(|file| file.path.clone()).collect();
        for artifact in self.state.artifacts(&files)? {
            if artifact.place == Place::Elsewhere {
                let name = Path::new(&artifact.path).file_name().and_then(OsStr::to_str).unwrap_or_default();
                let place = self
                    .packaged_in
                    .map(|service| service.join(&artifact.path))
                    .filter(|path| path.is_file() && self.is_of_the_source(path));
                match place {
                    Some(place) if self.directory.place_of(name) == place => {}
                    Some(place) => self.directory.add(name, place)?,
                    None => drop(artifact.file()?),
                }
            }
            if let Ok(Some(file)) = artifact.file() {
                count_entries(&self.directory.place_of(file))?;
            }
        }
        Ok(())
    }

    /// A lockfile's packages, or `None` if it can't be read: the package is recorded all the same.
    fn locked(&self, lockfile: &Lockfile, progress: &dyn Progress) -> Result<Option<Locked>> {
        let unread = match lockfile.packages(self.source) {
            Ok(Some(locked)) => return Ok(Some(locked)),
            Ok(None) => format!("this version of git-slsart does not read {}", lockfile.path),
            // npm's own form has not changed in years: it is damaged.
            Err(error) if lockfile.kind == LockfileKind::Npm => return Err(error),
            Err(error) => error.message,
        };
        progress.note(&format!("{unread}: only the installed versions of the plugins are recorded"));
        Ok(None)
    }

    fn top<'p>(&self, service: &'p Path) -> Option<&'p Path> {
        service.ancestors().nth(self.service.path.depth())
    }

    /// Whether an archive is in the checkout that was packaged: a state may name any file of any machine.
    fn is_of_the_source(&self, path: &Path) -> bool {
        let top = self.packaged_in.and_then(|service| self.top(service));
        let real = top.and_then(|top| top.canonicalize().ok()).zip(path.canonicalize().ok());
        real.is_some_and(|(top, path)| path.starts_with(top))
    }

    fn environment_names(&self) -> Vec<String> {
        let Service { path, config, .. } = self.service;
        let read = |file: &str| {
            let content = self.source.read(&path.file(file), MAX_CONFIG_BYTES as u64).ok().flatten()?;
            String::from_utf8(content).ok()
        };
        service::environment_names(config, Some(&self.target.stage), read).names.into_iter().collect()
    }
}

/// The framework that a lockfile fixes.
fn locked_framework(locked: &Locked) -> Option<Tool> {
    [FrameworkKind::Osls, FrameworkKind::Serverless].into_iter().find_map(|kind| {
        let version = locked.find(kind.package())?.version?;
        Some(Tool { name: kind.package().to_owned(), version })
    })
}
