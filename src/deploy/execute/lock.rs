//! One deployment of a target at a time: a lock on this machine, and one that other machines see, a ref on a remote that is taken
//! and left by compare-and-swap. A lock that was left behind is explained, never broken.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::PathBuf;
use std::process;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::RemoteChoice;
use crate::deploy::preflight::plan::Purpose;
use crate::error::{Error, Result};
use crate::git::remote::Moved;
use crate::git::{Oid, data_dir};
use crate::package::Sha256;
use crate::package::manifest::Target;
use crate::process::{Patience, host};
use crate::store::deployments::Action;
use crate::store::locks::{self, Lock};
use crate::text::words::{ago, person, short};
use crate::workspace::Workspace;

/// Most bytes that the file of a lock may have.
const MAX_NOTE: u64 = 64 * 1024;

/// The locks of a target, as long as the value lives.
pub(in crate::deploy) struct LockGuard<'a> {
    workspace: &'a Workspace<'a>,
    target: Target,
    local: LocalLock,
    remote: Option<OnRemote>,
}

/// A lock on a remote.
struct OnRemote {
    remote: String,
    commit: Oid,
    /// Whether the remote has said so.
    is_taken: bool,
    /// The lock that an earlier holder left behind.
    left_behind: Option<Oid>,
}

/// Takes the locks for all that is about to be done, one after the other.
///
/// # Errors
/// When another process holds one, and when that is unknown; those that were taken are released.
pub(in crate::deploy) fn take<'a>(
    workspace: &'a Workspace<'a>,
    purposes: &[Purpose],
    no_lock: bool,
) -> Result<Vec<LockGuard<'a>>> {
    let mut on_remote = None;
    let mut all = Vec::new();
    for purpose in purposes {
        let target = purpose.target.clone();
        let doing = format!("the {}", purpose_of(purpose.action, &purpose.package.0.to_string()));
        let local = LocalLock::take(workspace, &target, &doing)?;
        let mut held = LockGuard { workspace, target, local, remote: None };
        if on_remote.is_none() {
            on_remote = Some(if no_lock { None } else { remote(workspace)? });
        }
        if let Some(Some(remote)) = &on_remote {
            held.take_remote(remote, purpose)?;
        }
        all.push(held);
    }
    Ok(all)
}

impl LockGuard<'_> {
    /// The remote that has the lock too.
    pub(in crate::deploy) fn remote(&self) -> Option<&str> {
        self.remote.as_ref().map(|on_remote| on_remote.remote.as_str())
    }

    fn take_remote(&mut self, remote: &str, purpose: &Purpose) -> Result<()> {
        let Workspace { repository, context, progress, .. } = self.workspace;
        progress.phase(&format!("Taking the lock on {remote}"));
        let by = (repository.actor()?, host());
        let lock =
            Lock::new(purpose.action, self.target.clone(), purpose.package, by, context.clock.now_precise());
        let commit = self.workspace.store().locks().write(&lock)?;
        let left_behind = self.local.left_behind;
        // Noted before it is taken: what a killed process leaves can then be told from what others hold.
        self.local.note(Some(commit))?;
        // Interrupted from here on, it is left again: that does nothing where it was not taken.
        let on_remote =
            self.remote.insert(OnRemote { remote: remote.to_owned(), commit, is_taken: false, left_behind });
        let moved = repository.move_remote_ref(
            remote,
            &lock.ref_name(),
            (None, Some(commit)),
            Patience::UntilInterrupted,
        )?;
        let mut maybe_taken = None;
        let (why, holder) = match moved {
            Moved::Done => {
                on_remote.is_taken = true;
                return Ok(());
            }
            Moved::Unreachable(why) => {
                maybe_taken = Some(commit);
                (why, None)
            }
            Moved::Elsewhere => (String::new(), holder(self.workspace, remote, &self.target)?),
            // Of two concurrent pushes, the remote refuses one.
            Moved::Refused(why) => (why, holder(self.workspace, remote, &self.target)?),
        };
        self.remote = None;
        self.local.note(left_behind.or(maybe_taken))?;
        Err(match holder {
            Some(holder) => is_held(self.workspace, &self.target, remote, &holder, left_behind),
            None => cannot_take(&self.target, remote, why),
        })
    }
}

