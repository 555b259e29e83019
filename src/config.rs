//! `slsart.toml`: the repository's settings. It is data: nothing in it is ever run.

mod problems;

use std::fs;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::package::secrets::SecretAction;
use crate::package::storage::{Size, Storage};
use crate::service::{Region, ServicePath, Stage};
pub use problems::{Known, Problem};

pub const FILE: &str = "slsart.toml";

/// The settings; each has a default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    pub defaults: Defaults,
    /// The services; empty: all that are found.
    pub services: Vec<ServicePath>,
    pub storage: Storage,
    pub lfs_above: Size,
    pub carry: Carry,
    pub hooks: HooksConfig,
    /// What becomes of installed packages.
    pub toolchain: ToolchainConfig,
    pub deploy: Deploy,
    /// Where a deployment is seen by other machines.
    pub lock: LockConfig,
    pub trust: TrustConfig,
    pub share: Share,
    pub push: Push,
    pub fetch: Fetch,
    pub secrets: Secrets,
}

/// `[share]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Share {
    pub remote: RemoteChoice,
}

/// `[push]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Push {
    pub packages: PushPackages,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PushPackages {
    #[default]
    Manual,
    /// Also with their commits, by a `git push`.
    WithCommits,
}

/// `[fetch]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fetch {
    pub hooks: bool,
}

/// `[trust]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrustConfig {
    /// Whether a package needs a trusted signature.
    pub require: bool,
    /// A file of allowed signers, from the repository's top; empty: git's own settings decide.
    pub signers: PathBuf,
}

/// `[secrets]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// What is done where there are any; without it they are recorded, and not pushed before there is a decision.
    pub action: Option<SecretAction>,
    /// Whom they are encrypted to: public keys, or files of them in the repository.
    pub recipients: Vec<String>,
    /// Patterns of names, places and files that are no secrets.
    pub allow: Vec<String>,
}

/// `[deploy]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deploy {
    /// The stages whose names must be typed before a deployment.
    pub protected: Vec<Stage>,
}

/// `[lock]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LockConfig {
    /// The remote that holds the locks.
    pub remote: RemoteChoice,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum RemoteChoice {
    #[default]
    Auto,
    Nowhere,
    Named(String),
}

impl From<String> for RemoteChoice {
    fn from(text: String) -> Self {
        match text.as_str() {
            "auto" => Self::Auto,
            "none" => Self::Nowhere,
            _ => Self::Named(text),
        }
    }
}

/// `[toolchain]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ToolchainConfig {
    /// When what was installed is kept, for a rollback without a registry.
    pub snapshot: Snapshot,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Snapshot {
    #[default]
    Deployed,
    /// For all packages that are made in a worktree.
    Always,
    /// Only on request.
    Never,
}

/// `[defaults]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Defaults {
    pub stage: Option<Stage>,
    pub region: Option<Region>,
}

/// `[carry]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Carry {
    /// Patterns of files, relative to each service's directory, that git ignores and a deploy needs.
    pub paths: Vec<String>,
}

impl Default for Carry {
    fn default() -> Self {
        Self { paths: vec![".env".to_owned(), ".env.*".to_owned()] }
    }
}

impl Carry {
    pub fn matcher(&self) -> Result<GlobSet> {
        let mut set = GlobSetBuilder::new();
        for pattern in &self.paths {
            let wrong = |why| Error::refused(format!("{FILE}: `{pattern}` in [carry] {why}"));
            if pattern.starts_with('/') || pattern.split('/').any(|part| part == "..") {
                return Err(wrong("leaves the service's directory")
                    .hint("patterns are relative to the service, such as `.env.*` or `build/**`"));
            }
            // A directory means everything in it.
            for glob in
                [pattern.trim_end_matches('/').to_owned(), format!("{}/**", pattern.trim_end_matches('/'))]
            {
                set.add(Glob::new(&glob).map_err(|error| wrong("is not a pattern").because(error))?);
            }
        }
        set.build().map_err(|error| {
            Error::refused(format!("{FILE}: the patterns in [carry] are too many")).because(error)
        })
    }
}

/// `[hooks]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HooksConfig {
    pub post_commit: PostCommit,
    pub stages: Vec<Stage>,
    /// Patterns of branches, and of tags as `tags/NAME`, whose commits should have a package when they are pushed.
    pub protected: Vec<String>,
}

impl Default for HooksConfig {
    fn default() -> Self {
        let protected = ["main", "master", "tags/*"].map(str::to_owned).to_vec();
        Self { post_commit: PostCommit::Attach, stages: Vec::new(), protected }
    }
}

impl HooksConfig {
    /// The patterns, ready to match names of branches, and of tags as `tags/NAME`.
    pub fn protected(&self) -> Result<GlobSet> {
        let mut set = GlobSetBuilder::new();
        let wrong =
            |what: &str| Error::refused(format!("{FILE}: `{what}` in [hooks] protected is not a pattern"));
        for pattern in &self.protected {
            set.add(Glob::new(pattern).map_err(|error| wrong(pattern).because(error))?);
        }
        set.build().map_err(|error| wrong("…").because(error))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PostCommit {
    /// Gives the commit a package that was made from exactly its tree before it was committed.
    Attach,
    /// Attach; if there is no such package, package the commit in the background.
    Package,
    Off,
}

impl Config {
    pub fn parse(text: &str) -> Result<Self> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| format!(":{}", text[..span.start].matches('\n').count() + 1));
            Error::refused(format!("{FILE}{} can't be read", line.unwrap_or_default()))
                .hint("`git slsart init --print` shows the default file with every key explained")
                .because(error)
        })?;
        config.carry.matcher()?;
        config.hooks.protected()?;
        Ok(config)
    }

    pub fn text(top: &Path) -> Result<String> {
        let path = top.join(FILE);
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
            text => text.map_err(|error| Error::io("read", &path, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_defaults() {
        let config = Config::parse("").unwrap();
        assert_eq!(config, Config::default());
        assert!(config.carry.matcher().unwrap().is_match(".env.prod"));
    }

    #[test]
    fn a_misspelt_key_is_an_error_that_names_it() {
        let error = Config::parse("[defaults]\nstaeg = \"prod\"\n").unwrap_err();
        assert!(error.causes()[0].contains("staeg"), "{:?}", error.causes());
    }

    #[test]
    fn a_carried_directory_is_everything_in_it_and_never_outside() {
        let carry = |pattern: &str| Carry { paths: vec![pattern.to_owned()] }.matcher();
        assert!(carry("build/").unwrap().is_match("build/js/app.js"));
        assert!(carry("../secrets").is_err() && carry("/etc/passwd").is_err());
    }
}
