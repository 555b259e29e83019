//! Reading refs, and updating one under git's own lock so that no writer's update is lost.

mod deletion;
mod lock_claims;

use std::fs::File;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::git::{Oid, Repository, failed};
use lock_claims::{Claim, Lock};

/// How long to wait for a ref's lock. A writer holds it for milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a lock stays unchanged before it may be a killed process's.
const PAUSE: Duration = Duration::from_millis(250);

impl Repository {
    /// The target of the ref `name`; `None` if there is no such ref.
    pub fn ref_target(&self, name: &str) -> Result<Option<Oid>> {
        match self.inner.refname_to_id(name) {
            Ok(id) => Ok(Some(id)),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(failed(&format!("cannot read the ref {name}"), error)),
        }
    }

    /// The refs whose names match `pattern` (as `git for-each-ref` has it), with their targets, sorted by name.
    ///
    /// Through the git command: it seeks to the pattern's prefix in a file of many thousand refs, which libgit2 reads whole.
    pub fn refs_matching(&self, pattern: &str) -> Result<Vec<(String, Oid)>> {
        self.refs_matching_any(&[pattern])
    }

    pub fn refs_matching_any(&self, patterns: &[&str]) -> Result<Vec<(String, Oid)>> {
        let output = self
            .command()
            .args(["for-each-ref", "--format=%(objectname) %(refname)", "--"])
            .args(patterns.iter().copied())
            .read()?;
        let text = String::from_utf8_lossy(&output);
        let parse = |line: &str| {
            let (id, name) = line.split_once(' ')?;
            Some((name.to_owned(), Oid::from_str(id).ok()?))
        };
        Ok(text.lines().filter_map(parse).collect())
    }

    /// Moves the ref `name` to the result of `next`, which gets its present target. The ref is locked meanwhile, so no other writer can
    /// change it; with `Ok(None)` it stays. Synchronises the ref: git itself does not, and a power cut may lose a ref whose pack is safe.
    ///
    /// # Errors
    ///
    /// When the lock is not free for twenty seconds, or the file can't be written.
    pub fn update_ref(
        &self,
        name: &str,
        reason: &str,
        next: impl FnOnce(Option<Oid>) -> Result<Option<Oid>>,
    ) -> Result<()> {
        // Dropped after the lock is.
        let _claim = Claim::new(self, name);
        let mut transaction =
            self.inner.transaction().map_err(|error| failed("cannot start a ref transaction", error))?;
        self.lock(&mut transaction, name)?;
        let Some(target) = next(self.ref_target(name)?)? else { return Ok(()) };
        transaction
            .set_target(name, target, None, reason)
            .and_then(|()| transaction.commit())
            .map_err(|error| failed(&format!("cannot update the ref {name}"), error))?;
        self.sync_ref(name).map_err(|error| Error::io("write", &self.common_dir().join(name), error))
    }

    /// Synchronises the ref's file, and its directory.
    fn sync_ref(&self, name: &str) -> io::Result<()> {
        let file = self.common_dir().join(name);
        let sync = |path: &std::path::Path| match File::open(path) {
            // `git pack-refs` has packed it, and removed the empty directory.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            opened => opened?.sync_all(),
        };
        sync(&file)?;
        file.parent().map_or(Ok(()), sync)
    }

    fn lock(&self, transaction: &mut git2::Transaction<'_>, name: &str) -> Result<()> {
        let start = Instant::now();
        let mut pause = Duration::from_millis(1);
        let mut seen: Option<(Lock, Instant)> = None;
        loop {
            match transaction.lock_ref(name) {
                Ok(()) => return Ok(()),
                Err(error) if passes(&error) && start.elapsed() < PATIENCE => {
                    // Another process is writing; its lock file is all there is to poll.
                    thread::sleep(pause + Duration::from_micros(u64::from(std::process::id() % 1000)));
                    pause = (pause * 2).min(Duration::from_millis(50));
                    match (Lock::of(self, name), seen) {
                        (Some(lock), Some((before, since))) if lock == before => {
                            if since.elapsed() > PAUSE {
                                lock_claims::remove_left(self, name, lock);
                                seen = None;
                            }
                        }
                        (lock, _) => seen = lock.map(|lock| (lock, Instant::now())),
                    }
                }
                Err(error) if error.code() == git2::ErrorCode::Locked => {
                    let file = self.common_dir().join(format!("{name}.lock"));
                    return Err(Error::refused(format!("another process holds the lock of {name}")).hint(
                        format!(
                            "if no git command is running, a killed one left this lock: rm '{}'",
                            file.display()
                        ),
                    ));
                }
                Err(error) => return Err(failed(&format!("cannot lock the ref {name}"), error)),
            }
        }
    }

    pub fn delete_ref(&self, name: &str) -> Result<()> {
        match self.inner.find_reference(name) {
            Ok(mut reference) => {
                reference.delete().map_err(|error| failed(&format!("cannot remove the ref {name}"), error))
            }
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(()),
            Err(error) => Err(failed(&format!("cannot read the ref {name}"), error)),
        }
    }
}

/// Whether a lock may be free a moment later: another process holds it, or `git pack-refs` has just removed the empty directory for it.
fn passes(error: &git2::Error) -> bool {
    error.code() == git2::ErrorCode::Locked
        || (error.class() == git2::ErrorClass::Os && error.message().contains("No such file"))
}
