//! A background job's record: a small file in `.git/slsart/jobs`, written only by the living job. A running job's record is true only
//! while the job's lock is held; see [`super::Job`].

use std::fs::{self, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::package::PackageId;
use crate::package::manifest::Target;

const MAX_BYTES: u64 = 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    Waiting,
    Running,
    Done,
    Failed,
    /// A user stopped it, or its process was killed.
    Stopped,
    /// A job for a newer commit took its place.
    Superseded,
}

impl JobState {
    /// Its name, as records and tables have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Superseded => "superseded",
        }
    }

    pub fn goes_on(self) -> bool {
        matches!(self, Self::Waiting | Self::Running)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    pub package: PackageId,
    pub target: Target,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRecord {
    /// The jobs' order: a later one has a greater number.
    pub number: u64,
    pub commit: String,
    pub state: JobState,
    pub queued: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<u64>,
    /// The present or last phase, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Its process, which leads a session of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, rename = "package", skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Made>,
}

impl JobRecord {
    /// The record of a job that is to package `commit`.
    pub(super) fn new(number: u64, commit: String, now: Timestamp) -> Self {
        Self {
            number,
            commit,
            state: JobState::Waiting,
            queued: now,
            started: None,
            ended: None,
            milliseconds: None,
            phase: None,
            process: None,
            error: None,
            packages: Vec::new(),
        }
    }

    pub(super) fn end(&mut self, state: JobState, error: Option<String>, now: Timestamp) {
        self.state = state;
        self.error = error;
        self.ended = Some(now);
    }

    /// Reads a record; `None` if there is no readable one.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let is_small = fs::metadata(path).ok()?.len() <= MAX_BYTES;
        let text = is_small.then(|| fs::read_to_string(path).ok()).flatten()?;
        toml::from_str(&text).ok()
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let text = toml::to_string(self)
            .map_err(|error| Error::bug("a job's record can't be written").because(error))?;
        let directory = path.parent().unwrap_or(Path::new("."));
        let write = || -> std::io::Result<()> {
            let mut file = tempfile::Builder::new()
                .prefix(".new-")
                .permissions(Permissions::from_mode(0o644))
                .tempfile_in(directory)?;
            file.write_all(text.as_bytes())?;
            file.persist(path)?;
            Ok(())
        };
        write().map_err(|error| Error::io("write", path, error))
    }
}

pub(super) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", path, error)),
        _ => Ok(()),
    }
}
