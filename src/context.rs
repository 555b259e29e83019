//! A command's view of the outside: directory, environment, clock, randomness, global options. Data only.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

/// A snapshot of the process's environment variables.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(variables.into_iter().collect())
    }

    /// The value of `name`; an empty one counts as unset.
    pub fn value(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(OsStr::to_str)
    }
}

#[derive(Debug, Clone, Copy)]
pub enum Clock {
    System,
    /// A fixed instant, for reproducible output (`SLSART_NOW`).
    Fixed(Timestamp),
}

impl Clock {
    pub fn now(self) -> Timestamp {
        self.now_precise()
            .round(TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Trunc))
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }

    pub fn now_precise(self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one home of the clock")]
            Self::System => Timestamp::now(),
            Self::Fixed(instant) => instant,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Context {
    /// The directory the command works from (`-C`).
    pub cwd: PathBuf,
    pub environment: Environment,
    pub clock: Clock,
    /// This program's own path, to start background jobs with.
    pub program: PathBuf,
}

impl Context {
    /// Random bytes, different at each call.
    pub fn salt(&self) -> Result<[u8; 16], std::io::Error> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(std::io::Error::other)?;
        Ok(salt)
    }

    /// A random duration of up to `most`, so that commands that collide take turns.
    pub fn pause(&self, most: Duration) -> Duration {
        let byte = self.salt().map_or(u8::MAX, |salt| salt[0]);
        most * u32::from(byte) / u32::from(u8::MAX)
    }

    /// The directory for disposable data of this program: `$XDG_CACHE_HOME/git-slsart`, else `~/.cache/git-slsart`,
    /// else one below the system's directory for temporary files.
    ///
    /// It is never below the repository: a worktree there would find the repository's own `node_modules` when one
    /// of its plugins is missing, as node looks in every parent directory.
    pub fn cache_dir(&self) -> PathBuf {
        let base =
            self.environment.value("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || self.environment.value("HOME").map(|home| PathBuf::from(home).join(".cache"));
        base.or_else(home).unwrap_or_else(std::env::temp_dir).join("git-slsart")
    }
}
