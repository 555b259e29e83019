//! The checks of an installation against what was recorded: plugins and framework.

use std::path::Path;

use super::{Check, Verdict};
use crate::git::Repository;
use crate::package::Manifest;
use crate::package::manifest::Plugin;
use crate::service::ServicePath;
use crate::toolchain::drift::{Change, PluginChange};
use crate::toolchain::{framework, plugins};

/// The checks of the installation at `top`. Of files that differ, those are named that `repository` has as they were recorded.
pub fn installation(
    repository: &Repository,
    top: &Path,
    path: &ServicePath,
    manifest: &Manifest,
) -> Vec<Check> {
    vec![plugins(repository, top, path, manifest), framework(repository, top, path, manifest)]
}

/// The same of the working tree. What is not installed there is a warning: a deployment restores it in a worktree of its own.
pub(super) fn in_working_tree(
    repository: &Repository,
    top: &Path,
    path: &ServicePath,
    manifest: &Manifest,
) -> Vec<Check> {
    let mut checks = installation(repository, top, path, manifest);
    for check in checks.iter_mut().filter(|check| check.verdict == Verdict::Blocks) {
        let is_missing = match check.name {
            "plugins" => plugins::drift(repository, &path.under(top), top, &manifest.plugins)
                .iter()
                .all(|plugin| matches!(plugin.change, Change::Gone { .. })),
            _ => framework::find(top, path).is_err(),
        };
        if is_missing {
            check.verdict = Verdict::Warning;
            check.hint =
                Some("a deployment restores this in its own worktree; to install it here: npm ci".to_owned());
        }
    }
    checks
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
        wrong => Check::blocks("plugins", wrong.join("; "), install),
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
pub fn drifts(repository: &Repository, top: &Path, path: &ServicePath, manifest: &Manifest) -> Vec<Drift> {
    let changes = plugins::drift(repository, &path.under(top), top, &manifest.plugins);
    let of_plugin = |change: PluginChange| {
        let message = change.to_string();
        Drift { name: change.name, message }
    };
    let mut all: Vec<Drift> = changes.into_iter().map(of_plugin).collect();
    let framework = framework(repository, top, path, manifest);
    if framework.verdict == Verdict::Blocks {
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
        (_, Err(error)) => Check::blocks("framework", error.message, install),
        (None, Ok(now)) => Check::warning(
            "framework",
            format!("{} is installed; the package does not say what made it", now.tool),
        ),
        (Some(recorded), Ok(now)) if *recorded == now.tool => {
            let package = manifest.framework.as_slice();
            match plugins::drift(repository, &path.under(top), top, package).first() {
                None => Check::ok("framework", format!("{recorded}, as recorded")),
                Some(change) => Check::blocks("framework", change.to_string(), install),
            }
        }
        (Some(recorded), Ok(now)) => Check::blocks(
            "framework",
            format!("{} is installed and {recorded} made the package", now.tool),
            install,
        ),
    }
}
