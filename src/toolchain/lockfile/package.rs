//! What a lockfile of any kind says of one package.

use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedPackage {
    /// Its own name, where it is installed under another: an alias.
    pub package: Option<String>,
    /// Its version, where it stands there.
    pub version: Option<String>,
    /// Where it resolved from, without credentials.
    pub resolved: Option<String>,
    /// Its integrity, as it stands there.
    pub integrity: Option<String>,
    /// yarn 2's checksum, which is of the zip that yarn itself makes of it.
    pub checksum: Option<String>,
    /// For a link or a package of the workspace: its directory, relative to the lockfile's.
    pub link: Option<String>,
    /// The patch that is applied to it: a path, where it stands there.
    pub patch: Option<String>,
    /// The versions of node that it says it runs on, where it stands there: npm (since version 2) and pnpm copy that.
    pub engines: Option<String>,
}

/// What a package runs on, as a lockfile has it. Old packages have it in forms that say nothing to npm either.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Engines {
    Named { node: String },
    Other(IgnoredAny),
}

impl Engines {
    pub(super) fn node(&self) -> Option<String> {
        match self {
            Self::Named { node } => Some(node.clone()),
            Self::Other(_) => None,
        }
    }
}

/// Why a lockfile can't be read, in the parser's words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

impl Unreadable {
    /// The first line of what a parser says.
    pub(super) fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string().lines().next().unwrap_or_default().to_owned())
    }
}
