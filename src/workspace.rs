//! A repository with its configuration and its services: what most commands start from. Data, and the choice of services
//! and targets; nothing here acts.

mod find;

use std::path::Path;

use crate::config::{self, Config};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::git::commit_signature::Trust;
use crate::git::{Oid, Repository, Source};
use crate::progress::Progress;
use crate::service::{self, MAX_CONFIG_BYTES, Region, Service, ServiceName, ServicePath, Stage};
use crate::store::{Filter, Store};

/// Directories in which no service is looked for.
const NEVER_ENTERED: &[&str] = &["node_modules", ".serverless", ".git", ".slsart"];

/// What a command works on.
pub struct Workspace<'a> {
    /// The outside.
    pub context: &'a Context,
    /// The repository.
    pub repository: &'a Repository,
    /// Its `slsart.toml`.
    pub config: Config,
    /// Who listens to long work.
    pub progress: &'a dyn Progress,
}

/// Which service, stage and region a command line names.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// A service's name or path.
    pub service: Option<String>,
    /// A stage.
    pub stage: Option<Stage>,
    /// A region.
    pub region: Option<Region>,
}

impl<'a> Workspace<'a> {
    /// The workspace around the context's directory.
    pub fn new(context: &'a Context, repository: &'a Repository, progress: &'a dyn Progress) -> Result<Self> {
        let config = match repository.work_tree_if_any() {
            Some(top) => Config::load(top)?,
            None => Self::committed_config(repository)?,
        };
        repository.set_trust(trust(&config, context, repository));
        Ok(Self { context, repository, config, progress })
    }

    /// A bare repository has its configuration in HEAD.
    fn committed_config(repository: &Repository) -> Result<Config> {
        let Some(head) = repository.head() else { return Ok(Config::default()) };
        let source = Source::new(repository, repository.commit(head)?.tree);
        let text = source.read(config::FILE, MAX_CONFIG_BYTES as u64)?;
        text.map_or_else(|| Ok(Config::default()), |text| Config::parse(&String::from_utf8_lossy(&text)))
    }

    /// The same, whatever its `slsart.toml` says.
    #[must_use]
    pub fn without_config(
        context: &'a Context,
        repository: &'a Repository,
        progress: &'a dyn Progress,
    ) -> Self {
        Self { context, repository, config: Config::default(), progress }
    }

