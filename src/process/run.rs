//! Running a child to its end, or leaving it in the background.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus, Stdio};

use super::Invocation;
use super::interrupt::{self, Group};
use super::relay::{MAX_PRINTED, Relay, Stream, Typed};
use crate::error::Result;

/// So many bytes of what a failed child printed are part of the error: enough to see why it failed.
const MAX_NEWS: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// To our standard error as it comes: standard output is for results only. The child reads our standard input.
    Stream,
    /// Discarded; if the child fails, its last lines are part of the error.
    OnFailure,
}

impl Invocation {
    /// Runs to the end and returns standard output; if it fails, standard error is part of the error.
    pub fn read(&self) -> Result<Vec<u8>> {
        let output = self.output()?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        // A terminal sends Ctrl-C to the child too: then its failure is expected.
        interrupt::check()?;
        Err(self.failed(output.status, &String::from_utf8_lossy(&output.stderr)))
    }

    /// Runs to the end, silently; returns whether it succeeded, and standard output.
    pub fn probe(&self) -> Result<(bool, Vec<u8>)> {
        let output = self.output()?;
        Ok((output.status.success(), output.stdout))
    }

    fn output(&self) -> Result<std::process::Output> {
        let mut command = self.prepared();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        self.start(command)?.wait_with_output().map_err(|error| self.not_started(error))
    }

    /// Runs to the end. Signals that stop this process reach the child too; it is waited for, and the error is then
    /// [`crate::error::Kind::Interrupted`].
    pub fn run(&self, output: Output) -> Result<()> {
        interrupt::check()?;
        let not_started = |error| self.not_started(error);
        let mut command = self.prepared();
        let (mut printed, mut stream, mut typed) = (None, None, None);
        if self.group == Group::Own {
            command.process_group(0);
        }
        match output {
            Output::Stream => {
                let stream = stream.insert(Stream::open().map_err(not_started)?);
                command.stdout(stream.end().map_err(not_started)?);
                command.stderr(stream.end().map_err(not_started)?);
                command.stdin(Stdio::inherit());
                if self.group == Group::Own && io::stdin().is_terminal() {
                    let typed = typed.insert(Typed::open().map_err(not_started)?);
                    command.stdin(typed.end().map_err(not_started)?);
                }
            }
            Output::OnFailure => {
                let file = printed.insert(tempfile::tempfile().map_err(not_started)?);
                let stdout = self.output.as_deref().unwrap_or(file);
                command.stdout(stdout.try_clone().map_err(not_started)?);
                command.stderr(file.try_clone().map_err(not_started)?);
            }
        }
        let child = self.start(command)?;
        let output = stream.map(Stream::relay).transpose().map_err(not_started)?;
        let input = typed.map(Typed::relay).transpose().map_err(not_started)?;
        let status = self.wait(child).map_err(not_started)?;
        if let Some(relay) = input {
            relay.finish();
        }
        let shown = output.map(Relay::finish);
        // A child that succeeded has done its work even if a signal came: the caller notices the signal at its next step.
        if status.success() {
            return Ok(());
        }
        match status.signal() {
            Some(signal) => interrupt::check_beside(signal)?,
            None => interrupt::check()?,
        }
        // The error does not repeat what was shown.
        let (printed, news) = match (shown, printed) {
            (Some(shown), _) => (shown, 0),
            (None, file) => (file.map(end).unwrap_or_default(), MAX_NEWS),
        };
        let news = &printed[printed.len() - printed.len().min(news)..];
        let mut error = self.failed(status, &String::from_utf8_lossy(news));
        error.printed = String::from_utf8_lossy(&printed).into_owned();
        Err(error)
    }

    /// Starts the program without waiting for it, and appends its output to `log`. It puts itself into the background
    /// ([`super::background::enter`]).
    pub fn detach(&self, log: &File) -> Result<()> {
        let copy = || log.try_clone().map_err(|error| self.not_started(error));
        let mut command = self.prepared();
        command.stdout(copy()?).stderr(copy()?);
        self.start(command).map(drop)
    }

    fn wait(&self, mut child: Child) -> io::Result<ExitStatus> {
        let _forwarding = interrupt::forward_to(child.id(), &self.name(), self.group);
        child.wait()
    }
}

/// The end of a child's output.
fn end(mut file: File) -> Vec<u8> {
    let length = file.seek(SeekFrom::End(0)).unwrap_or(0);
    let mut text = Vec::new();
    if file.seek(SeekFrom::Start(length.saturating_sub(MAX_PRINTED as u64))).is_ok() {
        // Unreadable output is not worth a second error.
        let _ = file.take(MAX_PRINTED as u64).read_to_end(&mut text);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::error::Kind;

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
    fn more_of_what_a_failing_child_printed_is_kept_than_the_error_shows() {
        let script = "head -c 100000 /dev/zero | tr '\\0' . >&2; echo why; exit 7";
        let error = Invocation::new("sh").args(["-c", script]).run(Output::OnFailure).unwrap_err();
        assert_eq!((error.causes()[0].len(), error.printed.len()), (MAX_NEWS - 1, MAX_PRINTED));
        assert!(error.printed.ends_with(".why\n"));
    }

    #[test]
    fn a_child_reads_its_input_and_writes_to_a_file() {
        let long = vec![b'x'; 1 << 20];
        assert_eq!(Invocation::new("cat").input(&long[..]).read().unwrap(), long);
        let mut output = tempfile::tempfile().unwrap();
        let copy = Invocation::new("cat").input(&long[..]).output_file(output.try_clone().unwrap());
        copy.run(Output::OnFailure).unwrap();
        output.rewind().unwrap();
        let count = Invocation::new("sh").args(["-c", "test $(wc -c) = 1048576"]);
        count.input_file(output.try_clone().unwrap()).run(Output::OnFailure).unwrap();
        let fails = Invocation::new("sh").args(["-c", "cat; echo no >&2; exit 4"]);
        output.write_all(b"more").unwrap();
        let error = fails.clone().output_file(output).run(Output::OnFailure).unwrap_err();
        assert_eq!(error.causes(), ["no"]);
        let error = Invocation::new("sh").args(["-c", "cat >&2; exit 3"]).input(*b"why").read().unwrap_err();
        assert_eq!(error.causes(), ["why"]);
    }
}
