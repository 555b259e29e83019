//! Checks before a deploy: of the repository, the package, the plugins and the programs. Each gives a line; none stops the
//! others.

use std::path::Path;

use serde::Serialize;

use crate::error::{Kind, Result};
use crate::git::{Repository, Source};
use crate::package::Manifest;
use crate::package::manifest::Plugin;
use crate::progress::Progress;
use crate::service::ServicePath;
use crate::store::StoredPackage;
use crate::toolchain::drift::PluginChange;
use crate::toolchain::{Lockfile, framework, install, plugins};
use crate::workspace::{Wanted, Workspace};

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Worth a look; nothing is stopped.
    Warning,
    /// Not as it should be.
    Failed,
}

/// One check and what it found.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What was checked.
    pub name: &'static str,
    /// What was found.
    pub verdict: Verdict,
    /// In words.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Check {
    fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, message: message.into(), hint: None }
    }

    fn warning(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Warning, message: message.into(), hint: None }
    }

    fn failed(name: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Failed, message: message.into(), hint: Some(hint.into()) }
    }
}

/// All checks of HEAD and the working tree against the package of HEAD.
pub fn all(workspace: &Workspace<'_>, wanted: &Wanted) -> Result<Vec<Check>> {
    let Workspace { repository, progress, .. } = *workspace;
    let top = repository.work_tree()?;
    let head = repository.resolve("HEAD")?;
    let service = workspace.service(head, wanted.service.as_deref())?;
    let stage = workspace.stage(wanted, Some(&service))?;
    let mut checks = vec![clean(workspace)?];
    let mut filter = workspace.filter(wanted);
    filter.service = Some(service.path.to_string());
    filter.stage = Some(stage.to_string());
    let found = match workspace.find("HEAD", &filter) {
        Ok(found) if found.line.dirty_tree.is_some() => {
            let hint = format!("git slsart package -s {stage} --service '{}'", service.path);
            checks.push(Check::failed(
                "package",
                "HEAD's only package was made with uncommitted changes",
                hint,
            ));
            Some(found)
        }
        Ok(found) => {
            let message = format!("packaged for {} ({})", found.line.target, found.line.package.short());
            checks.push(Check::ok("package", message));
            Some(found)
        }
        Err(error) if error.kind == Kind::NotRecorded => {
            let hint = format!("git slsart package -s {stage} --service '{}'", service.path);
            checks.push(Check::failed("package", error.message, hint));
            None
        }
        Err(error) => return Err(error),
    };
    if let Some(found) = found {
        match workspace.store().open(found.commit, &found.line) {
            Ok(package) => {
                checks.push(intact(&package, progress)?);
                let source = Source::new(repository, repository.commit(head)?.tree);
                checks.push(lockfile(source, &service.path, &package.manifest)?);
                checks.extend(installation(repository, top, &service.path, &package.manifest));
            }
            Err(error) if error.kind == Kind::Integrity => {
                checks.push(Check::failed("intact", error.message, "git slsart verify HEAD"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(checks)
}

/// The checks of an installation against what was recorded: plugins, framework, node. Of files that differ, those are named that
/// `repository` has as they were recorded.
#[must_use]
pub fn installation(
    repository: &Repository,
    top: &Path,
    path: &ServicePath,
    manifest: &Manifest,
) -> Vec<Check> {
    let mut checks =
        vec![plugins(repository, top, path, manifest), framework(repository, top, path, manifest)];
    checks.extend(node(top, manifest));
    checks
}

fn clean(workspace: &Workspace<'_>) -> Result<Check> {
    let paths = workspace.repository.dirty_paths()?;
    let paths: Vec<_> =
        paths.iter().filter(|path| !path.split('/').any(|part| part == ".serverless")).collect();
    Ok(match paths.first() {
        None => Check::ok("clean", "the working tree is as HEAD has it"),
        Some(first) => {
            let more = if paths.len() > 1 { format!(" and {} more", paths.len() - 1) } else { String::new() };
            Check::failed(
                "clean",
                format!("the working tree has changes: {first}{more}"),
                "commit or stash them",
            )
        }
    })
}

fn intact(package: &StoredPackage<'_>, progress: &dyn Progress) -> Result<Check> {
    let damages = package.verify(progress)?;
    Ok(match damages.first() {
        None => Check::ok("intact", format!("{} files are what was recorded", package.manifest.files.len())),
        Some(damage) => {
            Check::failed("intact", damage.problem.clone(), "package it again: git slsart package --again")
        }
    })
}

fn lockfile(source: Source<'_>, path: &ServicePath, manifest: &Manifest) -> Result<Check> {
    let now = Lockfile::find(source, path)?;
    Ok(match (&manifest.lockfile, now) {
        (Some(recorded), Some(now)) if recorded.sha256 == now.sha256 && recorded.path == now.path => {
            Check::ok("lockfile", format!("{} is as recorded", recorded.path))
        }
        (Some(recorded), Some(_)) => Check::failed(
            "lockfile",
            format!("{} is not the one that the package was made with", recorded.path),
            "package the commit again: git slsart package --again",
        ),
        (Some(recorded), None) => Check::failed(
            "lockfile",
            format!("{} is gone", recorded.path),
            format!("git checkout HEAD -- '{}'", recorded.path),
        ),
        (None, _) => Check::warning("lockfile", "the package was recorded without one"),
    })
}

fn plugins(repository: &Repository, top: &Path, path: &ServicePath, manifest: &Manifest) -> Check {
    // A plugin in the repository is part of the commit: checking it out is having it.
    let changes = plugins::drift(repository, &path.under(top), top, &manifest.plugins);
    let wrong: Vec<String> = changes.iter().map(ToString::to_string).collect();
    let install = "install them as the lockfile has them, such as: npm ci";
    match wrong.as_slice() {
        [] if manifest.plugins.is_empty() => Check::ok("plugins", "the service has none"),
        [] => {
            let names = manifest.plugins.iter().map(shown).collect::<Vec<_>>().join(", ");
            let read = |plugin: &Plugin| plugin.version.is_some() || plugin.object.is_some();
            if manifest.plugins.iter().all(read) {
                Check::ok("plugins", format!("as recorded ({names})"))
            } else {
                Check::warning("plugins", format!("installed, but not all versions were recorded ({names})"))
            }
        }
        wrong => Check::failed("plugins", wrong.join("; "), install),
    }
}

/// What is installed and is not what was recorded.
#[derive(Debug, Clone)]
pub struct Drift {
    /// The plugin's name, or the framework's.
    pub name: String,
    /// How it differs, in words.
    pub message: String,
}

/// How the installation at `top` differs from what was recorded, a plugin at a time.
#[must_use]
pub fn drifts(repository: &Repository, top: &Path, path: &ServicePath, manifest: &Manifest) -> Vec<Drift> {
    let changes = plugins::drift(repository, &path.under(top), top, &manifest.plugins);
    let of_plugin = |change: PluginChange| {
        let message = change.to_string();
        Drift { name: change.name, message }
    };
    let mut all: Vec<Drift> = changes.into_iter().map(of_plugin).collect();
    let framework = framework(repository, top, path, manifest);
    if framework.verdict == Verdict::Failed {
        let recorded = manifest.tools.framework.as_ref();
        let name = recorded.map_or_else(|| "framework".to_owned(), |tool| tool.name.clone());
        all.push(Drift { name, message: framework.message });
    }
    all
}

fn shown(plugin: &Plugin) -> String {
    plugin
        .version
        .as_ref()
        .map_or_else(|| plugin.name.clone(), |version| format!("{} {version}", plugin.name))
}

fn framework(repository: &Repository, top: &Path, path: &ServicePath, manifest: &Manifest) -> Check {
    let install = "install it as the lockfile has it, such as: npm ci";
    match (&manifest.tools.framework, framework::find(top, path)) {
        (_, Err(error)) => Check::failed("framework", error.message, install),
        (None, Ok(now)) => Check::warning(
            "framework",
            format!("{} is installed; the package does not say what made it", now.tool),
        ),
        (Some(recorded), Ok(now)) if *recorded == now.tool => {
            let package = manifest.framework.as_slice();
            match plugins::drift(repository, &path.under(top), top, package).first() {
                None => Check::ok("framework", format!("{recorded}, as recorded")),
                Some(change) => Check::failed("framework", change.to_string(), install),
            }
        }
        (Some(recorded), Ok(now)) => Check::failed(
            "framework",
            format!("{} is installed and {recorded} made the package", now.tool),
            install,
        ),
    }
}

fn node(directory: &Path, manifest: &Manifest) -> Option<Check> {
    let recorded = manifest.tools.node.as_ref()?;
    let now = match install::node_version(directory) {
        Ok(now) => now,
        Err(error) => {
            return Some(Check::failed(
                "node",
                error.message,
                "install node.js, or add its directory to PATH",
            ));
        }
    };
    let major = |version: &str| version.split('.').next().map(str::to_owned);
    Some(if now == *recorded {
        Check::ok("node", format!("{now}, as recorded"))
    } else if major(&now) == major(recorded) {
        Check::warning("node", format!("{now} is here and {recorded} made the package"))
    } else {
        Check::failed(
            "node",
            format!("{now} is here and {recorded} made the package"),
            "use that version of node, such as: nvm use",
        )
    })
}
