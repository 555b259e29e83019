//! Which packages are meant when several services are.

use super::step::{Step, StepState};
use crate::deploy::history;
use crate::error::{Error, Kind, Result};
use crate::package::manifest::Target;
use crate::service::Service;
use crate::sharing;
use crate::store::deployments::Action;
use crate::store::{Filter, NotedPackage};
use crate::text::command::slsart;
use crate::workspace::{Wanted, Workspace, no_service};

/// Which services are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All that the commit has.
    All,
    /// Those that these names or paths name.
    Named(Vec<String>),
}

impl Selection {
    /// Whether it means a single service: the one named, else that of the current directory, else the only one.
    pub fn is_single(&self) -> bool {
        matches!(self, Self::Named(names) if names.len() < 2)
    }
}

/// The packages of `revision` that are meant, a target once.
///
/// # Errors
/// [`Kind::NotRecorded`] when a service has none: it names all such, and how to do without them.
pub(in crate::deploy) fn find(
    workspace: &Workspace<'_>,
    action: Action,
    revision: &str,
    selection: &Selection,
    wanted: &Wanted,
) -> Result<Vec<NotedPackage>> {
    let mut found: Vec<NotedPackage> = Vec::new();
    let mut missing = Vec::new();
    for (service, filter) in filters(workspace, revision, selection, wanted)? {
        match sharing::find(workspace, revision, &filter) {
            Ok(one) if found.iter().any(|known| known.line.target == one.line.target) => {}
            Ok(one) => found.push(one),
            Err(error) if error.kind == Kind::NotRecorded && !selection.is_single() => {
                missing.push((service, error));
            }
            Err(error) => return Err(error),
        }
    }
    if missing.is_empty() { Ok(found) } else { Err(not_all(missing, &found, action, revision, wanted)) }
}

/// The targets that are live beside `steps`, on their stages and in their regions.
pub(in crate::deploy) fn left_alone(workspace: &Workspace<'_>, steps: &[Step<'_>]) -> Result<Vec<Target>> {
    let store = workspace.store();
    let mut left = Vec::new();
    for target in store.histories().targets()? {
        let beside =
            |step: &Step<'_>| (&step.target.stage, &step.target.region) == (&target.stage, &target.region);
        let is_taken = steps
            .iter()
            .any(|step| step.state != StepState::NotInCommit && step.target.is_same_stack(&target));
        if steps.iter().any(beside)
            && !is_taken
            && history::live(&store.histories().of(&target)?.deployments).is_some()
        {
            left.push(target);
        }
    }
    left.sort();
    Ok(left)
}

/// A filter for each service, with the name that messages use.
fn filters(
    workspace: &Workspace<'_>,
    revision: &str,
    selection: &Selection,
    wanted: &Wanted,
) -> Result<Vec<(String, Filter)>> {
    match selection {
        single if single.is_single() => Ok(vec![(String::new(), workspace.target(wanted, Some(revision))?)]),
        Selection::Named(names) => {
            let filter = |name: &String| {
                let wanted = Wanted { service: Some(name.clone()), ..wanted.clone() };
                Ok((name.clone(), workspace.target(&wanted, Some(revision))?))
            };
            names.iter().map(filter).collect()
        }
        Selection::All => {
            let commit = workspace.repository.resolve(revision).map_err(|error| {
                error.hint("--all deploys the services of a commit: name a commit, not a package's id")
            })?;
            let services = workspace.services(commit)?;
            if services.is_empty() {
                return Err(no_service());
            }
            let head = workspace.repository.head().map(|head| workspace.services(head)).transpose()?;
            let head = head.unwrap_or_default();
            services.iter().map(|service| of_service(workspace, &head, service, wanted)).collect()
        }
    }
}

/// The filter for a service's package. Without --stage, its stage is the current default.
fn of_service(
    workspace: &Workspace<'_>,
    head: &[Service],
    service: &Service,
    wanted: &Wanted,
) -> Result<(String, Filter)> {
    let today = head.iter().find(|other| other.path == service.path).unwrap_or(service);
    let region = wanted.region.as_ref().or(workspace.config.defaults.region.as_ref());
    let filter = Filter {
        service: Some(service.path.as_str().into()),
        stage: Some(workspace.stage(wanted, Some(today))?.to_string()),
        region: region.map(ToString::to_string),
        ..Filter::default()
    };
    Ok((service.path.to_string(), filter))
}

/// The error for services that have no package.
fn not_all(
    missing: Vec<(String, Error)>,
    found: &[NotedPackage],
    action: Action,
    revision: &str,
    wanted: &Wanted,
) -> Error {
    let is_one = missing.len() == 1;
    let messages: Vec<_> = missing.iter().map(|(_, error)| error.message.as_str()).collect();
    let mut all = Error::not_recorded(messages.join("; "));
    for (service, error) in missing {
        let told = |hint: String| if is_one { hint } else { format!("{service}: {hint}") };
        all = all.hints(error.hints.into_iter().map(told));
    }
    if found.is_empty() {
        return all;
    }
    let others: Vec<&Target> = found.iter().map(|found| &found.line.target).collect();
    let stage = wanted.stage.as_ref().map(ToString::to_string);
    all.hint(format!("to deploy the others alone: {}", command(action, revision, &others, stage.as_deref())))
}

/// A command that deploys the packages that `revision` has of these services, to paste.
pub(in crate::deploy) fn command(
    action: Action,
    revision: &str,
    targets: &[&Target],
    stage: Option<&str>,
) -> String {
    // From a directory of the repository, `.` is that directory.
    let service = |target: &&Target| match target.path.as_str() {
        "." => target.service.to_string(),
        path => path.to_owned(),
    };
    let services: Vec<String> = targets.iter().map(service).collect();
    let services = services.iter().flat_map(|service| ["--service", service.as_str()]);
    command_line(action, revision, services.chain(stage.into_iter().flat_map(|stage| ["-s", stage])))
}

/// The command line that deploys what `revision` has, with these options, to paste.
pub fn command_line<'a>(action: Action, revision: &'a str, options: impl Iterator<Item = &'a str>) -> String {
    let verb = if action == Action::Deploy { "deploy" } else { "rollback" };
    slsart([verb, revision].into_iter().chain(options))
}
