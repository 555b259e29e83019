//! Looking for what runs among the recorded packages.

use std::collections::BTreeSet;

use super::running::Running;
use crate::deploy::history::packages::open;
use crate::deploy::observe::expected::Expected;
use crate::error::Result;
use crate::package::PackageId;
use crate::package::manifest::Target;
use crate::process::interrupt;
use crate::store::deployments::Deployment;
use crate::store::{Filter, NotedPackage, StoredPackage};
use crate::workspace::Workspace;

/// Most packages whose manifests are looked at for the code that is live.
const MAX_PACKAGES: usize = 1_000;
/// Most packages with the same code that are named.
const MAX_NAMED: usize = 5;

/// Looking for what runs among the packages.
pub(in crate::deploy) struct Search<'s, 'r> {
    workspace: &'s Workspace<'r>,
    target: &'s Target,
    running: &'s Running,
}

/// What a search found.
#[derive(Default)]
pub(in crate::deploy) struct Findings<'r> {
    /// The packages whose code it is, best first.
    pub(in crate::deploy) packages: Vec<StoredPackage<'r>>,
    /// How many were looked at.
    pub(in crate::deploy) searched: usize,
    /// Whether there are more that were not.
    pub(in crate::deploy) more: bool,
}

impl<'r> Findings<'r> {
    pub(in crate::deploy) fn only(package: Option<StoredPackage<'r>>) -> Self {
        Self { packages: package.into_iter().collect(), searched: 1, more: false }
    }
}

impl<'s, 'r> Search<'s, 'r> {
    pub(in crate::deploy) fn new(
        workspace: &'s Workspace<'r>,
        target: &'s Target,
        running: &'s Running,
    ) -> Self {
        Self { workspace, target, running }
    }

    /// Looks first where the answer most likely is. A manifest tells which packages can't be it; only of the others is the state read.
    pub(in crate::deploy) fn run(&self, deployments: &[Deployment]) -> Result<Findings<'r>> {
        let mut found = Findings::default();
        let mut seen: BTreeSet<(String, PackageId)> = BTreeSet::new();
        let mut pending: Vec<StoredPackage<'r>> = Vec::new();
        for deployment in deployments {
            if seen.insert((deployment.commit.clone(), deployment.package)) {
                pending.extend(open(self.workspace, deployment));
            }
        }
        for package in pending {
            self.take(package, &mut found)?;
        }
        let filter = Filter { service: Some(self.target.service.as_str().into()), ..Filter::default() };
        let mut all = self.workspace.store().packages().all(&filter)?.found;
        // Those for this target first, each part still newest first.
        all.sort_by_key(|found| found.line.target != *self.target);
        for NotedPackage { commit, line } in all {
            if !seen.insert((commit.to_string(), line.package)) {
                continue;
            }
            if found.searched >= MAX_PACKAGES || found.packages.len() >= MAX_NAMED {
                found.more = true;
                break;
            }
            interrupt::check()?;
            // A damaged package is skipped; `verify` reports it.
            if let Ok(package) = self.workspace.store().open(commit, &line) {
                self.take(package, &mut found)?;
            }
        }
        Ok(found)
    }

    fn take(&self, package: StoredPackage<'r>, found: &mut Findings<'r>) -> Result<()> {
        found.searched += 1;
        let files: BTreeSet<String> =
            package.manifest.files.iter().map(|file| file.sha256.to_base64()).collect();
        let may_be = self.running.hashes().into_iter().all(|hash| files.contains(hash));
        if may_be && self.running.is(&Expected::of(&package)?) {
            found.packages.push(package);
        }
        Ok(())
    }
}
