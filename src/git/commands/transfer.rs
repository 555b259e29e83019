//! What goes between this repository and a remote, through the git command: it alone has the user's credentials, ssh and
//! proxies. It may ask the user for them; how long it takes is the network's affair, and is shown.

use crate::error::{Error, Result};
use crate::git::{Oid, Repository};
use crate::process::{Ended, Invocation};
use crate::progress::Progress;

/// Most refs on one command line, each with two object ids and two names.
const MAX_UPDATES: usize = 1500;

/// Prefixes of lines that don't explain a failure.
const CHATTER: [&str; 6] =
    ["Enumerating ", "Counting ", "Delta compression ", "Total ", "To ", "error: failed to push some refs"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    pub name: String,
    /// What it is to point at; `None` removes it.
    pub new: Option<Oid>,
    /// What it must point at now; `None`: it must not exist.
    pub old: Option<Oid>,
}

/// What a remote said to an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefAnswer {
    /// It is done, or was as wanted already.
    Done,
    /// The ref is not where it was to be.
    Elsewhere,
    /// The remote does not want it, in its own words.
    Refused(String),
}

/// Which objects a fetch leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// None that is not here.
    Whole,
    /// Commits further than so many from what is fetched. In a shallow clone only: it makes one of any other.
    Commits(u32),
}

impl Repository {
    /// Fetches `refspecs`. A ref that is named without `*` must exist on the remote.
    pub fn fetch(
        &self,
        remote: &str,
        refspecs: &[String],
        (depth, prune): (Depth, bool),
        progress: &dyn Progress,
    ) -> Result<()> {
        let mut fetch = self
            .talking()
            .args(["fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-gc"])
            .args(["--no-recurse-submodules", "--no-filter", "--stdin"]);
        if prune {
            fetch = fetch.arg("--prune");
        }
        if let Depth::Commits(count) = depth {
            fetch = fetch.arg(format!("--depth={count}"));
        }
        let input: String = refspecs.iter().flat_map(|spec| [spec, "\n"]).collect();
        let ended = fetch.arg(remote).input(input).stream_stderr(&mut |line| tell(line, progress))?;
        if ended.succeeded { Ok(()) } else { Err(unreached("fetch from", remote, &ended)) }
    }

    /// Sets refs of `remote`, each by itself and by compare-and-swap, and sends the objects that it lacks.
    ///
    /// # Returns
    ///
    /// The remote's answer to each, in their order. If there is no answer, it is an error, and some may be set.
    pub fn push(&self, remote: &str, updates: &[Update], progress: &dyn Progress) -> Result<Vec<RefAnswer>> {
        let mut answers = Vec::with_capacity(updates.len());
        for updates in updates.chunks(MAX_UPDATES) {
            answers.extend(self.push_together(remote, updates, progress)?);
        }
        Ok(answers)
    }

    /// A remote's hook refuses a whole push because of one ref: pushing halves finds that ref.
    fn push_together(
        &self,
        remote: &str,
        updates: &[Update],
        progress: &dyn Progress,
    ) -> Result<Vec<RefAnswer>> {
        let answers = self.push_at_once(remote, updates, progress)?;
        let is_refused = |answer: &RefAnswer| matches!(answer, RefAnswer::Refused(_));
        if updates.len() < 2 || !answers.iter().all(is_refused) {
            return Ok(answers);
        }
        let (one, other) = updates.split_at(updates.len() / 2);
        let mut answers = self.push_together(remote, one, progress)?;
        answers.extend(self.push_together(remote, other, progress)?);
        Ok(answers)
    }

    fn push_at_once(
        &self,
        remote: &str,
        updates: &[Update],
        progress: &dyn Progress,
    ) -> Result<Vec<RefAnswer>> {
        let text = |id: Option<Oid>| id.map(|id| id.to_string()).unwrap_or_default();
        let leases = updates.iter().map(|to| format!("--force-with-lease={}:{}", to.name, text(to.old)));
        let refspecs = updates.iter().map(|to| format!("{}:{}", text(to.new), to.name));
        let push = self
            .talking()
            .args(["-c", &format!("remote.{remote}.mirror=false")])
            .args(["push", "--progress", "--porcelain", "--no-verify", "--no-follow-tags"])
            .args(["--no-signed", "--recurse-submodules=no"])
            .args(leases)
            .args(["--", remote])
            .args(refspecs);
        let ended = push.stream_stderr(&mut |line| tell(line, progress))?;
        let answers: Option<Vec<RefAnswer>> =
            updates.iter().map(|update| answer(&ended, &update.name)).collect();
        answers.ok_or_else(|| unreached("push to", remote, &ended))
    }

