//! A repository with its configuration and its services, which most commands start from. Data, and the choice of services and targets;
//! nothing here acts.

mod find;
mod lineage;
mod paste;
mod scope;
pub mod secrets;
mod unknown;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::Path;

use crate::config::{self, Config, Known, Problem};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::git::commit_signature::Trust;
use crate::git::{Oid, Repository, Source};
use crate::progress::Progress;
use crate::service::{self, MAX_CONFIG_BYTES, Region, Service, ServiceName, ServicePath, Stage};
use crate::store::Store;
pub use find::is_like_id;
pub use scope::option;

const NEVER_ENTERED: &[&str] = &["node_modules", ".serverless", ".git", ".slsart"];

pub struct Workspace<'a> {
    pub context: &'a Context,
    pub repository: &'a Repository,
    pub config: Config,
    pub progress: &'a dyn Progress,
    in_head: OnceCell<Vec<Service>>,
}

/// The service, stage and region that a command line names.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub service: Option<String>,
    pub stage: Option<Stage>,
    pub region: Option<Region>,
    /// Whether the command has `--all`.
    pub offers_all: bool,
}

impl Wanted {
    pub fn is_narrow(&self) -> bool {
        self.service.is_some() || self.stage.is_some() || self.region.is_some()
    }
}

impl<'a> Workspace<'a> {
    pub fn new(context: &'a Context, repository: &'a Repository, progress: &'a dyn Progress) -> Result<Self> {
        let config = Config::parse(&config_text(repository)?)?;
        repository.set_trust(trust(&config, context, repository));
        Ok(Self { context, repository, config, progress, in_head: OnceCell::new() })
    }

    /// Without its `slsart.toml`.
    pub fn without_config(
        context: &'a Context,
        repository: &'a Repository,
        progress: &'a dyn Progress,
    ) -> Self {
        Self { context, repository, config: Config::default(), progress, in_head: OnceCell::new() }
    }

    pub fn store(&self) -> Store<'a> {
        Store::new(self.repository).with_keys_of(&self.context.environment)
    }

    /// The mistakes in its `slsart.toml` that don't keep it from being read.
    pub fn config_problems(&self) -> Result<Vec<Problem>> {
        let text = config_text(self.repository)?;
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let mut services =
            self.repository.head().map_or_else(|| Ok(Vec::new()), |head| self.all_services(head))?;
        let listed = self.config.services.iter();
        services.extend(self.in_working_tree(listed));
        let services: BTreeSet<_> = services.iter().map(|service| service.path.to_string()).collect();
        let services = services.into_iter().collect();
        Ok(Config::problems(&text, &Known { services, remotes: self.repository.remotes() }))
    }

    pub fn services(&self, commit: Oid) -> Result<Vec<Service>> {
        Ok(self.only_listed(self.all_services(commit)?))
    }

    /// All of them, whether `slsart.toml` lists them or not.
    fn all_services(&self, commit: Oid) -> Result<Vec<Service>> {
        let source = Source::new(self.repository, self.repository.commit(commit)?.tree);
        let paths = source.paths(|directory| !NEVER_ENTERED.contains(&directory))?;
        let read = |path: &str| {
            let content = source.read(path, MAX_CONFIG_BYTES as u64).ok().flatten()?;
            String::from_utf8(content).ok()
        };
        Ok(service::discover(paths.iter().map(String::as_str), read))
    }

    /// Keeps the `services` that `slsart.toml` lists, if it lists any.
    fn only_listed(&self, mut services: Vec<Service>) -> Vec<Service> {
        if !self.config.services.is_empty() {
            services.retain(|service| self.config.services.contains(&service.path));
        }
        services
    }

    pub fn with_progress<'p>(&self, progress: &'p dyn Progress) -> Workspace<'p>
    where
        'a: 'p,
    {
        let (context, repository, config) = (self.context, self.repository, self.config.clone());
        Workspace { context, repository, config, progress, in_head: self.in_head.clone() }
    }

    fn here(&self) -> Option<ServicePath> {
        let top = self.repository.work_tree_if_any()?.canonicalize().ok()?;
        let here = self.context.cwd.canonicalize().ok()?;
        let relative = here.strip_prefix(top).ok()?.to_str()?;
        if relative.is_empty() { Some(ServicePath::root()) } else { relative.parse().ok() }
    }

    /// A service as a user types it (`./services/orders/`, or relative to the working directory) as its path in the repository; a name
    /// stays a name.
    fn as_path(&self, wanted: &str) -> String {
        let trimmed = wanted.trim_end_matches('/').trim_start_matches("./");
        let top = self.repository.work_tree_if_any().and_then(|top| top.canonicalize().ok());
        let there = self.context.cwd.join(wanted).canonicalize().ok();
        let relative =
            top.zip(there).and_then(|(top, there)| there.strip_prefix(top).ok().map(Path::to_owned));
        match relative.as_deref().and_then(Path::to_str) {
            Some("") => ".".to_owned(),
            Some(path) => path.to_owned(),
            None if trimmed.is_empty() => ".".to_owned(),
            None => trimmed.to_owned(),
        }
    }

    /// The stage: as named, else from `slsart.toml`, else from the service, else the framework's default.
    pub fn stage(&self, wanted: &Wanted, service: Option<&Service>) -> Result<Stage> {
        let outline = || service.and_then(|service| service.outline.as_ref()?.stage.clone());
        let stage = wanted.stage.clone().or_else(|| self.config.defaults.stage.clone()).or_else(outline);
        stage.map_or_else(|| parse("dev"), Ok)
    }

    /// The region, likewise.
    pub fn region(&self, wanted: &Wanted, service: Option<&Service>) -> Result<Region> {
        let outline = || service.and_then(|service| service.outline.as_ref()?.region.clone());
        let region = wanted.region.clone().or_else(|| self.config.defaults.region.clone()).or_else(outline);
        region.map_or_else(|| parse("us-east-1"), Ok)
    }
}

/// The text of `slsart.toml`: from the working tree, else from HEAD.
fn config_text(repository: &Repository) -> Result<String> {
    if let Some(top) = repository.work_tree_if_any() {
        return Config::text(top);
    }
    let Some(head) = repository.head() else { return Ok(String::new()) };
    let source = Source::new(repository, repository.commit(head)?.tree);
    let text = source.read(config::FILE, MAX_CONFIG_BYTES as u64)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Whose signatures count: from today's `slsart.toml`, never an old commit's.
fn trust(config: &Config, context: &Context, repository: &Repository) -> Trust {
    let config::TrustConfig { require, signers } = &config.trust;
    let top = repository.work_tree_if_any().unwrap_or(repository.git_dir());
    let home = context.environment.value("HOME").map(Path::new);
    let path = match (signers.strip_prefix("~"), home) {
        (Ok(below), Some(home)) => home.join(below),
        _ => top.join(signers),
    };
    Trust { required: *require, signers: (!signers.as_os_str().is_empty()).then_some(path) }
}

pub fn no_service() -> Error {
    Error::refused("there is no Serverless service in this commit").hint(
        "a service is a directory with a committed serverless.yml (or .yaml, .json, .js, .cjs, .mjs, .ts)",
    )
}

/// The service's name, if its configuration has it as a literal.
pub fn name_of(service: &Service) -> Option<&ServiceName> {
    service.outline.as_ref()?.service.as_ref()
}

fn parse<T: std::str::FromStr<Err = service::NameError>>(text: &str) -> Result<T> {
    text.parse().map_err(|error| Error::bug("a default is not valid").because(error))
}
