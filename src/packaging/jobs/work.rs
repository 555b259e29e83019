//! A job's work: waits for its turn, sweeps what killed jobs left, packages its commit.
//!
//! One job of a repository packages at a time, and the newest commit wins: a waiting job makes way for a newer commit's, and so does a
//! running one until a framework has started. From then on it finishes its commit: stopping would lose its work, and half of a commit's
//! packages are of no use. Branches make no difference; the newest commit is what its author looks at.

use std::fs::{File, TryLockError};
use std::thread;
use std::time::Duration;

use super::progress::Told;
use super::{Job, JobRecord, JobState, Jobs, Made, Queued};
use crate::error::{Error, Kind, Result};
use crate::git::Oid;
use crate::packaging::checkout::Stopwatch;
use crate::packaging::make::{Making, make};
use crate::process::{Output, background, interrupt};
use crate::progress::Progress as _;
use crate::service::{Region, Service, Stage};
use crate::text::command::slsart;
use crate::workspace::{Wanted, Workspace};

const PAUSE: Duration = Duration::from_millis(100);

/// The background job: packages every service of `commit` for every stage in `slsart.toml`.
pub fn package_all(workspace: &Workspace<'_>, commit: &str) -> Result<()> {
    background::enter();
    let jobs = Jobs::of(workspace.repository);
    let commit = workspace.repository.resolve(commit)?;
    let (record, _lock) = jobs.own_record(workspace, commit)?;
    let number = record.number;
    let told = Told::new(&jobs, record, workspace.progress);
    told.change(|record| record.process = Some(std::process::id()));
    let now = || workspace.context.clock.now();
    let turn = match jobs.wait_for_turn(number) {
        Ok(Some(turn)) => turn,
        Ok(None) => {
            told.change(|record| record.end(JobState::Superseded, None, now()));
            return Ok(());
        }
        Err(error) => {
            told.change(|record| record.end(state_of(&error), None, now()));
            return Err(error);
        }
    };
    let mut watch = Stopwatch::start();
    told.change(|record| {
        record.state = JobState::Running;
        record.started = Some(now());
    });
    let outcome = jobs.tidy(number, now()).and_then(|()| package(workspace, commit, &told));
    let (state, error) = match &outcome {
        Ok(()) => (JobState::Done, None),
        Err(_) if told.is_superseded() => (JobState::Superseded, None),
        Err(error) if error.kind == Kind::Interrupted => (JobState::Stopped, None),
        Err(error) => (state_of(error), Some(error.to_string())),
    };
    told.change(|record| {
        record.milliseconds = Some(watch.lap());
        record.end(state, error, now());
    });
    drop(turn);
    if state == JobState::Superseded { Ok(()) } else { outcome }
}

fn state_of(error: &Error) -> JobState {
    if error.kind == Kind::Interrupted { JobState::Stopped } else { JobState::Failed }
}

impl Jobs {
    /// The record that the hook has made for this process, which has its lock too; or new ones, where this is run by hand.
    fn own_record(&self, workspace: &Workspace<'_>, commit: Oid) -> Result<(JobRecord, Option<Queued>)> {
        let is_mine = |job: &Job| job.record.state == JobState::Waiting && job.record.process.is_none();
        if let Some(job) = self.find(commit).filter(is_mine) {
            return Ok((job.record, None));
        }
        let queued = self.enqueue(commit, workspace.context.clock.now())?;
        let record = JobRecord::read(&self.file(&commit.to_string(), "toml")).filter(|_| queued.is_some());
        let record = record.ok_or_else(|| Error::refused("a job packages this commit already"))?;
        Ok((record, queued))
    }

    /// Waits until no other job packages. Returns the lock to hold while packaging, or `None` once there is a job for a newer commit.
    fn wait_for_turn(&self, number: u64) -> Result<Option<File>> {
        let turn = File::create(&self.turn).map_err(|error| Error::io("write", &self.turn, error))?;
        loop {
            interrupt::check()?;
            if self.is_superseded(number) {
                return Ok(None);
            }
            match turn.try_lock() {
                Ok(()) => return Ok(Some(turn)),
                // A blocking wait could not be given up when a newer job replaces this one.
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", &self.turn, error)),
            }
        }
    }

    /// Ends what killed jobs left running, records that they were killed, and removes old jobs. Only the job whose turn it is may call
    /// this.
    fn tidy(&self, own: u64, now: jiff::Timestamp) -> Result<()> {
        let others = || self.records().into_iter().filter(|record| record.number != own);
        let is_held = |record: &JobRecord| background::is_held(&self.file(&record.commit, "lock"));
        for record in others().filter(|record| record.state == JobState::Running && is_held(record)) {
            self.end(&record, background::Ending::Killed);
        }
        let _numbering = self.numbering()?;
        for record in others().filter(|record| record.state.goes_on() && !is_held(record)) {
            self.note_killed(&record, now)?;
        }
        self.prune()
    }
}

/// The stages and the region that a job packages a service for.
fn targets(workspace: &Workspace<'_>, service: &Service) -> Result<(Vec<Stage>, Region)> {
    let mut stages = workspace.config.hooks.stages.clone();
    if stages.is_empty() {
        stages.push(workspace.stage(&Wanted::default(), Some(service))?);
    }
    Ok((stages, workspace.region(&Wanted::default(), Some(service))?))
}

/// Fails if a background job of this commit is doing the same.
pub fn check_unclaimed(
    workspace: &Workspace<'_>,
    commit: Oid,
    service: &Service,
    stage: &Stage,
    region: &Region,
) -> Result<()> {
    let job = Jobs::of(workspace.repository).find(commit);
    if !job.is_some_and(|job| job.lives && job.record.state.goes_on()) {
        return Ok(());
    }
    let (stages, own_region) = targets(workspace, service)?;
    if !stages.contains(stage) || own_region != *region {
        return Ok(());
    }
    let short = workspace.repository.short_id(commit);
    Err(Error::refused(format!("a background job packages {short} already"))
        .hint(format!("to wait for it: {}", slsart(["jobs", "log", &short, "--follow"])))
        .hint(format!("to stop it: {}", slsart(["jobs", "stop"]))))
}

fn package(workspace: &Workspace<'_>, commit: Oid, told: &Told<'_>) -> Result<()> {
    let workspace = &workspace.with_progress(told);
    let making = Making {
        in_place: false,
        allow_dirty: false,
        again: false,
        storage: workspace.config.storage,
        installing: Output::Stream,
        packaging: Output::Stream,
    };
    for service in workspace.services(commit)? {
        let (stages, region) = targets(workspace, &service)?;
        for stage in &stages {
            let summary = make(workspace, commit, &service, stage, &region, making)?;
            told.note(&format!("recorded {} for {}", &summary.package[..8], summary.target));
            if let Ok(package) = summary.package.parse() {
                told.change(|record| record.packages.push(Made { package, target: summary.target }));
            }
        }
    }
    Ok(())
}
