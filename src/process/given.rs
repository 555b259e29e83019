//! Children that are given something to read.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::process::Stdio;

use super::{Invocation, interrupt};
use crate::error::Result;

impl Invocation {
    /// As [`Self::read`], with `input` as what it reads from standard input.
    pub fn read_given(&self, input: &[u8]) -> Result<Vec<u8>> {
        let stdin = self.given(input)?;
        let output = self.prepared().stdin(stdin).output().map_err(|error| self.not_started(error))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        interrupt::check()?;
        Err(self.failed(output.status, &String::from_utf8_lossy(&output.stderr)))
    }

    /// Runs to the end with `input` on standard input and standard output written to `output`. Signals reach it too.
    pub fn write_given(&self, input: &[u8], output: File) -> Result<()> {
        let stdin = self.given(input)?;
        self.connected(stdin, output.into())
    }

    /// Runs to the end with `input` on standard input; what it prints is not shown. Signals reach it too.
    pub fn feed(&self, input: File) -> Result<()> {
        self.connected(input.into(), Stdio::null())
    }

    fn connected(&self, stdin: Stdio, stdout: Stdio) -> Result<()> {
        interrupt::check()?;
        let not_started = |error| self.not_started(error);
        let mut said = tempfile::tempfile().map_err(not_started)?;
        let mut command = self.prepared();
        command.stdin(stdin).stdout(stdout).stderr(said.try_clone().map_err(not_started)?);
        let child = command.spawn().map_err(not_started)?;
        let status = super::wait(child).map_err(not_started)?;
        if status.success() {
            return Ok(());
        }
        interrupt::check()?;
        Err(self.failed(status, &super::last_lines(&mut said)))
    }

    fn given(&self, input: &[u8]) -> Result<Stdio> {
        let file = || -> io::Result<Stdio> {
            // A file, not a pipe: nobody waits for anybody.
            let mut file = tempfile::tempfile()?;
            file.write_all(input)?;
            file.rewind()?;
            Ok(file.into())
        };
        file().map_err(|error| self.not_started(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_reads_what_it_is_given() {
        let long = vec![b'x'; 1 << 20];
        assert_eq!(Invocation::new("cat").read_given(&long).unwrap(), long);
        let mut output = tempfile::tempfile().unwrap();
        Invocation::new("cat").write_given(&long, output.try_clone().unwrap()).unwrap();
        output.rewind().unwrap();
        let mut sum = Invocation::new("sh").args(["-c", "test $(wc -c) = 1048576"]);
        sum.feed(output.try_clone().unwrap()).unwrap();
        sum = Invocation::new("sh").args(["-c", "echo no >&2; exit 4"]);
        assert_eq!(sum.feed(output).unwrap_err().causes(), ["no"]);
        let error = Invocation::new("sh").args(["-c", "cat >&2; exit 3"]).read_given(b"why").unwrap_err();
        assert_eq!(error.causes(), ["why"]);
    }
}
