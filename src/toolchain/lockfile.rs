//! Lockfiles: which one fixes a service's packages, of what kind it is, and what it says of a package.
//! To add a kind whose versions are read, add a reader beside `npm` and an arm to [`Lockfile::packages`].

use std::fmt;

use super::npm::NpmLock;
use crate::error::{Error, Result};
use crate::git::Source;
use crate::package::Sha256;
use crate::service::ServicePath;

/// Most bytes a lockfile may have.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The package manager that a lockfile belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `package-lock.json`, `npm-shrinkwrap.json`.
    Npm,
    /// `yarn.lock` of yarn 1.
    Yarn,
    /// `yarn.lock` of yarn 2 and later.
    YarnBerry,
    /// `pnpm-lock.yaml`.
    Pnpm,
    /// `bun.lock`, `bun.lockb`.
    Bun,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Npm => "npm",
            Self::Yarn => "yarn",
            Self::YarnBerry => "yarn-berry",
            Self::Pnpm => "pnpm",
            Self::Bun => "bun",
        })
    }
}

/// The names of lockfiles, the first of a directory wins: npm itself prefers the shrinkwrap.
const NAMES: &[(&str, Kind)] = &[
    ("npm-shrinkwrap.json", Kind::Npm),
    ("package-lock.json", Kind::Npm),
    ("pnpm-lock.yaml", Kind::Pnpm),
    ("yarn.lock", Kind::Yarn),
    ("bun.lock", Kind::Bun),
    ("bun.lockb", Kind::Bun),
];

/// The lockfile of a service.
#[derive(Debug, Clone)]
pub struct Lockfile {
    /// The directory it is in, the service's own or one above it.
    pub directory: ServicePath,
    /// Its path in the repository.
    pub path: String,
    /// What kind it is.
    pub kind: Kind,
    /// The SHA-256 of its content.
    pub sha256: Sha256,
    content: Vec<u8>,
}

/// What a lockfile says of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    /// Its version.
    pub version: String,
    /// Its integrity, as it stands there.
    pub integrity: Option<String>,
    /// Where it stands, when it is a link to a directory of the repository.
    pub link: Option<String>,
}

/// The packages of a lockfile, or that they can't be read.
#[derive(Debug)]
pub enum LockedPackages {
    /// A lockfile of npm.
    Npm(NpmLock),
    /// Another kind, whose hash alone is recorded.
    NotRead(Kind),
}

impl Lockfile {
    /// The lockfile nearest to the service, in its directory or above it, or `None`.
    pub fn find(source: Source<'_>, service: &ServicePath) -> Result<Option<Self>> {
        for directory in service.ancestors() {
            for (name, kind) in NAMES {
                let path = directory.file(name);
                let Some(content) = source.read(&path, MOST_BYTES)? else { continue };
                let berry = *kind == Kind::Yarn && content.windows(11).any(|window| window == b"__metadata:");
                let kind = if berry { Kind::YarnBerry } else { *kind };
                return Ok(Some(Self { directory, path, kind, sha256: Sha256::of(&content), content }));
            }
        }
        Ok(None)
    }

    /// What it says of its packages.
    pub fn packages(&self) -> Result<LockedPackages> {
        match self.kind {
            Kind::Npm => NpmLock::parse(&self.content).map(LockedPackages::Npm).map_err(|error| {
                Error::refused(format!("{} can't be read", self.path))
                    .hint("make it again with: npm install --package-lock-only")
                    .because(error)
            }),
            other => Ok(LockedPackages::NotRead(other)),
        }
    }
}

impl LockedPackages {
    /// What is said of the package `name` as a file in `directory`, relative to the lockfile's, would find it.
    ///
    /// # Returns
    /// `None` when it isn't in the lockfile, or the lockfile is not read.
    #[must_use]
    pub fn find(&self, directory: &str, name: &str) -> Option<LockedPackage> {
        match self {
            Self::Npm(lock) => lock.find(directory, name),
            Self::NotRead(_) => None,
        }
    }
}
