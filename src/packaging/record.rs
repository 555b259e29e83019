//! `record`: records a package that was made elsewhere.

use std::fs;
use std::path::Path;

use super::Summary;
use super::draft::Draft;
use super::make::{own_tools, service_name};
use super::placement;
use super::secret_policy;
use crate::error::{Error, Result};
use crate::git::{Oid, Source};
use crate::package::directory::PackageDirectory;
use crate::package::manifest::{Origin, Target};
use crate::package::storage::Storage;
use crate::service::{Region, Service, Stage, State};
use crate::store::{Recording, SecretOptions};
use crate::toolchain::plugin_hooks::PluginHooks;
use crate::workspace::secrets::scanner_and_policy;
use crate::workspace::{Wanted, Workspace, name_of};

/// Records the package directory `path` for `commit`. Service, stage and region are the package's own; `wanted` must agree with them.
pub fn record(
    workspace: &Workspace<'_>,
    path: &Path,
    commit: Oid,
    wanted: &Wanted,
    storage: Storage,
) -> Result<Summary> {
    let Workspace { repository, progress, context, .. } = workspace;
    placement::check(workspace, storage)?;
    progress.phase("Reading the package");
    let mut directory = PackageDirectory::read(path)?;
    let state = State::parse(&directory.state)?;
    let commit = repository.commit(commit)?;
    let service = service_of(workspace, &state, commit.id, wanted)?;
    let for_stage = agreed::<Stage>("stage", state.stage().as_deref(), wanted.stage.as_ref())?;
    let region = agreed::<Region>("region", state.region(), wanted.region.as_ref())?;
    let target = Target {
        service: service_name(&state, &service)?,
        path: service.path.clone(),
        stage: for_stage,
        region,
    };
    // Archives beside the package belong to the commit only while the working tree is the commit.
    let is_here =
        repository.head() == Some(commit.id) && repository.dirty_paths().is_ok_and(|paths| paths.is_empty());
    let packaged_in = repository.work_tree_if_any().filter(|_| is_here).map(|top| service.path.under(top));
    let draft = Draft {
        directory: &mut directory,
        state: &state,
        packaged_in: packaged_in.as_deref(),
        source: Source::new(repository, commit.tree),
        commit: &commit,
        tree: commit.tree,
        service: &service,
        target,
        origin: Origin::Recorded,
        // The node that made it is unknown; the framework is the one in the lockfile.
        tools: own_tools(),
        engines: None,
        hooks: PluginHooks::new(),
        build_environment: None,
        at: context.clock.now(),
    };
    let manifest = draft.manifest(*progress)?;
    progress.phase("Recording the package");
    let placement = placement::of(workspace, storage, &directory)?;
    // The variables' values elsewhere are unknown; the values here are the most likely to be in it.
    let here = repository.work_tree_if_any().map(|top| service.path.under(top));
    let read = |file: &str| fs::read_to_string(here.as_ref()?.join(file)).ok();
    let (scanner, policy) =
        scanner_and_policy(workspace, &manifest.environment.names, &manifest.target.stage, read)?;
    let secret_options = SecretOptions { scanner: &scanner, policy: &policy };
    let recording = Recording {
        directory: &directory,
        manifest: &manifest,
        commit: commit.id,
        source: commit.id,
        placement,
        secret_options,
    };
    let recorded = workspace.store().record(&recording, *progress)?;
    Ok(secret_policy::told(workspace, recorded, manifest, &policy, &commit.subject, directory.left_out))
}

/// The service in the commit that the package belongs to: the one named, else the one with the package's own name, else the only possible
/// one.
fn service_of(workspace: &Workspace<'_>, state: &State, commit: Oid, wanted: &Wanted) -> Result<Service> {
    let packaged = state.service_name();
    if let Some(named) = &wanted.service {
        let service = workspace.service(commit, wanted)?;
        return match (name_of(&service), packaged) {
            (Some(has), Some(packaged)) if has.as_str() != packaged => {
                Err(another(packaged, &format!("'{named}' is '{has}'")))
            }
            _ => Ok(service),
        };
    }
    let mut candidates = workspace.services(commit)?;
    candidates.retain(|service| name_of(service).is_none_or(|name| Some(name.as_str()) == packaged));
    let exact = candidates.iter().filter(|service| name_of(service).is_some()).count();
    if exact > 0 {
        candidates.retain(|service| name_of(service).is_some());
    }
    match candidates.len() {
        1 => Ok(candidates.swap_remove(0)),
        0 => Err(another(packaged.unwrap_or("?"), "this commit does not have that service")),
        _ => Err(Error::refused("several services of the commit match this package").hint(format!(
            "name one of them with --service: {}",
            candidates.iter().map(|service| service.path.as_str()).collect::<Vec<_>>().join(", ")
        ))),
    }
}

fn another(named: &str, why: &str) -> Error {
    Error::refused(format!("the package belongs to the service '{named}', and {why}")).hint(
        "name the commit and service that the package was made from: git slsart record DIR COMMIT --service PATH",
    )
}

fn agreed<T>(what: &str, packaged: Option<&str>, wanted: Option<&T>) -> Result<T>
where
    T: std::str::FromStr<Err = crate::service::NameError> + PartialEq + std::fmt::Display,
{
    let Some(packaged) = packaged else {
        return Err(Error::refused(format!("the package does not name its {what}")));
    };
    let packaged: T =
        packaged.parse().map_err(|error: crate::service::NameError| Error::refused(error.to_string()))?;
    match wanted {
        Some(wanted) if *wanted != packaged => Err(Error::refused(format!(
            "the package is for the {what} {packaged}, not {wanted}"
        ))
        .hint("variables are resolved when packaging: package the commit again for another stage or region")),
        _ => Ok(packaged),
    }
}
