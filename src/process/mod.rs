//! The only place that starts a child process, and the only one that listens for signals.
//! Knows nothing of what the programs are for.

pub mod background;
mod given;
pub mod interrupt;
mod timed;
mod told;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

pub use timed::{Ended, Patience};

use crate::error::{Error, Kind, Result};

/// The variables that bind a git process to one repository, as `git rev-parse --local-env-vars` lists them, and the
/// few more that git sets for hooks. A child started from a hook must not inherit them: npm, the framework and git
/// itself would work on the wrong repository.
const GIT_LOCAL_VARIABLES: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_EXEC_PATH",
    "GIT_EDITOR",
    "GIT_REFLOG_ACTION",
];

/// Where a child's output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// To our standard error as it comes: standard output is for results only.
    Stream,
    /// Nowhere, unless the child fails: then its last lines are part of the error.
    OnFailure,
}

/// A command line to run, with its directory and environment.
#[derive(Debug, Clone)]
pub struct Invocation {
    program: OsString,
    arguments: Vec<OsString>,
    directory: Option<PathBuf>,
    /// Those without a value are taken away.
    variables: Vec<(OsString, Option<OsString>)>,
    disposable: bool,
}

impl Invocation {
    /// A run of `program`, with no arguments yet.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            directory: None,
            variables: Vec::new(),
            disposable: false,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets the directory the program starts in.
    #[must_use]
    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), Some(value.into())));
        self
    }

    /// Takes an environment variable away.
    #[must_use]
    pub fn without_env(mut self, name: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), None));
        self
    }

    /// Says that its directory is gone when it has ended: a failure then doesn't name a command to try there.
    #[must_use]
    pub fn in_disposable_directory(mut self) -> Self {
        self.disposable = true;
        self
    }

    /// The program as it was named.
    #[must_use]
    pub fn program(&self) -> &OsStr {
        &self.program
    }

    /// Runs to the end and gives standard output; standard error is part of the error when it fails.
    pub fn read(&self) -> Result<Vec<u8>> {
        let output =
            self.prepared().stdin(Stdio::null()).output().map_err(|error| self.not_started(error))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        // A terminal sends Ctrl-C to the child too: that it failed is then no news.
        interrupt::check()?;
        Err(self.failed(output.status, &String::from_utf8_lossy(&output.stderr)))
    }

    /// Runs to the end and tells whether it succeeded, with standard output; nothing it prints is shown.
    pub fn probe(&self) -> Result<(bool, Vec<u8>)> {
        let output =
            self.prepared().stdin(Stdio::null()).output().map_err(|error| self.not_started(error))?;
        Ok((output.status.success(), output.stdout))
    }

    /// Runs to the end and gives the first mebibyte of standard output, or `None` when it took longer than `limit`: then it and
    /// what it started are killed. What it says on standard error is not shown.
    pub fn read_within(&self, limit: Duration) -> Result<Option<Vec<u8>>> {
        Ok(self.end_within(limit, Patience::UntilInterrupted)?.map(|ended| ended.stdout))
    }

    /// Runs to the end. Signals that ask this process to stop reach the child too; it is waited for, and the result
    /// is then the error [`Kind::Interrupted`].
    pub fn run(&self, output: Output) -> Result<()> {
        interrupt::check()?;
        let mut command = self.prepared();
        let mut kept = match output {
            Output::Stream => {
                let standard_error = duplicate_stderr().map_err(|error| self.not_started(error))?;
                command.stdout(standard_error).stderr(Stdio::inherit());
                None
            }
            Output::OnFailure => {
                let file = tempfile::tempfile().map_err(|error| self.not_started(error))?;
                let second = file.try_clone().map_err(|error| self.not_started(error))?;
                command
                    .stdin(Stdio::null())
                    .stdout(file.try_clone().map_err(|e| self.not_started(e))?)
                    .stderr(second);
                Some(file)
            }
        };
        let child = command.spawn().map_err(|error| self.not_started(error))?;
        let status = wait(child).map_err(|error| self.not_started(error))?;
        // A child that ended well has done its work, whoever asked it to stop: the caller finds out at its next step.
        if status.success() {
            return Ok(());
        }
        interrupt::check()?;
        Err(self.failed(status, &kept.as_mut().map(last_lines).unwrap_or_default()))
    }

    /// Starts the program and does not wait for it, its output appended to `log`. It goes into the background by itself
    /// ([`background::enter`]).
    pub fn detach(&self, log: &File) -> Result<()> {
        let not_started = |error| self.not_started(error);
        let mut command = self.prepared();
        command.stdin(Stdio::null()).stdout(log.try_clone().map_err(not_started)?);
        command.stderr(log.try_clone().map_err(not_started)?);
        command.spawn().map_err(|error| self.not_started(error))?;
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "the one home of child processes")]
    fn prepared(&self) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command.args(&self.arguments);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        for name in GIT_LOCAL_VARIABLES {
            command.env_remove(name);
        }
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    fn not_started(&self, error: io::Error) -> Error {
        let name = self.program.to_string_lossy();
        let this = Error::refused(format!("cannot start '{name}'"));
        let this = match error.kind() {
            io::ErrorKind::NotFound if !name.contains('/') => {
                this.hint(format!("install {name}, or add its directory to PATH"))
            }
            io::ErrorKind::NotFound => this.hint(format!(
                "the file or the program that its first line names is missing; try it: {self}"
            )),
            _ => this,
        };
        this.because(error)
    }

    fn failed(&self, status: ExitStatus, output: &str) -> Error {
        let code = exit_code(status);
        let how = match std::os::unix::process::ExitStatusExt::signal(&status) {
            Some(signal) => format!("was killed by signal {signal}"),
            None => format!("failed with exit code {code}"),
        };
        let name = Path::new(&self.program).file_name().unwrap_or(&self.program).to_string_lossy();
        let error = Error::new(Kind::Child(code), format!("{name} {how}"));
        let error = if self.disposable { error } else { error.hint(format!("to try it by hand: {self}")) };
        let output = output.trim_end();
        if output.is_empty() { error } else { error.because(io::Error::other(output.to_owned())) }
    }
}

