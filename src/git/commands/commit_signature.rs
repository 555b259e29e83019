//! Signatures of commits, judged by git's own machinery: it alone knows every way in which keys are found and trusted.

use std::collections::HashMap;

use crate::error::Result;
pub use crate::git::trust::Trust;
use crate::git::{Oid, Repository};

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureVerdict {
    /// It is good, and by a key that this machine trusts.
    Good,
    Unsigned,
    /// The signature does not match what is signed, or its key was revoked.
    Bad,
    /// This machine does not have or does not trust the key.
    UnknownKey,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Signature {
    pub verdict: SignatureVerdict,
    /// The signer, as far as git knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<&'static str>,
}

impl Signature {
    pub fn none() -> Self {
        Self { verdict: SignatureVerdict::Unsigned, signer: None, key: None, remark: None }
    }
}

impl Repository {
    /// Sets whose signatures count. The first call holds.
    pub fn set_trust(&self, trust: Trust) {
        let _ = self.signing.trust.set(trust);
    }

    pub fn trust(&self) -> &Trust {
        self.signing.trust.get_or_init(Trust::default)
    }

    /// Runs git without asking for passphrases: no user is present.
    pub fn set_unattended(&self) {
        self.signing.is_unattended.set(true);
    }

    pub fn is_unattended(&self) -> bool {
        self.signing.is_unattended.get()
    }

    /// What git says of the signature of `commit`; nothing is started where there is none.
    pub fn signature_of(&self, commit: Oid) -> Result<Signature> {
        if self.signature_text(commit)?.is_none() {
            return Ok(Signature::none());
        }
        Ok(self.commit_signatures(&[commit])?.remove(&commit).unwrap_or_else(Signature::none))
    }

    pub fn commit_signatures(&self, commits: &[Oid]) -> Result<HashMap<Oid, Signature>> {
        let mut all = HashMap::new();
        // A command line holds only so many.
        for some in commits.chunks(500) {
            // Replacements (git-replace) are never read, so none may be judged.
            let mut command = self.command().args(["--no-replace-objects", "-c", "log.showSignature=false"]);
            if let Some(signers) = &self.trust().signers {
                let mut setting = std::ffi::OsString::from("gpg.ssh.allowedSignersFile=");
                setting.push(signers);
                command = command.arg("-c").arg(setting);
            }
            command = command.args(["log", "--no-walk=unsorted", "--format=%H%x00%G?%x00%GS%x00%GF"]);
            let output = command.args(some.iter().map(Oid::to_string)).arg("--").read()?;
            for line in String::from_utf8_lossy(&output).lines() {
                let mut fields = line.split('\0');
                let id = fields.next().and_then(|id| Oid::from_str(id).ok());
                let (Some(id), Some(letter)) = (id, fields.next()) else { continue };
                let mut word = || fields.next().filter(|word| !word.is_empty()).map(str::to_owned);
                let (signer, key) = (word(), word());
                let (verdict, remark) = self.verdict(id, letter)?;
                all.insert(id, Signature { verdict, signer, key, remark });
            }
        }
        Ok(all)
    }

    /// What the letter of `%G?` means (git-log, "Pretty formats").
    fn verdict(&self, commit: Oid, letter: &str) -> Result<(SignatureVerdict, Option<&'static str>)> {
        let (verdict, remark) = match letter {
            "G" => (SignatureVerdict::Good, None),
            "X" => (SignatureVerdict::Good, Some("the signature has expired since")),
            "Y" => (SignatureVerdict::Good, Some("the key has expired since")),
            "B" => (SignatureVerdict::Bad, None),
            "R" => (SignatureVerdict::Bad, Some("the key was revoked")),
            _ if self.trust().signers.as_ref().is_some_and(|path| std::fs::File::open(path).is_err()) => {
                let remark = "the file `signers` of [trust] in slsart.toml can't be read";
                let is_signed = self.signature_text(commit)?.is_some();
                return Ok(if is_signed {
                    (SignatureVerdict::UnknownKey, Some(remark))
                } else {
                    (SignatureVerdict::Unsigned, None)
                });
            }
            "U" => (SignatureVerdict::UnknownKey, Some("the key is not trusted here")),
            "E" => (SignatureVerdict::UnknownKey, Some("the public key is not in your keyring")),
            // Without a list of allowed signers, git reports an SSH signature as none.
            _ if self.signature_text(commit)?.is_some() => (
                SignatureVerdict::UnknownKey,
                Some("git can't verify it: gpg.ssh.allowedSignersFile names no keys"),
            ),
            _ => (SignatureVerdict::Unsigned, None),
        };
        if verdict == SignatureVerdict::Good && self.trust().signers.is_some() {
            let is_ssh = |text: String| text.starts_with("-----BEGIN SSH SIGNATURE-----");
            if !self.signature_text(commit)?.is_some_and(is_ssh) {
                let remark =
                    "it is not an SSH signature, and `signers` in [trust] of slsart.toml names SSH keys";
                return Ok((SignatureVerdict::UnknownKey, Some(remark)));
            }
        }
        Ok((verdict, remark))
    }

    fn signature_text(&self, commit: Oid) -> Result<Option<String>> {
        // For a damaged commit this is an error, unlike in libgit2.
        self.commit(commit)?;
        let found = self.inner.find_commit(commit).ok();
        let text =
            found.and_then(|commit| commit.header_field_bytes("gpgsig").ok().map(|text| text.to_vec()));
        Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned()))
    }
}
