//! Children that are given something to read.

use std::io::{self, Seek as _, Write as _};
use std::process::Stdio;

use super::{Invocation, interrupt};
use crate::error::Result;

impl Invocation {
    /// As [`Self::read`], with `input` as what it reads from standard input.
    pub fn read_given(&self, input: &[u8]) -> Result<Vec<u8>> {
        let stdin = || -> io::Result<Stdio> {
            // A file, not a pipe: nobody waits for anybody.
            let mut file = tempfile::tempfile()?;
            file.write_all(input)?;
            file.rewind()?;
            Ok(file.into())
        };
        let stdin = stdin().map_err(|error| self.not_started(error))?;
        let output = self.prepared().stdin(stdin).output().map_err(|error| self.not_started(error))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        interrupt::check()?;
        Err(self.failed(output.status, &String::from_utf8_lossy(&output.stderr)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_reads_what_it_is_given() {
        let long = vec![b'x'; 1 << 20];
        assert_eq!(Invocation::new("cat").read_given(&long).unwrap(), long);
        let error = Invocation::new("sh").args(["-c", "cat >&2; exit 3"]).read_given(b"why").unwrap_err();
        assert_eq!(error.causes(), ["why"]);
    }
}
