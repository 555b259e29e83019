//! Background jobs: listing them, their order, and stopping them. A job's own work is in `work`.
//!
//! A job has three files in `.git/slsart/jobs`, named by its commit: a log, a record, and a lock that its process and its children hold as
//! long as any of them lives. A job that is packaging also holds `package.lock`, which its children don't inherit. So a record of a
//! running job is only believed with its lock, and a killed job is recognised.

mod log;
mod progress;
mod record;
mod stop;
mod work;

use std::fs::{self, File};
use std::path::PathBuf;

pub use record::{JobRecord, JobState, Made};
pub use work::{check_unclaimed, package_all};

use crate::error::{Error, Result};
use crate::git::{Oid, Repository, data_dir};
use crate::process::background::{self, is_held};
use jiff::Timestamp;

/// How many ended jobs are kept, with their logs.
const KEPT: usize = 20;
const NAME_DIGITS: usize = 12;

#[derive(Debug)]
pub struct Jobs {
    directory: PathBuf,
    turn: PathBuf,
}

#[derive(Debug, Clone)]
pub struct Job {
    /// What it says of itself, or is known better: one that was killed is stopped.
    pub record: JobRecord,
    /// Whether its process, or something that it started, lives.
    pub lives: bool,
    /// Whether it was killed, and a child of it lives.
    pub is_orphaned: bool,
    pub log: PathBuf,
}

/// A job that is about to be started: the process that is started next holds its lock.
pub(super) struct Queued {
    pub(super) log: File,
    _lock: File,
}

impl Jobs {
    pub fn of(repository: &Repository) -> Self {
        let data = data_dir(repository);
        Self { directory: data.join("jobs"), turn: data.join("package.lock") }
    }

    /// The running jobs and the last that ended, newest first.
    pub fn all(&self) -> Vec<Job> {
        let mut all: Vec<Job> = self.records().into_iter().map(|record| self.look_at(record)).collect();
        all.sort_by_key(|job| std::cmp::Reverse(job.record.number));
        all
    }

    pub fn find(&self, commit: Oid) -> Option<Job> {
        let commit = commit.to_string();
        let record = JobRecord::read(&self.file(&commit, "toml")).filter(|record| record.commit == commit)?;
        Some(self.look_at(record))
    }

    fn records(&self) -> Vec<JobRecord> {
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        let records = paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
        records.filter_map(|path| JobRecord::read(&path)).collect()
    }

    fn look_at(&self, mut record: JobRecord) -> Job {
        let mut lives = false;
        let mut is_orphaned = false;
        if record.state.goes_on() {
            lives = is_held(&self.file(&record.commit, "lock"));
            if lives {
                is_orphaned = record.state == JobState::Running && !is_held(&self.turn);
            }
            // It may have ended in between.
            if (!lives || is_orphaned)
                && let Some(last) = JobRecord::read(&self.file(&record.commit, "toml"))
            {
                is_orphaned &= last.state.goes_on();
                record = last;
            }
            if (!lives || is_orphaned) && record.state.goes_on() {
                record.state = JobState::Stopped;
                record.error = Some("its process was killed".to_owned());
            }
        }
        let log = self.file(&record.commit, "log");
        Job { record, lives, is_orphaned, log }
    }

    fn file(&self, commit: &str, extension: &str) -> PathBuf {
        let name = commit.get(..NAME_DIGITS).unwrap_or(commit);
        self.directory.join(format!("{name}.{extension}"))
    }

    /// Adds a job for `commit`, for a process that is started next; `None` if there is one already.
    pub(super) fn enqueue(&self, commit: Oid, now: Timestamp) -> Result<Option<Queued>> {
        fs::create_dir_all(&self.directory).map_err(|error| Error::io("create", &self.directory, error))?;
        // Numbers are given in the order of the commits, by one process at a time.
        let _numbering = self.numbering()?;
        let records = self.records();
        let number = records.iter().map(|record| record.number).max().unwrap_or(0) + 1;
        let commit = commit.to_string();
        let same = records.into_iter().find(|record| record.commit == commit);
        if same.is_some_and(|record| self.look_at(record).lives) {
            return Ok(None);
        }
        let path = self.file(&commit, "lock");
        let lock = locked(&path)?;
        background::inherit_file(&lock).map_err(|error| Error::io("lock", &path, error))?;
        let path = self.file(&commit, "log");
        let log = File::create(&path).map_err(|error| Error::io("write", &path, error))?;
        JobRecord::new(number, commit.clone(), now).write(&self.file(&commit, "toml"))?;
        Ok(Some(Queued { log, _lock: lock }))
    }

    /// Held while jobs are added and removed.
    fn numbering(&self) -> Result<File> {
        locked(&self.directory.join("numbering"))
    }

    /// Whether a job for a newer commit is running.
    fn is_superseded(&self, number: u64) -> bool {
        let later = self.records().into_iter().filter(|record| record.number > number);
        later.map(|record| self.look_at(record)).any(|job| job.lives && job.record.state.goes_on())
    }

    /// Removes the oldest ended jobs.
    fn prune(&self) -> Result<()> {
        for Job { record, .. } in self.all().into_iter().filter(|job| !job.lives).skip(KEPT) {
            for extension in ["log", "lock", "toml"] {
                record::remove(&self.file(&record.commit, extension))?;
            }
        }
        Ok(())
    }
}

fn locked(path: &PathBuf) -> Result<File> {
    let file = File::create(path).map_err(|error| Error::io("write", path, error))?;
    file.lock().map_err(|error| Error::io("lock", path, error))?;
    Ok(file)
}
