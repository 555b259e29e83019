//! Refspecs that make a plain `git fetch` also fetch a remote's notes and histories, to tracking refs: never over our own refs.

use super::report::{SetupAction, SetupStep, step};
use crate::error::Result;
use crate::git::Repository;
use crate::store::tracking::refspecs;

/// What is done, or would be, so that `git fetch` follows `remote`.
pub(super) fn install(repository: &Repository, remote: &str, dry_run: bool) -> Result<Vec<SetupStep>> {
    let key = key(remote);
    let known = repository.local_config_values(&key)?;
    let mut steps = Vec::new();
    let missing: Vec<String> = refspecs(remote).into_iter().filter(|spec| !known.contains(spec)).collect();
    let action = if missing.is_empty() { SetupAction::Unchanged } else { SetupAction::Add };
    let remark = "notes and histories come with `git fetch`".to_owned();
    steps.push(SetupStep { remark: (action == SetupAction::Add).then_some(remark), ..step(&key, action) });
    if !dry_run {
        missing.iter().try_for_each(|spec| repository.add_config(&key, spec))?;
    }
    for spec in known.iter().filter(|spec| overwrites(spec)) {
        let remark = format!(
            "it overwrites notes and histories that are not pushed yet, at every `git fetch`; to remove it: git config --fixed-value \
             --unset-all {key} '{spec}'"
        );
        steps.push(SetupStep { remark: Some(remark), ..step(&format!("{key} {spec}"), SetupAction::Skip) });
    }
    Ok(steps)
}

/// Takes back what [`install`] did, for every remote.
pub(super) fn uninstall(repository: &Repository, dry_run: bool) -> Result<Vec<SetupStep>> {
    let mut steps = Vec::new();
    for remote in repository.remotes() {
        let key = key(&remote);
        let known = repository.local_config_values(&key)?;
        let ours: Vec<String> = refspecs(&remote).into_iter().filter(|spec| known.contains(spec)).collect();
        if ours.is_empty() {
            continue;
        }
        if !dry_run {
            ours.iter().try_for_each(|spec| repository.remove_config(&key, spec))?;
        }
        steps.push(step(&key, SetupAction::Remove));
    }
    Ok(steps)
}

fn key(remote: &str) -> String {
    format!("remote.{remote}.fetch")
}

/// Whether a refspec overwrites our own refs, as a mirror's does.
fn overwrites(spec: &str) -> bool {
    let Some((_, to)) = spec.strip_prefix('+').and_then(|spec| spec.split_once(':')) else { return false };
    let is_in = |name: &str| match to.split_once('*') {
        Some((before, after)) => name.starts_with(before) && name.ends_with(after),
        None => name == to,
    };
    is_in("refs/notes/slsart") || is_in("refs/slsart/deployments/x/y/z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refspec_that_forces_our_refs_is_told_from_others() {
        for spec in ["+refs/*:refs/*", "+refs/notes/*:refs/notes/*", "+refs/slsart/*:refs/slsart/*"] {
            assert!(overwrites(spec), "{spec}");
        }
        let harmless = ["+refs/heads/*:refs/remotes/origin/*", "refs/notes/*:refs/notes/*"];
        for spec in harmless.into_iter().map(str::to_owned).chain(refspecs("origin")) {
            assert!(!overwrites(&spec), "{spec}");
        }
    }
}
