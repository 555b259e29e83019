//! Which plugins a package needs, and what is recorded of each.

use super::lockfile::LockedPackages;
use crate::error::Result;
use crate::git::Source;
use crate::package::manifest::Plugin;
use crate::service::{Plugins, ServicePath};

/// Where a framework looks for local plugins when the configuration names no other directory.
const DEFAULT_LOCAL_PATH: &str = ".serverless_plugins";

/// Endings that node tries for a module that is one file.
const MODULE_ENDINGS: &[&str] = &["", ".js", ".cjs", ".mjs", ".ts"];

/// What is recorded of the plugins `names` of a service, in their order.
///
/// `lock` is the lockfile's content with the service's directory relative to the lockfile's, where there is one.
pub fn identify(
    source: Source<'_>,
    service: &ServicePath,
    names: &[String],
    local_path: Option<&str>,
    lock: Option<(&LockedPackages, &str)>,
) -> Result<Vec<Plugin>> {
    names.iter().map(|name| identify_one(source, service, name, local_path, lock)).collect()
}

fn identify_one(
    source: Source<'_>,
    service: &ServicePath,
    name: &str,
    local_path: Option<&str>,
    lock: Option<(&LockedPackages, &str)>,
) -> Result<Plugin> {
    let mut plugin =
        Plugin { name: name.to_owned(), version: None, integrity: None, path: None, object: None };
    if let Some((path, object)) = find_local(source, service, name, local_path)? {
        plugin.path = Some(path);
        plugin.object = Some(object);
        return Ok(plugin);
    }
    let locked = lock.and_then(|(packages, directory)| packages.find(directory, Plugins::package(name)?));
    if let Some(locked) = locked {
        plugin.version = Some(locked.version).filter(|version| !version.is_empty());
        plugin.integrity = locked.integrity;
        plugin.path = locked.link;
    }
    Ok(plugin)
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

/// `relative` as a path from the repository's top, or `None` when it leaves the repository.
fn join(service: &ServicePath, relative: &str) -> Option<String> {
    if relative.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> =
        if service.is_root() { Vec::new() } else { service.as_str().split('/').collect() };
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
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
