//! What a repository's services still need before one of them can be packaged: files that are not committed, a lockfile, the
//! framework in package.json. Gives the commands for it, in the order in which they have to be run.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::config::FILE;
use crate::error::Result;
use crate::git::Source;
use crate::service::{self, CONFIG_FILES, MAX_CONFIG_BYTES, Service};
use crate::toolchain::{LOCKFILE_NAMES, install};
use crate::workspace::Workspace;

/// Directories that programs write, and that are not committed.
const MADE: [&str; 2] = ["node_modules/", ".serverless/"];

/// Names of bundlers: a file that no module refers to does not get into their zips.
const BUNDLERS: [&str; 6] = ["esbuild", "webpack", "rollup", "vite", "parcel", "bundle"];

pub(super) struct Missing<'a> {
    workspace: &'a Workspace<'a>,
    top: &'a Path,
    head: Option<Source<'a>>,
    /// The paths that are not in HEAD, as `git status` shows them: an untracked directory ends with `/`.
    new: Vec<String>,
    pub(super) services: Vec<Service>,
}

impl<'a> Missing<'a> {
    pub(super) fn find(workspace: &'a Workspace<'a>) -> Result<Self> {
        let repository = workspace.repository;
        let top = repository.work_tree()?;
        let head = repository.head().map(|head| repository.commit(head)).transpose()?;
        let head = head.map(|commit| Source::new(repository, commit.tree));
        let is_new = |path: &String| {
            head.is_none_or(|head| head.entry(path.trim_end_matches('/')).is_ok_and(|entry| entry.is_none()))
        };
        let new = repository.dirty_paths()?.into_iter().filter(is_new).collect();
        let paths = repository
            .command()
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .read()?;
        let paths = String::from_utf8_lossy(&paths).into_owned();
        let read = |path: &str| {
            let content =
                fs::read(top.join(path)).ok().filter(|content| content.len() <= MAX_CONFIG_BYTES)?;
            String::from_utf8(content).ok()
        };
        let mut services = service::discover(paths.split('\0'), read);
        let wanted = &workspace.config.services;
        services.retain(|service| wanted.is_empty() || wanted.contains(&service.path));
        Ok(Self { workspace, top, head, new, services })
    }

    pub(super) fn is_committed(&self, service: &Service) -> bool {
        self.has(&service.path.file(&service.config))
    }

    /// The remaining commands, in order; if there are none, the services can be packaged.
    pub(super) fn steps(&self) -> Vec<String> {
        let mut steps = Vec::new();
        let mut add = BTreeSet::new();
        let lacking = self.services.iter().filter(|service| self.lacks(service)).collect::<Vec<_>>();
        let ignored = if lacking.is_empty() { Vec::new() } else { self.not_ignored() };
        if !ignored.is_empty() {
            steps.push(format!("printf '%s\\n' {} >> .gitignore", quoted(&ignored)));
            add.insert(".gitignore".to_owned());
        }
        for service in &lacking {
            steps.extend(self.install(service, &mut add));
        }
        for service in &self.services {
            steps.extend(self.exclusion(service, &mut add));
        }
        let belongs = |path: &&String| lacking.iter().any(|service| Self::belongs(path, service));
        add.extend(self.new.iter().filter(belongs).cloned());
        if !self.has(FILE) {
            add.insert(FILE.to_owned());
        }
        if !add.is_empty() {
            let message =
                if lacking.is_empty() { "Set up git slsart" } else { "Add the service, set up git slsart" };
            let directories: Vec<_> = add.iter().filter(|path| path.ends_with('/')).cloned().collect();
            add.retain(|path| !directories.iter().any(|above| path != above && path.starts_with(above)));
            steps.push(format!(
                "git add {} && git commit -m '{message}'",
                quoted(&add.into_iter().collect::<Vec<_>>())
            ));
        }
        // The commands name paths from the repository's top.
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if !steps.is_empty() && real(self.top) != real(&self.workspace.context.cwd) {
            let top = self.top.display().to_string();
            steps.insert(0, format!("cd {}", quoted(&[top.trim_end_matches('/').to_owned()])));
        }
        steps
    }

    /// Whether HEAD lacks something that packaging the service needs.
    fn lacks(&self, service: &Service) -> bool {
        !self.is_committed(service)
            || Self::lockfile(service, |path| self.has(path)).is_none()
            || !self.has_framework(service)
    }

