//! What has to be packaged before it can be deployed.

use crate::deploy::fleet::packages::Selection;
use crate::error::Result;
use crate::git::Oid;
use crate::service::{Region, Service, Stage};
use crate::store::Filter;
use crate::workspace::{Wanted, Workspace};

/// A service of a commit that has no package for a stage and region.
pub struct Unpackaged {
    /// The commit.
    pub commit: Oid,
    /// The service, as the commit has it.
    pub service: Service,
    /// The stage.
    pub stage: Stage,
    /// The region.
    pub region: Region,
}

/// The services of `revision` that are meant and that no package was recorded of, not even one that is pruned or elsewhere by now; none
/// where `revision` is no commit.
pub fn unpackaged(
    workspace: &Workspace<'_>,
    revision: &str,
    selection: &Selection,
    wanted: &Wanted,
) -> Result<Vec<Unpackaged>> {
    let Ok(commit) = workspace.repository.resolve(revision) else { return Ok(Vec::new()) };
    let services = match selection {
        Selection::All => workspace.services(commit)?,
        Selection::Named(names) if names.is_empty() => vec![workspace.service(commit, wanted)?],
        Selection::Named(names) => {
            let of = |name: &String| Wanted { service: Some(name.clone()), ..wanted.clone() };
            names.iter().map(|name| workspace.service(commit, &of(name))).collect::<Result<_>>()?
        }
    };
    let mut unpackaged = Vec::new();
    let head = workspace.repository.head().map(|head| workspace.services(head)).transpose()?;
    for service in services {
        // As where a package is looked for, the stage is today's where none is named.
        let today = head.iter().flatten().find(|other| other.path == service.path).unwrap_or(&service);
        let stage = workspace.stage(wanted, Some(today))?;
        let region = workspace.region(wanted, Some(&service))?;
        let filter = Filter {
            service: Some(service.path.as_str().into()),
            stage: Some(stage.to_string()),
            region: Some(region.to_string()),
            pruned: true,
        };
        if workspace.store().packages().of(commit, &filter)?.is_empty() {
            unpackaged.push(Unpackaged { commit, service, stage, region });
        }
    }
    Ok(unpackaged)
}
