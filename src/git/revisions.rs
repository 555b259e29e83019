//! Several revisions and ranges, as `git log` takes them.

use super::{Oid, Repository, failed};
use crate::error::Result;

#[derive(Debug, Default)]
pub struct Revisions {
    pub tips: Vec<Oid>,
    /// The commits that are excluded with their ancestors: the start of a range, or after `^`.
    pub hidden: Vec<Oid>,
}

impl Repository {
    /// Reads revisions and ranges: `v1..v2`, `main...topic`, `^v1`.
    pub fn revisions(&self, words: &[String]) -> Result<Revisions> {
        let mut all = Revisions::default();
        for word in words {
            let ends = word.split_once("..").filter(|_| !word.starts_with(":/"));
            if let Some((from, to)) = ends {
                let is_symmetric = to.starts_with('.');
                let end = |name: &str| self.resolve(if name.is_empty() { "HEAD" } else { name });
                let (from, to) = (end(from)?, end(to.trim_start_matches('.'))?);
                all.tips.push(to);
                if is_symmetric {
                    all.tips.push(from);
                    let bases = self.inner.merge_bases(from, to);
                    let bases = bases.map(|bases| bases.to_vec());
                    all.hidden.extend(bases.or_else(|error| match error.code() {
                        git2::ErrorCode::NotFound => Ok(Vec::new()),
                        _ => Err(failed("cannot find where two branches part", error)),
                    })?);
                } else {
                    all.hidden.push(from);
                }
            } else if let Some(hidden) = word.strip_prefix('^') {
                all.hidden.push(self.resolve(hidden)?);
            } else {
                all.tips.push(self.resolve(word)?);
            }
        }
        Ok(all)
    }

    /// The commits that revisions mean for a command that acts on each: those named, or those of the ranges, oldest first.
    pub fn commits_of(&self, words: &[String]) -> Result<Vec<Oid>> {
        let Revisions { mut tips, hidden } = self.revisions(words)?;
        if !hidden.is_empty() {
            tips = self.history_without(&tips, &hidden)?.collect();
            tips.reverse();
        }
        let mut seen = std::collections::HashSet::new();
        tips.retain(|commit| seen.insert(*commit));
        Ok(tips)
    }
}