impl Drop for LockGuard<'_> {
    fn drop(&mut self) {
        let Some(OnRemote { remote, commit, is_taken, left_behind }) = self.remote.take() else { return };
        let Workspace { repository, progress, .. } = self.workspace;
        let name = locks::ref_of(&self.target);
        let moved = repository.move_remote_ref(&remote, &name, (Some(commit), None), Patience::Always);
        let why = match moved {
            Ok(Moved::Done | Moved::Elsewhere) => {
                if is_taken && moved.is_ok_and(|moved| moved == Moved::Elsewhere) {
                    progress.warn(&format!(
                        "the lock on {remote} was removed during this deployment: check that nothing else deployed {}",
                        self.target
                    ));
                }
                // A note that stays names a lock that is gone.
                let _ = self.local.note(left_behind.filter(|_| !is_taken));
                return;
            }
            Ok(Moved::Refused(why) | Moved::Unreachable(why)) => why,
            Err(error) => error.to_string(),
        };
        progress.warn(&format!(
            "the lock on {remote} was not released, and blocks other deployments ({}); to remove it: {}",
            why.lines().next().unwrap_or_default(),
            self.workspace.slsart(&["unlock"], &self.target)
        ));
    }
}

/// Who holds a target's lock on a remote.
pub(in crate::deploy) struct Holder {
    /// The lock's commit.
    pub(in crate::deploy) commit: Oid,
    /// What it says, where that can be read.
    pub(in crate::deploy) lock: Option<Lock>,
}

/// Asks a remote who holds a target's lock.
pub(in crate::deploy) fn holder(
    workspace: &Workspace<'_>,
    remote: &str,
    target: &Target,
) -> Result<Option<Holder>> {
    let name = locks::ref_of(target);
    let refs = workspace.repository.ask_remote_refs(remote, &name)?;
    let Some((_, commit)) = refs.into_iter().find(|(found, _)| *found == name) else { return Ok(None) };
    Ok(Some(Holder { commit, lock: read(workspace, remote, &name, commit) }))
}

/// What a lock says; `None` where it can't be had, or is none.
pub(in crate::deploy) fn read(
    workspace: &Workspace<'_>,
    remote: &str,
    name: &str,
    commit: Oid,
) -> Option<Lock> {
    let store = workspace.store();
    store.locks().read(commit).ok().or_else(|| {
        workspace.repository.fetch_remote_ref(remote, name).ok()?;
        store.locks().read(commit).ok()
    })
}

fn is_held(
    workspace: &Workspace<'_>,
    target: &Target,
    remote: &str,
    holder: &Holder,
    left_behind: Option<Oid>,
) -> Error {
    let error = Error::refused(format!("another deployment of {target} holds the lock on {remote}"));
    let error = match &holder.lock {
        Some(lock) => {
            let now = workspace.context.clock.now();
            error.hint(format!(
                "held by {} on {}, taken {}: {}",
                lock.by,
                lock.host,
                ago(lock.since, now),
                purpose(lock)
            ))
        }
        None => error.hint(format!("its holder can't be read: {}", holder.commit)),
    };
    let unlock = workspace.slsart(&["unlock"], target);
    if left_behind == Some(holder.commit) {
        return error
            .hint("this repository took it, in a process that was killed or could not release it")
            .hint(format!("see what that deployment did: {}", workspace.slsart(&["history"], target)))
            .hint(format!("then remove the lock: {unlock}"));
    }
    error.hint(format!("wait until that deployment has ended, or ask its holder; only if nothing of it runs any more: {unlock}"))
}

/// What a lock was taken for: `rollback to 3f2a1c0`.
pub(in crate::deploy) fn purpose(lock: &Lock) -> String {
    purpose_of(lock.action, &lock.commit)
}

fn purpose_of(action: Action, commit: &str) -> String {
    let to = if action == Action::Deploy { "of" } else { "to" };
    format!("{} {to} {}", action.name(), short(commit, 7))
}

fn cannot_take(target: &Target, remote: &str, why: String) -> Error {
    Error::refused(format!("the lock of {target} on {remote} can't be taken"))
        .hint("another machine may be deploying it now; to go on all the same: --no-lock")
        .hint("if the remote never accepts locks: set `remote` in [lock] of slsart.toml to another remote, or to \"none\"")
        .because(io::Error::other(why))
}

/// The remote that holds the locks; `None` where none is to. Warns where that is ambiguous.
pub(in crate::deploy) fn remote(workspace: &Workspace<'_>) -> Result<Option<String>> {
    let remote = usual_remote(workspace)?;
    let is_auto = workspace.config.lock.remote == RemoteChoice::Auto;
    if remote.is_none() && is_auto && workspace.repository.remotes().len() > 1 {
        workspace.progress.warn(
            "there are several remotes and none is `origin`: other machines do not see this deployment until `remote` in \
             [lock] of slsart.toml names one of them, or is \"none\"",
        );
    }
    Ok(remote)
}

