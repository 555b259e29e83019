//! Sets a repository up, and removes that again: `slsart.toml` and hooks. Everything is checked before anything is changed.

mod following;
pub(crate) mod git_hooks;
mod hook_kinds;
pub(crate) mod managers;
mod missing;
mod report;
mod status;
mod template;

use std::fs;
use std::path::{Path, PathBuf};

use git_hooks::Hooks;
use missing::Missing;
use report::{failed, step};
use status::managers_in_words;

use crate::config::FILE;
use crate::error::{Error, Result};
use crate::git::{Oid, Source, data_dir};
use crate::package::Sha256;
use crate::service::Service;
use crate::sharing;
use crate::text::command::slsart;
use crate::toolchain::Lockfile;
use crate::workspace::{Workspace, name_of};
pub use report::{SetupAction, SetupReport, SetupStep};
pub use status::{hooks_snippet, hooks_status, install_hooks, uninstall_hooks};

/// The SHA-256 of the `slsart.toml` that `init` wrote.
const WRITTEN: &str = "slsart.written";

/// Sets the repository up. A second time, nothing changes.
pub fn init(workspace: &Workspace<'_>, dry_run: bool) -> Result<SetupReport> {
    let file = workspace.repository.work_tree()?.join(FILE);
    let missing = Missing::find(workspace)?;
    let mut found = look_around(workspace, &missing)?;
    let new = file.symlink_metadata().is_err();
    let hooks = Hooks::locate(workspace)?;
    found.extend(managers_in_words(&hooks));
    if !dry_run && new {
        write_config(workspace, &file)?;
    }
    let mut steps = vec![step(FILE, if new { SetupAction::Create } else { SetupAction::Unchanged })];
    steps.extend(hooks.install(dry_run)?);
    if let Ok(remote) = sharing::remote(workspace, None) {
        steps.extend(following::install(workspace.repository, &remote, dry_run)?);
    }
    Ok(SetupReport { dry_run, found, steps, next: next(workspace, &missing)?, kept: None })
}

/// The commands that lead to the first package; none where HEAD is packaged.
fn next(workspace: &Workspace<'_>, missing: &Missing<'_>) -> Result<Vec<String>> {
    let Workspace { context, repository, progress, .. } = *workspace;
    if Workspace::new(context, repository, progress).is_err() {
        return Ok(vec![format!("correct {FILE}, then: {}", slsart(["init"]))]);
    }
    let mut next = missing.steps();
    if next.is_empty()
        && let Some(remote) = sharing::never_asked(workspace)?
    {
        return Ok(vec![slsart(["fetch", &remote])]);
    }
    let note = repository.head().map(|head| workspace.store().notes().of(head)).transpose()?;
    let lines = note.unwrap_or_default().packages;
    let is_packaged = |service: &Service| lines.iter().any(|line| line.target.path == service.path);
    next.extend(match missing.services.as_slice() {
        [] => None,
        services if next.is_empty() && services.iter().all(is_packaged) => None,
        [_] => Some(slsart(["package"])),
        _ => Some(slsart(["package", "--all"])),
    });
    Ok(next)
}

/// Takes back what [`init`] did, and goes on where a part of it can't be. Packages, notes and histories stay.
pub fn uninstall(workspace: &Workspace<'_>, dry_run: bool) -> SetupReport {
    let repository = workspace.repository;
    let mut steps = match Hooks::locate(workspace) {
        Ok(hooks) => hooks.uninstall(dry_run),
        Err(error) => vec![failed("hooks", &error)],
    };
    match following::uninstall(repository, dry_run) {
        Ok(done) => steps.extend(done),
        Err(error) => steps.push(failed("remote.*.fetch", &error)),
    }
    match remove_config_file(workspace, dry_run) {
        Ok(done) => steps.extend(done),
        Err(error) => steps.push(failed(FILE, &error)),
    }
    let data = data_dir(repository);
    if data.exists() {
        let subject = "logs and locks in .git/slsart";
        let removed = if dry_run { Ok(()) } else { fs::remove_dir_all(&data) };
        steps.push(match removed {
            Ok(()) => step(subject, SetupAction::Remove),
            Err(error) => failed(subject, &Error::io("remove", &data, error)),
        });
    }
    let kept = Some("packages and histories; this deletes all of them, for good: git for-each-ref --format='delete %(refname)' refs/slsart refs/slsart-remotes refs/notes/slsart 'refs/notes/remotes/*/slsart' | git update-ref --stdin".to_owned());
    SetupReport { dry_run, found: Vec::new(), steps, next: Vec::new(), kept }
}

/// The commented `slsart.toml` that [`init`] writes.
pub fn default_file(workspace: &Workspace<'_>) -> String {
    template::text(workspace)
}

/// A line for each service.
fn look_around(workspace: &Workspace<'_>, missing: &Missing<'_>) -> Result<Vec<String>> {
    let repository = workspace.repository;
    let head = repository.head();
    let committed = head.map(|head| workspace.services(head)).transpose()?.unwrap_or_default();
    let new = missing.services.iter().filter(|service| !missing.is_committed(service));
    let new = new.map(|service| {
        let name = name_of(service).map(|name| format!(" ({name})")).unwrap_or_default();
        format!("service {}{name}: {} is not committed yet", service.path, service.config)
    });
    let new = new.collect::<Vec<_>>();
    let Some(head) = head.filter(|_| !committed.is_empty()) else {
        let none = match workspace.config.services.as_slice() {
            [] => format!("no service: a service is a directory with a {} or the like", missing::names()),
            _ => format!("no service: `services` in {FILE} lists no directory with one"),
        };
        return Ok(if new.is_empty() { vec![none] } else { new });
    };
    let source = Source::new(repository, repository.commit(head)?.tree);
    let known = committed
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
        .collect::<Result<Vec<_>>>()?;
    Ok(known.into_iter().chain(new).collect())
}

fn write_config(workspace: &Workspace<'_>, path: &Path) -> Result<()> {
    let text = template::text(workspace);
    fs::write(path, &text).map_err(|error| Error::io("write", path, error))?;
    forget(workspace, WRITTEN)?;
    workspace.repository.add_config(WRITTEN, &Sha256::of(text.as_bytes()).to_string())
}

/// Removes `slsart.toml` when it is still what `init` wrote and git doesn't know it.
fn remove_config_file(workspace: &Workspace<'_>, dry_run: bool) -> Result<Vec<SetupStep>> {
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
        return Ok(vec![SetupStep { remark: Some(why.to_owned()), ..step(FILE, SetupAction::Skip) }]);
    }
    if !dry_run {
        fs::remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
    }
    Ok(vec![step(FILE, SetupAction::Remove)])
}

fn forget(workspace: &Workspace<'_>, name: &str) -> Result<()> {
    for value in workspace.repository.local_config_values(name)? {
        workspace.repository.remove_config(name, &value)?;
    }
    Ok(())
}
