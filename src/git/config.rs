//! Git's configuration: read as git merges its files, changed in this repository's own.

use super::{Repository, failed};
use crate::error::Result;

impl Repository {
    pub fn config(&self, name: &str) -> Option<String> {
        self.inner.config().ok()?.get_string(name).ok()
    }

    pub fn local_config_values(&self, name: &str) -> Result<Vec<String>> {
        let read = || -> std::result::Result<Vec<String>, git2::Error> {
            let config = self.inner.config()?.open_level(git2::ConfigLevel::Local)?;
            let mut values = Vec::new();
            config.multivar(name, None)?.for_each(|entry| {
                values.extend(entry.value().ok().map(str::to_owned));
            })?;
            Ok(values)
        };
        read().map_err(|error| failed("cannot read git's configuration", error))
    }

    pub fn add_config(&self, name: &str, value: &str) -> Result<()> {
        self.command().args(["config", "--local", "--add", name, value]).read().map(drop)
    }

    /// Removes one value from this repository's configuration, and its section when it was the last.
    pub fn remove_config(&self, name: &str, value: &str) -> Result<()> {
        self.command()
            .args(["config", "--local", "--fixed-value", "--unset-all", name, value])
            .read()
            .map(drop)
    }
}
