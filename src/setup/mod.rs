//! Setting a repository up, and taking that back: `slsart.toml`, git's configuration, hooks.

mod template;

use std::fmt;
use std::fs;
use std::path::PathBuf;

use serde::Serialize;

use crate::config::FILE;
use crate::error::{Error, Result};
use crate::git::hook::{Hook, State};
use crate::git::{Oid, Source, data_dir};
use crate::package::Sha256;
use crate::text::style::{BOLD, DIM, GOOD, WARNING};
use crate::toolchain::Lockfile;
use crate::workspace::{Workspace, name_of};

/// The hooks that are installed, and the lines they run.
const HOOKS: &[(&str, &str)] = &[("post-commit", include_str!("../../hooks/post-commit"))];

/// What git is told: package commits are no history of the project, so `git log --decorate` leaves their refs out.
const CONFIG: &[(&str, &str)] = &[("log.excludeDecoration", "refs/slsart/")];

/// Where what `init` added is remembered, so that `uninstall` removes that and nothing else.
const ADDED: &str = "slsart.added";
/// The SHA-256 of the `slsart.toml` that `init` wrote.
const WRITTEN: &str = "slsart.written";

/// One thing that `init` or `uninstall` does.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// What it is done to.
    pub subject: String,
    /// What is, or would be, done.
    pub action: Action,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// What becomes of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is made.
    Create,
    /// Something is added to it.
    Add,
    /// It is removed, or what was added to it is.
    Remove,
    /// It is as it should be.
    Unchanged,
    /// It is left alone, for the reason that the remark gives.
    Skip,
}

/// What `init` or `uninstall` did, or would do.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether this is only said.
    pub dry_run: bool,
    /// What was found in the repository.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<String>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What to do next.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<String>,
}

/// Sets the repository up. A second time, nothing changes.
pub fn init(workspace: &Workspace<'_>, dry_run: bool) -> Result<Report> {
    let top = workspace.repository.work_tree()?.to_owned();
    let found = look_around(workspace)?;
    let steps = vec![write_config(workspace, &top.join(FILE), dry_run)?];
    let mut report = Report { dry_run, found, steps, next: Vec::new() };
    for (name, value) in CONFIG {
        report.steps.push(set_config(workspace, name, value, dry_run)?);
    }
    for (name, body) in HOOKS {
        report.steps.push(install_hook(workspace, name, body, dry_run)?);
    }
    if report.steps[0].action == Action::Create {
        report.next.push(format!("git add {FILE} && git commit -m 'Set up git slsart'"));
    }
    report.next.push("git slsart package".to_owned());
    Ok(report)
}

/// Takes back what [`init`] did. Packages, notes and histories stay.
pub fn uninstall(workspace: &Workspace<'_>, dry_run: bool) -> Result<Report> {
    let repository = workspace.repository;
    let mut steps = Vec::new();
    for (name, body) in HOOKS {
        let hook = Hook::locate(repository, name, body)?;
        let ours = matches!(hook.state()?, State::Installed | State::Outdated);
        if ours && !dry_run {
            hook.uninstall()?;
        }
        steps.push(step(&format!("hook {name}"), if ours { Action::Remove } else { Action::Unchanged }));
    }
    for entry in repository.local_config_values(ADDED)? {
        if let Some((name, value)) = entry.split_once('=') {
            if !dry_run {
                repository.remove_config(name, value)?;
                repository.remove_config(ADDED, &entry)?;
            }
            steps.push(step(&format!("git config {name}"), Action::Remove));
        }
    }
    steps.extend(remove_config_file(workspace, dry_run)?);
    let data = data_dir(repository);
    if data.exists() {
        if !dry_run {
            fs::remove_dir_all(&data).map_err(|error| Error::io("remove", &data, error))?;
        }
        steps.push(step("logs and locks in .git/slsart", Action::Remove));
    }
    let next = vec!["recorded packages are kept; to remove them too: git for-each-ref --format='delete %(refname)' refs/slsart refs/notes/slsart | git update-ref --stdin".to_owned()];
    Ok(Report { dry_run, found: Vec::new(), steps, next })
}

/// What the repository has, in a line a service.
fn look_around(workspace: &Workspace<'_>) -> Result<Vec<String>> {
    let repository = workspace.repository;
    let Some(head) = repository.head() else { return Ok(vec!["no commit yet".to_owned()]) };
    let services = workspace.services(head)?;
    if services.is_empty() {
        return Ok(vec!["no service in HEAD: commit a serverless.yml before packaging".to_owned()]);
    }
    let source = Source::new(repository, repository.commit(head)?.tree);
    services
        .iter()
        .map(|service| {
            let name = name_of(service).map(|name| format!(" ({name})")).unwrap_or_default();
            let lockfile = match Lockfile::find(source, &service.path)? {
                Some(lockfile) => format!("{}, {}", lockfile.kind, lockfile.path),
                None => "no lockfile: commit one before packaging".to_owned(),
            };
            let problem = service.problem.as_ref().map(|problem| format!(" — {problem}")).unwrap_or_default();
            Ok(format!("service {}{name}: {}, {lockfile}{problem}", service.path, service.config))
        })
        .collect()
}

