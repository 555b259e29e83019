//! Which commits a push brings, and which were rewritten, as far as git tells.

use std::fs;

use crate::error::Result;
use crate::git::{Oid, Repository};

impl Repository {
    /// Commits reachable from `tips` that `remote` did not have when last seen, newest first, at most `limit`. If `remote` is no remote's
    /// name: commits that no remote has.
    pub fn outgoing(&self, tips: &[Oid], remote: &str, limit: usize) -> Result<Vec<Oid>> {
        let is_name = self.inner.find_remote(remote).is_ok();
        let seen = if is_name { format!("--remotes={remote}") } else { "--remotes".to_owned() };
        let list = self.command().args(["rev-list", &format!("--max-count={limit}")]);
        let output = list.args(tips.iter().map(Oid::to_string)).args(["--not", &seen, "--"]).read()?;
        Ok(String::from_utf8_lossy(&output).lines().filter_map(|line| Oid::from_str(line).ok()).collect())
    }

    /// The commit that an object is, or is a tag of.
    pub fn peel_to_commit(&self, object: Oid) -> Option<Oid> {
        Some(self.inner.find_object(object, None).ok()?.peel_to_commit().ok()?.id())
    }

    /// The commits that were just rewritten, each with its successor, where the post-rewrite hook did not run: those of the rebase that
    /// ends, else the last amended one.
    pub fn rewritten(&self) -> String {
        let lists = ["rebase-merge/rewritten-list", "rebase-apply/rewritten"];
        let list = lists.iter().find_map(|name| fs::read_to_string(self.git_dir().join(name)).ok());
        let amended = || {
            let log = self.inner.reflog("HEAD").ok()?;
            let newest = log.get(0)?;
            let is_amended = newest.message_bytes().is_some_and(|text| text.starts_with(b"commit (amend)"));
            is_amended.then(|| format!("{} {}\n", newest.id_old(), newest.id_new()))
        };
        list.or_else(amended).unwrap_or_default()
    }
}
