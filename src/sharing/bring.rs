//! A package whose content is elsewhere is fetched when it is needed, and that is said.

use super::fetch::{Fetched, get};
use super::{phase, remotes};
use crate::error::{Error, Kind, Result};
use crate::store::Found;
use crate::store::tracking::Integrated;
use crate::text::words::{bytes, short};
use crate::workspace::Workspace;

/// Fetches the package that a note tells of, where it is not here, from the first remote that has it.
///
/// # Returns
/// Whether it had to be fetched.
///
/// # Errors
/// When it is not here and no remote gives it.
pub fn bring(workspace: &Workspace<'_>, found: &Found) -> Result<bool> {
    let store = workspace.store();
    if store.is_here(found)? {
        return Ok(false);
    }
    let (id, commit) = (found.line.package.short(), short(&found.commit.to_string(), 7).to_owned());
    let remotes = remotes(workspace, found);
    let mut hints = Vec::new();
    for remote in &remotes {
        let mut fetched = Fetched::new(remote, Integrated::default());
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
        return Err(error
            .hint("there is no remote to fetch it from: git remote add origin URL")
            .hint("or bring it in a file: git slsart export on a machine that has it"));
    }
    Err(error.hints(hints).hint("a machine that has it can send it: git slsart push"))
}
