//! After a merge and a checkout: fetches notes and histories in the background, if `slsart.toml` says so.

use std::fs::{self, File};
use std::path::Path;

use jiff::Timestamp;

use crate::error::{Error, Result};
use crate::git::data_dir;
use crate::process::Invocation;
use crate::sharing;
use crate::workspace::Workspace;

/// The output of the last job, truncated when one starts.
const LOG: &str = "fetch.log";
const LOCK: &str = "fetch.lock";
/// The least number of seconds between two jobs: a script may check out a hundred times.
const PAUSE: i64 = 60;

/// Starts the job, unless one was started recently or git is in the middle of something.
pub fn start(workspace: &Workspace<'_>) -> Result<()> {
    let Workspace { context, repository, config, .. } = workspace;
    let data = data_dir(repository);
    let log = data.join(LOG);
    if !config.fetch.hooks
        || repository.operation_under_way().is_some()
        || age(&log, context.clock.now_precise()).is_some_and(|age| (0..PAUSE).contains(&age))
    {
        return Ok(());
    }
    fs::create_dir_all(&data).map_err(|error| Error::io("create", &data, error))?;
    let file = File::create(&log).map_err(|error| Error::io("write", &log, error))?;
    Invocation::new(&context.program)
        .arg("-C")
        .arg(repository.work_tree_if_any().unwrap_or(repository.git_dir()))
        .args(["hook", "fetch"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .detach(&file)
}

/// The job. If another one is running, there is nothing to do.
pub fn run(workspace: &Workspace<'_>) -> Result<()> {
    let path = data_dir(workspace.repository).join(LOCK);
    let lock = File::create(&path).map_err(|error| Error::io("write", &path, error))?;
    if lock.try_lock().is_err() {
        return Ok(());
    }
    fetch(workspace)
}

fn fetch(workspace: &Workspace<'_>) -> Result<()> {
    let remote = sharing::remote(workspace, None)?;
    sharing::refresh(workspace, &remote).map(drop)
}

fn age(path: &Path, now: Timestamp) -> Option<i64> {
    let written = Timestamp::try_from(path.metadata().ok()?.modified().ok()?).ok()?;
    Some(now.as_second() - written.as_second())
}
