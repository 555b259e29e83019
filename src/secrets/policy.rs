//! A repository's policy for secrets.

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::seal::Recipients;
use crate::error::{Error, Result};
use crate::package::secrets::{Decision, Secret, SecretAction};

pub struct SecretPolicy {
    /// `None`: secrets are recorded, but not pushed before a user decides.
    pub action: Option<SecretAction>,
    pub recipients: Recipients,
    allowed: GlobSet,
}

impl SecretPolicy {
    /// A policy that ignores secrets which match a pattern: by name, place, file, or file inside an archive. Fails on an invalid pattern,
    /// or encryption without a recipient.
    pub fn new(action: Option<SecretAction>, allow: &[String], recipients: Recipients) -> Result<Self> {
        let mut set = GlobSetBuilder::new();
        let wrong =
            |pattern: &str| Error::refused(format!("slsart.toml: `{pattern}` in [secrets] is not a pattern"));
        for pattern in allow {
            set.add(Glob::new(pattern).map_err(|error| wrong(pattern).because(error))?);
        }
        let allowed = set.build().map_err(|error| wrong(&allow.join(", ")).because(error))?;
        let policy = Self { action, recipients, allowed };
        if action == Some(SecretAction::Encrypt) { policy.encrypting() } else { Ok(policy) }
    }

    /// With encryption as its action; fails without a recipient.
    pub fn encrypting(self) -> Result<Self> {
        if self.recipients.is_empty() {
            return Err(Error::refused("[secrets] in slsart.toml names no recipient to encrypt to")
                .hint("list the readers' public keys: recipients = [\"age1…\", \"ssh-ed25519 AAAA…\"]"));
        }
        Ok(Self { action: Some(SecretAction::Encrypt), ..self })
    }

    pub fn allows(&self, secret: &Secret) -> bool {
        let Secret { file, entry, place, name, kind } = secret;
        let named = name.iter().chain(entry).chain([place, file, kind]);
        named.into_iter().any(|text| self.allowed.is_match(text))
    }

    /// Those of `secrets` that no pattern allows.
    pub fn objectionable<'s>(&self, secrets: &'s [Secret]) -> Vec<&'s Secret> {
        secrets.iter().filter(|secret| !self.allows(secret)).collect()
    }

    /// The decision for recorded secrets that follows from the action.
    pub fn decision(&self) -> Option<Decision> {
        match self.action {
            Some(SecretAction::Warn) => Some(Decision::Warn),
            Some(SecretAction::Encrypt) => Some(Decision::Encrypt),
            Some(SecretAction::Refuse) | None => None,
        }
    }

    pub fn encrypts(&self, secrets: &[Secret]) -> bool {
        self.action == Some(SecretAction::Encrypt) && secrets.iter().any(|secret| !self.allows(secret))
    }
}