fn write_config(workspace: &Workspace<'_>, path: &std::path::Path, dry_run: bool) -> Result<Step> {
    if path.exists() {
        return Ok(step(FILE, Action::Unchanged));
    }
    if !dry_run {
        let text = template::text(workspace);
        fs::write(path, &text).map_err(|error| Error::io("write", path, error))?;
        forget(workspace, WRITTEN)?;
        workspace.repository.add_config(WRITTEN, &Sha256::of(text.as_bytes()).to_string())?;
    }
    Ok(step(FILE, Action::Create))
}

/// Removes `slsart.toml` when it is still what `init` wrote and git doesn't know it.
fn remove_config_file(workspace: &Workspace<'_>, dry_run: bool) -> Result<Vec<Step>> {
    let repository = workspace.repository;
    let path: PathBuf = match repository.work_tree_if_any() {
        Some(top) => top.join(FILE),
        None => return Ok(Vec::new()),
    };
    let written = repository.local_config_values(WRITTEN)?;
    if !dry_run {
        forget(workspace, WRITTEN)?;
    }
    let Ok(content) = fs::read(&path) else { return Ok(Vec::new()) };
    let tracked = repository.head().map(|head: Oid| repository.commit(head)).transpose()?;
    let tracked = match tracked {
        Some(commit) => repository.tree_entry(commit.tree, FILE.as_bytes())?.is_some(),
        None => false,
    };
    let ours = written.contains(&Sha256::of(&content).to_string());
    if !ours || tracked {
        let why =
            if tracked { "it is committed: git rm slsart.toml" } else { "it was changed: rm slsart.toml" };
        return Ok(vec![Step { remark: Some(why.to_owned()), ..step(FILE, Action::Skip) }]);
    }
    if !dry_run {
        fs::remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
    }
    Ok(vec![step(FILE, Action::Remove)])
}

fn forget(workspace: &Workspace<'_>, name: &str) -> Result<()> {
    for value in workspace.repository.local_config_values(name)? {
        workspace.repository.remove_config(name, &value)?;
    }
    Ok(())
}

fn set_config(workspace: &Workspace<'_>, name: &str, value: &str, dry_run: bool) -> Result<Step> {
    let repository = workspace.repository;
    let subject = format!("git config {name} {value}");
    if repository.local_config_values(name)?.iter().any(|known| known == value) {
        return Ok(step(&subject, Action::Unchanged));
    }
    if !dry_run {
        repository.add_config(name, value)?;
        repository.add_config(ADDED, &format!("{name}={value}"))?;
    }
    Ok(step(&subject, Action::Add))
}

fn install_hook(workspace: &Workspace<'_>, name: &str, body: &str, dry_run: bool) -> Result<Step> {
    let hook = Hook::locate(workspace.repository, name, body)?;
    let state = hook.state()?;
    if !dry_run {
        hook.install()?;
    }
    let mut step = step(
        &format!("hook {name}"),
        match &state {
            State::Absent => Action::Create,
            State::Installed => Action::Unchanged,
            State::Outdated | State::Foreign => Action::Add,
            State::Untouchable(_) => Action::Skip,
        },
    );
    step.remark = match state {
        State::Foreign => Some("beside what is in it".to_owned()),
        State::Untouchable(why) => {
            Some(format!("{why}; to have it all the same, run from it: git-slsart hook {name}"))
        }
        _ => None,
    };
    Ok(step)
}

fn step(subject: &str, action: Action) -> Step {
    Step { subject: subject.to_owned(), action, remark: None }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `would remove`, or `left alone`, and a space.
        let width = if self.dry_run { 13 } else { 11 };
        for found in &self.found {
            writeln!(f, "{DIM}{:width$}{DIM:#}{found}", "found")?;
        }
        for Step { subject, action, remark } in &self.steps {
            let (style, word) = match (action, self.dry_run) {
                (Action::Create, false) => (GOOD, "created"),
                (Action::Add, false) => (GOOD, "added"),
                (Action::Remove, false) => (GOOD, "removed"),
                (Action::Create, true) => (BOLD, "would create"),
                (Action::Add, true) => (BOLD, "would add"),
                (Action::Remove, true) => (BOLD, "would remove"),
                (Action::Unchanged, _) => (DIM, "unchanged"),
                (Action::Skip, _) => (WARNING, "left alone"),
            };
            write!(f, "{style}{word:width$}{style:#}{subject}")?;
            match remark {
                Some(remark) => writeln!(f, " ({remark})")?,
                None => writeln!(f)?,
            }
        }
        for next in &self.next {
            writeln!(f, "{DIM}{:width$}{DIM:#}{next}", "next")?;
        }
        Ok(())
    }
}
