//! Before a push: sends the packages of the pushed commits along, and reports missing ones.

use super::input::Update;
use crate::config::PushPackages;
use crate::error::{Error, Result};
use crate::git::Oid;
use crate::sharing::{self, PushSelection};
use crate::text::command::slsart;
use crate::workspace::Workspace;

/// Most commits of a push whose packages are sent: the first push to a remote is the whole history.
const MAX_COMMITS: usize = 1000;

/// Pushes packages if `slsart.toml` says so, and looks for missing ones. Returns messages, a line each.
pub fn run(workspace: &Workspace<'_>, remote: &str, updates: &[Update]) -> Result<Vec<String>> {
    let mut lines: Vec<String> = missing(workspace, remote, updates)?.into_iter().collect();
    if workspace.config.push.packages == PushPackages::WithCommits {
        let commits = commits(workspace, remote, updates)?;
        if !commits.is_empty()
            && let Err(error) = send(workspace, remote, &commits)
        {
            lines
                .push(format!("the packages of the pushed commits were not pushed: {}", error.with_causes()));
        }
    }
    Ok(lines)
}

/// The pushed tags and protected branches whose commit has a service and no package, in a line.
fn missing(workspace: &Workspace<'_>, remote: &str, updates: &[Update]) -> Result<Option<String>> {
    let (store, protected) = (workspace.store(), workspace.config.hooks.protected()?);
    let mut names = Vec::new();
    for Update { object, name } in updates {
        let branch = name.strip_prefix("refs/heads/");
        let Some(short) =
            branch.or_else(|| name.strip_prefix("refs/")).filter(|name| protected.is_match(name))
        else {
            continue;
        };
        // A tag may be of another object.
        let Some(commit) = workspace.repository.peel_to_commit(*object) else { continue };
        if !store.packages().is_noted(commit, remote)? && !workspace.services(commit)?.is_empty() {
            names.push((short.trim_start_matches("tags/").to_owned(), workspace.repository.short_id(commit)));
        }
    }
    let list: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
    Ok(match names.as_slice() {
        [] => None,
        [(name, commit)] => {
            Some(format!("{name} has no package; to make it: {}", slsart(["package", commit])))
        }
        [(_, commit), ..] => Some(format!(
            "{} have no packages; to make one: {}",
            list.join(", "),
            slsart(["package", commit])
        )),
    })
}

fn commits(workspace: &Workspace<'_>, remote: &str, updates: &[Update]) -> Result<Vec<Oid>> {
    let pushed = updates
        .iter()
        .filter(|update| ["refs/heads/", "refs/tags/"].iter().any(|prefix| update.name.starts_with(prefix)));
    let tips: Vec<Oid> =
        pushed.filter_map(|update| workspace.repository.peel_to_commit(update.object)).collect();
    if tips.is_empty() {
        return Ok(Vec::new());
    }
    // A tag or a new branch may be at a commit that the remote has without its package.
    let mut commits = workspace.repository.outgoing(&tips, remote, MAX_COMMITS)?;
    commits.extend(tips);
    commits.sort_unstable();
    commits.dedup();
    let store = workspace.store();
    let mut with_packages = Vec::new();
    for commit in commits {
        let is_here =
            |line: &crate::store::PackageLine| store.packages().has(commit, line.package).unwrap_or(false);
        if store.notes().of(commit)?.packages.iter().any(is_here) {
            with_packages.push(commit);
        }
    }
    Ok(with_packages)
}

fn send(workspace: &Workspace<'_>, remote: &str, commits: &[Oid]) -> Result<()> {
    // A URL has no tracking refs.
    workspace.repository.need_remote(remote)?;
    let pushed = sharing::push(workspace, remote, &PushSelection::Commits(commits.to_vec()), false)?;
    match pushed.withheld.iter().chain(&pushed.refused).next() {
        None => Ok(()),
        Some(kept) => {
            Err(Error::refused(format!("{}: {}", kept.what, kept.why)).hints(kept.hints.iter().cloned()))
        }
    }
}