    /// The store of its packages.
    #[must_use]
    pub fn store(&self) -> Store<'a> {
        Store::new(self.repository).with_keys_of(&self.context.environment)
    }

    /// The services in the source of `commit`.
    pub fn services(&self, commit: Oid) -> Result<Vec<Service>> {
        let source = Source::new(self.repository, self.repository.commit(commit)?.tree);
        let paths = source.paths(|directory| !NEVER_ENTERED.contains(&directory))?;
        let read = |path: &str| {
            let content = source.read(path, MAX_CONFIG_BYTES as u64).ok().flatten()?;
            String::from_utf8(content).ok()
        };
        let mut services = service::discover(paths.iter().map(String::as_str), read);
        if !self.config.services.is_empty() {
            services.retain(|service| self.config.services.contains(&service.path));
        }
        Ok(services)
    }

    /// The one service of `commit` that `wanted` names, or that the working directory is in, or that is the only one.
    pub fn service(&self, commit: Oid, wanted: Option<&str>) -> Result<Service> {
        let mut services = self.services(commit)?;
        if services.is_empty() {
            return Err(no_service());
        }
        let list = services.iter().map(describe).collect::<Vec<_>>().join(", ");
        if let Some(wanted) = wanted {
            let wanted = self.as_path(wanted);
            let named = services.iter().position(|service| is_named(service, &wanted));
            return match named {
                Some(index) => Ok(services.swap_remove(index)),
                None => Err(Error::refused(format!("there is no service '{wanted}' in this commit"))
                    .hint(format!("it has: {list}"))),
            };
        }
        if services.len() == 1 {
            return Ok(services.swap_remove(0));
        }
        let here = self.here();
        let around = (0..services.len())
            .filter(|index| {
                here.as_ref().is_some_and(|here| here.ancestors().contains(&services[*index].path))
            })
            .max_by_key(|index| services[*index].path.as_str().len());
        match around {
            Some(index) => Ok(services.swap_remove(index)),
            None => Err(Error::refused("this repository has several services")
                .hint(format!("name one with --service: {list}"))),
        }
    }

    /// The working directory as a path in the repository.
    fn here(&self) -> Option<ServicePath> {
        let top = self.repository.work_tree_if_any()?.canonicalize().ok()?;
        let here = self.context.cwd.canonicalize().ok()?;
        let relative = here.strip_prefix(top).ok()?.to_str()?;
        if relative.is_empty() { Some(ServicePath::root()) } else { relative.parse().ok() }
    }

    /// A service as a person types it (`./services/orders/`, or relative to the working directory) as its path in the
    /// repository; a name stays a name.
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

    /// The stage that is meant: as named, else as `slsart.toml` has it, else as the service has it, else the framework's
    /// own default.
    pub fn stage(&self, wanted: &Wanted, service: Option<&Service>) -> Result<Stage> {
        let outline = || service.and_then(|service| service.outline.as_ref()?.stage.clone());
        let stage = wanted.stage.clone().or_else(|| self.config.defaults.stage.clone()).or_else(outline);
        stage.map_or_else(|| parse("dev"), Ok)
    }

    /// The region that is meant, likewise.
    pub fn region(&self, wanted: &Wanted, service: Option<&Service>) -> Result<Region> {
        let outline = || service.and_then(|service| service.outline.as_ref()?.region.clone());
        let region = wanted.region.clone().or_else(|| self.config.defaults.region.clone()).or_else(outline);
        region.map_or_else(|| parse("us-east-1"), Ok)
    }

    /// The filter for packages that `wanted` means, with the stage only where it is named.
    #[must_use]
    pub fn filter(&self, wanted: &Wanted) -> Filter {
        Filter {
            service: wanted.service.as_deref().map(|service| self.as_path(service)),
            stage: wanted.stage.as_ref().map(ToString::to_string),
            region: wanted.region.as_ref().map(ToString::to_string),
            pruned: false,
        }
    }
}

/// Whose signatures count: as `slsart.toml` of today says, never that of an old commit.
fn trust(config: &Config, context: &Context, repository: &Repository) -> Trust {
    let config::Trust { require, signers } = &config.trust;
    let top = repository.work_tree_if_any().unwrap_or(repository.git_dir());
    let home = context.environment.value("HOME").map(Path::new);
    let path = match (signers.strip_prefix("~"), home) {
        (Ok(below), Some(home)) => home.join(below),
        _ => top.join(signers),
    };
    Trust { required: *require, signers: (!signers.as_os_str().is_empty()).then_some(path) }
}

/// The error for a commit that has nothing to package.
#[must_use]
pub fn no_service() -> Error {
    Error::refused("there is no Serverless service in this commit").hint(
        "a service is a directory with a committed serverless.yml (or .yaml, .json, .js, .cjs, .mjs, .ts)",
    )
}

fn is_named(service: &Service, wanted: &str) -> bool {
    service.path.as_str() == wanted || name_of(service).is_some_and(|name| name.as_str() == wanted)
}

/// The service's name, where its configuration says it without being run.
#[must_use]
pub fn name_of(service: &Service) -> Option<&ServiceName> {
    service.outline.as_ref()?.service.as_ref()
}

fn describe(service: &Service) -> String {
    match name_of(service) {
        Some(name) => format!("{} ({name})", service.path),
        None => service.path.to_string(),
    }
}

fn parse<T: std::str::FromStr<Err = service::NameError>>(text: &str) -> Result<T> {
    text.parse().map_err(|error| Error::bug("a default is not valid").because(error))
}
