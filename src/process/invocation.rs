//! A command line: program, directory, environment and input.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

use super::interrupt::Group;
use crate::error::{Error, Kind, Result};

/// The variables that bind a git process to one repository, as `git rev-parse --local-env-vars` lists them, and a few more that git sets
/// for hooks. A child started from a hook must not inherit them: npm, the framework and git itself would work on the wrong repository.
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

#[derive(Debug, Clone)]
enum Input {
    None,
    Bytes(Vec<u8>),
    File(Arc<File>),
}

#[derive(Debug, Clone)]
pub struct Invocation {
    program: OsString,
    arguments: Vec<OsString>,
    directory: Option<PathBuf>,
    /// Those without a value are removed.
    variables: Vec<(OsString, Option<OsString>)>,
    disposable: bool,
    input: Input,
    pub(super) output: Option<Arc<File>>,
    pub(super) group: Group,
}

impl Invocation {
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            directory: None,
            variables: Vec::new(),
            disposable: false,
            input: Input::None,
            output: None,
            group: Group::Ours,
        }
    }

    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), Some(value.into())));
        self
    }

    pub fn without_env(mut self, name: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), None));
        self
    }

    pub fn group(mut self, group: Group) -> Self {
        self.group = group;
        self
    }

    /// Its directory will be removed, so an error does not suggest a command to try there.
    pub fn in_disposable_directory(mut self) -> Self {
        self.disposable = true;
        self
    }

    pub fn program(&self) -> &OsStr {
        &self.program
    }

    pub fn input(self, bytes: impl Into<Vec<u8>>) -> Self {
        Self { input: Input::Bytes(bytes.into()), ..self }
    }

    /// Gives it `file` from its present position as standard input.
    pub fn input_file(self, file: File) -> Self {
        Self { input: Input::File(Arc::new(file)), ..self }
    }

    /// Writes standard output that [`Self::run`] would discard to `file`.
    pub fn output_file(self, file: File) -> Self {
        Self { output: Some(Arc::new(file)), ..self }
    }

    pub(super) fn start(&self, mut command: Command) -> Result<Child> {
        let mut start = || -> io::Result<Child> {
            match &self.input {
                Input::None => {}
                Input::Bytes(bytes) => {
                    // A file, not a pipe: neither side waits for the other.
                    let mut file = tempfile::tempfile()?;
                    file.write_all(bytes)?;
                    file.rewind()?;
                    command.stdin(file);
                }
                Input::File(file) => drop(command.stdin(file.try_clone()?)),
            }
            command.spawn()
        };
        start().map_err(|error| self.not_started(error))
    }

    #[expect(clippy::disallowed_methods, reason = "the one home of child processes")]
    pub(super) fn prepared(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null());
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

    pub(super) fn name(&self) -> Cow<'_, str> {
        Path::new(&self.program).file_name().unwrap_or(&self.program).to_string_lossy()
    }

    pub(super) fn not_started(&self, error: io::Error) -> Error {
        let name = self.program.to_string_lossy();
        let this = Error::refused(format!("cannot start '{name}'"));
        let this = match error.kind() {
            io::ErrorKind::NotFound if !name.contains('/') => {
                this.hint(format!("install {name}, or add its directory to PATH"))
            }
            io::ErrorKind::NotFound => this.hint(format!(
                "the file, or the interpreter named in its first line, is missing; to try it: {self}"
            )),
            _ => this,
        };
        this.because(error)
    }

    pub(super) fn failed(&self, status: ExitStatus, output: &str) -> Error {
        let code = exit_code(status);
        let how = match std::os::unix::process::ExitStatusExt::signal(&status) {
            Some(signal) => format!("was killed by signal {signal}"),
            None => format!("failed with exit code {code}"),
        };
        let error = Error::new(Kind::Child(code), format!("{} {how}", self.name()));
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

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    shlex::try_quote(&word).map_or_else(|_| word.to_string(), std::borrow::Cow::into_owned)
}

/// A child's exit code, or `128 + signal` as a shell has it.
fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
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
    fn hooks_variables_do_not_reach_a_child() {
        let listed = Invocation::new("git").args(["rev-parse", "--local-env-vars"]).read().unwrap();
        for name in String::from_utf8(listed).unwrap().lines() {
            assert!(GIT_LOCAL_VARIABLES.contains(&name), "{name} is not cleared");
        }
    }
}
