//! `show --plugins`.

use std::fmt;

use crate::package::Manifest;
use crate::package::manifest::Plugin;
use crate::text::style::{BOLD, DIM};
use crate::text::words::line as shown;

/// The framework, as far as it is known.
pub(super) fn framework(manifest: &Manifest) -> Option<Plugin> {
    // Packages recorded before have the framework's name and version alone.
    let named = || {
        let tool = manifest.tools.framework.as_ref()?;
        Some(Plugin { version: Some(tool.version.clone()), ..Plugin::named(&tool.name) })
    };
    manifest.framework.clone().or_else(named)
}

/// Writes all that is recorded of a package's plugins.
pub(super) fn write(f: &mut fmt::Formatter<'_>, manifest: &Manifest) -> fmt::Result {
    if let Some(framework) = framework(manifest) {
        head(f, &framework, "  the framework")?;
        facts(f, &framework)?;
    }
    for plugin in &manifest.plugins {
        head(f, plugin, "")?;
        facts(f, plugin)?;
        let list = |events: Option<Vec<&str>>| match events.as_deref() {
            None => "unknown".to_owned(),
            Some([]) => "none".to_owned(),
            Some(events) => events.join(", "),
        };
        let hooks = plugin.hooks.as_ref().map(|hooks| hooks.iter().map(String::as_str).collect());
        fact(f, "hooks", &list(hooks))?;
        fact(f, "at deploy", &list(plugin.at_deploy()))?;
    }
    if manifest.plugins.is_empty() {
        writeln!(f, "no plugins")?;
    }
    Ok(())
}

fn head(f: &mut fmt::Formatter<'_>, plugin: &Plugin, what: &str) -> fmt::Result {
    let version = match &plugin.version {
        Some(version) => format!(" {}", shown(version)),
        None if plugin.object.is_some() => String::new(),
        None => " version not read".to_owned(),
    };
    writeln!(f, "{BOLD}{}{BOLD:#}{version}{DIM}{what}{DIM:#}", shown(&plugin.name))
}

fn facts(f: &mut fmt::Formatter<'_>, plugin: &Plugin) -> fmt::Result {
    let Plugin { package, resolved, integrity, checksum, patch, path, object, tree, .. } = plugin;
    let all = [
        ("package", package),
        ("from", resolved),
        ("integrity", integrity),
        ("checksum", checksum),
        ("patch", patch),
        ("path", path),
        ("object", object),
        ("files", tree),
    ];
    all.into_iter().try_for_each(|(name, value)| value.as_ref().map_or(Ok(()), |value| fact(f, name, value)))
}

fn fact(f: &mut fmt::Formatter<'_>, name: &str, value: &str) -> fmt::Result {
    writeln!(f, "  {DIM}{name:10}{DIM:#}{}", shown(value))
}
