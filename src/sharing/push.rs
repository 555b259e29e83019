//! Sends what a remote lacks: LFS objects first, then packages and toolchains, then their notes and the records. If another clone has
//! pushed notes or records meanwhile, both are merged and pushed again.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::push_policy::{self, Verdict, ways_to_decide};
use super::{PackageRef, integrate, phase, refresh};
use crate::error::{Error, Result};
use crate::git::Oid;
use crate::git::transfer::{RefAnswer, Update};
use crate::process::interrupt;
use crate::store::PackageKey;
use crate::store::{NotedPackage, StoredPackage};
use crate::text::command::slsart;
use crate::text::words::short;
use crate::workspace::Workspace;

/// How long to retry while others push. A round takes a fetch and a push.
const PATIENCE: Duration = Duration::from_mins(2);

const MAX_PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug, Clone)]
pub enum PushSelection {
    All,
    Commits(Vec<Oid>),
    /// No packages: notes and records only, for these packages that are about to be pruned there too.
    Gone(HashSet<PackageKey>),
}

#[derive(Debug, Clone, Serialize)]
pub struct Unsent {
    /// The package; absent for another ref.
    pub package: Option<PackageRef>,
    pub what: String,
    pub why: String,
    pub hints: Vec<String>,
    /// Whether only a decision about its secrets is missing.
    #[serde(skip)]
    pub undecided: bool,
}

#[derive(Debug, Serialize)]
pub struct PushReport {
    pub dry_run: bool,
    pub remote: String,
    /// The commits that were named; none: everything is pushed.
    #[serde(skip)]
    pub named: Vec<String>,
    pub packages: Vec<PackageRef>,
    /// How many packages the remote already had, in another form.
    pub there_already: usize,
    /// How many toolchains were sent.
    pub toolchains: usize,
    /// How many LFS objects the remote was seen to have.
    pub lfs_objects: usize,
    pub notes: bool,
    /// The refs of histories and other chains with new records there.
    pub chains: Vec<String>,
    /// What policy keeps from being sent.
    pub withheld: Vec<Unsent>,
    /// What the remote refused.
    pub refused: Vec<Unsent>,
}

/// Pushes what `remote` lacks. Its refusals are in the result.
pub fn push(
    workspace: &Workspace<'_>,
    remote: &str,
    what: &PushSelection,
    dry_run: bool,
) -> Result<PushReport> {
    phase(workspace, &format!("Asking {remote} what it has"));
    refresh(workspace, remote)?;
    let mut pushed = PushReport {
        dry_run,
        remote: remote.to_owned(),
        packages: Vec::new(),
        named: Vec::new(),
        there_already: 0,
        toolchains: 0,
        lfs_objects: 0,
        notes: false,
        chains: Vec::new(),
        withheld: Vec::new(),
        refused: Vec::new(),
    };
    let mut packages = Vec::new();
    for found in wanted(workspace, remote, what)? {
        match workspace.store().open(found.commit, &found.line) {
            Ok(package) => match push_policy::check(workspace, &package) {
                Ok(Verdict::May(warning)) => {
                    if let Some(warning) = warning {
                        workspace.progress.warn(&warning);
                    }
                    packages.push((found, package));
                }
                Ok(Verdict::Undecided(places)) => {
                    let error = Error::refused(format!("undecided secrets: {places}"))
                        .hints(ways_to_decide([&found.line.package]));
                    pushed.withheld.push(Unsent { undecided: true, ..kept(&found, &error) });
                }
                Err(error) => pushed.withheld.push(kept(&found, &error)),
            },
            Err(error) => pushed.withheld.push(kept(&found, &error)),
        }
    }
    if dry_run {
        pushed.packages = packages.iter().map(|(found, _)| PackageRef::from(found)).collect();
        return Ok(pushed);
    }
    let sent = send_packages(workspace, remote, packages, &mut pushed)?;
    send_toolchains(workspace, remote, what, &sent, &mut pushed)?;
    let none = HashSet::new();
    let gone = if let PushSelection::Gone(gone) = what { gone } else { &none };
    let sent: Vec<NotedPackage> = sent.into_iter().map(|(found, _)| found).collect();
    tell(workspace, remote, (&sent, gone), &mut pushed)?;
    Ok(pushed)
}

