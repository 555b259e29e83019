//! Stops jobs: each is asked to end, with its children, and waited for; then killed.

use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Job, JobRecord, JobState, Jobs};
use crate::error::{Error, Result};
use crate::git::worktree;
use crate::process::background::{self, Ending, is_held};
use crate::process::interrupt;
use crate::workspace::Workspace;

const PATIENCE: Duration = Duration::from_secs(10);
/// How long a killed process may take to be gone.
const GONE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub struct Stopped {
    pub job: Job,
    /// Whether it, or a child of it, had to be killed.
    pub killed: bool,
}

impl Jobs {
    /// Stops the running jobs, waiting ones first, and ends killed ones' children. Fails if a process survives, or a worktree can't be
    /// removed.
    pub fn stop(&self, workspace: &Workspace<'_>) -> Result<Vec<Stopped>> {
        let mut stopped = Vec::new();
        let going_on = self.all().into_iter().filter(|job| job.lives);
        for job in going_on {
            interrupt::check()?;
            let killed = job.is_orphaned || !self.end(&job.record, Ending::Asked);
            if killed && !self.end(&job.record, Ending::Killed) {
                let process = job.record.process.map(|id| format!(" (process {id})")).unwrap_or_default();
                return Err(Error::refused(format!("a job does not stop{process}"))
                    .hint(format!("its log: {}", job.log.display())));
            }
            self.note_killed(&job.record, workspace.context.clock.now())?;
            stopped.push(Stopped { job, killed });
        }
        if !stopped.is_empty() {
            let left = worktree::sweep(workspace.repository, &workspace.context.cache_dir())?;
            if let Some(left) = left.first() {
                return Err(Error::refused(format!("the worktree '{}' can't be removed", left.display()))
                    .hint(format!("rm -rf '{}' && git worktree prune", left.display())));
            }
        }
        Ok(stopped)
    }

    /// Ends the processes of a job and waits until none is left.
    ///
    /// # Returns
    /// Whether all of them are gone.
    pub(super) fn end(&self, record: &JobRecord, ending: Ending) -> bool {
        let lock = self.file(&record.commit, "lock");
        let path = self.file(&record.commit, "toml");
        let limit = if ending == Ending::Asked { PATIENCE } else { GONE };
        let start = Instant::now();
        let mut told = None;
        while is_held(&lock) {
            if start.elapsed() > limit {
                return false;
            }
            // One that has only just been started has not said yet which process it is.
            let process = record.process.or_else(|| JobRecord::read(&path)?.process);
            if process != told
                && let Some(process) = process
            {
                background::end_group(process, ending);
                told = Some(process);
            }
            thread::sleep(PAUSE);
        }
        true
    }

    /// Writes down that a job was stopped which could not do so itself.
    pub(super) fn note_killed(&self, record: &JobRecord, now: Timestamp) -> Result<()> {
        let path = self.file(&record.commit, "toml");
        let Some(mut last) = JobRecord::read(&path) else { return Ok(()) };
        if last.number == record.number && last.state.goes_on() {
            last.end(JobState::Stopped, Some("its process was killed".to_owned()), now);
            last.write(&path)?;
        }
        Ok(())
    }
}
