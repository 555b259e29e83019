//! The framework installed for a service on disk: the worktree's own, never a global one.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::context::Environment;
use crate::error::{Error, Result};
use crate::package::manifest::Tool;
use crate::process::Invocation;
use crate::service::{Framework, ServicePath, candidates};

/// A framework that can be started.
#[derive(Debug, Clone)]
pub struct Installed {
    /// Its program, an absolute path.
    program: PathBuf,
    /// Its package's directory.
    pub(super) directory: PathBuf,
    framework: Framework,
    /// Its name and version.
    pub tool: Tool,
}

/// The framework of the service at `path` in the working tree at `top`.
pub fn find(top: &Path, path: &ServicePath) -> Result<Installed> {
    for candidate in candidates(path) {
        let package_json = top.join(&candidate.package_json);
        let Ok(text) = fs::read_to_string(&package_json) else { continue };
        let framework = Framework::from_package_json(&text).map_err(|error| {
            let hint = error.hint();
            Error::refused(error.to_string()).hints(hint)
        })?;
        let program =
            candidate.programs.iter().map(|program| top.join(program)).find(|program| program.exists());
        if let Some(program) = program {
            let tool = Tool { name: framework.kind.package().to_owned(), version: framework.version.clone() };
            let directory = package_json.parent().unwrap_or(top).to_owned();
            return Ok(Installed { program, directory, framework, tool });
        }
    }
    Err(Error::refused(format!("the Serverless Framework is not installed for the service '{path}'"))
        .hint("a service needs its own: npm install --save-dev osls (or serverless), and commit the lockfile")
        .hint("a framework installed globally is never used: it is not the one that the commit had"))
}

impl Installed {
    /// A run of the framework in the service's directory.
    #[must_use]
    pub fn invocation(&self, service: &Path, arguments: Vec<OsString>) -> Invocation {
        Invocation::new(self.program.clone()).args(arguments).current_dir(service)
    }

    /// The versions of node that it says it runs on, such as `>=18.17.0`.
    #[must_use]
    pub fn engines(&self) -> Option<&str> {
        self.framework.node.as_deref()
    }

    /// Refuses a framework that needs a licence and would stop to ask for one.
    pub fn check_licence(&self, environment: &Environment) -> Result<()> {
        self.framework.check_licence(|name| environment.value(name).is_some()).map_err(|error| {
            let hint = error.hint();
            Error::refused(error.to_string()).hints(hint)
        })
    }
}
