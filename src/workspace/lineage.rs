//! Where a service of an earlier commit is today, also under another name: git's own detection of renames tells.

use super::Workspace;
use crate::error::Result;
use crate::git::Oid;
use crate::package::manifest::Target;
use crate::service::{CONFIG_FILES, ServicePath};
use crate::store::{Filter, NotedPackage};

impl Workspace<'_> {
    /// The directory that the service which `commit` has in `path` is in at HEAD; `path` where git detects no rename.
    pub fn place_in_head(&self, commit: Oid, path: &ServicePath) -> Result<ServicePath> {
        let is_there = self.head_services()?.iter().any(|service| service.path == *path);
        let Some(head) = self.repository.head().filter(|head| !is_there && *head != commit) else {
            return Ok(path.clone());
        };
        let mut renames = self.repository.renames(commit, head, &CONFIG_FILES)?.into_iter();
        let files = CONFIG_FILES.map(|file| path.file(file));
        let now = renames.find_map(|(from, to)| files.contains(&from).then_some(to));
        let now =
            now.map(|to| to.rsplit_once('/').map_or_else(|| ".".to_owned(), |(path, _)| path.to_owned()));
        Ok(now.and_then(|path| path.parse().ok()).unwrap_or_else(|| path.clone()))
    }

    /// Those of `found`, of packages of `commit`, that are of the service that `filter` means, before it was moved and renamed.
    pub(super) fn predecessors(
        &self,
        commit: Oid,
        filter: &Filter,
        mut found: Vec<NotedPackage>,
    ) -> Result<Vec<NotedPackage>> {
        let Some(service) = &filter.service else { return Ok(Vec::new()) };
        let of_place = Filter { service: None, ..filter.clone() };
        found.retain(|found| of_place.matches(&found.line.target));
        let mut result = Vec::new();
        for one in found {
            let Target { path, service: name, .. } = &one.line.target;
            let now = self.place_in_head(commit, path)?;
            if now != *path && service.path.as_deref() == Some(now.as_str()) {
                self.progress.note(&format!("{now} was {path} ({name}) in that commit"));
                result.push(one);
            }
        }
        Ok(result)
    }
}