    /// The command that gives the service a lockfile with the framework in it.
    fn install(&self, service: &Service, add: &mut BTreeSet<String>) -> Option<String> {
        let found = Self::lockfile(service, |path| self.top.join(path).is_file());
        let has_framework = self.has_framework(service);
        if found.is_some() && has_framework {
            return None;
        }
        let (name, directory) = found.unwrap_or_else(|| ("package-lock.json", service.path.to_string()));
        let kind = LOCKFILE_NAMES.iter().find(|(known, _)| *known == name)?.1;
        let version = service.outline.as_ref().and_then(|outline| outline.framework_version.as_deref());
        let framework = match version.map(|range| range.trim_start_matches(|c: char| !c.is_ascii_digit())) {
            Some(range) if range.starts_with('3') => "serverless@3",
            _ => "osls",
        };
        let program = install::program(kind);
        let command = match (has_framework, program) {
            (true, program) => format!("{program} install"),
            (false, "npm") => format!("npm install --save-dev {framework}"),
            (false, program) => format!("{program} add --dev {framework}"),
        };
        let at = |file: &str| if directory == "." { file.to_owned() } else { format!("{directory}/{file}") };
        add.extend([at("package.json"), at(name)]);
        Some(if directory == "." {
            command
        } else {
            format!("(cd {} && {command})", quoted(std::slice::from_ref(&directory)))
        })
    }

    /// How to keep `slsart.toml` out of the zip, where the framework would put it in: a comment in it would be a change of the code.
    fn exclusion(&self, service: &Service, add: &mut BTreeSet<String>) -> Option<String> {
        let bundles = |module: &String| BUNDLERS.iter().any(|bundler| module.contains(bundler));
        let plugins = service.outline.as_ref()?.plugins.as_ref();
        if !service.path.is_root() || plugins.is_some_and(|plugins| plugins.modules.iter().any(bundles)) {
            return None;
        }
        let text = fs::read_to_string(self.top.join(&service.config)).ok()?;
        if [FILE, "'!**'", "\"!**\"", "!./**"].iter().any(|known| text.contains(known)) {
            return None;
        }
        add.insert(service.config.clone());
        let has_key = text.lines().any(|line| line.starts_with("package:"));
        Some(if has_key || !service.config.ends_with(['l', 'L']) {
            format!(
                "in {}, add '!{FILE}' to `patterns` under `package`: else it becomes part of the code",
                service.config
            )
        } else {
            format!("printf '\\npackage:\\n  patterns:\\n    - \"!{FILE}\"\\n' >> {}", service.config)
        })
    }

    /// What should be ignored: programs' output, and existing files with secrets.
    fn not_ignored(&self) -> Vec<String> {
        let ignored = |path: &str| self.workspace.repository.is_ignored(Path::new(path));
        let made =
            MADE.iter().filter(|directory| !ignored(&format!("{directory}x"))).map(|name| (*name).to_owned());
        let secrets = self.new.iter().any(|path| is_env(path)).then(|| ".env*".to_owned());
        made.chain(secrets).collect()
    }

    /// Whether a new path is part of a service, or of its installation.
    fn belongs(path: &str, service: &Service) -> bool {
        let below = service.path.file("");
        let is_made = path.split('/').any(|part| MADE.iter().any(|made| made.trim_end_matches('/') == part));
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_shared = name == "package.json" || LOCKFILE_NAMES.iter().any(|(known, _)| *known == name);
        let inside = service.path.is_root() || path.starts_with(&below) || below.starts_with(path);
        !is_made && !is_env(path) && (inside || is_shared && !path.contains('/') || path == ".gitignore")
    }

    fn has(&self, path: &str) -> bool {
        self.head.is_some_and(|head| head.entry(path).is_ok_and(|entry| entry.is_some()))
    }

    /// The name and directory of the service's nearest lockfile that `exists`.
    fn lockfile(service: &Service, exists: impl Fn(&str) -> bool) -> Option<(&'static str, String)> {
        service.path.ancestors().into_iter().find_map(|directory| {
            let (name, _) = LOCKFILE_NAMES.iter().find(|(name, _)| exists(&directory.file(name)))?;
            Some((*name, directory.to_string()))
        })
    }

    /// Whether a package.json of the service, or one above it, depends on the framework.
    fn has_framework(&self, service: &Service) -> bool {
        service.path.ancestors().iter().any(|directory| {
            let text = fs::read_to_string(directory.under(self.top).join("package.json")).unwrap_or_default();
            let json: Value = serde_json::from_str(&text).unwrap_or_default();
            let has = |list: &str| ["osls", "serverless"].iter().any(|name| json[list][name].is_string());
            ["dependencies", "devDependencies", "optionalDependencies"].into_iter().any(has)
        })
    }
}

/// Whether it is a file of environment variables, which often holds secrets.
fn is_env(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with(".env"))
}

fn quoted(words: &[String]) -> String {
    let quote =
        |word: &String| shlex::try_quote(word).map_or_else(|_| word.clone(), std::borrow::Cow::into_owned);
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// The names of a service's configuration, for what is said where there is none.
pub(super) fn names() -> String {
    CONFIG_FILES[..3].join(", ")
}
