//! The plugins of a package, and the lifecycle events that they hook when it is deployed.

use std::fmt;

use serde::Serialize;

use crate::package::Manifest;
use crate::text::style::DIM;
use crate::text::words::line;

/// Most events of a plugin that are named.
const MAX_EVENTS: usize = 4;

/// A plugin, and what it does when the package is deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginAtDeploy {
    /// Its name.
    pub name: String,
    /// Its version, where it is known.
    pub version: Option<String>,
    /// The events that it hooks of those that happen; `None` where that is unknown.
    #[serde(rename = "deploy_events")]
    pub events: Option<Vec<String>>,
}

/// The plugins that do something when the package is deployed, or may.
pub(in crate::deploy) fn plugins_at_deploy(manifest: &Manifest) -> Vec<PluginAtDeploy> {
    let all = manifest.plugins.iter().map(|plugin| PluginAtDeploy {
        name: plugin.name.clone(),
        version: plugin.version.clone(),
        events: plugin.at_deploy().map(|events| events.into_iter().map(str::to_owned).collect()),
    });
    all.filter(|plugin| plugin.events.as_ref().is_none_or(|events| !events.is_empty())).collect()
}

impl fmt::Display for PluginAtDeploy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
        let what = match &self.events {
            None => "its effect at a deploy is unknown".to_owned(),
            Some(events) => {
                let more = if events.len() > MAX_EVENTS { ", …" } else { "" };
                format!(
                    "runs {}{more}",
                    events.iter().take(MAX_EVENTS).cloned().collect::<Vec<_>>().join(", ")
                )
            }
        };
        write!(f, "{}  {DIM}{}{DIM:#}", line(&format!("{}{version}", self.name)), line(&what))
    }
}
