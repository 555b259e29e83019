//! The record of a plugin, and its lifecycle hooks during a deploy.

use serde::{Deserialize, Serialize};

/// Lifecycle events of `deploy --package`; packaging events don't happen.
const EVENTS: &[&str] = &["initialize", "finalize", "error", "deploy:deploy", "deploy:finalize"];
const AREAS: &[&str] = &["aws:deploy:", "aws:common:", "aws:info:"];

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plugin {
    pub name: String,
    /// Its own name, if the lockfile has it under an alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where it came from, as in the lockfile but without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<String>,
    /// The lockfile's integrity, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrity: Option<String>,
    /// The checksum of yarn 2 and later, of the zip that yarn itself makes: no integrity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// The package manager's patch: its path, or its hash if the lockfile has only that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// For a plugin in the repository: its path from the repository's top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// For a plugin in the repository: the git object id of its file or directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The id of the git tree of its installed directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    /// The lifecycle events that it hooks; `None` if they could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hooks: Option<Vec<String>>,
}

impl Plugin {
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The hooked events that happen when a package is deployed (`deploy --package`), hence at every rollback; `None` if its hooks are
    /// unknown.
    pub fn at_deploy(&self) -> Option<Vec<&str>> {
        let happens = |event: &&str| {
            let event =
                event.strip_prefix("before:").or_else(|| event.strip_prefix("after:")).unwrap_or(event);
            EVENTS.contains(&event) || AREAS.iter().any(|area| event.starts_with(area))
        };
        Some(self.hooks.as_ref()?.iter().map(String::as_str).filter(happens).collect())
    }

    /// Whether it acts at a deploy after the stack update; `None` if its hooks are unknown.
    pub fn acts_after_update(&self) -> Option<bool> {
        let is_late = |event: &&str| {
            let is_after = event.starts_with("after:");
            let event = event.trim_start_matches("before:").trim_start_matches("after:");
            event.ends_with("finalize")
                || event.starts_with("aws:deploy:finalize:")
                || event.starts_with("aws:info:")
                || is_after && ["deploy:deploy", "aws:deploy:deploy:updateStack"].contains(&event)
        };
        Some(self.at_deploy()?.iter().any(is_late))
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

    #[test]
    fn what_runs_before_the_stack_is_updated_is_not_late() {
        let late = |hook: &str| {
            Plugin { hooks: Some(vec![hook.to_owned()]), ..Plugin::named("p") }.acts_after_update()
        };
        for hook in ["after:deploy:deploy", "deploy:finalize", "after:aws:deploy:deploy:updateStack"] {
            assert_eq!(late(hook), Some(true), "{hook}");
        }
        for hook in
            ["before:deploy:deploy", "after:aws:deploy:deploy:uploadArtifacts", "after:package:finalize"]
        {
            assert_eq!(late(hook), Some(false), "{hook}");
        }
        assert_eq!(Plugin::named("p").acts_after_update(), None);
    }
}
