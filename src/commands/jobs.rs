//! `jobs list`, `log` and `stop`: commits that are packaged in the background.

use std::collections::BTreeSet;
use std::fmt;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::git::{Oid, Repository};
use crate::packaging::jobs::{Job, JobState, Jobs, Made};
use crate::text::command::{in_text, slsart};
use crate::text::style::{BOLD, COMMIT, DIM, ERROR, GOOD, WARNING};
use crate::text::table::{Column, Table};
use crate::text::words::{ago, count, line, seconds, short};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Manage background packaging
///
/// With `post-commit = "package"` in slsart.toml, the hook packages commits in the background: one at a time, with low
/// priority, newest first. Of many commits in a row, only the last is packaged. Without a command, lists the jobs.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct JobsArgs {
    #[command(subcommand)]
    command: Option<JobsCommand>,
}

#[derive(Debug, Subcommand)]
enum JobsCommand {
    List(JobsListArgs),
    Log(JobsLogArgs),
    Stop(JobsStopArgs),
}

/// List the running jobs and the last twenty that ended, newest first
#[derive(Debug, Args)]
struct JobsListArgs {}

/// Show what a job has printed
#[derive(Debug, Args)]
struct JobsLogArgs {
    /// The commit of the job [default: the newest job]
    #[arg(value_name = "COMMIT")]
    revision: Option<String>,
    /// Keep printing new output until the job ends
    #[arg(short, long)]
    follow: bool,
}

/// Stop the running jobs, with their child processes
///
/// Each job gets a signal, stops, and removes its worktree. After ten seconds it is killed. Waits until all processes have ended.
#[derive(Debug, Args)]
struct JobsStopArgs {}

/// A job, as it is printed.
#[derive(Debug, Serialize)]
pub(super) struct JobRow {
    pub(super) commit: String,
    #[serde(skip)]
    pub(super) short: String,
    pub(super) subject: String,
    #[serde(serialize_with = "by_name")]
    pub(super) state: JobState,
    queued: Timestamp,
    pub(super) started: Option<Timestamp>,
    ended: Option<Timestamp>,
    milliseconds: Option<u64>,
    pub(super) phase: Option<String>,
    packages: Vec<Made>,
    pub(super) error: Option<String>,
    /// Whether it was killed, and something that it started lives.
    pub(super) orphaned: bool,
    log: String,
}

fn by_name<S: serde::Serializer>(state: &JobState, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(state.name())
}

impl JobRow {
    /// Whether it packages this commit, now or soon.
    pub(super) fn packages(&self, commit: &str) -> bool {
        self.state.goes_on() && self.commit == commit
    }

    pub(super) fn of(job: &Job, repository: &Repository) -> Self {
        let record = &job.record;
        let commit = Oid::from_str(&record.commit).ok();
        let subject = commit.and_then(|commit| repository.commit(commit).ok()).map(|commit| commit.subject);
        Self {
            short: commit
                .map_or_else(|| short(&record.commit, 7).to_owned(), |commit| repository.short_id(commit)),
            commit: record.commit.clone(),
            subject: subject.unwrap_or_default(),
            state: record.state,
            queued: record.queued,
            started: record.started,
            ended: record.ended,
            milliseconds: record.milliseconds,
            phase: record.phase.clone().filter(|_| record.state == JobState::Running),
            packages: record.packages.clone(),
            error: record.error.clone(),
            orphaned: job.is_orphaned,
            log: job.log.display().to_string(),
        }
    }
}

#[derive(Debug, Serialize)]
struct JobsReport {
    jobs: Vec<JobRow>,
    #[serde(skip)]
    verbose: bool,
    #[serde(skip)]
    now: Timestamp,
}

#[derive(Debug, Serialize)]
struct JobLogReport {
    #[serde(flatten)]
    job: JobRow,
    text: String,
}

#[derive(Debug, Serialize)]
struct StoppedJob {
    #[serde(flatten)]
    job: JobRow,
    /// Whether it did not end by itself.
    killed: bool,
}

#[derive(Debug, Serialize)]
struct StoppedJobsReport {
    stopped: Vec<StoppedJob>,
}

pub(crate) fn run(args: &JobsArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    match &args.command {
        None | Some(JobsCommand::List(JobsListArgs {})) => list(workspace, ui),
        Some(JobsCommand::Log(args)) => log(args, workspace, ui),
        Some(JobsCommand::Stop(JobsStopArgs {})) => stop(workspace, ui),
    }
}

fn list(workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let all = Jobs::of(workspace.repository).all();
    let jobs = all.iter().map(|job| JobRow::of(job, workspace.repository)).collect();
    ui.report(&JobsReport { jobs, verbose: ui.is_verbose(), now: workspace.context.clock.now() })
}

fn log(args: &JobsLogArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let jobs = Jobs::of(workspace.repository);
    let job = match &args.revision {
        None => jobs.all().into_iter().next(),
        Some(revision) => jobs.find(workspace.repository.resolve(revision)?),
    };
    let Some(job) = job else {
        let what = match &args.revision {
            Some(revision) => format!("no job packaged '{revision}'"),
            None => "no commit was packaged in the background here".to_owned(),
        };
        return Err(Error::not_recorded(what).hint("to list the jobs: git slsart jobs"));
    };
    if !ui.is_json() {
        return jobs.read_log(&job, args.follow, &mut |text| ui.text(text));
    }
    if args.follow {
        return Err(Error::usage("a log that is followed can't be printed as JSON")
            .hint("leave out --json, or --follow"));
    }
    let text = job.end_of_log()?;
    ui.report(&JobLogReport { job: JobRow::of(&job, workspace.repository), text })
}

