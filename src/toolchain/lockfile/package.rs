//! A package in a lockfile of any kind.

use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedPackage {
    /// Its own name, if it is installed under an alias.
    pub package: Option<String>,
    pub version: Option<String>,
    pub resolved: Option<String>,
    /// Verbatim.
    pub integrity: Option<String>,
    /// yarn 2's checksum, of the zip that yarn makes.
    pub checksum: Option<String>,
    /// For a link or a package of the workspace: its directory, relative to the lockfile's.
    pub link: Option<String>,
    /// The path of its patch.
    pub patch: Option<String>,
    /// The range of node versions that it supports: npm (since version 2) and pnpm record it.
    pub engines: Option<String>,
}

/// The `engines` of a package in a lockfile. Old packages have forms that npm ignores too.
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

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

impl Unreadable {
    /// The first line of a parser's message.
    pub(super) fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string().lines().next().unwrap_or_default().to_owned())
    }
}
