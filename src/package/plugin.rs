//! What is recorded of a plugin, and what it says of a deploy.

use serde::{Deserialize, Serialize};

/// Events of a deploy of a package that is made; what packaging hooks does not happen.
const EVENTS: &[&str] = &["initialize", "finalize", "error", "deploy:deploy", "deploy:finalize"];
/// What the names of others begin with.
const AREAS: &[&str] = &["aws:deploy:", "aws:common:", "aws:info:"];

/// A plugin of the framework, or the framework itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plugin {
    /// As the service's configuration names it.
    pub name: String,
    /// Its own name, where the lockfile has it under another: an alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The version installed, where it could be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where it came from, as the lockfile has it but for credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<String>,
    /// The lockfile's integrity, as it stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrity: Option<String>,
    /// The checksum of yarn 2 and later, of the zip that yarn itself makes: no integrity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// The patch that the package manager applies to it: its path, or its hash where the lockfile has that alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// For a plugin in the repository itself: its path from the repository's top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// For a plugin in the repository itself: the git object id of its file or directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The id of the git tree that its installed directory would be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    /// The lifecycle events that it hooks; `None` where they could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hooks: Option<Vec<String>>,
}

impl Plugin {
    /// One of which only the name is known.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Of the events that it hooks, those that happen when a package is deployed (`deploy --package`); `None` where its hooks are
    /// unknown. What it does then, it does at every rollback.
    #[must_use]
    pub fn at_deploy(&self) -> Option<Vec<&str>> {
        let happens = |event: &&str| {
            let event =
                event.strip_prefix("before:").or_else(|| event.strip_prefix("after:")).unwrap_or(event);
            EVENTS.contains(&event) || AREAS.iter().any(|area| event.starts_with(area))
        };
        Some(self.hooks.as_ref()?.iter().map(String::as_str).filter(happens).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_packaging_hooks_does_not_run_at_a_deploy() {
        let hooks = [
            "after:deploy:deploy",
            "before:package:finalize",
            "deploy:function:deploy",
            "aws:deploy:finalize:cleanup",
        ];
        let plugin = Plugin { hooks: Some(hooks.map(str::to_owned).to_vec()), ..Plugin::named("p") };
        assert_eq!(plugin.at_deploy().unwrap(), ["after:deploy:deploy", "aws:deploy:finalize:cleanup"]);
        assert_eq!(Plugin::named("p").at_deploy(), None);
    }
}