/// The same, without a warning.
pub(in crate::deploy) fn usual_remote(workspace: &Workspace<'_>) -> Result<Option<String>> {
    let Workspace { repository, config, .. } = workspace;
    match &config.lock.remote {
        RemoteChoice::Nowhere => Ok(None),
        RemoteChoice::Named(name) => {
            repository
                .need_remote(name)
                .map_err(|error| error.hint("`remote` in [lock] of slsart.toml names it"))?;
            Ok(Some(name.clone()))
        }
        RemoteChoice::Auto => Ok(repository.usual_remote()),
    }
}

/// Keeps a second deployment of a target from starting on this machine. The first line of its file is the lock on the remote that its
/// holder took, where there is one; below stands who holds it.
pub struct LocalLock {
    file: File,
    path: PathBuf,
    /// The lock on the remote that the last holder did not leave.
    left_behind: Option<Oid>,
    holder: String,
}

/// Who holds a lock of this machine.
#[derive(Serialize, Deserialize)]
struct LocalHolder {
    /// Its process.
    process: u32,
    /// What it does: `the deploy of 3f2a1c0`.
    doing: String,
    /// `Name <email>`.
    by: String,
    since: Timestamp,
}

impl LocalLock {
    /// Takes it.
    ///
    /// # Arguments
    /// `doing`: what for, told to those who want it too: `the deploy of 3f2a1c0`.
    pub(in crate::deploy) fn take(workspace: &Workspace<'_>, target: &Target, doing: &str) -> Result<Self> {
        if let Some(lock) = Self::try_take(workspace, target, doing)? {
            return Ok(lock);
        }
        let error = |how: String| Error::refused(format!("another deployment of {target} is running{how}"));
        let Some(holder) = Self::holder(workspace, target) else {
            return Err(error(String::new()).hint("wait until the deployment has ended"));
        };
        let LocalHolder { process, doing, by, since } = holder;
        let since = ago(since, workspace.context.clock.now());
        Err(error(format!(": {doing} by {}, process {process}, begun {since}", person(&by)))
            .hint(format!("wait until it has ended, or stop it: kill -INT {process}")))
    }

    /// Takes it; `None` where another process has it.
    pub fn try_take(workspace: &Workspace<'_>, target: &Target, doing: &str) -> Result<Option<Self>> {
        let path = Self::path(workspace, target);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(|error| Error::io("create", directory, error))?;
        }
        // What it holds is read once it is locked.
        let file = OpenOptions::new().create(true).read(true).write(true).truncate(false).open(&path);
        let file = file.map_err(|error| Error::io("write", &path, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path, error)),
        }
        let holder = LocalHolder {
            process: process::id(),
            doing: doing.to_owned(),
            by: workspace.repository.actor().unwrap_or_default(),
            since: workspace.context.clock.now_precise(),
        };
        let holder =
            toml::to_string(&holder).map_err(|error| Error::bug("a lock can't be written").because(error))?;
        let text = Self::read(&file);
        let left_behind = Oid::from_str(text.lines().next().unwrap_or_default().trim()).ok();
        let mut lock = Self { file, path, left_behind, holder };
        lock.note(left_behind)?;
        Ok(Some(lock))
    }

    /// Who holds it, where that can be read.
    fn holder(workspace: &Workspace<'_>, target: &Target) -> Option<LocalHolder> {
        let text = Self::read(&File::open(Self::path(workspace, target)).ok()?);
        toml::from_str(text.split_once('\n')?.1).ok()
    }

    fn path(workspace: &Workspace<'_>, target: &Target) -> PathBuf {
        let name = Sha256::of(target.to_string().as_bytes()).to_string();
        data_dir(workspace.repository).join("locks").join(name)
    }

    fn read(file: &File) -> String {
        let mut text = String::new();
        // What can't be read says nothing.
        let _ = file.take(MAX_NOTE).read_to_string(&mut text);
        text
    }

    fn note(&mut self, lock: Option<Oid>) -> Result<()> {
        let first = lock.map(|lock| lock.to_string()).unwrap_or_default();
        let mut write = || {
            self.file.set_len(0)?;
            self.file.rewind()?;
            self.file.write_all(format!("{first}\n{}", self.holder).as_bytes())
        };
        write().map_err(|error| Error::io("write", &self.path, error))
    }
}
