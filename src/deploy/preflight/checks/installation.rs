//! The checks of an installation against what was recorded: plugins and framework.

use std::path::Path;

use super::{Check, CheckVerdict};
use crate::error::Result;
use crate::git::Repository;
use crate::package::Manifest;
use crate::package::manifest::Plugin;
use crate::service::ServicePath;
use crate::toolchain::drift::{Change, PluginChange};
use crate::toolchain::framework::Installed;
use crate::toolchain::{framework, plugins};

/// What is installed, compared with what was recorded.
pub struct Installation<'m> {
    manifest: &'m Manifest,
    /// The plugins that differ.
    plugins: Vec<PluginChange>,
    framework: Check,
    has_framework: bool,
}

/// What is installed and is not what was recorded.
#[derive(Debug, Clone)]
pub struct PluginDrift {
    /// The plugin's name, or the framework's.
    pub name: String,
    /// How it differs, in words.
    pub message: String,
}

impl<'m> Installation<'m> {
    /// The installation at `top`: every file of the plugins is read. Of files that differ, those are named that `repository` has as they
    /// were recorded.
    pub fn read(repository: &Repository, top: &Path, path: &ServicePath, manifest: &'m Manifest) -> Self {
        let drift = |recorded: &[Plugin]| plugins::drift(repository, &path.under(top), top, recorded);
        let installed = framework::find(top, path);
        let has_framework = installed.is_ok();
        Self {
            manifest,
            plugins: drift(&manifest.plugins),
            framework: framework(installed, manifest, &drift),
            has_framework,
        }
    }

    /// Of the plugins, and of the framework.
    #[must_use]
    pub fn checks(&self) -> [Check; 2] {
        [plugins(&self.plugins, self.manifest), self.framework.clone()]
    }

    /// The same of the working tree. What is not installed there is a warning: a deployment restores it in a worktree of its own.
    pub(super) fn checks_in_working_tree(&self) -> [Check; 2] {
        let lacks = |change: &PluginChange| matches!(change.change, Change::Gone { .. });
        let are_missing = [self.plugins.iter().all(lacks), !self.has_framework];
        let mut checks = self.checks();
        for (check, is_missing) in checks.iter_mut().zip(are_missing) {
            if is_missing && check.verdict == CheckVerdict::Blocks {
                check.verdict = CheckVerdict::Warning;
                check.hint = Some(
                    "a deployment restores this in its own worktree; to install it here: npm ci".to_owned(),
                );
            }
        }
        checks
    }

    /// How it differs from what was recorded, a plugin at a time.
    pub fn drifts(&self) -> impl Iterator<Item = PluginDrift> {
        let of_plugin =
            |change: &PluginChange| PluginDrift { name: change.name.clone(), message: change.to_string() };
        let framework = (self.framework.verdict == CheckVerdict::Blocks).then(|| {
            let recorded = self.manifest.tools.framework.as_ref();
            let name = recorded.map_or_else(|| "framework".to_owned(), |tool| tool.name.clone());
            PluginDrift { name, message: self.framework.message.clone() }
        });
        self.plugins.iter().map(of_plugin).chain(framework)
    }
}

fn plugins(changes: &[PluginChange], manifest: &Manifest) -> Check {
    // A plugin in the repository is part of the commit: checking it out is having it.
    let wrong: Vec<String> = changes.iter().map(ToString::to_string).collect();
    let install = "to install what the lockfile has: npm ci";
    match wrong.as_slice() {
        [] if manifest.plugins.is_empty() => Check::ok("plugins", "the service has no plugins"),
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

fn shown(plugin: &Plugin) -> String {
    plugin
        .version
        .as_ref()
        .map_or_else(|| plugin.name.clone(), |version| format!("{} {version}", plugin.name))
}

fn framework(
    installed: Result<Installed>,
    manifest: &Manifest,
    drift: &dyn Fn(&[Plugin]) -> Vec<PluginChange>,
) -> Check {
    let install = "to install what the lockfile has: npm ci";
    match (&manifest.tools.framework, installed) {
        (_, Err(error)) => Check::blocks("framework", error.message, install),
        (None, Ok(now)) => Check::warning(
            "framework",
            format!("{} is installed; the package does not say what made it", now.tool),
        ),
        (Some(recorded), Ok(now)) if *recorded == now.tool => {
            match drift(manifest.framework.as_slice()).first() {
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
