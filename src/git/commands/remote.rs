//! Refs of a remote, moved by compare-and-swap through the git command, which has the user's credentials and proxies. Never asks the user;
//! no answer in time counts as unreachable.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::git::{Oid, Repository};
use crate::process::{Ended, Invocation, Patience};

const LIMIT: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    Done,
    /// The ref does not, or no longer, point at the old value.
    Elsewhere,
    /// The remote refused, in its own words.
    Refused(String),
    /// No answer; why, as far as git knows.
    Unreachable(String),
}

impl Repository {
    /// Moves the ref `name` of `remote` from `old` to `new`, if it is at `old`; `None` is no ref.
    ///
    /// # Errors
    ///
    /// [`crate::error::Kind::Interrupted`] when `patience` ends; then the ref may be moved or not.
    pub fn move_remote_ref(
        &self,
        remote: &str,
        name: &str,
        (old, new): (Option<Oid>, Option<Oid>),
        patience: Patience,
    ) -> Result<Moved> {
        let text = |id: Option<Oid>| id.map(|id| id.to_string()).unwrap_or_default();
        let push = self
            .quietly()
            .args(["-c", &format!("remote.{remote}.mirror=false"), "push", "--porcelain", "--no-verify"])
            .args(["--no-follow-tags", "--recurse-submodules=no"])
            .arg(format!("--force-with-lease={name}:{}", text(old)))
            .args(["--", remote, &format!("{}:{name}", text(new))]);
        let Some(ended) = push.end_within(LIMIT, patience)? else {
            return Ok(Moved::Unreachable(no_answer()));
        };
        Ok(if ended.succeeded { Moved::Done } else { refusal(&ended) })
    }

    pub fn ask_remote_refs(&self, remote: &str, pattern: &str) -> Result<Vec<(String, Oid)>> {
        let ask = self.quietly().args(["ls-remote", "--quiet", "--", remote, pattern]);
        Ok(listed(&answer(remote, &ask)?))
    }

    /// Fetches the object of the ref `name` of `remote`; no ref here leads to it.
    pub fn fetch_remote_ref(&self, remote: &str, name: &str) -> Result<()> {
        let fetch = self
            .quietly()
            .args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc"])
            .args(["--no-recurse-submodules", "--", remote, name]);
        answer(remote, &fetch).map(drop)
    }

    /// Fetches `refspecs`, and removes local refs that follow refs which are gone from the remote. Fails if there is no answer in time.
    pub fn fetch_quickly(&self, remote: &str, refspecs: &[String]) -> Result<()> {
        let fetch = self
            .quietly()
            .args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--prune"])
            .args(["--no-recurse-submodules", "--", remote])
            .args(refspecs);
        answer(remote, &fetch).map(drop)
    }

    /// The git command with readable output, which never asks the user.
    fn quietly(&self) -> Invocation {
        self.command()
            .env("GIT_TERMINAL_PROMPT", "0")
            // Without an agent, ssh would wait for a terminal that is not there.
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env("LC_ALL", "C")
    }
}

pub(super) fn listed(output: &[u8]) -> Vec<(String, Oid)> {
    let parse = |line: &str| {
        let (id, name) = line.split_once('\t')?;
        Some((name.to_owned(), Oid::from_str(id).ok()?))
    };
    String::from_utf8_lossy(output).lines().filter_map(parse).collect()
}

fn answer(remote: &str, command: &Invocation) -> Result<Vec<u8>> {
    let cannot = || Error::refused(format!("{remote} can't be reached"));
    match command.end_within(LIMIT, Patience::UntilInterrupted)? {
        Some(Ended { succeeded: true, stdout, .. }) => Ok(stdout),
        Some(ended) => Err(cannot().because(std::io::Error::other(words(&ended.stderr)))),
        None => Err(cannot().because(std::io::Error::other(no_answer()))),
    }
}

/// Parses the output of a failed push (git-push, "Output"): a line a ref, with `!` before a refused one.
fn refusal(ended: &Ended) -> Moved {
    let output = String::from_utf8_lossy(&ended.stdout);
    match output.lines().find_map(|line| line.strip_prefix("!\t")) {
        Some(line) if line.ends_with("(stale info)") => Moved::Elsewhere,
        Some(line) => {
            let summary = line.rsplit('\t').next().unwrap_or_default();
            Moved::Refused([summary, &words(&ended.stderr)].join("\n").trim().to_owned())
        }
        None => Moved::Unreachable(words(&ended.stderr)),
    }
}

fn no_answer() -> String {
    format!("no answer within {} seconds", LIMIT.as_secs())
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}
