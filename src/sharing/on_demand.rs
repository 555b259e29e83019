//! Fetch on demand: a package, or notes, that a command needs and this repository lacks. Each remote is asked once, and the fetch is
//! reported.

use super::fetch::{FetchReport, get};
use super::{phase, refresh, remote, remotes};
use crate::error::{Error, Kind, Result};
use crate::store::{Filter, MergeReport, NotedPackage, StoredPackage};
use crate::text::command::command;
use crate::text::words::{bytes, short};
use crate::workspace::{Workspace, is_like_id};

/// What to do about a package that no remote has.
const ELSEWHERE: &str = "if another machine has it, run `push` there first";

/// The package that `revision` names, as in [`Workspace::find`]. If nothing is recorded for it here, the notes of the remote that packages
/// are shared through are fetched first.
pub fn find(workspace: &Workspace<'_>, revision: &str, filter: &Filter) -> Result<NotedPackage> {
    let error = match workspace.find(revision, filter) {
        Err(error) if error.kind == Kind::NotRecorded => error,
        outcome => return outcome,
    };
    let Ok(remote) = remote(workspace, None) else { return Err(error) };
    // Packages are known by their ids and by those of commits. A name is git's.
    if !is_like_id(revision) && workspace.repository.resolve(revision).is_err() {
        let is_name = !revision.contains(['~', '^', '@', ':', ' ']);
        let fetch = || format!("if {remote} has it: {}", command(["git", "fetch", "--tags", &remote]));
        return Err(error.hints(is_name.then(fetch)));
    }
    phase(workspace, &format!("Asking {remote} for packages of {revision}"));
    match refresh(workspace, &remote) {
        Ok(new) if new.is_empty() => Err(error.hint(asked(&remote))),
        Ok(_) => workspace.find(revision, filter).map_err(|error| match error.kind {
            Kind::NotRecorded => error.hint(asked(&remote)),
            _ => error,
        }),
        Err(other) if other.kind == Kind::Interrupted => Err(other),
        Err(other) => Err(error.hint(not_asked(&remote, &other))),
    }
}

/// Opens the package of a note, and fetches it first if only a remote has it.
pub fn open<'r>(workspace: &Workspace<'r>, found: &NotedPackage) -> Result<StoredPackage<'r>> {
    // Without a remote it is lost, which the store reports.
    if !workspace.repository.remotes().is_empty() {
        fetch_package(workspace, found)?;
    }
    workspace.store().open(found.commit, &found.line)
}

/// Whether only a remote is known to have a package.
pub fn is_elsewhere(workspace: &Workspace<'_>, found: &NotedPackage) -> Result<bool> {
    let store = workspace.store();
    let known = |remote: &String| store.tracking(remote).has(found).unwrap_or(false);
    Ok(!store.packages().is_here(found)? && workspace.repository.remotes().iter().any(known))
}

/// Fetches the package of a note, if it is not here, from the first remote that has it. Returns whether it had to be fetched.
pub fn fetch_package(workspace: &Workspace<'_>, found: &NotedPackage) -> Result<bool> {
    let store = workspace.store();
    if store.packages().is_here(found)? {
        return Ok(false);
    }
    let (id, commit) = (found.line.package.short(), short(&found.commit.to_string(), 7).to_owned());
    let remotes = remotes(workspace, found);
    let mut hints = Vec::new();
    for remote in &remotes {
        let mut fetched = FetchReport::new(remote, MergeReport::default());
        phase(workspace, &format!("Fetching package {id} of {commit} from {remote}"));
        match get(workspace, remote, std::slice::from_ref(found), &mut fetched) {
            Ok(()) if fetched.missing.is_empty() => {
                let toolchain = if fetched.toolchains > 0 { ", with its plugins" } else { "" };
                workspace.progress.note(&format!(
                    "fetched package {id} of {commit} from {remote} ({}{toolchain})",
                    bytes(found.line.size)
                ));
                return Ok(true);
            }
            Ok(()) => {
                hints.extend(fetched.missing.into_iter().map(|missing| format!("{remote}: {}", missing.why)));
            }
            Err(error) if error.kind == Kind::Interrupted => return Err(error),
            Err(error) => hints.push(format!("{remote}: {}", error.with_causes())),
        }
    }
    let error = Error::not_recorded(format!("package {id} of {commit} is not on this machine"));
    if remotes.is_empty() {
        return Err(error.hint("there is no remote to fetch it from: git remote add origin URL").hint(
            "or import it from a file, written by `git slsart export REF FILE` on a machine that has it",
        ));
    }
    Err(error.hints(hints).hint(ELSEWHERE))
}

fn asked(remote: &str) -> String {
    format!("{remote} has no such package either; {ELSEWHERE}")
}

fn not_asked(remote: &str, error: &Error) -> String {
    let why = error.with_causes();
    format!("{remote} may have one, but can't be asked: {}", why.lines().next().unwrap_or_default())
}
