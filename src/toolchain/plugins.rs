//! The plugins of a package, and their records.

use std::path::Path;

use super::drift::{Change, PluginChange, changed_files, differences};
use super::installed::InstalledPackages;
use super::lockfile::{self, Locked, LockedPackage};
use crate::error::Result;
use crate::git::{Oid, Repository, Source};
use crate::package::manifest::Plugin;
use crate::service::{Plugins, ServicePath};

/// The framework's default directory for local plugins.
pub(super) const DEFAULT_LOCAL_PATH: &str = ".serverless_plugins";

/// Extensions that node tries for a module in one file.
const MODULE_ENDINGS: &[&str] = &["", ".js", ".cjs", ".mjs", ".ts"];

pub type Lock<'a> = (&'a Locked, &'a ServicePath);

/// The records of the plugins `names` of a service, in their order, from its source.
pub fn identify(
    source: Source<'_>,
    service: &ServicePath,
    names: &[String],
    local_path: Option<&str>,
    lock: Option<Lock<'_>>,
) -> Result<Vec<Plugin>> {
    let one = |name: &String| match find_local(source, service, name, local_path)? {
        Some((path, object)) => Ok(Plugin { path: Some(path), object: Some(object), ..Plugin::named(name) }),
        None => Ok(identify_package(name, lock)),
    };
    names.iter().map(one).collect()
}

/// The lockfile's entry for the package of `name`: a plugin, or the framework.
pub fn identify_package(name: &str, lock: Option<Lock<'_>>) -> Plugin {
    let plugin = Plugin::named(name);
    let found = lock.and_then(|(locked, directory)| Some((locked.find(Plugins::package(name)?)?, directory)));
    let Some((locked, directory)) = found else { return plugin };
    let LockedPackage { package, version, resolved, integrity, checksum, link, patch, engines: _ } = locked;
    let path = link.and_then(|link| join(directory, &link));
    Plugin { package, version, resolved, integrity, checksum, patch, path, ..plugin }
}

/// The installed version and files of each of `plugins`, for the service at `service`, below `top`. Plugins of the repository are returned
/// as they are, and those that are not installed are left out.
pub fn observe(service: &Path, top: &Path, plugins: &[Plugin]) -> Vec<Plugin> {
    observe_in(&packages(service, top, plugins), plugins)
}

/// The packages of `plugins`; none if the installation can't be read.
fn packages(service: &Path, top: &Path, plugins: &[Plugin]) -> InstalledPackages {
    let of_packages = plugins.iter().filter(|plugin| plugin.object.is_none());
    let names = of_packages.filter_map(|plugin| Plugins::package(&plugin.name));
    InstalledPackages::read(service, top, names).unwrap_or_default()
}

fn observe_in(packages: &InstalledPackages, plugins: &[Plugin]) -> Vec<Plugin> {
    let one = |plugin: &Plugin| {
        if plugin.object.is_some() {
            return Some(plugin.clone());
        }
        let found = packages.find(Plugins::package(&plugin.name)?)?;
        let version = Some(found.version.clone()).filter(|version| !version.is_empty());
        // If a file can't be read, the hash is unknown.
        Some(Plugin { version, tree: found.tree().ok(), ..Plugin::named(&plugin.name) })
    };
    plugins.iter().filter_map(one).collect()
}

/// The differences between the installation for the service at `service`, below `top`, and the record. Files are named if `repository` has
/// the recorded ones.
pub fn drift(repository: &Repository, service: &Path, top: &Path, recorded: &[Plugin]) -> Vec<PluginChange> {
    let packages = packages(service, top, recorded);
    let mut changes = differences(recorded, &observe_in(&packages, recorded));
    for PluginChange { name, change } in &mut changes {
        let Change::Files { paths } = change else { continue };
        let tree =
            recorded.iter().find(|plugin| plugin.name == *name).and_then(|plugin| plugin.tree.as_ref());
        let before = tree.and_then(|tree| repository.list_directory(Oid::from_str(tree).ok()?).ok());
        let found = Plugins::package(name).and_then(|package| packages.find(package));
        if let Some((before, now)) = before.zip(found.and_then(|found| found.files().ok())) {
            *paths = changed_files(&before, &now);
        }
    }
    changes
}

/// Adds the installation's facts to the lockfile's. The installed version made the package: if it differs, the lockfile's integrity does
/// not apply.
pub fn add_installed(plugin: &mut Plugin, service: &Path, top: &Path) {
    if plugin.object.is_some() {
        return;
    }
    let Some(found) = observe(service, top, std::slice::from_ref(plugin)).pop() else { return };
    if plugin.version.is_some() && plugin.version != found.version {
        let Plugin { resolved, integrity, checksum, patch, .. } = plugin;
        (*resolved, *integrity, *checksum, *patch) = (None, None, None, None);
    }
    plugin.version = found.version.or(plugin.version.take());
    plugin.tree = found.tree;
}

/// A plugin in the repository itself: `./plugins/x`, or a name in the directory for local plugins.
fn find_local(
    source: Source<'_>,
    service: &ServicePath,
    name: &str,
    local_path: Option<&str>,
) -> Result<Option<(String, String)>> {
    let relative = if name.starts_with('.') {
        name.to_owned()
    } else {
        format!("{}/{name}", local_path.unwrap_or(DEFAULT_LOCAL_PATH))
    };
    let Some(path) = join(service, &relative) else { return Ok(None) };
    for ending in MODULE_ENDINGS {
        let path = format!("{path}{ending}");
        if let Some(entry) = source.entry(&path)? {
            return Ok(Some((path, entry.id.to_string())));
        }
    }
    Ok(None)
}

/// `relative` as a path from the repository's top, or `None` if it leaves the repository.
fn join(directory: &ServicePath, relative: &str) -> Option<String> {
    if relative.starts_with('/') {
        return None;
    }
    let path = lockfile::join(if directory.is_root() { "" } else { directory.as_str() }, relative);
    (!path.is_empty() && path != ".." && !path.starts_with("../")).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_plugins_path_stays_in_the_repository() {
        let service: ServicePath = "services/orders".parse().unwrap();
        assert_eq!(join(&service, "./plugins/trace").as_deref(), Some("services/orders/plugins/trace"));
        assert_eq!(join(&service, "../shared/x").as_deref(), Some("services/shared/x"));
        assert_eq!(join(&service, "../../../x"), None);
        assert_eq!(join(&ServicePath::root(), "/etc"), None);
    }
}