fn stop(workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let stopped = Jobs::of(workspace.repository).stop(workspace)?.into_iter();
    let row = |killed, job: &Job| StoppedJob { job: JobRow::of(job, workspace.repository), killed };
    let stopped = stopped.map(|stopped| row(stopped.killed, &stopped.job)).collect();
    ui.done(&StoppedJobsReport { stopped }, false)
}

impl fmt::Display for JobsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.jobs.is_empty() {
            return writeln!(
                f,
                "{DIM}no commit was packaged in the background here; to turn it on: `post-commit` in [hooks] of slsart.toml{DIM:#}"
            );
        }
        let mut table = Table::new([
            Column::left(),
            Column::left().style(COMMIT),
            Column::ragged().cut(),
            Column::ragged().cut().style(DIM),
        ]);
        for row in &self.jobs {
            let style = match row.state {
                JobState::Running | JobState::Waiting => BOLD,
                JobState::Done => GOOD,
                JobState::Failed => ERROR,
                JobState::Stopped => WARNING,
                JobState::Superseded => DIM,
            };
            let subject = line(&row.subject).into_owned();
            let state = format!("{style}{:10}{style:#}", row.state.name());
            table.line([state, row.short.clone(), subject, row.how(self.now)]);
            if row.orphaned {
                table.note(
                    1,
                    format!(
                        "{WARNING}!{WARNING:#} its child processes still run; to stop them: git slsart jobs stop"
                    ),
                );
            }
            if self.verbose {
                table.note(1, format!("{DIM}{}{DIM:#}", line(&row.log)));
            }
        }
        fmt::Display::fmt(&table, f)
    }
}

impl JobRow {
    pub(super) fn how(&self, now: Timestamp) -> String {
        let took = self.milliseconds.map(|taken| format!(" in {} s", seconds(taken))).unwrap_or_default();
        let why = self.error.as_ref().map(|error| format!(": {}", line(error))).unwrap_or_default();
        let when = ago(self.ended.or(self.started).unwrap_or(self.queued), now);
        match self.state {
            JobState::Running => match self.phase.as_deref() {
                Some(phase) => format!("{}, began {when}", line(phase)),
                None => format!("began {when}"),
            },
            JobState::Waiting => format!("committed {when}"),
            JobState::Done => format!("{when}{took}: {}", count(self.packages.len(), "package")),
            JobState::Failed | JobState::Stopped => format!("{when}{took}{why}"),
            JobState::Superseded => format!("{when}: a newer commit was packaged instead"),
        }
    }
}

impl fmt::Display for JobLogReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for StoppedJobsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.stopped.is_empty() {
            return writeln!(f, "{DIM}no job is running{DIM:#}");
        }
        for StoppedJob { job, killed } in &self.stopped {
            let how = match job.state {
                _ if *killed => "killed",
                JobState::Waiting => "before it started",
                _ => "while it was running",
            };
            let subject = line(&job.subject);
            writeln!(f, "Stopped   {COMMIT}{}{COMMIT:#}  {subject}  {DIM}{how}{DIM:#}", job.short)?;
        }
        Ok(())
    }
}

/// An error that does not hint at packaging what a background job packages now.
pub(crate) fn without_jobs_of(mut error: Error, repository: &Repository) -> Error {
    wait_for_jobs(error.hints.iter_mut(), repository);
    let mut seen = BTreeSet::new();
    error.hints.retain(|hint| seen.insert(hint.clone()));
    error
}

/// Replaces the hints at packaging what a background job packages now.
pub(super) fn wait_for_jobs<'h>(hints: impl Iterator<Item = &'h mut String>, repository: &Repository) {
    let mut hints: Vec<_> = hints.filter(|hint| is_to_package(hint)).collect();
    if hints.is_empty() {
        return;
    }
    for job in Jobs::of(repository).all().into_iter().filter(|job| job.lives && job.record.state.goes_on()) {
        let Ok(commit) = Oid::from_str(&job.record.commit) else { continue };
        let short = repository.short_id(commit);
        let is_head = repository.head() == Some(commit);
        for hint in &mut hints {
            let is_meant = in_text(hint).into_iter().any(|range| {
                let named = hint[range].split(' ').nth(3).filter(|word| !word.starts_with('-'));
                named
                    .map_or(is_head, |named| named == short || repository.resolve(named).ok() == Some(commit))
            });
            if is_meant {
                let follow = slsart(["jobs", "log", &short, "--follow"]);
                **hint = format!("a background job packages {short} now; to follow it: {follow}");
            }
        }
    }
}

/// Whether a hint has a command that packages: `package`, or `deploy --package`.
fn is_to_package(hint: &str) -> bool {
    in_text(hint).into_iter().any(|range| {
        let words: Vec<_> = hint[range].split(' ').skip(2).collect();
        words.first() == Some(&"package") || words.first() == Some(&"deploy") && words.contains(&"--package")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_has_only_just_begun_has_no_phase_to_show() {
        let now = Timestamp::UNIX_EPOCH;
        let mut row = JobRow {
            commit: "12a1bee".to_owned(),
            short: "12a1bee".to_owned(),
            subject: String::new(),
            state: JobState::Running,
            queued: now,
            started: Some(now),
            ended: None,
            milliseconds: None,
            phase: None,
            packages: Vec::new(),
            error: None,
            orphaned: false,
            log: String::new(),
        };
        assert_eq!(row.how(now), format!("began {}", ago(now, now)));
        row.phase = Some("Packaging".to_owned());
        assert_eq!(row.how(now), format!("Packaging, began {}", ago(now, now)));
    }
}