    /// Uploads those LFS objects that the remote lacks. `ids`: their SHA-256 in hexadecimal.
    pub fn push_lfs(&self, remote: &str, ids: &[String], progress: &dyn Progress) -> Result<()> {
        self.need_lfs()?;
        for ids in ids.chunks(MAX_UPDATES) {
            let push = self.command().args(["lfs", "push", "--object-id", remote]).args(ids);
            let ended = push.stream_stderr(&mut |line| tell(line, progress))?;
            if !ended.succeeded {
                return Err(unreached("upload to the LFS server of", remote, &ended));
            }
        }
        Ok(())
    }

    /// In a partial clone: fetches, by their ids, the objects of `trees` that it left at its remote.
    pub fn complete(&self, trees: &[Oid], progress: &dyn Progress) -> Result<()> {
        let promisor = self.remotes().into_iter().find(|remote| {
            self.config(&format!("remote.{remote}.promisor")).is_some_and(|value| value == "true")
        });
        let Some(remote) = promisor else { return Ok(()) };
        let list = self
            .command()
            .args(["rev-list", "--objects", "--missing=print", "--no-object-names"])
            .args(trees.iter().map(ToString::to_string))
            .read()?;
        let text = String::from_utf8_lossy(&list);
        let missing: String =
            text.lines().filter_map(|line| line.strip_prefix('?')).flat_map(|id| [id, "\n"]).collect();
        if missing.is_empty() {
            return Ok(());
        }
        // As git itself fetches promised objects (promisor-remote.c).
        let fetch = self
            .talking()
            .args(["-c", "fetch.negotiationAlgorithm=noop", "fetch", "--progress", "--no-tags"])
            .args(["--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none", "--stdin"])
            .arg(&remote);
        let ended = fetch.input(missing).stream_stderr(&mut |line| tell(line, progress))?;
        if ended.succeeded { Ok(()) } else { Err(unreached("fetch from", &remote, &ended)) }
    }

    pub fn is_shallow(&self) -> bool {
        self.inner.is_shallow()
    }

    pub fn contains(&self, descendant: Oid, ancestor: Oid) -> Result<bool> {
        if descendant == ancestor {
            return Ok(true);
        }
        self.inner
            .graph_descendant_of(descendant, ancestor)
            .map_err(|error| crate::git::failed("cannot compare two histories", error))
    }

    /// The git command with readable output, which may ask the user.
    fn talking(&self) -> Invocation {
        self.command().env("LC_ALL", "C")
    }
}

/// Reports a progress line of git or git-lfs: `Receiving objects:  45% (123/456), 1.2 MiB`.
fn tell(line: &str, progress: &dyn Progress) {
    let Some((phase, rest)) = line.rsplit_once(": ").filter(|(_, rest)| rest.contains("% (")) else { return };
    let counts = rest.split_once('(').and_then(|(_, rest)| rest.split_once(')')?.0.split_once('/'));
    let parse = |text: &str| text.trim().parse::<u64>().ok();
    if let Some((done, total)) = counts.and_then(|(done, total)| Some((parse(done)?, parse(total)?))) {
        progress.part(phase.trim_start_matches("remote: "), done, total);
    }
}

/// The answer of a push for the ref `name`: a line `<flag> TAB <from>:<to> TAB <summary>` (git-push, "Output").
fn answer(ended: &Ended, name: &str) -> Option<RefAnswer> {
    let output = String::from_utf8_lossy(&ended.stdout);
    let line = output.lines().find(|line| {
        line.split('\t').nth(1).and_then(|refs| refs.rsplit_once(':')).is_some_and(|(_, to)| to == name)
    })?;
    let summary = line.rsplit('\t').next().unwrap_or_default();
    Some(match line.starts_with('!') {
        false => RefAnswer::Done,
        true if summary.ends_with("(stale info)") => RefAnswer::Elsewhere,
        // Another writer held the remote's lock of the ref.
        true if ["cannot lock ref", "failed to update ref", "reference already exists"]
            .iter()
            .any(|sign| summary.contains(sign)) =>
        {
            RefAnswer::Elsewhere
        }
        true => RefAnswer::Refused([summary, &said(&ended.stderr)].join("\n").trim().to_owned()),
    })
}

fn unreached(verb: &str, remote: &str, ended: &Ended) -> Error {
    let error = Error::refused(format!("cannot {verb} {remote}"))
        .hint(format!("check that you can reach it: git ls-remote {remote}"));
    let error = if verb == "push to" {
        error.hint("if you can't write there, as to the repository that you forked, name your own remote: git slsart push REMOTE")
    } else {
        error
    };
    error.because(std::io::Error::other(said(&ended.stderr)))
}

/// Standard error without the progress lines.
fn said(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines = text
        .lines()
        .filter(|line| !line.contains("% ("))
        .map(|line| line.trim_start_matches("remote: ").trim());
    let is_said = |line: &&str| !line.is_empty() && !CHATTER.iter().any(|start| line.starts_with(start));
    lines.filter(is_said).collect::<Vec<_>>().join("\n")
}
