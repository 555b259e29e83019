//! The parts of a package's build that its commit does not fix: environment variables, and files that git ignores.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::carry::listed;
use crate::error::{Error, Result};
use crate::git::{Oid, Source};
use crate::package::manifest::{Carried, Target, Variables};
use crate::service::{ServicePath, Stage, Values};
use crate::workspace::Workspace;

const MAX_CARRIED: usize = 1000;

pub(super) struct BuildEnvironment<'a> {
    pub(super) workspace: &'a Workspace<'a>,
    pub(super) service: &'a Path,
    pub(super) carried: &'a [String],
}

impl BuildEnvironment<'_> {
    pub(super) fn variables(&self, names: Vec<String>, stage: &Stage) -> Result<Variables> {
        let read = |file: &str| fs::read_to_string(self.service.join(file)).ok();
        let values = values(self.workspace, &names, stage, read);
        let salt = self.workspace.context.salt();
        let salt = salt.map_err(|error| Error::refused("the system gives no random bytes").because(error))?;
        Ok(Variables::marked(names, &values, salt))
    }

    pub(super) fn carried(&self) -> Carried {
        let mut paths = self.carried.to_vec();
        paths.sort();
        paths.truncate(MAX_CARRIED);
        Carried { paths }
    }
}

/// The ignored files that a checkout of `source` would get: each file's present place, by its path from the directory of the service at
/// `path`. Files that the source has are left out.
pub fn carried(
    workspace: &Workspace<'_>,
    source: Source<'_>,
    path: &ServicePath,
) -> Result<BTreeMap<String, PathBuf>> {
    let mut all = BTreeMap::new();
    // A linked worktree may have files of its own; for missing ones, the main one's are used.
    let main = workspace.repository.main();
    for from in [Some(workspace.repository), main.as_ref()].into_iter().flatten() {
        let Some(top) = from.work_tree_if_any() else { continue };
        for relative in listed(&workspace.config.carry, from, path)? {
            let place = path.under(top).join(&relative);
            let relative = relative.to_string_lossy().into_owned();
            if source.entry(&path.file(&relative))?.is_none() {
                all.entry(relative).or_insert(place);
            }
        }
    }
    Ok(all)
}

/// The values of the variables `names` for the framework in a future checkout of `source`.
pub fn values_for(
    workspace: &Workspace<'_>,
    source: Oid,
    target: &Target,
    names: &[String],
) -> Result<Values> {
    let source = Source::new(workspace.repository, workspace.repository.commit(source)?.tree);
    let carried = carried(workspace, source, &target.path)?;
    let read = |file: &str| {
        let own = source.read(&target.path.file(file), MAX_BYTES).ok().flatten();
        let bytes = own.or_else(|| fs::read(carried.get(file)?).ok())?;
        String::from_utf8(bytes).ok()
    };
    Ok(values(workspace, names, &target.stage, read))
}

const MAX_BYTES: u64 = 1 << 20;

fn values(
    workspace: &Workspace<'_>,
    names: &[String],
    stage: &Stage,
    read: impl Fn(&str) -> Option<String>,
) -> Values {
    let environment = &workspace.context.environment;
    let variable = |name: &str| environment.value(name).map(|value| value.to_string_lossy().into_owned());
    Values::read(names, stage, variable, read)
}
