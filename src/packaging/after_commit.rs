//! The post-commit hook: attaches a package made before the commit, or starts packaging it in the background.

use super::attach::attach;
use super::jobs::Jobs;
use crate::config::PostCommit;
use crate::error::Result;
use crate::git::Oid;
use crate::process::Invocation;
use crate::workspace::Workspace;

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
    start_packaging(workspace, head)
}

/// Packages the commit in the background, its output in a log of its own.
pub fn start_packaging(workspace: &Workspace<'_>, commit: Oid) -> Result<()> {
    let jobs = Jobs::of(workspace.repository);
    let Some(queued) = jobs.enqueue(commit, workspace.context.clock.now())? else { return Ok(()) };
    Invocation::new(&workspace.context.program)
        .arg("-C")
        .arg(workspace.repository.work_tree_if_any().unwrap_or(workspace.repository.git_dir()))
        .args(["hook", "package"])
        .arg(commit.to_string())
        .detach(&queued.log)
}
