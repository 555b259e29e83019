//! Lockfiles: which one fixes a service's packages, its kind, and its packages. To add a kind whose packages are read, add a reader beside
//! `npm` and arms to [`LockedPackages`].

mod berry;
mod bun;
mod npm;
mod package;
mod paths;
mod pnpm;
mod request;
#[cfg(test)]
mod tests;
mod yarn;

use std::fmt;

pub use berry::BerryLock;
pub use bun::BunLock;
pub use npm::NpmLock;
pub use package::{LockedPackage, Unreadable};
pub use paths::join;
pub use pnpm::PnpmLock;
pub use request::Request;
pub use yarn::YarnLock;

use crate::error::{Error, Result};
use crate::git::Source;
use crate::package::Sha256;
use crate::package::manifest::Tool;
use crate::service::ServicePath;

const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The package manager that a lockfile belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockfileKind {
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

impl fmt::Display for LockfileKind {
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

/// bun's older, binary form, which is not read.
const BINARY: &str = "bun.lockb";

/// The names of lockfiles in order of precedence: npm itself prefers the shrinkwrap, bun its text.
pub const NAMES: &[(&str, LockfileKind)] = &[
    ("npm-shrinkwrap.json", LockfileKind::Npm),
    ("package-lock.json", LockfileKind::Npm),
    ("pnpm-lock.yaml", LockfileKind::Pnpm),
    ("yarn.lock", LockfileKind::Yarn),
    ("bun.lock", LockfileKind::Bun),
    (BINARY, LockfileKind::Bun),
];

#[derive(Debug, Clone)]
pub struct Lockfile {
    /// The service's directory or one above it.
    pub directory: ServicePath,
    pub path: String,
    pub kind: LockfileKind,
    pub sha256: Sha256,
    /// The service's directory relative to the lockfile's; empty if it is the same.
    below: String,
    content: Vec<u8>,
}

#[derive(Debug)]
pub enum LockedPackages {
    Npm(NpmLock),
    Yarn(YarnLock),
    YarnBerry(BerryLock),
    Pnpm(PnpmLock),
    Bun(BunLock),
}

#[derive(Debug)]
pub struct Locked {
    packages: LockedPackages,
    below: String,
    requests: Vec<Request>,
}

impl Lockfile {
    pub fn find(source: Source<'_>, service: &ServicePath) -> Result<Option<Self>> {
        for directory in service.ancestors() {
            for (name, kind) in NAMES {
                let path = directory.file(name);
                let Some(content) = source.read(&path, MAX_BYTES)? else { continue };
                let berry =
                    *kind == LockfileKind::Yarn && content.windows(11).any(|window| window == b"__metadata:");
                let kind = if berry { LockfileKind::YarnBerry } else { *kind };
                let below = relative(&directory, service);
                let sha256 = Sha256::of(&content);
                return Ok(Some(Self { directory, path, kind, sha256, below, content }));
            }
        }
        Ok(None)
    }

    pub fn is_binary(&self) -> bool {
        self.path.ends_with(BINARY)
    }

    /// Its packages, as its service finds them; `None` if its form is not read.
    pub fn packages(&self, source: Source<'_>) -> Result<Option<Locked>> {
        if self.is_binary() {
            return Ok(None);
        }
        let packages = LockedPackages::parse(self.kind, &self.content).map_err(|error| {
            Error::refused(format!("{} can't be read", self.path)).hint(made_again(self.kind)).because(error)
        })?;
        // Only yarn 1 does not record the requested ranges: the package.json files have them.
        let requests = match self.kind {
            LockfileKind::Yarn => Request::read_all(source, &self.directory, &self.below)?,
            _ => Vec::new(),
        };
        Ok(Some(Locked { packages, below: self.below.clone(), requests }))
    }
}

fn made_again(kind: LockfileKind) -> &'static str {
    match kind {
        LockfileKind::Npm => "to write it again: npm install --package-lock-only",
        LockfileKind::Yarn => "to write it again: yarn install",
        LockfileKind::YarnBerry => "to write it again: yarn install --mode=update-lockfile",
        LockfileKind::Pnpm => "to write it again: pnpm install --lockfile-only",
        LockfileKind::Bun => "to write it again: bun install --lockfile-only",
    }
}

impl LockedPackages {
    /// Reads a lockfile, from any source.
    pub fn parse(kind: LockfileKind, content: &[u8]) -> Result<Self, Unreadable> {
        match kind {
            LockfileKind::Npm => NpmLock::parse(content).map(Self::Npm),
            LockfileKind::Yarn => YarnLock::parse(content).map(Self::Yarn),
            LockfileKind::YarnBerry => BerryLock::parse(content).map(Self::YarnBerry),
            LockfileKind::Pnpm => PnpmLock::parse(content).map(Self::Pnpm),
            LockfileKind::Bun => BunLock::parse(content).map(Self::Bun),
        }
    }

    /// The package `name` as a file in `directory`, relative to the lockfile's, would find it.
    ///
    /// `requests` are the dependencies of the `package.json` files, nearest first; only yarn 1 needs them.
    pub fn find(&self, directory: &str, requests: &[Request], name: &str) -> Option<LockedPackage> {
        let mut found = match self {
            Self::Npm(lock) => lock.find(directory, name),
            Self::Yarn(lock) => lock.find(requests, name),
            Self::YarnBerry(lock) => lock.find(directory, name),
            Self::Pnpm(lock) => lock.find(directory, name),
            Self::Bun(lock) => lock.find(directory, name),
        }?;
        found.resolved = found.resolved.as_deref().map(paths::without_credentials);
        found.package = found.package.filter(|package| package != name);
        Some(found)
    }
}

impl Locked {
    pub fn find(&self, name: &str) -> Option<LockedPackage> {
        self.packages.find(&self.below, &self.requests, name)
    }

    /// The range of node versions that `tool` supports; `None` if the lockfile does not say, or has another version of it.
    pub fn engines(&self, tool: &Tool) -> Option<String> {
        self.find(&tool.name).filter(|found| found.version.as_ref() == Some(&tool.version))?.engines
    }
}

/// `inner` relative to `outer`; empty if they are the same.
fn relative(outer: &ServicePath, inner: &ServicePath) -> String {
    if outer == inner {
        return String::new();
    }
    let prefix = if outer.is_root() { String::new() } else { format!("{outer}/") };
    inner.as_str().strip_prefix(&prefix).unwrap_or_default().to_owned()
}
