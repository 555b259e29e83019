//! Children with a time limit.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::unix::process::CommandExt as _;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::{Invocation, interrupt};
use crate::error::{Error, Result};

pub(super) const MAX_BYTES: u64 = 1 << 20;
const PAUSE: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub struct Ended {
    pub succeeded: bool,
    /// The first mebibyte of its standard output.
    pub stdout: Vec<u8>,
    /// The first mebibyte of its standard error.
    pub stderr: Vec<u8>,
}

/// Whether to wait for a child when a signal stops this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    UntilInterrupted,
    /// It cleans up, so wait.
    Always,
}

impl Invocation {
    /// Runs to the end. After `limit` the result is `None`, and the child and its own children are killed. It can't use a terminal.
    pub fn end_within(&self, limit: Duration, patience: Patience) -> Result<Option<Ended>> {
        let not_started = |error| self.not_started(error);
        let mut stdout = tempfile::tempfile().map_err(not_started)?;
        let mut stderr = tempfile::tempfile().map_err(not_started)?;
        let mut command = self.prepared();
        // A group of its own, so that its children can be killed with it.
        command.process_group(0);
        command.stdout(stdout.try_clone().map_err(not_started)?);
        command.stderr(stderr.try_clone().map_err(not_started)?);
        let mut child = self.start(command)?;
        let start = Instant::now();
        let goes_on = || patience == Patience::Always || interrupt::check().is_ok();
        let mut ended = None;
        while ended.is_none() && start.elapsed() < limit && goes_on() {
            ended = child.try_wait().map_err(not_started)?;
            if ended.is_none() {
                std::thread::sleep(PAUSE);
            }
        }
        let Some(status) = ended else {
            if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                // It may have ended in between.
                let _ = kill_process_group(group, Signal::KILL);
            }
            child.wait().map_err(not_started)?;
            return if goes_on() { Ok(None) } else { Err(Error::interrupted()) };
        };
        let (stdout, stderr) =
            (text(&mut stdout).map_err(not_started)?, text(&mut stderr).map_err(not_started)?);
        Ok(Some(Ended { succeeded: status.success(), stdout, stderr }))
    }
}

pub(super) fn text(file: &mut File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.rewind()?;
    file.take(MAX_BYTES).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_is_killed_with_what_it_started() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let script = format!("sleep 600 & echo $! >{}; wait", file.path().display());
        let run = Invocation::new("sh").args(["-c", &script]);
        // On a busy machine it may not have started anything by then, which would prove nothing.
        let mut limit = Duration::from_millis(300);
        let started = loop {
            let ended = run.end_within(limit, Patience::UntilInterrupted).unwrap();
            assert_eq!(ended.map(|ended| ended.stdout), None);
            let started = std::fs::read_to_string(file.path()).unwrap();
            if !started.is_empty() {
                break started;
            }
            limit *= 2;
        };
        let state = || std::fs::read_to_string(format!("/proc/{}/stat", started.trim())).unwrap_or_default();
        let is_gone = |state: &str| state.is_empty() || state.contains(") Z ");
        // The signal was sent; the kernel may still be at it.
        let sent = Instant::now();
        while !is_gone(&state()) {
            assert!(sent.elapsed() < Duration::from_mins(5), "it lives on: {}", state());
            std::thread::sleep(PAUSE);
        }
        let quick = Invocation::new("sh").args(["-c", "echo quick"]);
        let quick = quick.end_within(Duration::from_mins(1), Patience::UntilInterrupted).unwrap();
        assert_eq!(quick.unwrap().stdout, b"quick\n");
    }
}
