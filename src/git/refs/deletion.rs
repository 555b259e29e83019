//! Removing many refs at once, and the space that frees.

use crate::error::{Error, Kind, Result};
use crate::git::{Oid, Repository};

impl Repository {
    /// Removes refs that have these targets, all of them or none.
    pub fn delete_refs<'n>(&self, refs: impl IntoIterator<Item = (&'n str, Oid)>) -> Result<()> {
        let lines: String = refs
            .into_iter()
            .map(|(name, id)| ["delete ", name, " ", &id.to_string(), "\n"].concat())
            .collect();
        if lines.is_empty() {
            return Ok(());
        }
        let outcome = self.command().args(["update-ref", "--no-deref", "--stdin"]).input(lines).read();
        outcome.map(drop).map_err(|error| match error.kind {
            Kind::Child(_) => Error::refused("another process has moved or locked a ref: no ref was removed")
                .hint("to finish, run the command again")
                .because(std::io::Error::other(error.causes().join("\n"))),
            _ => error,
        })
    }

    pub fn all_refs(&self) -> Result<Vec<(String, Oid)>> {
        self.refs_matching("refs/")
    }

    /// The size on disk of the objects that are reachable from `tips` and neither from `others` nor HEAD: what `git gc` frees once `tips`
    /// are gone, except for reflogs. `None` where git can't say: before version 2.31, and if objects are missing.
    pub fn disk_usage(&self, tips: &[Oid], others: &[Oid]) -> Result<Option<u64>> {
        if tips.is_empty() {
            return Ok(Some(0));
        }
        let mut lines: String = tips.iter().map(|id| id.to_string() + "\n").collect();
        lines.extend(others.iter().chain(&self.head()).map(|id| format!("^{id}\n")));
        // In a partial clone, missing objects take no space, and must not be fetched to find that out.
        let ask = self.command().env("GIT_NO_LAZY_FETCH", "1").args([
            "rev-list",
            "--disk-usage",
            "--objects",
            "--stdin",
        ]);
        match ask.input(lines).read() {
            Ok(output) => Ok(String::from_utf8_lossy(&output).trim().parse().ok()),
            Err(error) if matches!(error.kind, Kind::Child(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
