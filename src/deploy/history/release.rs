//! The release that is live, as far as a target's history knows.

use jiff::Timestamp;
use serde::Serialize;

use crate::git::{Oid, Repository};
use crate::store::deployments::Deployment;

/// What is live.
#[derive(Debug, Clone, Serialize)]
pub struct Live {
    /// Its commit.
    pub commit: String,
    /// The commit's name for people.
    #[serde(skip)]
    pub short: String,
    /// The commit's subject, or a tag.
    pub label: String,
    /// Its package.
    pub package: String,
    /// When it went live.
    pub since: Timestamp,
    /// Who put it there.
    pub by: String,
}

pub(in crate::deploy) fn describe_live(repository: &Repository, live: &Deployment) -> Live {
    let commit = Oid::from_str(&live.commit).ok();
    let (short, label) = commit
        .map_or_else(|| (live.commit.clone(), String::new()), |commit| describe_commit(repository, commit));
    Live {
        commit: live.commit.clone(),
        short,
        label,
        package: live.package.to_string(),
        since: live.ended.unwrap_or(live.started),
        by: live.by.clone(),
    }
}

/// A commit's short id, and its tag if it has one, else its subject.
pub(in crate::deploy) fn describe_commit(repository: &Repository, commit: Oid) -> (String, String) {
    let subject = repository.commit(commit).map(|commit| commit.subject).unwrap_or_default();
    let tag = repository.tag_of(commit);
    (repository.short_id(commit), tag.unwrap_or(subject))
}
