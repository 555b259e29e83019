//! A job's log: its own output and that of its programs.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::thread;
use std::time::Duration;

use super::{Job, Jobs};
use crate::error::{Error, Result};
use crate::process::background::is_held;
use crate::process::interrupt;

const MAX_BYTES: u64 = 1024 * 1024;
const PAUSE: Duration = Duration::from_millis(50);

impl Job {
    /// The last mebibyte of its log.
    pub fn end_of_log(&self) -> Result<String> {
        let mut text = Vec::new();
        let read = |text: &mut Vec<u8>| -> std::io::Result<()> {
            let mut file = File::open(&self.log)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(MAX_BYTES)))?;
            file.take(MAX_BYTES).read_to_end(text).map(drop)
        };
        match read(&mut text) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("read", &self.log, error)),
            _ => Ok(String::from_utf8_lossy(&text).into_owned()),
        }
    }
}

impl Jobs {
    /// Passes a job's log to `take`, whole lines at a time; with `follow`, until the job has ended.
    pub fn read_log(&self, job: &Job, follow: bool, take: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        let failed = |error| Error::io("read", &job.log, error);
        let mut file = match File::open(&job.log) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            opened => opened.map_err(failed)?,
        };
        let lock = self.file(&job.record.commit, "lock");
        let mut pending = Vec::new();
        loop {
            interrupt::check()?;
            // Checked before reading, so that everything written until then is read.
            let goes_on = follow && is_held(&lock);
            let count = (&mut file).take(MAX_BYTES).read_to_end(&mut pending).map_err(failed)?;
            let is_at_end = count == 0;
            // An unfinished line is shown once nothing else will come, or it is too long.
            let is_all = is_at_end && !goes_on || pending.len() as u64 > MAX_BYTES;
            let lines = pending.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let whole = if is_all { pending.len() } else { lines };
            if whole > 0 {
                take(&String::from_utf8_lossy(&pending[..whole]))?;
                pending.drain(..whole);
            }
            match (is_at_end, goes_on) {
                (true, false) => return Ok(()),
                (true, true) => thread::sleep(PAUSE),
                (false, _) => {}
            }
        }
    }
}
