//! Which service a command means: the named one, else the current directory's, else the only one. None that is not the current
//! directory's is ever chosen silently.

use std::collections::BTreeSet;
use std::fs;

use super::{Wanted, Workspace, name_of, no_service};
use crate::error::{Error, Result};
use crate::git::Oid;
use crate::package::manifest::Target;
use crate::service::{self, CONFIG_FILES, Service, ServicePath};
use crate::store::{Filter, ServiceFilter};
use crate::text::command::quoted;
use crate::text::nearest::did_you_mean;

/// The most services that an error lists.
const MAX_LISTED: usize = 12;
/// How many commits down from HEAD are looked at for the name of a service whose configuration does not say it.
const NEAR: usize = 30;

impl Workspace<'_> {
    /// What a command that acts on one service means by its options.
    ///
    /// # Errors
    /// When it could be several: the error lists their options.
    pub fn one(&self, wanted: &Wanted) -> Result<Filter> {
        let service = match self.chosen(wanted)? {
            None => self.only(wanted)?,
            service => service,
        };
        Ok(filter(wanted, service))
    }

    /// The same for a commit or a package. A package's id says by itself which service is meant.
    pub fn one_of(&self, wanted: &Wanted, revision: &str) -> Result<Filter> {
        self.one(wanted).or_else(|error| {
            let is_commit = self.repository.resolve(revision).is_ok();
            let is_id = !is_commit && !self.store().packages().with_id(revision)?.is_empty();
            if is_id { Ok(filter(wanted, None)) } else { Err(error) }
        })
    }

    /// The same for what is deployed to one target: with a stage always, since a deploy must not guess between two.
    pub fn target(&self, wanted: &Wanted, revision: Option<&str>) -> Result<Filter> {
        let mut filter = match revision {
            Some(revision) => self.one_of(wanted, revision)?,
            None => self.one(wanted)?,
        };
        if filter.stage.is_none() {
            let head = self.repository.head();
            let service = head.and_then(|head| self.service(head, wanted).ok());
            filter.stage = Some(self.stage(wanted, service.as_ref())?.to_string());
        }
        if filter.region.is_none() {
            filter.region = self.config.defaults.region.as_ref().map(ToString::to_string);
        }
        Ok(filter)
    }

    /// What a command that lists means by its options: the named service, else the current directory's, else all. With `all`, only
    /// a named service narrows it.
    pub fn listed(&self, wanted: &Wanted, all: bool) -> Result<Filter> {
        let service = if all && wanted.service.is_none() { None } else { self.chosen(wanted)? };
        Ok(filter(wanted, service))
    }

    /// The current directory's service, where a list is narrowed to it and there are others.
    pub fn narrowed_to(&self, wanted: &Wanted, filter: &Filter) -> Result<Option<String>> {
        let Some(service) = filter.service.as_ref().filter(|_| wanted.service.is_none()) else {
            return Ok(None);
        };
        let of_service = Filter { service: Some(service.clone()), ..Filter::default() };
        let is_other = |target: &Target| !of_service.matches(target);
        let has_others =
            !service.others.is_empty() || self.store().histories().targets()?.iter().any(is_other);
        Ok(has_others.then(|| service.to_string()))
    }

    /// The one service of `commit` that is meant.
    ///
    /// # Errors
    /// When the commit does not have it, and when it could be several.
    pub fn service(&self, commit: Oid, wanted: &Wanted) -> Result<Service> {
        let is_head = self.repository.head() == Some(commit);
        let mut services = if is_head { self.head_services()?.to_vec() } else { self.services(commit)? };
        if services.is_empty() {
            return Err(no_service());
        }
        let exact = wanted.service.as_deref().map(|text| self.as_path(text));
        if let Some(index) =
            exact.and_then(|text| services.iter().position(|service| is_named(service, &text)))
        {
            return Ok(services.swap_remove(index));
        }
        let Some(meant) = self.chosen(wanted)? else {
            if services.len() == 1 {
                return Ok(services.swap_remove(0));
            }
            return Err(self.several(&services, wanted));
        };
        let nearness = |service: &Service| {
            let name = name_of(service).map(AsRef::as_ref);
            if is(&meant, service) { meant.nearness(service.path.as_str(), name) } else { 0 }
        };
        match (0..services.len()).max_by_key(|index| nearness(&services[*index])) {
            Some(index) if nearness(&services[index]) > 0 => Ok(services.swap_remove(index)),
            _ => Err(self.not_in_commit(&meant, &services, wanted)),
        }
    }

    /// The services that could be meant where none is named, neither by the current directory nor by a package's id.
    ///
    /// # Returns
    /// More than one, or none; without a revision, those that something is recorded for, where there are any.
    pub fn to_choose_from(&self, wanted: &Wanted, revision: Option<&str>) -> Result<Vec<Service>> {
        let is_clear = match revision {
            Some(revision) => self.one_of(wanted, revision).is_ok(),
            None => self.one(wanted).is_ok(),
        };
        if is_clear {
            return Ok(Vec::new());
        }
        let all = self.head_services()?;
        let recorded = self.recorded()?;
        let is_recorded = |service: &&Service| {
            let is_its =
                |target: &Target| target.path == service.path || name_of(service) == Some(&target.service);
            revision.is_some() || recorded.iter().any(is_its)
        };
        let known: Vec<Service> = all.iter().filter(is_recorded).cloned().collect();
        Ok(if known.is_empty() { all.to_vec() } else { known })
    }

    pub fn recorded(&self) -> Result<BTreeSet<Target>> {
        let store = self.store();
        let packages = store.packages().all(&Filter { pruned: true, ..Filter::default() })?.found.into_iter();
        Ok(packages.map(|found| found.line.target).chain(store.histories().targets()?).collect())
    }

    /// HEAD's services, and one of the working tree that the current directory is in, committed or not.
    pub fn today(&self) -> Result<Vec<Service>> {
        let mut services = self.head_services()?.to_vec();
        let above = self.here().map(|here| here.ancestors()).unwrap_or_default();
        for service in self.only_listed(self.in_working_tree(&above)) {
            if services.iter().all(|known| known.path != service.path) {
                services.push(service);
            }
        }
        Ok(services)
    }

    pub fn head_services(&self) -> Result<&[Service]> {
        if let Some(known) = self.in_head.get() {
            return Ok(known);
        }
        let services = self.repository.head().map(|head| self.services(head)).transpose()?;
        Ok(self.in_head.get_or_init(|| services.unwrap_or_default()))
    }

    /// The services that the working tree has in these directories, committed or not.
    pub(super) fn in_working_tree<'p>(
        &self,
        directories: impl IntoIterator<Item = &'p ServicePath>,
    ) -> Vec<Service> {
        let Some(top) = self.repository.work_tree_if_any() else { return Vec::new() };
        let files = directories.into_iter().flat_map(|path| CONFIG_FILES.map(|file| path.file(file)));
        let files: Vec<String> = files.filter(|file| top.join(file).is_file()).collect();
        service::discover(files.iter().map(String::as_str), |file| fs::read_to_string(top.join(file)).ok())
    }

    /// The service that is named, else the current directory's.
    fn chosen(&self, wanted: &Wanted) -> Result<Option<ServiceFilter>> {
        match &wanted.service {
            Some(text) => self.named(text).map(Some),
            None => self.around(),
        }
    }

    fn named(&self, text: &str) -> Result<ServiceFilter> {
        let text = self.as_path(text);
        let today = self.today()?;
        match today.iter().find(|service| is_named(service, &text)) {
            Some(service) => self.filter_of(service, &today),
            // What is no service any more is known by either.
            None => Ok(ServiceFilter { others: parts(&today), ..ServiceFilter::from(text.as_str()) }),
        }
    }

    fn around(&self) -> Result<Option<ServiceFilter>> {
        let Some(here) = self.here() else { return Ok(None) };
        let above = here.ancestors();
        let distance = |path: &ServicePath| above.iter().position(|directory| directory == path);
        let today = self.today()?;
        let near = today.iter().filter_map(|service| Some((distance(&service.path)?, service)));
        let near = near.min_by_key(|(distance, _)| *distance);
        if let Some((0, service)) = near {
            return self.filter_of(service, &today).map(Some);
        }
        // The directory of what was a service may be nearer. The top would be around everything, and a service that has moved has left.
        let was_here = |target: &Target| {
            let name = target.service.as_str();
            !target.path.is_root()
                && today.iter().all(|service| name_of(service).is_none_or(|known| known.as_str() != name))
        };
        let gone = self.recorded()?.into_iter().filter(was_here);
        let gone = gone.filter_map(|target| Some((distance(&target.path)?, target.path)));
        let gone = gone.min_by_key(|(distance, _)| *distance);
        match (near, gone) {
            (Some((far, _)), Some((nearer, path))) if nearer < far => Ok(Some(was(&path, &today))),
            (None, Some((_, path))) => Ok(Some(was(&path, &today))),
            (Some((_, service)), _) => self.filter_of(service, &today).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The only service there is, of HEAD, or where HEAD has none, of those that something is recorded for.
    fn only(&self, wanted: &Wanted) -> Result<Option<ServiceFilter>> {
        match self.head_services()? {
            [] => {
                let paths: BTreeSet<_> = self.recorded()?.into_iter().map(|target| target.path).collect();
                if paths.len() <= 1 {
                    return Ok(None);
                }
                let gone = |path| Service { path, config: String::new(), outline: None, problem: None };
                Err(self.several(&paths.into_iter().map(gone).collect::<Vec<_>>(), wanted))
            }
            [service] => self.filter_of(service, &[]).map(Some),
            services => Err(self.several(services, wanted)),
        }
    }

    fn filter_of(&self, service: &Service, today: &[Service]) -> Result<ServiceFilter> {
        let name = name_of(service).map(ToString::to_string);
        // A configuration that is a program says its name only in what it made.
        let names = if name.is_none() { self.recorded_names(&service.path)? } else { BTreeSet::new() };
        let others: Vec<Service> = today.iter().filter(|other| other.path != service.path).cloned().collect();
        Ok(ServiceFilter { path: Some(service.path.to_string()), name, names, others: parts(&others) })
    }

    fn recorded_names(&self, path: &ServicePath) -> Result<BTreeSet<String>> {
        let Some(head) = self.repository.head() else { return Ok(BTreeSet::new()) };
        let recent = self.store().packages().recent_targets(head, NEAR)?.into_iter();
        Ok(recent.filter(|target| target.path == *path).map(|target| target.service.to_string()).collect())
    }

    fn not_in_commit(&self, meant: &ServiceFilter, services: &[Service], wanted: &Wanted) -> Error {
        let list = services.iter().map(Service::to_string).collect::<Vec<_>>().join(", ");
        let error = match &wanted.service {
            Some(text) => {
                let error =
                    Error::refused(format!("there is no service '{}' in this commit", self.as_path(text)));
                error.hints(did_you_mean(&self.as_path(text), names_of(services)))
            }
            None => Error::refused(format!(
                "the service of the current directory, {meant}, is not in this commit"
            )),
        };
        error.hints(self.commit_first(meant)).hint(format!("this commit has: {list}"))
    }

    /// The error where it could be several: the command for each.
    fn several(&self, services: &[Service], wanted: &Wanted) -> Error {
        let listed = services.iter().take(MAX_LISTED).map(|service| {
            let known = name_of(service).map(AsRef::as_ref);
            let again = self.context.again(&[option(service.path.as_str(), known)], &[]);
            format!("for {}: {again}", known.unwrap_or(service.path.as_str()))
        });
        let more = services.len().checked_sub(MAX_LISTED).filter(|more| *more > 0);
        let all = || format!("for all of them: {}", self.context.again(&[], &["--all"]));
        Error::refused("this repository has several services: name one, or change to its directory")
            .hints(listed)
            .hints(more.map(|more| format!("and {more} more")))
            .hints(wanted.offers_all.then(all))
    }

    /// How to commit a service that only the working tree has.
    pub(super) fn commit_first(&self, service: &ServiceFilter) -> Option<String> {
        let path: ServicePath = service.path.as_deref()?.parse().ok()?;
        let is_committed =
            self.head_services().is_ok_and(|all| all.iter().any(|service| service.path == path));
        if is_committed || self.in_working_tree([&path]).is_empty() {
            return None;
        }
        // From the top, wherever it is pasted.
        let path = if path.is_root() { ":/".to_owned() } else { format!(":/{path}") };
        Some(format!("to commit it first: git add {} && git commit", quoted(&path)))
    }
}

/// `wanted`, with this service.
pub(super) fn filter(wanted: &Wanted, service: Option<ServiceFilter>) -> Filter {
    Filter {
        service,
        stage: wanted.stage.as_ref().map(ToString::to_string),
        region: wanted.region.as_ref().map(ToString::to_string),
        pruned: false,
    }
}

/// What was a service at `path`.
fn was(path: &ServicePath, today: &[Service]) -> ServiceFilter {
    ServiceFilter { path: Some(path.to_string()), others: parts(today), ..ServiceFilter::default() }
}

/// The option that names a service from any directory.
pub fn option<'n>(path: &'n str, name: Option<&'n str>) -> [&'n str; 2] {
    // From a directory of the repository, `.` is that directory.
    ["--service", if path == "." { name.unwrap_or(path) } else { path }]
}

pub(super) fn is(meant: &ServiceFilter, service: &Service) -> bool {
    meant.is(service.path.as_str(), name_of(service).map(AsRef::as_ref))
}

fn parts(services: &[Service]) -> Vec<(String, Option<String>)> {
    let parts = |service: &Service| (service.path.to_string(), name_of(service).map(ToString::to_string));
    services.iter().map(parts).collect()
}

/// The names and directories that services can be named by.
pub(super) fn names_of(services: &[Service]) -> impl Iterator<Item = String> {
    services.iter().flat_map(|service| {
        [Some(service.path.to_string()), name_of(service).map(ToString::to_string)].into_iter().flatten()
    })
}

fn is_named(service: &Service, wanted: &str) -> bool {
    service.path.as_str() == wanted || name_of(service).is_some_and(|name| name.as_str() == wanted)
}