fn wanted(workspace: &Workspace<'_>, remote: &str, what: &PushSelection) -> Result<Vec<NotedPackage>> {
    let mut packages = match what {
        PushSelection::Gone(_) => return Ok(Vec::new()),
        _ => workspace.store().tracking(remote).only_here()?,
    };
    if let PushSelection::Commits(commits) = what {
        packages.retain(|found| commits.contains(&found.commit));
    }
    Ok(packages)
}

fn kept(found: &NotedPackage, error: &Error) -> Unsent {
    Unsent {
        package: Some(found.into()),
        what: format!("package {}", found.line.package.short()),
        why: error.to_string(),
        hints: error.hints.clone(),
        undecided: false,
    }
}

/// Sends packages with their LFS objects. Returns those that are there now.
fn send_packages<'r>(
    workspace: &Workspace<'r>,
    remote: &str,
    packages: Vec<(NotedPackage, StoredPackage<'r>)>,
    pushed: &mut PushReport,
) -> Result<Vec<(NotedPackage, StoredPackage<'r>)>> {
    let Workspace { repository, progress, .. } = workspace;
    if packages.is_empty() {
        return Ok(packages);
    }
    phase(workspace, &format!("Sending packages to {remote}"));
    let store = workspace.store();
    let mut objects = HashSet::new();
    for (_, package) in &packages {
        objects.extend(package.lfs_objects(*progress)?);
    }
    if !objects.is_empty() {
        let objects: Vec<String> = objects.into_iter().collect();
        repository.push_lfs(remote, &objects, *progress)?;
        pushed.lfs_objects = objects.len();
    }
    let mut updates = Vec::with_capacity(packages.len());
    for (_, package) in &packages {
        let name = package.ref_name();
        updates.push(Update { new: repository.ref_target(&name)?, name, old: None });
    }
    let answers = repository.push(remote, &updates, *progress)?;
    // A busy lock there is also reported as another's ref: only listing the refs shows what it has.
    let there: HashSet<String> = if answers.contains(&RefAnswer::Elsewhere) {
        store.packages().refs_on(remote)?.into_iter().collect()
    } else {
        HashSet::new()
    };
    let mut sent = Vec::with_capacity(packages.len());
    for ((found, package), answer) in packages.into_iter().zip(answers) {
        match answer {
            RefAnswer::Done => pushed.packages.push(PackageRef::from(&found)),
            RefAnswer::Elsewhere if there.contains(&package.ref_name()) => pushed.there_already += 1,
            RefAnswer::Elsewhere => {
                let error = Error::refused("the ref can't be written there").hint("try again in a moment");
                pushed.refused.push(kept(&found, &error));
                continue;
            }
            RefAnswer::Refused(why) => {
                let error = refused(remote, &found, &why);
                pushed.refused.push(kept(&found, &error));
                continue;
            }
        }
        package.release_lfs_objects()?;
        sent.push((found, package));
    }
    Ok(sent)
}

