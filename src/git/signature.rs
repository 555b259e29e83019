//! Signed commits, by git's own machinery: it alone knows every way in which a user's keys are found, asked for and trusted.

use std::collections::HashMap;

use super::{Oid, Repository, failed};
use crate::error::{Error, Kind, Result};

/// What git says of a commit's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is good, and by a key that this machine trusts.
    Good,
    /// There is none.
    Unsigned,
    /// It does not fit what is signed, or its key was revoked.
    Bad,
    /// It is by a key that this machine does not have or does not trust.
    UnknownKey,
}

/// A commit's signature.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Signature {
    /// What git says of it.
    pub verdict: Verdict,
    /// Whose it is, as far as git knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// The key, by its fingerprint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What else is to be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<&'static str>,
}

impl Repository {
    /// Whether the user's git signs commits.
    pub fn signs_commits(&self) -> Result<bool> {
        let (is_set, value) =
            self.command().args(["config", "--type=bool", "--get", "commit.gpgSign"]).probe()?;
        Ok(is_set && value.starts_with(b"true"))
    }

    /// Writes a commit as [`super::Batch::commit`] does, signed. `tree` and `parents` are in the repository already.
    ///
    /// # Errors
    /// When it can't be signed.
    pub fn signed_commit(&self, tree: Oid, parents: &[Oid], message: &str) -> Result<Oid> {
        let (author, committer) =
            self.signatures().map_err(|error| failed("cannot tell who you are", error))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut command = self
            .command()
            .args(["-c", "i18n.commitEncoding=UTF-8", "commit-tree", "-S"])
            .env("GIT_AUTHOR_NAME", text(author.name_bytes()))
            .env("GIT_AUTHOR_EMAIL", text(author.email_bytes()))
            .env("GIT_COMMITTER_NAME", text(committer.name_bytes()))
            .env("GIT_COMMITTER_EMAIL", text(committer.email_bytes()));
        for parent in parents {
            command = command.arg("-p").arg(parent.to_string());
        }
        let output = command.arg("-m").arg(message).arg(tree.to_string()).read().map_err(not_signed)?;
        Oid::from_str(String::from_utf8_lossy(&output).trim())
            .map_err(|error| failed("cannot write a signed commit", error))
    }

    /// What git says of the signatures of `commits`.
    pub fn commit_signatures(&self, commits: &[Oid]) -> Result<HashMap<Oid, Signature>> {
        let mut all = HashMap::new();
        // A command line holds only so many.
        for some in commits.chunks(500) {
            let command = self.command().args([
                "-c",
                "log.showSignature=false",
                "log",
                "--no-walk=unsorted",
                "--format=%H%x00%G?%x00%GS%x00%GF",
            ]);
            let output = command.args(some.iter().map(Oid::to_string)).arg("--").read()?;
            for line in String::from_utf8_lossy(&output).lines() {
                let mut fields = line.split('\0');
                let id = fields.next().and_then(|id| Oid::from_str(id).ok());
                let (Some(id), Some(letter)) = (id, fields.next()) else { continue };
                let mut word = || fields.next().filter(|word| !word.is_empty()).map(str::to_owned);
                let (signer, key) = (word(), word());
                let (verdict, remark) = self.verdict(id, letter);
                all.insert(id, Signature { verdict, signer, key, remark });
            }
        }
        Ok(all)
    }

    /// What the letter of `%G?` means (git-log, "Pretty formats").
    fn verdict(&self, commit: Oid, letter: &str) -> (Verdict, Option<&'static str>) {
        match letter {
            "G" => (Verdict::Good, None),
            "X" => (Verdict::Good, Some("the signature has expired since")),
            "Y" => (Verdict::Good, Some("the key has expired since")),
            "B" => (Verdict::Bad, None),
            "R" => (Verdict::Bad, Some("the key was revoked")),
            "U" => (Verdict::UnknownKey, Some("the key is not trusted here")),
            "E" => (Verdict::UnknownKey, Some("the key is not here")),
            // Without a list of allowed signers, git has nothing to say of a signature with an SSH key.
            _ if self.has_signature(commit) => {
                (Verdict::UnknownKey, Some("git can't check it: gpg.ssh.allowedSignersFile names no keys"))
            }
            _ => (Verdict::Unsigned, None),
        }
    }

    fn has_signature(&self, commit: Oid) -> bool {
        self.inner.find_commit(commit).is_ok_and(|commit| commit.header_field_bytes("gpgsig").is_ok())
    }
}

fn not_signed(error: Error) -> Error {
    if error.kind == Kind::Interrupted {
        return error;
    }
    Error::refused("the record can't be signed, and `commit.gpgSign` asks for that")
        .hint("to see what is wrong: git commit-tree -S -m test 'HEAD^{tree}'")
        .hint("to go on without signatures: git config commit.gpgSign false")
        .because(error)
}
