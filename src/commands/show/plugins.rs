//! `show --plugins`.

use std::fmt;

use serde::Serialize;

use crate::package::Manifest;
use crate::package::manifest::{NodeWanted, Plugin};
use crate::text::style::{BOLD, DIM};
use crate::text::words::line as shown;

/// What is recorded of a package's plugins.
#[derive(Serialize)]
pub(super) struct Report {
    /// The package's id.
    package: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    framework: Option<Plugin>,
    #[serde(rename = "plugin")]
    plugins: Vec<Entry>,
    #[serde(skip_serializing_if = "NodeWanted::is_empty")]
    node: NodeWanted,
}

#[derive(Serialize)]
struct Entry {
    #[serde(flatten)]
    plugin: Plugin,
    /// Of its hooks, those that a deploy of the package runs; absent where they are unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    runs_at_deploy: Option<Vec<String>>,
}

impl Report {
    pub(super) fn of(manifest: Manifest) -> Self {
        let Manifest { package, framework, plugins, node, tools, .. } = manifest;
        // Packages recorded before have the framework's name and version alone.
        let named = || {
            tools.framework.map(|tool| Plugin { version: Some(tool.version), ..Plugin::named(&tool.name) })
        };
        let entry = |plugin: Plugin| {
            let runs = plugin.at_deploy().map(|events| events.into_iter().map(str::to_owned).collect());
            Entry { runs_at_deploy: runs, plugin }
        };
        Self {
            package: package.id.to_string(),
            framework: framework.or_else(named),
            plugins: plugins.into_iter().map(entry).collect(),
            node,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(framework) = &self.framework {
            head(f, framework, "  the framework")?;
            facts(f, framework)?;
        }
        for Entry { plugin, runs_at_deploy } in &self.plugins {
            head(f, plugin, "")?;
            facts(f, plugin)?;
            let list =
                |events: &[String]| if events.is_empty() { "none".to_owned() } else { events.join(", ") };
            fact(f, "hooks", &plugin.hooks.as_deref().map_or("unknown".to_owned(), list))?;
            fact(f, "at deploy", &runs_at_deploy.as_deref().map_or("unknown".to_owned(), list))?;
        }
        if self.plugins.is_empty() {
            writeln!(f, "no plugins")?;
        }
        Ok(())
    }
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
