//! A repository with its configuration and its services: what most commands start from. Data, and the choice of services
//! and targets; nothing here acts.

use std::borrow::Cow;
use std::path::Path;

use jiff::Timestamp;

use crate::config::{self, Config};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::git::signature::Trust;
use crate::git::{Oid, Repository, Source};
use crate::package::manifest::Target;
use crate::progress::Progress;
use crate::service::{self, MAX_CONFIG_BYTES, Region, Service, ServiceName, ServicePath, Stage};
use crate::store::{Filter, Found, Store};

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

    /// The package that `revision` names for what is `wanted`: a commit in any way git understands, or a package's id.
    /// Of several packages of a commit for one target the newest is meant, one without uncommitted changes before one with.
    ///
    /// # Errors
    /// [`crate::error::Kind::NotRecorded`], naming the nearest commits that have a package.
    pub fn find(&self, revision: &str, filter: &Filter) -> Result<Found> {
        let store = self.store();
        let commit = match self.repository.resolve(revision) {
            Ok(commit) => commit,
            Err(error) => {
                if let Some(commit) = self.noted_commit(revision)? {
                    commit
                } else if let Some(found) = self.find_by_id(revision, filter)? {
                    return Ok(found);
                } else {
                    let Some(pruned) = store.pruned_with_id(revision, filter)? else { return Err(error) };
                    let here = self.still_here(pruned.commit, filter)?.into_iter();
                    let found = here.into_iter().find(|found| found.line.package == pruned.line.package);
                    return found.map_or_else(|| Err(self.pruned(&pruned)?), Ok);
                }
            }
        };
        let mut found = store.packages_of(commit, filter)?;
        if found.is_empty() {
            found = self.still_here(commit, filter)?;
        }
        let usual = self.usual(filter);
        if found.iter().any(|found| usual.matches(&found.line.target)) {
            found.retain(|found| usual.matches(&found.line.target));
        }
        match newest_of_one_target(found)? {
            Some(found) => Ok(found),
            None => {
                self.find_by_id(revision, filter)?.map_or_else(|| Err(self.nothing_for(commit, filter)?), Ok)
            }
        }
    }

    /// All packages, whether their content is here or not, that `revision` means: a commit in any way git understands, a commit
    /// that is not here by the beginning of its id, or a package's id.
    ///
    /// # Errors
    /// [`crate::error::Kind::NotRecorded`] when there is none.
    pub fn find_noted(&self, revision: &str) -> Result<Vec<Found>> {
        let store = self.store();
        let of_any = Filter::default();
        let found = match self.repository.resolve(revision) {
            Ok(commit) => store.packages_of(commit, &of_any)?,
            Err(error) => {
                if let Some(commit) = self.noted_commit(revision)? {
                    store.packages_of(commit, &of_any)?
                } else {
                    let found = store.with_id(revision)?;
                    return if found.is_empty() { Err(error) } else { Ok(found) };
                }
            }
        };
        let found = if found.is_empty() { store.with_id(revision)? } else { found };
        if found.is_empty() {
            return Err(Error::not_recorded(format!("nothing is recorded for '{revision}'"))
                .hint("`git slsart log --all` lists what is"));
        }
        Ok(found)
    }

    /// The packages of `commit` whose content is here though they were pruned, with a warning for each.
    fn still_here(&self, commit: Oid, filter: &Filter) -> Result<Vec<Found>> {
        let found = self.store().still_here(commit, filter)?;
        for Found { line, .. } in &found {
            let (package, on) = (line.package.short(), pruned_on(line.pruned));
            self.progress
                .warn(&format!("the package {package} was pruned{on}; what is still here of it is used"));
        }
        Ok(found)
    }

    /// A commit that is not here, as in a shallow clone, and that the notes tell of, by the beginning of its id.
    fn noted_commit(&self, revision: &str) -> Result<Option<Oid>> {
        let mut commits = self.store().noted(revision)?;
        match commits.len() {
            0 | 1 => Ok(commits.pop()),
            _ => Err(Error::refused(format!("'{revision}' is the beginning of several commits' ids"))
                .hint("give more digits")),
        }
    }

    /// `filter` with the defaults of `slsart.toml` where it leaves stage or region open.
    fn usual(&self, filter: &Filter) -> Filter {
        let defaults = &self.config.defaults;
        let or = |wanted: &Option<String>, default: Option<String>| wanted.clone().or(default);
        Filter {
            service: filter.service.clone(),
            stage: or(&filter.stage, defaults.stage.as_ref().map(ToString::to_string)),
            region: or(&filter.region, defaults.region.as_ref().map(ToString::to_string)),
            pruned: filter.pruned,
        }
    }

    fn find_by_id(&self, revision: &str, filter: &Filter) -> Result<Option<Found>> {
        let mut found = self.store().with_id(revision)?;
        found.retain(|found| filter.matches(&found.line.target));
        match found.iter().map(|found| found.line.package).collect::<std::collections::BTreeSet<_>>().len() {
            0 => Ok(None),
            1 if found.iter().any(|other| other.commit != found[0].commit) => {
                let list: Vec<_> = found.iter().map(|found| self.repository.short_id(found.commit)).collect();
                Err(Error::refused(format!("the package '{revision}' is recorded for several commits"))
                    .hint(format!("name the one whose source and plugins are meant: {}", list.join(", "))))
            }
            1 => Ok(found.pop()),
            _ => Err(Error::refused(format!("'{revision}' is the beginning of several packages' ids"))
                .hint("give more digits")),
        }
    }

    /// The error for a commit without the package that was asked for: what it has instead, or what is near.
    fn nothing_for(&self, commit: Oid, filter: &Filter) -> Result<Error> {
        let store = self.store();
        let short = self.repository.short_id(commit);
        let pruned = store.packages_of(commit, &Filter { pruned: true, ..filter.clone() })?;
        if let Some(pruned) = pruned.last() {
            return self.pruned(pruned);
        }
        let wish: Vec<String> =
            [("service", &filter.service), ("stage", &filter.stage), ("region", &filter.region)]
                .into_iter()
                .filter_map(|(what, value)| value.as_ref().map(|value| format!("{what} {value}")))
                .collect();
        let wish = if wish.is_empty() { String::new() } else { format!(" for {}", wish.join(", ")) };
        let mut error = Error::not_recorded(format!("commit {short} has no package{wish}"));
        let others = store.packages_of(commit, &Filter::default())?;
        if !others.is_empty() {
            let list: Vec<_> = others.iter().map(|found| found.line.target.to_string()).collect();
            error = error.hint(format!("it has one for: {}", list.join("; ")));
        }
        let options: String = [("--service", &filter.service), ("-s", &filter.stage), ("-r", &filter.region)]
            .into_iter()
            .filter_map(|(option, value)| Some(format!(" {option} {}", quoted(value.as_ref()?))))
            .collect();
        let error = error.hints(self.nearest(commit, filter)?);
        Ok(error.hint(format!("make it now: git slsart package {short}{options}")))
    }

    /// The error for a package that was pruned: when, and what is near.
    pub fn pruned(&self, pruned: &Found) -> Result<Error> {
        let Found { commit, line } = pruned;
        let short = self.repository.short_id(*commit);
        let on = pruned_on(line.pruned);
        let package = line.package.short();
        let error = Error::not_recorded(format!(
            "the package {package} of {short} for {} was pruned{on}",
            line.target
        ));
        let Target { path, stage, region, .. } = &line.target;
        let service = if path.as_str() == "." {
            String::new()
        } else {
            format!(" --service {}", quoted(path.as_str()))
        };
        let filter = Filter {
            service: Some(path.to_string()),
            stage: Some(stage.to_string()),
            region: Some(region.to_string()),
            pruned: false,
        };
        Ok(error.hints(self.nearest(*commit, &filter)?).hint(format!(
            "make another of the same commit: git slsart package {short}{service} -s {} -r {}",
            quoted(stage.as_str()),
            quoted(region.as_str())
        )))
    }

    /// A hint that names the nearest commits that have a package.
    fn nearest(&self, commit: Oid, filter: &Filter) -> Result<Option<String>> {
        let near = self.store().near(commit, filter, 3)?;
        let list = near.iter().map(|found| {
            let subject =
                self.repository.commit(found.commit).map(|commit| commit.subject).unwrap_or_default();
            format!("{} {subject}", self.repository.short_id(found.commit))
        });
        let list = list.collect::<Vec<_>>().join("; ");
        Ok((!near.is_empty()).then(|| format!("the nearest commits that have one: {list}")))
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

/// ` on 2026-01-05`.
fn pruned_on(at: Option<Timestamp>) -> String {
    at.map(|at| format!(" on {}", at.strftime("%Y-%m-%d"))).unwrap_or_default()
}

/// A word of a command line to paste.
fn quoted(word: &str) -> Cow<'_, str> {
    shlex::try_quote(word).unwrap_or(Cow::Borrowed(word))
}

fn newest_of_one_target(mut found: Vec<Found>) -> Result<Option<Found>> {
    let mut targets: Vec<&Target> = found.iter().map(|found| &found.line.target).collect();
    targets.sort();
    targets.dedup();
    if targets.len() > 1 {
        let list: Vec<_> = targets.iter().map(|target| format!("{target} ({})", target.path)).collect();
        return Err(Error::refused("that commit has packages for several targets")
            .hint("name one with --service, --stage and --region")
            .hint(format!("it has: {}", list.join("; "))));
    }
    // Oldest first, as the store gives them: the last one wins, and one that is clean over any that isn't.
    let index =
        found.iter().rposition(|found| found.line.dirty_tree.is_none()).or(found.len().checked_sub(1));
    Ok(index.map(|index| found.swap_remove(index)))
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
