//! The one error of the command line: its kind decides the exit code, its hints say what to do next.
//! Owns the mapping from kinds to exit codes; knows nothing of how an error is printed.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path;

/// The hint for a package that is damaged here.
pub const ANOTHER_COPY: &str =
    "another copy of this repository may have it whole: compare with `git slsart verify --all` there";

/// What went wrong, in terms that a caller (a user, a script, CI) can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Refused or failed; the user can act.
    Refused,
    /// The command line itself is wrong.
    Usage,
    /// A child program failed; carries its exit code, or `128 + signal`.
    Child(i32),
    /// Bytes are not what was recorded.
    Integrity,
    /// Nothing is recorded for what was asked.
    NotRecorded,
    /// Ctrl-C or a termination signal.
    Interrupted,
    Bug,
}

impl Kind {
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Child(_) => 3,
            Self::Integrity => 4,
            Self::NotRecorded => 5,
            Self::Interrupted => 130,
            Self::Bug => 255,
        }
    }

    pub fn program_exit_code(self) -> Option<i32> {
        match self {
            Self::Child(code) => Some(code),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Usage => "usage",
            Self::Child(_) => "child",
            Self::Integrity => "integrity",
            Self::NotRecorded => "not-recorded",
            Self::Interrupted => "interrupted",
            Self::Bug => "bug",
        }
    }
}

#[derive(Debug)]
pub struct Error {
    pub kind: Kind,
    /// One line: what could not be done.
    pub message: String,
    /// What to do, each one sentence or a command to paste.
    pub hints: Vec<String>,
    /// The end of what a failed program printed.
    pub printed: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hints: Vec::new(), printed: String::new(), source: None }
    }

    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub fn integrity(message: impl Into<String>) -> Self {
        Self::new(Kind::Integrity, message)
    }

    pub fn not_recorded(message: impl Into<String>) -> Self {
        Self::new(Kind::NotRecorded, message)
    }

    pub fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "interrupted")
    }

    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, message).hint("this is a bug in git-slsart: please report it")
    }

    /// An operating system error while doing `action` (a verb: "read", "create") to `path`.
    pub fn io(action: &str, path: &Path, error: io::Error) -> Self {
        let this = Self::refused(format!("cannot {action} '{}'", path.display()));
        let this = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                this.hint("the disk is full: free some space and run the command again; what was recorded before is untouched")
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                this.hint("check the permissions of that path")
            }
            _ => this,
        };
        this.because(error)
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub fn hints(mut self, hints: impl IntoIterator<Item = String>) -> Self {
        self.hints.extend(hints);
        self
    }

    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What happened and why, in one line: the message and those of the underlying errors.
    pub fn with_causes(&self) -> String {
        std::iter::once(self.to_string()).chain(self.causes()).collect::<Vec<_>>().join(": ")
    }

    pub fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut next = self.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        causes
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
