//! A service, stage or region that nothing is recorded for: what is known instead, and what was probably meant.

use std::collections::BTreeSet;

use super::scope::{is, names_of};
use super::{Workspace, name_of};
use crate::error::{Error, Result};
use crate::git::Oid;
use crate::package::manifest::Target;
use crate::store::Filter;
use crate::text::command::slsart;
use crate::text::nearest::did_you_mean;

/// The most names that an error lists.
const MAX_LISTED: usize = 12;

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
        let stages = known.iter().map(|target| target.stage.as_str());
        let regions = known.iter().map(|target| target.region.as_str());
        let stage =
            filter.stage.as_deref().and_then(|stage| self.unlike("stage", stage, stages, filter, commit));
        Ok(stage.or_else(|| {
            filter.region.as_deref().and_then(|region| self.unlike("region", region, regions, filter, commit))
        }))
    }

    fn unlike<'a>(
        &self,
        what: &str,
        wanted: &str,
        known: impl Iterator<Item = &'a str>,
        filter: &Filter,
        commit: Oid,
    ) -> Option<Error> {
        let known: BTreeSet<String> = known.map(str::to_owned).collect();
        if known.contains(wanted) {
            return None;
        }
        let of = filter.service.as_ref().filter(|service| !service.is_alone());
        let of = of.map(|service| format!(" of {service}")).unwrap_or_default();
        let list: Vec<&str> = known.iter().take(MAX_LISTED).map(String::as_str).collect();
        let error =
            Error::not_recorded(format!("nothing was packaged or deployed for the {what} '{wanted}'{of}"));
        let meant = did_you_mean(wanted, known.iter().cloned());
        let new = meant.is_none().then(|| self.make(commit, filter)).flatten();
        Some(
            error
                .hints(meant)
                .hint(format!("{what}s with packages or deployments: {}", list.join(", ")))
                .hints(new),
        )
    }

    fn unknown_service(&self, filter: &Filter, commit: Oid, all: &BTreeSet<Target>) -> Result<Error> {
        let Some(service) = &filter.service else { return Ok(self.nothing_yet(filter)) };
        let today = self.today()?;
        if today.iter().any(|known| is(service, known)) {
            let what = format!("nothing was packaged or deployed for the service {service}");
            let error = Error::not_recorded(what).hints(self.commit_first(service));
            return Ok(error.hints(self.make(commit, filter)));
        }
        let recorded = all.iter().flat_map(|target| [target.path.to_string(), target.service.to_string()]);
        let known: BTreeSet<String> = names_of(&today).chain(recorded).filter(|name| name != ".").collect();
        let list: Vec<&str> = known.iter().take(MAX_LISTED).map(String::as_str).collect();
        let error = Error::not_recorded(format!("there is no service '{service}'"));
        Ok(error
            .hints(did_you_mean(&service.to_string(), known.iter().cloned()))
            .hints((!list.is_empty()).then(|| format!("services: {}", list.join(", ")))))
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
