//! What a command needs and this repository does not have: it is asked for once, and that is said.

use super::{bring, phase, refresh, remote};
use crate::error::{Error, Kind, Result};
use crate::store::{Filter, Found, StoredPackage};
use crate::workspace::Workspace;

/// The package that `revision` names, as [`Workspace::find`] has it; where nothing is recorded for it here, the notes of the remote
/// that packages are shared through are fetched before that is said.
///
/// # Errors
/// [`Kind::NotRecorded`] when there is none, with the remote that was asked.
pub fn find(workspace: &Workspace<'_>, revision: &str, filter: &Filter) -> Result<Found> {
    let error = match workspace.find(revision, filter) {
        Err(error) if error.kind == Kind::NotRecorded => error,
        outcome => return outcome,
    };
    let Ok(remote) = remote(workspace, None) else { return Err(error) };
    phase(workspace, &format!("Nothing is recorded here: asking {remote}"));
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

/// The package that a note tells of, brought here where only a remote has it.
pub fn open<'r>(workspace: &Workspace<'r>, found: &Found) -> Result<StoredPackage<'r>> {
    // Without a remote it is lost, which the store has words for.
    if !workspace.repository.remotes().is_empty() {
        bring(workspace, found)?;
    }
    workspace.store().open(found.commit, &found.line)
}

/// Whether only a remote has a package, as far as it is known here.
pub fn is_elsewhere(workspace: &Workspace<'_>, found: &Found) -> Result<bool> {
    let store = workspace.store();
    let known = |remote: &String| store.is_known_at(remote, found).unwrap_or(false);
    Ok(!store.is_here(found)? && workspace.repository.remotes().iter().any(known))
}

fn asked(remote: &str) -> String {
    format!("{remote} was asked too, and knows of none: whoever made one can send it (git slsart push)")
}

fn not_asked(remote: &str, error: &Error) -> String {
    let why = error.with_causes();
    format!("whether {remote} knows of one can't be told: {}", why.lines().next().unwrap_or_default())
}
