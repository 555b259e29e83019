//! A service, stage or region that nothing is recorded for: what is known instead, and what was probably meant.

use std::collections::BTreeSet;

use super::scope::{filter, is, names_of};
use super::{Wanted, Workspace, name_of};
use crate::error::{Error, Result};
use crate::git::Oid;
use crate::package::manifest::Target;
use crate::service::Service;
use crate::store::Filter;
use crate::text::command::slsart;
use crate::text::nearest::did_you_mean;

/// The most names that an error lists.
const MAX_LISTED: usize = 12;
/// The most commands that are given for stages that are known.
const MAX_COMMANDS: usize = 3;

/// A stage or region that nothing is recorded for.
struct Unlike<'f> {
    what: &'static str,
    wanted: &'f str,
    /// Those that something is recorded for: of the service, or where it has none, of all.
    known: BTreeSet<String>,
    /// `did you mean prod?`, where nothing in the whole repository has the name.
    meant: Option<String>,
}

impl Workspace<'_> {
    /// Refuses a service, stage or region that nothing is recorded for.
    ///
    /// # Errors
    /// [`crate::error::Kind::NotRecorded`], with the ones that are known.
    pub fn need_known(&self, filter: &Filter) -> Result<()> {
        let Some(head) = self.repository.head() else { return Ok(()) };
        if self.recorded()?.is_empty() {
            return Err(self.nothing_yet(filter));
        }
        self.unknown(filter, head)?.map_or(Ok(()), Err)
    }

    /// The same for the one target of `command`. Where its stage is only the default, the command is given for those that are known.
    pub fn need_known_target(&self, filter: &Filter, wanted: &Wanted, command: &str) -> Result<()> {
        let Err(mut error) = self.need_known(filter) else { return Ok(()) };
        if let (None, Some(default)) = (&wanted.stage, &filter.stage) {
            let of_service = Filter { service: filter.service.clone(), ..Filter::default() };
            let mut known: Vec<Target> = self.recorded()?.into_iter().collect();
            known.retain(|target| of_service.matches(target) && target.stage.as_str() != default);
            known.dedup_by(|one, other| one.stage == other.stage);
            let instead = known.iter().take(MAX_COMMANDS).map(|target| {
                let stage = &target.stage;
                format!("the default stage is {default}; for {stage}: {}", self.slsart(&[command], target))
            });
            error.hints.splice(0..0, instead);
        }
        Err(error)
    }

    /// What is to be said before something is made for a stage or region that is new here and like one that is known.
    pub fn mistyped(&self, wanted: &Wanted) -> Result<Option<String>> {
        let filter = filter(wanted, None);
        if filter.stage.is_none() && filter.region.is_none() {
            return Ok(None);
        }
        let all = self.recorded()?;
        let unlike = unlike(&filter, &all.iter().collect::<Vec<_>>(), &all);
        Ok(unlike.and_then(|Unlike { what, wanted, known, meant }| {
            Some(format!("the {what} '{wanted}' is new here: {} {what}s so far: {}", meant?, listed(&known)))
        }))
    }

    /// The error for what of `filter` nothing is recorded for, though there are records; `None` where something is for each part.
    ///
    /// # Arguments
    /// `commit`: the one that a package is to be made of.
    pub(super) fn unknown(&self, filter: &Filter, commit: Oid) -> Result<Option<Error>> {
        let all = self.recorded()?;
        let of_service = Filter { service: filter.service.clone(), ..Filter::default() };
        let known: Vec<&Target> = all.iter().filter(|target| of_service.matches(target)).collect();
        if known.is_empty() {
            let error = (!all.is_empty()).then(|| self.unknown_service(filter, commit, &all));
            return error.transpose();
        }
        Ok(unlike(filter, &known, &all).map(|unlike| self.nothing_for_name(unlike, filter, commit)))
    }

    fn nothing_for_name(&self, unlike: Unlike<'_>, filter: &Filter, commit: Oid) -> Error {
        let Unlike { what, wanted, known, meant } = unlike;
        let of = filter.service.as_ref().filter(|service| !service.is_alone());
        let of = of.map(|service| format!(" of {service}")).unwrap_or_default();
        // A command must not repeat what is probably a slip.
        let new = meant.is_none().then(|| self.make(commit, filter)).flatten();
        Error::not_recorded(format!("nothing was packaged or deployed for the {what} '{wanted}'{of}"))
            .hints(meant)
            .hint(format!("{what}s with packages or deployments: {}", listed(&known)))
            .hints(new)
    }

    fn unknown_service(&self, filter: &Filter, commit: Oid, all: &BTreeSet<Target>) -> Result<Error> {
        let Some(service) = &filter.service else { return Ok(self.nothing_yet(filter)) };
        let today = self.today()?;
        if today.iter().any(|known| is(service, known)) {
            let unlike = unlike(filter, &[], all);
            if let Some(unlike) = unlike.filter(|unlike| unlike.meant.is_some()) {
                return Ok(self.nothing_for_name(unlike, filter, commit));
            }
            let what = format!("nothing was packaged or deployed for the service {service}");
            let error = Error::not_recorded(what).hints(self.commit_first(service));
            return Ok(error.hints(self.make(commit, filter)));
        }
        let gone = all.iter().filter(|target| today.iter().all(|service| service.path != target.path));
        let recorded = gone.clone().flat_map(|target| [target.path.to_string(), target.service.to_string()]);
        let known: BTreeSet<String> = names_of(&today).chain(recorded).filter(|name| name != ".").collect();
        let gone = gone.map(|target| format!("{} ({})", target.path, target.service));
        let list: BTreeSet<String> = today.iter().map(Service::to_string).chain(gone).collect();
        let error = Error::not_recorded(format!("there is no service '{service}'"));
        Ok(error
            .hints(did_you_mean(&service.to_string(), known))
            .hints((!list.is_empty()).then(|| format!("services: {}", listed(&list)))))
    }

    fn nothing_yet(&self, filter: &Filter) -> Error {
        let make = self.repository.head().and_then(|head| self.make(head, filter));
        Error::not_recorded("nothing was packaged or deployed here yet").hints(make)
    }

    /// How to make a package of `commit` for `filter`; none where the commit has no such service.
    pub(super) fn make(&self, commit: Oid, filter: &Filter) -> Option<String> {
        let is_head = self.repository.head() == Some(commit);
        let head = self.head_services().ok()?;
        let services = if is_head { head.to_vec() } else { self.services(commit).ok()? };
        let service = services
            .iter()
            .find(|service| filter.service.as_ref().is_none_or(|filter| is(filter, service)))?;
        let is_one = services.len().max(head.len()) == 1;
        let named = if is_one { None } else { self.name_from_here(&service.path, name_of(service)) };
        let short = (!is_head).then(|| self.repository.short_id(commit));
        let options =
            [("--service", named), ("-s", filter.stage.as_deref()), ("-r", filter.region.as_deref())];
        let options = options.into_iter().filter_map(|(option, value)| Some([option, value?]));
        let words = ["package"].into_iter().chain(short.as_deref()).chain(options.flatten());
        Some(format!("to make a package: {}", slsart(words)))
    }
}

/// The stage, else the region, of `filter` that none of the `known` targets has; `all` are those of the repository.
fn unlike<'f>(filter: &'f Filter, known: &[&Target], all: &BTreeSet<Target>) -> Option<Unlike<'f>> {
    let stage = filter.stage.as_deref().map(|stage| ("stage", stage));
    let region = filter.region.as_deref().map(|region| ("region", region));
    [stage, region].into_iter().flatten().find_map(|(what, wanted)| {
        let name = |target: &Target| match what {
            "stage" => target.stage.to_string(),
            _ => target.region.to_string(),
        };
        let own: BTreeSet<String> = known.iter().map(|target| name(target)).collect();
        let all: BTreeSet<String> = all.iter().map(name).collect();
        if own.contains(wanted) {
            return None;
        }
        let meant = (!all.contains(wanted)).then(|| did_you_mean(wanted, all.iter().cloned())).flatten();
        Some(Unlike { what, wanted, known: if own.is_empty() { all } else { own }, meant })
    })
}

fn listed(names: &BTreeSet<String>) -> String {
    names.iter().take(MAX_LISTED).map(String::as_str).collect::<Vec<_>>().join(", ")
}
