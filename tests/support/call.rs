//! A program that is run in a cleared environment, and what came of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::bed::wait_until;
use crate::schemas::Promise;

/// A command line that has not run yet.
pub(crate) struct Call(Command);

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    line: String,
    status: ExitStatus,
    /// What it printed as its result.
    pub(crate) stdout: String,
    /// All else that it printed, and what the programs that it ran printed.
    pub(crate) stderr: String,
}

/// A call that is under way.
pub(crate) struct Running {
    line: String,
    promise: Option<Promise>,
    child: Child,
    stdout: File,
    stderr: File,
}

impl Call {
    /// A call of `program` in `directory` with no other environment than `variables`.
    pub(crate) fn new(program: &str, directory: &Path, variables: &BTreeMap<String, String>) -> Self {
        let mut command = Command::new(program);
        command.current_dir(directory).env_clear().envs(variables);
        Self(command)
    }

    /// Adds arguments.
    pub(crate) fn arguments(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.0.args(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable for this call.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// Runs it, and fails the test unless it succeeds.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Outcome {
        self.start().ends_with(0)
    }

    /// Runs it, and fails the test unless it ends with this exit code.
    #[track_caller]
    pub(crate) fn fails_with(self, code: i32) -> Outcome {
        self.start().ends_with(code)
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Running {
        let [stdout, stderr] = [(); 2].map(|()| tempfile::tempfile().unwrap());
        let line = format!("{:?}", self.0.get_args().collect::<Vec<_>>());
        let promise = Promise::of(&self.0);
        let command = self.0.stdin(Stdio::null()).stdout(stdout.try_clone().unwrap());
        let child = command.stderr(stderr.try_clone().unwrap()).spawn().unwrap();
        Running { line, promise, child, stdout, stderr }
    }
}

impl Running {
    /// Waits until `holds`, which must come before the end of the call.
    #[track_caller]
    pub(crate) fn wait_until(&mut self, what: &str, mut holds: impl FnMut() -> bool) {
        wait_until(what, || {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{} ended before {what}: {status}\n{}", self.line, text(&mut self.stderr));
            }
            holds()
        });
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end, whatever it is.
    #[track_caller]
    pub(crate) fn ends(mut self) -> Outcome {
        let status = self.child.wait().unwrap();
        let [stdout, stderr] = [text(&mut self.stdout), text(&mut self.stderr)];
        if let Some(promise) = &self.promise {
            promise.hold(status.code(), &stdout, &stderr);
        }
        Outcome { line: self.line, status, stdout, stderr }
    }

    /// Waits for the end, and fails the test unless it is with this exit code.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Outcome {
        let outcome = self.ends();
        assert_eq!(outcome.status.code(), Some(code), "{outcome}");
        outcome
    }
}

impl Outcome {
    /// The one JSON document that it printed.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// The signal that ended it.
    pub(crate) fn killed_by(&self) -> Option<i32> {
        self.status.signal()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, status, stdout, stderr } = self;
        writeln!(f, "{line}: {status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

/// All that is in a file.
pub(crate) fn text(file: &mut File) -> String {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
