//! The framework installed for a service on disk: the worktree's own, never a global one; and how it is started. That needs no package
//! manager: a restored installation runs on a machine without one.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::pnp::Pnp;
use crate::context::Environment;
use crate::error::{Error, Result};
use crate::package::manifest::Tool;
use crate::process::Invocation;
use crate::service::{Candidate, Framework, FrameworkKind, ServicePath, candidates};

#[derive(Debug, Clone)]
pub struct Installed {
    launcher: Launcher,
    pub(super) directory: PathBuf,
    framework: Framework,
    pub tool: Tool,
}

#[derive(Debug, Clone)]
enum Launcher {
    /// By a program in a `node_modules/.bin`, an absolute path.
    Program(PathBuf),
    /// By node, which finds packages by yarn's Plug'n'Play.
    Pnp {
        program: PathBuf,
        /// The value of `NODE_OPTIONS`.
        options: String,
    },
}

pub fn find(top: &Path, path: &ServicePath) -> Result<Installed> {
    let pnp = Pnp::find(&path.under(top), top);
    for candidate in candidates(path) {
        if pnp.as_ref().is_some_and(|pnp| pnp.rules(&candidate.directory.under(top))) {
            break;
        }
        if let Some(found) = in_modules(top, &candidate)? {
            return Ok(found);
        }
    }
    if let Some(found) = pnp.map(|pnp| by_pnp(&pnp, top, path)).transpose()?.flatten() {
        return Ok(found);
    }
    Err(Error::refused(format!("the Serverless Framework is not installed for the service '{path}'"))
        .hint("install it for the service: npm install --save-dev osls (or serverless), and commit the lockfile")
        .hint("a globally installed framework is never used: its version may not be the commit's"))
}

fn in_modules(top: &Path, candidate: &Candidate) -> Result<Option<Installed>> {
    let package_json = top.join(&candidate.package_json);
    let Ok(text) = fs::read_to_string(&package_json) else { return Ok(None) };
    let framework = described(&text)?;
    let mut programs = candidate.programs.iter().map(|program| top.join(program));
    let Some(program) = programs.find(|program| program.exists()) else { return Ok(None) };
    let directory = package_json.parent().unwrap_or(top).to_owned();
    Ok(Some(Installed::new(framework, directory, Launcher::Program(program))))
}

fn by_pnp(pnp: &Pnp, top: &Path, path: &ServicePath) -> Result<Option<Installed>> {
    let kinds = [FrameworkKind::Osls, FrameworkKind::Serverless];
    let mut answer = pnp.ask(&path.under(top), top, &kinds.map(FrameworkKind::package), None)?;
    for kind in kinds {
        let Some(found) = answer.found.remove(kind.package()) else { continue };
        let framework = described(&found.json)?;
        let Some(program) = kind.programs().iter().find_map(|name| found.programs.get(*name)) else {
            continue;
        };
        let launcher = Launcher::Pnp { program: found.location.join(program), options: answer.options };
        return Ok(Some(Installed::new(framework, found.location, launcher)));
    }
    Ok(None)
}

fn described(package_json: &str) -> Result<Framework> {
    Framework::from_package_json(package_json).map_err(|error| {
        let hint = error.hint();
        Error::refused(error.to_string()).hint(hint)
    })
}

impl Installed {
    fn new(framework: Framework, directory: PathBuf, launcher: Launcher) -> Self {
        let tool = Tool { name: framework.kind.package().to_owned(), version: framework.version.clone() };
        Self { launcher, directory, framework, tool }
    }

    pub fn invocation(&self, service: &Path, arguments: Vec<OsString>) -> Invocation {
        let run = match &self.launcher {
            Launcher::Program(program) => Invocation::new(program),
            Launcher::Pnp { program, .. } => self.node().arg(program),
        };
        run.args(arguments).current_dir(service)
    }

    /// A run of node that finds the same packages as the framework.
    pub fn node(&self) -> Invocation {
        let node = Invocation::new("node");
        match &self.launcher {
            Launcher::Program(_) => node,
            Launcher::Pnp { options, .. } => node.env("NODE_OPTIONS", options),
        }
    }

    /// The range of node versions that it supports, such as `>=18.17.0`.
    pub fn engines(&self) -> Option<&str> {
        self.framework.node.as_deref()
    }

    /// Refuses a framework that would stop to ask for a licence.
    pub fn check_licence(&self, environment: &Environment) -> Result<()> {
        self.framework.check_licence(|name| environment.value(name).is_some()).map_err(|error| {
            let hint = error.hint();
            Error::refused(error.to_string()).hint(hint)
        })
    }
}
