//! Making signed commits through git: only git knows every way to find and ask for a user's key.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::git::{Oid, Repository, failed};
use crate::process::{Ended, Invocation, Patience};

/// How long signing may take where no user is present: a key on a device waits for a touch.
const LIMIT: Duration = Duration::from_secs(20);

/// Variables that would let a signing program ask a user.
const WAYS_TO_ASK: [&str; 4] = ["GPG_TTY", "DISPLAY", "WAYLAND_DISPLAY", "SSH_ASKPASS"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningReason {
    Asked,
    Configured,
}

impl Repository {
    /// Whether the user's git signs commits.
    pub fn signs_commits(&self) -> Result<bool> {
        let (is_set, value) =
            self.command().args(["config", "--type=bool", "--get", "commit.gpgSign"]).probe()?;
        Ok(is_set && value.starts_with(b"true"))
    }

    /// Writes a commit as [`crate::git::Batch::commit`] does, signed. `tree` and `parents` are in the repository already. `what` names the
    /// object in an error: `the record`.
    pub fn signed_commit(&self, tree: Oid, parents: &[Oid], message: &str, what: &str) -> Result<Oid> {
        let (author, committer) = self.signatures().map_err(|error| {
            failed("cannot read your name and e-mail address from git's configuration", error)
        })?;
        let command = self
            .command()
            .env("GIT_AUTHOR_NAME", text(author.name_bytes()))
            .env("GIT_AUTHOR_EMAIL", text(author.email_bytes()));
        let written = self.commit_tree(command, &committer, (tree, parents, message));
        written.map_err(|error| not_signed(error, what, SigningReason::Configured))
    }

    /// Writes a copy of `commit` with another tree, signed by this repository's user: the same parents, message and author; the committer
    /// is the signer.
    pub fn signed_commit_like(&self, commit: Oid, tree: Oid, what: &str, why: SigningReason) -> Result<Oid> {
        let (_, committer) = self.signatures().map_err(|error| {
            failed("cannot read your name and e-mail address from git's configuration", error)
        })?;
        let parents = self.commit(commit)?.parents;
        let like = self
            .inner
            .find_commit(commit)
            .map_err(|error| failed(&format!("cannot read the commit {commit}"), error))?;
        let (author, when) = (like.author(), like.author().when());
        let minutes = when.offset_minutes();
        let sign = if minutes < 0 { '-' } else { '+' };
        let offset = format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60);
        let command = self
            .command()
            .env("GIT_AUTHOR_NAME", text(author.name_bytes()))
            .env("GIT_AUTHOR_EMAIL", text(author.email_bytes()))
            .env("GIT_AUTHOR_DATE", format!("@{} {offset}", when.seconds()));
        let message = text(like.message_bytes());
        let written = self.commit_tree(command, &committer, (tree, &parents, &message));
        written.map_err(|error| not_signed(error, what, why))
    }

    fn commit_tree(
        &self,
        command: Invocation,
        committer: &git2::Signature<'_>,
        (tree, parents, message): (Oid, &[Oid], &str),
    ) -> Result<Oid> {
        // Lives until git has ended.
        let programs = self.is_unattended().then(|| self.asking_nobody()).transpose()?.flatten();
        let mut command = command.args(["-c", "i18n.commitEncoding=UTF-8"]);
        if let Some((setting, _)) = &programs {
            command = command.arg("-c").arg(setting);
        }
        let mut command = command
            .args(["commit-tree", "-S"])
            .env("GIT_COMMITTER_NAME", text(committer.name_bytes()))
            .env("GIT_COMMITTER_EMAIL", text(committer.email_bytes()));
        for parent in parents {
            command = command.arg("-p").arg(parent.to_string());
        }
        command = command.arg("-m").arg(message).arg(tree.to_string());
        let output = if self.is_unattended() { alone(command)? } else { command.read()? };
        Oid::from_str(text(&output).trim()).map_err(|error| failed("cannot write a signed commit", error))
    }

    /// A setting that makes git sign with a wrapper, which fails instead of asking, and the directory that holds the wrapper. `None` for a
    /// signing program whose options are unknown.
    fn asking_nobody(&self) -> Result<Option<(OsString, tempfile::TempDir)>> {
        let setting = |name: &str| -> Result<Option<String>> {
            let (is_set, value) = self.command().args(["config", "--type=path", "--get", name]).probe()?;
            Ok(is_set.then(|| text(&value).trim().to_owned()).filter(|value| !value.is_empty()))
        };
        let (name, usual, options) = match self.config("gpg.format").as_deref() {
            Some("ssh") => ("gpg.ssh.program", "ssh-keygen", "-P ''"),
            Some("x509") => ("gpg.x509.program", "gpgsm", "--pinentry-mode=error"),
            _ => ("gpg.openpgp.program", "gpg", "--pinentry-mode=error"),
        };
        let mut program = setting(name)?;
        if program.is_none() && usual == "gpg" {
            program = setting("gpg.program")?;
        }
        let program = PathBuf::from(program.unwrap_or_else(|| usual.to_owned()));
        let is_known = program
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name == usual || (usual == "gpg" && name == "gpg2"));
        let Some(quoted) = program.to_str().and_then(|program| shlex::try_quote(program).ok()) else {
            return Ok(None);
        };
        if !is_known {
            return Ok(None);
        }
        // The system's temporary directory may forbid running programs.
        let directory = tempfile::tempdir_in(self.git_dir())
            .map_err(|error| Error::io("write to", self.git_dir(), error))?;
        let script = directory.path().join("sign");
        write_program(&script, &format!("#!/bin/sh\nexec {quoted} {options} \"$@\"\n"))?;
        let mut setting = OsString::from(format!("{name}="));
        setting.push(&script);
        Ok(Some((setting, directory)))
    }
}

fn write_program(path: &Path, content: &str) -> Result<()> {
    fs::write(path, content)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o700)))
        .map_err(|error| Error::io("write", path, error))
}

fn alone(command: Invocation) -> Result<Vec<u8>> {
    let command = WAYS_TO_ASK.iter().fold(command, |command, name| command.without_env(*name));
    let command = command.env("SSH_ASKPASS_REQUIRE", "never");
    match command.end_within(LIMIT, Patience::UntilInterrupted)? {
        Some(Ended { succeeded: true, stdout, .. }) => Ok(stdout),
        Some(Ended { stderr, .. }) => Err(Error::refused(text(&stderr).trim().to_owned())),
        None => Err(Error::refused(format!("it took longer than {} seconds", LIMIT.as_secs()))),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn not_signed(error: Error, what: &str, why: SigningReason) -> Error {
    if error.kind == Kind::Interrupted {
        return error;
    }
    let cannot = |message| {
        Error::refused(message).hint("to see what is wrong: git commit-tree -S -m test 'HEAD^{tree}'")
    };
    match why {
        SigningReason::Asked => cannot(format!("{what} can't be signed")).hint(
            "to see which key git signs with: git config user.signingKey; and its kind: git config gpg.format",
        ),
        SigningReason::Configured => {
            cannot(format!("{what} can't be signed, and `commit.gpgSign` requires it"))
                .hint("to go on without signatures: git config commit.gpgSign false")
        }
    }
    .because(error)
}
