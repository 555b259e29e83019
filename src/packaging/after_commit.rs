//! The post-commit hook: attaches a package made before the commit, or starts packaging it in the background.

use std::fs::{self, File};

use super::attach::attach;
use super::make::{Making, make};
use crate::config::PostCommit;
use crate::error::{Error, Result};
use crate::git::data_dir;
use crate::process::{Invocation, Output};
use crate::workspace::{Wanted, Workspace};

/// Runs the hook. In the middle of a rebase or the like, and when `slsart.toml` says so, it does nothing.
pub fn run(workspace: &Workspace<'_>) -> Result<()> {
    let Workspace { repository, config, .. } = workspace;
    if config.hooks.post_commit == PostCommit::Off || repository.operation_under_way().is_some() {
        return Ok(());
    }
    let Some(head) = repository.head() else { return Ok(()) };
    if !attach(workspace, head)?.is_empty() || config.hooks.post_commit == PostCommit::Attach {
        return Ok(());
    }
    start_packaging(workspace, &head.to_string())
}

/// Packages the commit in the background, its output in a log of its own. The jobs of a repository wait for each other.
pub fn start_packaging(workspace: &Workspace<'_>, commit: &str) -> Result<()> {
    let jobs = data_dir(workspace.repository).join("jobs");
    fs::create_dir_all(&jobs).map_err(|error| Error::io("create", &jobs, error))?;
    let path = jobs.join(format!("{}.log", &commit[..12]));
    let log = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(|error| Error::io("write", &path, error))?;
    Invocation::new(&workspace.context.program)
        .arg("-C")
        .arg(workspace.repository.work_tree_if_any().unwrap_or(workspace.repository.git_dir()))
        .args(["hook", "package", commit])
        .detach(log)
}

/// The background job: packages every service of `commit` for every stage that `slsart.toml` names, once the jobs before it
/// have ended.
pub fn package_all(workspace: &Workspace<'_>, commit: &str) -> Result<()> {
    let data = data_dir(workspace.repository);
    let path = data.join("package.lock");
    let lock = File::create(&path).map_err(|error| Error::io("write", &path, error))?;
    lock.lock().map_err(|error| Error::io("lock", &path, error))?;
    let commit = workspace.repository.resolve(commit)?;
    let making = Making {
        in_place: false,
        allow_dirty: false,
        again: false,
        storage: workspace.config.storage,
        installing: Output::Stream,
        packaging: Output::Stream,
    };
    for service in workspace.services(commit)? {
        let default = [workspace.stage(&Wanted::default(), Some(&service))?];
        let stages = if workspace.config.hooks.stages.is_empty() {
            &default[..]
        } else {
            &workspace.config.hooks.stages
        };
        let region = workspace.region(&Wanted::default(), Some(&service))?;
        for stage in stages {
            let summary = make(workspace, commit, &service, stage, &region, making)?;
            workspace.progress.note(&format!("recorded {} for {}", &summary.package[..8], summary.target));
        }
    }
    Ok(())
}
