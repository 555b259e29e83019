//! Children that report their progress on standard error.

use std::io::{self, BufReader};
use std::process::Stdio;

use super::limit::{Ended, MAX_BYTES, text};
use super::{Invocation, interrupt};
use crate::error::Result;

impl Invocation {
    /// Runs to the end, and calls `on_line` with each line of standard error as it comes: lines end with LF or, for progress, with CR. The
    /// child may use the terminal, and signals reach it too.
    ///
    /// # Errors
    /// When it can't be started, and [`crate::error::Kind::Interrupted`]; a failure of the child is in the result.
    pub fn stream_stderr(&self, on_line: &mut dyn FnMut(&str)) -> Result<Ended> {
        interrupt::check()?;
        let not_started = |error| self.not_started(error);
        let mut stdout = tempfile::tempfile().map_err(not_started)?;
        let mut command = self.prepared();
        command.stderr(Stdio::piped()).stdout(stdout.try_clone().map_err(not_started)?);
        let mut child = self.start(command)?;
        let forwarding = interrupt::forward_to(child.id(), &self.name(), self.group);
        let mut stderr = Vec::new();
        if let Some(pipe) = child.stderr.take() {
            let mut lines = BufReader::new(pipe);
            let mut line = Vec::new();
            while let Ok(true) = next_line(&mut lines, &mut line) {
                on_line(String::from_utf8_lossy(&line).trim_end());
                // Only a progress's last line is kept.
                if line.ends_with(b"\n") && (stderr.len() as u64) < MAX_BYTES {
                    stderr.extend_from_slice(&line);
                }
            }
        }
        let status = child.wait().map_err(not_started)?;
        drop(forwarding);
        if !status.success() {
            interrupt::check()?;
        }
        let stdout = text(&mut stdout).map_err(not_started)?;
        Ok(Ended { succeeded: status.success(), stdout, stderr })
    }
}

/// Reads up to the next LF or CR, or the longest line. Returns whether there was anything.
fn next_line(from: &mut impl io::BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    const MAX: usize = 64 * 1024;
    line.clear();
    loop {
        let bytes = from.fill_buf()?;
        if bytes.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let count = end.map_or(bytes.len(), |end| end + 1);
        line.extend_from_slice(&bytes[..count]);
        from.consume(count);
        if end.is_some() || line.len() > MAX {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_progress_come_one_by_one_and_only_the_last_is_kept() {
        let mut heard = Vec::new();
        let script = "cat; printf 'Receiving: 10%%\\rReceiving: 100%%, done.\\nwarning: x\\n' >&2; exit 3";
        let run = Invocation::new("sh").args(["-c", script]).input(*b"in");
        let ended = run.stream_stderr(&mut |line| heard.push(line.to_owned())).unwrap();
        assert_eq!(heard, ["Receiving: 10%", "Receiving: 100%, done.", "warning: x"]);
        assert_eq!(ended.stdout, b"in");
        assert_eq!(ended.stderr, b"Receiving: 100%, done.\nwarning: x\n");
        assert!(!ended.succeeded);
    }
}
