//! Finds the package that a user means, or explains why there is none.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::scope::option;
use super::{Workspace, name_of};
use crate::error::{Error, Kind, Result};
use crate::git::Oid;
use crate::package::manifest::Target;
use crate::service::Service;
use crate::store::{Filter, NotedPackage};
use crate::text::nearest::did_you_mean;

impl Workspace<'_> {
    /// The package that `revision` names among the `wanted`: a commit in any way git understands, or a package's id. Of several packages
    /// of a commit for one target, the newest; one without uncommitted changes first.
    ///
    /// # Errors
    /// [`crate::error::Kind::NotRecorded`], naming the nearest commits that have a package.
    pub fn find(&self, revision: &str, filter: &Filter) -> Result<NotedPackage> {
        let store = self.store();
        let commit = match self.repository.resolve(revision) {
            Ok(commit) => commit,
            Err(error) => {
                if let Some(commit) = self.noted_commit(revision)? {
                    commit
                } else if let Some(found) = self.find_by_id(revision, filter)? {
                    return Ok(found);
                } else {
                    let Some(pruned) = store.packages().pruned_with_id(revision, filter)? else {
                        return Err(self.nothing_named(revision, error)?);
                    };
                    let here = self.still_here(pruned.commit, filter)?.into_iter();
                    let found = here.into_iter().find(|found| found.line.package == pruned.line.package);
                    return found.map_or_else(|| Err(self.pruned(&pruned)?), Ok);
                }
            }
        };
        let mut found = store.packages().of(commit, filter)?;
        if found.is_empty() {
            found = self.still_here(commit, filter)?;
        }
        if found.is_empty() && self.repository.has(commit) {
            let all = store.packages().of(commit, &Filter::default())?;
            found = self.predecessors(commit, filter, all)?;
        }
        let usual = self.usual(filter);
        if found.iter().any(|found| usual.matches(&found.line.target)) {
            found.retain(|found| usual.matches(&found.line.target));
        }
        filter.keep_nearest(&mut found, |found| &found.line.target);
        match self.newest_of_one_target(found)? {
            Some(found) => Ok(found),
            None => {
                self.find_by_id(revision, filter)?.map_or_else(|| Err(self.nothing_for(commit, filter)?), Ok)
            }
        }
    }

    /// All packages that `revision` means, even without content here: a commit in any way git understands, the abbreviated id of a missing
    /// commit, or a package's id. [`crate::error::Kind::NotRecorded`] if there is none.
    pub fn find_noted(&self, revision: &str) -> Result<Vec<NotedPackage>> {
        let store = self.store();
        let of_any = Filter::default();
        let found = match self.repository.resolve(revision) {
            Ok(commit) => store.packages().of(commit, &of_any)?,
            Err(error) => {
                if let Some(commit) = self.noted_commit(revision)? {
                    store.packages().of(commit, &of_any)?
                } else {
                    let found = store.packages().with_id(revision)?;
                    return if found.is_empty() {
                        Err(self.nothing_named(revision, error)?)
                    } else {
                        Ok(found)
                    };
                }
            }
        };
        let found = if found.is_empty() { store.packages().with_id(revision)? } else { found };
        if found.is_empty() {
            return Err(Error::not_recorded(format!("nothing is recorded for '{revision}'"))
                .hint("`git slsart log --all` lists the recorded packages"));
        }
        Ok(found)
    }

    /// The packages of `commit` whose content is here though they were pruned, with a warning for each.
    fn still_here(&self, commit: Oid, filter: &Filter) -> Result<Vec<NotedPackage>> {
        let found = self.store().packages().still_here(commit, filter)?;
        for NotedPackage { line, .. } in &found {
            let (package, on) = (line.package.short(), pruned_on(line.pruned));
            self.progress
                .warn(&format!("the package {package} was pruned{on}; the copy that is still here is used"));
        }
        Ok(found)
    }

    /// A missing commit (in a shallow clone) that is in the notes, by its abbreviated id.
    fn noted_commit(&self, revision: &str) -> Result<Option<Oid>> {
        let mut commits = self.store().packages().commits_with_prefix(revision)?;
        match commits.len() {
            0 | 1 => Ok(commits.pop()),
            _ => Err(Error::refused(format!("'{revision}' is the beginning of several commits' ids"))
                .hint("give more digits")),
        }
    }

    /// `filter` with the default stage and region of `slsart.toml` if it has none.
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

    fn find_by_id(&self, revision: &str, filter: &Filter) -> Result<Option<NotedPackage>> {
        let all = self.store().packages().with_id(revision)?;
        let mut found = all.clone();
        found.retain(|found| filter.matches(&found.line.target));
        if let (true, Some(other)) = (found.is_empty(), all.first()) {
            return Err(self.for_another(other, filter));
        }
        match found.iter().map(|found| found.line.package).collect::<BTreeSet<_>>().len() {
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

    /// The error for a word that names neither a commit, which is `error`, nor a package.
    fn nothing_named(&self, revision: &str, mut error: Error) -> Result<Error> {
        if error.kind != Kind::NotRecorded {
            return Ok(error);
        }
        error.message = format!("there is no commit, tag, branch or package '{revision}' here");
        Ok(error.hints(self.meant_ids(revision)?))
    }

    /// `did you mean 6d252d1d?`, for what looks like an abbreviated id.
    fn meant_ids(&self, revision: &str) -> Result<Option<String>> {
        if !is_like_id(revision) || revision.len() < 7 {
            return Ok(None);
        }
        let all = self.store().packages().all(&Filter::default())?.found.into_iter();
        let ids = all.flat_map(|found| [found.line.package.to_string(), found.commit.to_string()]);
        Ok(did_you_mean(revision, ids.filter_map(|id| Some(id.get(..revision.len())?.to_owned()))))
    }

    /// The error for a commit without the requested package: what it has instead, or what is near.
    fn nothing_for(&self, commit: Oid, filter: &Filter) -> Result<Error> {
        let store = self.store();
        let short = self.repository.short_id(commit);
        let pruned = store.packages().of(commit, &Filter { pruned: true, ..filter.clone() })?;
        if let Some(pruned) = pruned.last() {
            return self.pruned(pruned);
        }
        let mut error =
            Error::not_recorded(format!("commit {short} has no package{}", wish(filter, " for ")));
        let others = store.packages().of(commit, &Filter::default())?;
        if !others.is_empty() {
            let list: Vec<_> = others.iter().map(|found| found.line.target.to_string()).collect();
            error = error.hint(format!("it has one for: {}", list.join("; ")));
        }
        let former = self.former(filter, &others)?;
        if let Some(unknown) = self.unknown(filter, commit)? {
            return Ok(unknown.hints(former));
        }
        let error = error.hints(former);
        let error = error.hints(self.nearest(commit, filter)?);
        // A package needs a service that the commit has.
        let make = self.make(commit, filter);
        Ok(error.hints(make))
    }

    /// The options for those of `found` whose service HEAD has neither by its directory nor by its name: the wanted one may be its
    /// successor.
    fn former(&self, filter: &Filter, found: &[NotedPackage]) -> Result<BTreeSet<String>> {
        let of_place = Filter { service: None, ..self.usual(filter) };
        let targets = found.iter().map(|found| &found.line.target).filter(|target| of_place.matches(target));
        let mut options = BTreeSet::new();
        for target in targets {
            if !self.is_in_head(target)? {
                let Target { path, service, .. } = target;
                let again = self.context.again(&[option(path.as_str(), Some(service.as_str()))], &[]);
                options.insert(format!("if the service was {service} in {path} then: {again}"));
            }
        }
        Ok(options)
    }

    pub fn is_in_head(&self, target: &Target) -> Result<bool> {
        // A name that only the packages say may be this one.
        let has = |service: &Service| {
            service.path == target.path || name_of(service).is_none_or(|name| *name == target.service)
        };
        Ok(self.head_services()?.iter().any(has))
    }

    /// The error for a pruned package: when, and what is near.
    pub fn pruned(&self, pruned: &NotedPackage) -> Result<Error> {
        let NotedPackage { commit, line } = pruned;
        let short = self.repository.short_id(*commit);
        let on = pruned_on(line.pruned);
        let package = line.package.short();
        let error = Error::not_recorded(format!(
            "the package {package} of {short} for {} was pruned{on}",
            line.target
        ));
        let Target { path, service, stage, region } = &line.target;
        let filter = Filter::of(&line.target);
        let again = self.package_command(&[&short], (path, Some(service)), stage, Some(region));
        Ok(error.hints(self.nearest(*commit, &filter)?).hint(format!("to package the commit again: {again}")))
    }

    fn nearest(&self, commit: Oid, filter: &Filter) -> Result<Option<String>> {
        let near = self.store().packages().near(commit, filter, 3)?;
        let list = near.iter().map(|found| {
            let subject =
                self.repository.commit(found.commit).map(|commit| commit.subject).unwrap_or_default();
            format!("{} {subject}", self.repository.short_id(found.commit))
        });
        let list = list.collect::<Vec<_>>().join("; ");
        Ok((!near.is_empty()).then(|| format!("the nearest commits that have one: {list}")))
    }

    /// The error for a package that is named by its id, and is for another target than the one that is meant.
    fn for_another(&self, found: &NotedPackage, filter: &Filter) -> Error {
        let Target { service, path, stage, region } = &found.line.target;
        let is_wrong =
            |wanted: &Option<String>, has: &str| wanted.as_ref().is_some_and(|wanted| wanted != has);
        let of_service = Filter { service: filter.service.clone(), ..Filter::default() };
        let options = [
            (!of_service.matches(&found.line.target)).then(|| option(path.as_str(), Some(service.as_str()))),
            is_wrong(&filter.stage, stage.as_str()).then_some(["-s", stage.as_str()]),
            is_wrong(&filter.region, region.as_str()).then_some(["-r", region.as_str()]),
        ];
        let options: Vec<_> = options.into_iter().flatten().collect();
        let (package, target) = (found.line.package.short(), &found.line.target);
        Error::not_recorded(format!("the package {package} is for {target}{}", wish(filter, ", not for ")))
            .hint(format!("if that package is meant: {}", self.context.again(&options, &[])))
    }

    fn newest_of_one_target(&self, mut found: Vec<NotedPackage>) -> Result<Option<NotedPackage>> {
        let targets: BTreeSet<&Target> = found.iter().map(|found| &found.line.target).collect();
        if let (Some(first), true) = (targets.first(), targets.len() > 1) {
            let differs =
                |part: fn(&Target) -> &str| targets.iter().any(|target| part(target) != part(first));
            let by_service =
                differs(|target| target.path.as_str()) || differs(|target| target.service.as_str());
            let by_stage = differs(|target| target.stage.as_str());
            let by_region = differs(|target| target.region.as_str());
            let ways = targets.iter().map(|target| {
                let Target { service, path, stage, region } = target;
                let service = by_service.then(|| option(path.as_str(), Some(service.as_str())));
                let stage = by_stage.then_some(["-s", stage.as_str()]);
                let region = by_region.then_some(["-r", region.as_str()]);
                let options: Vec<_> = [service, stage, region].into_iter().flatten().collect();
                format!("for {target}: {}", self.context.again(&options, &[]))
            });
            return Err(Error::refused("that commit has packages for several targets").hints(ways));
        }
        // Oldest first, as the store gives them: the last one wins, and one that is clean over any that isn't.
        let index =
            found.iter().rposition(|found| found.line.dirty_tree.is_none()).or(found.len().checked_sub(1));
        Ok(index.map(|index| found.swap_remove(index)))
    }
}

/// ` on 2026-01-05`.
fn pruned_on(at: Option<Timestamp>) -> String {
    at.map(|at| format!(" on {}", at.strftime("%Y-%m-%d"))).unwrap_or_default()
}

/// ` for service services/a, stage prod`, with these words before it.
fn wish(filter: &Filter, before: &str) -> String {
    // The only service needs no name.
    let service = filter.service.as_ref().filter(|service| !service.is_alone());
    let service = service.map(|service| format!("service {service}"));
    let stage = filter.stage.as_ref().map(|stage| format!("stage {stage}"));
    let region = filter.region.as_ref().map(|region| format!("region {region}"));
    let parts: Vec<String> = [service, stage, region].into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!("{before}{}", parts.join(", ")) }
}

/// Whether a word may be the beginning of a commit's or a package's id.
pub fn is_like_id(word: &str) -> bool {
    (4..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}
