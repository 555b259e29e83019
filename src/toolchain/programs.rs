//! Where programs for a checkout are found: in the usual `PATH`, or with one node's directory first.

use std::env::{join_paths, split_paths};
use std::ffi::OsString;
use std::iter::once;
use std::path::{Path, PathBuf};

use super::node::{self, Managed};
use crate::context::Environment;
use crate::error::{Error, Result};
use crate::process::Invocation;

pub(super) const NODE_HINT: &str =
    "install node.js, or add its directory to PATH: the Serverless Framework runs on it";

#[derive(Debug, Clone, Default)]
pub struct Programs {
    /// A version manager's node that comes first.
    node: Option<Managed>,
    /// A `PATH` that replaces this process's.
    path: Option<OsString>,
}

impl Programs {
    pub fn usual() -> Self {
        Self::default()
    }

    /// With the node of version `recorded` first, if `directory` has another and a version manager has it or, for another major number,
    /// one near it.
    pub fn with_node(recorded: Option<&str>, directory: &Path, environment: &Environment) -> Self {
        let Some(recorded) = recorded else { return Self::usual() };
        let first = Self::usual().node_version(directory).ok();
        let found = node::selected_version(recorded, first.as_deref(), environment);
        found.and_then(|node| Self::first(node, environment)).unwrap_or_default()
    }

    /// `None` if the directory can't be in a `PATH`.
    fn first(node: Managed, environment: &Environment) -> Option<Self> {
        let path = environment.value("PATH").unwrap_or_default();
        let path = join_paths(once(node.programs.clone()).chain(split_paths(path))).ok()?;
        Some(Self { node: Some(node), path: Some(path) })
    }

    pub fn node(&self) -> Option<&Managed> {
        self.node.as_ref()
    }

    /// A run of `program`, which finds its own programs the same way.
    pub fn run(&self, program: impl Into<OsString>) -> Invocation {
        self.within(Invocation::new(program))
    }

    pub fn within(&self, invocation: Invocation) -> Invocation {
        match &self.path {
            Some(path) => invocation.env("PATH", path),
            None => invocation,
        }
    }

    /// The version that `program` prints, without a leading `v`; `None` if it prints none.
    pub fn version_of(&self, program: &str, directory: &Path) -> Option<String> {
        let output = self.run(program).arg("--version").current_dir(directory).read().ok()?;
        let text = String::from_utf8(output).ok()?;
        Some(text.trim().trim_start_matches('v').to_owned()).filter(|version| !version.is_empty())
    }

    /// The version of node.
    pub fn node_version(&self, directory: &Path) -> Result<String> {
        self.version_of("node", directory).ok_or_else(|| Error::refused("cannot run node").hint(NODE_HINT))
    }

    pub fn find(&self, program: &str, environment: &Environment) -> Option<PathBuf> {
        let path = self.path.as_deref().or(environment.value("PATH")).unwrap_or_default();
        split_paths(path).map(|directory| directory.join(program)).find(|place| place.is_file())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_managed_node_comes_first_for_a_program_and_those_that_it_starts() {
        let home = tempfile::tempdir().unwrap();
        let programs = home.path().join(".volta/tools/image/node/22.11.0/bin");
        fs::create_dir_all(&programs).unwrap();
        let node = programs.join("node");
        fs::write(&node, "#!/bin/sh\necho v22.11.0\n").unwrap();
        fs::set_permissions(&node, fs::Permissions::from_mode(0o755)).unwrap();
        let environment =
            Environment::new([("HOME".into(), home.path().into()), ("PATH".into(), "/usr/bin:/bin".into())]);

        let chosen = Programs::with_node(Some("22.11.0"), home.path(), &environment);
        assert_eq!(chosen.node_version(home.path()).unwrap(), "22.11.0");
        let started = chosen.run("sh").args(["-c", "node --version"]).read().unwrap();
        assert_eq!(started, b"v22.11.0\n");
        assert_eq!(chosen.find("node", &environment), Some(node));
        assert_eq!(chosen.find("sh", &environment).unwrap().file_name(), Some("sh".as_ref()));
        assert_eq!(chosen.find("no-such-program", &environment), None);

        let usual = Programs::with_node(None, home.path(), &environment);
        assert!(usual.node().is_none() && usual.path.is_none());
    }
}