fn in_a_line(words: &str) -> String {
    words.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

/// Why a remote refused a package, with a hint.
fn refused(remote: &str, found: &NotedPackage, why: &str) -> Error {
    let words = why.to_ascii_lowercase();
    let error = Error::refused(in_a_line(why));
    let is_too_large = ["large file", "exceeds", "too large", "file size limit", "maximum"];
    if is_too_large.iter().any(|sign| words.contains(sign)) {
        return error.hint(format!(
            "keep its large files in Git LFS, then push again: {}",
            slsart(["migrate", "--to", "lfs", short(&found.commit.to_string(), 7)])
        ));
    }
    let takes_no_such_ref = ["hidden ref", "funny refname", "prohibited", "not allowed to", "deny"];
    if takes_no_such_ref.iter().any(|sign| words.contains(sign)) {
        return error.hint(format!(
            "{remote} accepts only branches and tags, or no refs from you: share through another remote ([share] in slsart.toml), or in \
             a file with `git slsart export REF FILE`"
        ));
    }
    error
}

/// Sends the toolchains of the packages there, or all toolchains with all packages.
fn send_toolchains(
    workspace: &Workspace<'_>,
    remote: &str,
    what: &PushSelection,
    sent: &[(NotedPackage, StoredPackage<'_>)],
    pushed: &mut PushReport,
) -> Result<()> {
    let Workspace { repository, progress, .. } = workspace;
    let store = workspace.store();
    let here = match what {
        PushSelection::All => store.toolchains().refs()?,
        _ if sent.is_empty() => return Ok(()),
        _ => {
            let sources: HashSet<Oid> = sent.iter().map(|(_, package)| package.source).collect();
            store.toolchains().refs_of(&sources)?
        }
    };
    if here.is_empty() {
        return Ok(());
    }
    let there = store.toolchains().refs_on(remote)?;
    let there: HashSet<&str> = there.iter().map(|toolchain| toolchain.name.as_str()).collect();
    let updates: Vec<Update> = here
        .into_iter()
        .filter(|toolchain| !there.contains(toolchain.name.as_str()))
        .map(|toolchain| Update { name: toolchain.name, new: Some(toolchain.tip), old: None })
        .collect();
    if updates.is_empty() {
        return Ok(());
    }
    phase(workspace, &format!("Sending toolchains to {remote}"));
    for (update, answer) in updates.iter().zip(repository.push(remote, &updates, *progress)?) {
        match answer {
            RefAnswer::Done | RefAnswer::Elsewhere => pushed.toolchains += 1,
            RefAnswer::Refused(why) => pushed.refused.push(Unsent {
                package: None,
                what: format!("toolchain {}", update.name.rsplit('/').nth(2).unwrap_or_default()),
                why: in_a_line(&why),
                hints: Vec::new(),
                undecided: false,
            }),
        }
    }
    Ok(())
}

/// Sends notes and records, again after others have pushed.
fn tell(
    workspace: &Workspace<'_>,
    remote: &str,
    (sent, gone): (&[NotedPackage], &HashSet<PackageKey>),
    pushed: &mut PushReport,
) -> Result<()> {
    let Workspace { repository, progress, .. } = workspace;
    let store = workspace.store();
    // A `git fetch` may have brought new ones meanwhile.
    integrate(workspace, remote)?;
    let start = Instant::now();
    loop {
        interrupt::check()?;
        let mut updates = store.tracking(remote).chain_updates()?;
        updates.extend(store.tracking(remote).notes_update(sent, gone)?);
        let refused: HashSet<String> = pushed.refused.iter().map(|kept| kept.what.clone()).collect();
        updates.retain(|update| !refused.contains(&update.name));
        if updates.is_empty() {
            break;
        }
        phase(workspace, &format!("Sending notes and histories to {remote}"));
        let mut again = false;
        for (update, answer) in updates.iter().zip(repository.push(remote, &updates, *progress)?) {
            match answer {
                RefAnswer::Done => {
                    store.tracking(remote).pushed(update)?;
                    if update.name == crate::store::NOTES_REF {
                        pushed.notes = true;
                    } else {
                        pushed.chains.push(update.name.clone());
                    }
                }
                RefAnswer::Elsewhere => again = true,
                RefAnswer::Refused(why) => {
                    let (what, why) = (update.name.clone(), in_a_line(&why));
                    let hints = Vec::new();
                    pushed.refused.push(Unsent { package: None, what, why, hints, undecided: false });
                }
            }
        }
        if !again {
            break;
        }
        if start.elapsed() > PATIENCE {
            return Err(Error::refused(format!("{remote} changed during every attempt")).hint(format!(
                "the packages are pushed, but not all notes and histories; to push them: {}",
                slsart(["push", remote])
            )));
        }
        // Clones that push at once take turns.
        thread::sleep(workspace.context.pause(MAX_PAUSE));
        refresh(workspace, remote)?;
    }
    pushed.chains.sort_unstable();
    pushed.chains.dedup();
    integrate(workspace, remote).map(drop)
}