impl fmt::Display for Invocation {
    /// The command line, quoted so that it can be pasted into a shell.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(directory) = &self.directory {
            write!(f, "(cd {} && ", quoted(directory.as_os_str()))?;
        }
        write!(f, "{}", quoted(&self.program))?;
        for argument in &self.arguments {
            write!(f, " {}", quoted(argument))?;
        }
        if self.directory.is_some() { f.write_str(")") } else { Ok(()) }
    }
}

/// This machine's name, as people know it.
#[must_use]
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    shlex::try_quote(&word).map_or_else(|_| word.to_string(), std::borrow::Cow::into_owned)
}

fn wait(mut child: Child) -> io::Result<ExitStatus> {
    let _forwarding = interrupt::forward_to(child.id());
    child.wait()
}

/// A child's exit code, or `128 + signal` as a shell has it.
fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

fn duplicate_stderr() -> io::Result<Stdio> {
    Ok(Stdio::from(io::stderr().as_fd().try_clone_to_owned()?))
}

/// The end of what a child wrote: enough to see why it failed.
fn last_lines(file: &mut File) -> String {
    const TAIL: u64 = 4096;
    let length = file.seek(SeekFrom::End(0)).unwrap_or(0);
    let mut text = Vec::new();
    if file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).is_ok() {
        // What can't be read back is not worth a second error.
        let _ = file.take(TAIL).read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_prints_so_that_it_can_be_pasted() {
        let command = Invocation::new("npm").arg("ci").arg("--prefix").arg("a b").current_dir("/tmp/it's");
        assert_eq!(command.to_string(), r#"(cd "/tmp/it's" && npm ci --prefix 'a b')"#);
    }

    #[test]
    fn a_failing_child_gives_its_code_and_its_last_words() {
        let error = Invocation::new("sh")
            .args(["-c", "echo no space >&2; exit 7"])
            .run(Output::OnFailure)
            .unwrap_err();
        assert_eq!(error.kind, Kind::Child(7));
        assert_eq!(error.causes(), ["no space"]);
    }

    #[test]
    fn what_takes_too_long_is_killed_with_what_it_started() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let script = format!("sleep 600 & echo $! >{}; wait", file.path().display());
        let run = Invocation::new("sh").args(["-c", &script]);
        assert_eq!(run.read_within(Duration::from_millis(300)).unwrap(), None);
        let started = std::fs::read_to_string(file.path()).unwrap();
        let state = || std::fs::read_to_string(format!("/proc/{}/stat", started.trim())).unwrap_or_default();
        let is_gone = |state: &str| state.is_empty() || state.contains(") Z ");
        // The signal was sent; the kernel may still be at it.
        let sent = std::time::Instant::now();
        while !is_gone(&state()) && sent.elapsed() < Duration::from_secs(20) {
            std::thread::yield_now();
        }
        assert!(is_gone(&state()), "{}", state());
        let quick = Invocation::new("sh").args(["-c", "echo quick"]).read_within(Duration::from_mins(1));
        assert_eq!(quick.unwrap().as_deref(), Some(&b"quick\n"[..]));
    }

    #[test]
    fn hooks_variables_do_not_reach_a_child() {
        let listed = Invocation::new("git").args(["rev-parse", "--local-env-vars"]).read().unwrap();
        for name in String::from_utf8(listed).unwrap().lines() {
            assert!(GIT_LOCAL_VARIABLES.contains(&name), "{name} is not cleared");
        }
    }
}
