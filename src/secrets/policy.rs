//! What a repository wants done about secrets.

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::seal::Recipients;
use crate::error::{Error, Result};
use crate::package::secrets::{Action, Decision, Secret};

/// What is done about secrets.
pub struct Policy {
    /// What is done where there are any; `None`: they are recorded, and not pushed before somebody decides.
    pub action: Option<Action>,
    pub recipients: Recipients,
    allowed: GlobSet,
}

impl Policy {
    /// A policy that lets what one of the patterns matches be: a name, a place, a file, or a file inside an archive.
    ///
    /// # Errors
    /// When one is no pattern, or what is to be encrypted has no recipient.
    pub fn new(action: Option<Action>, allow: &[String], recipients: Recipients) -> Result<Self> {
        let mut set = GlobSetBuilder::new();
        let wrong =
            |pattern: &str| Error::refused(format!("slsart.toml: `{pattern}` in [secrets] is not a pattern"));
        for pattern in allow {
            set.add(Glob::new(pattern).map_err(|error| wrong(pattern).because(error))?);
        }
        let allowed = set.build().map_err(|error| wrong(&allow.join(", ")).because(error))?;
        let policy = Self { action, recipients, allowed };
        if action == Some(Action::Encrypt) { policy.encrypting() } else { Ok(policy) }
    }

    /// The same, with encryption for its action.
    ///
    /// # Errors
    /// When it has no recipients.
    pub fn encrypting(self) -> Result<Self> {
        if self.recipients.is_empty() {
            return Err(Error::refused("[secrets] in slsart.toml names no recipient to encrypt to").hint(
                "name the public keys of who may read: recipients = [\"age1…\", \"ssh-ed25519 AAAA…\"]",
            ));
        }
        Ok(Self { action: Some(Action::Encrypt), ..self })
    }

    /// Whether a pattern lets this one be.
    pub fn allows(&self, secret: &Secret) -> bool {
        let Secret { file, entry, place, name, kind } = secret;
        let named = name.iter().chain(entry).chain([place, file, kind]);
        named.into_iter().any(|text| self.allowed.is_match(text))
    }

    /// Those of `secrets` that no pattern lets be.
    pub fn objectionable<'s>(&self, secrets: &'s [Secret]) -> Vec<&'s Secret> {
        secrets.iter().filter(|secret| !self.allows(secret)).collect()
    }

    /// What the action decides of secrets that are recorded.
    pub fn decision(&self) -> Option<Decision> {
        match self.action {
            Some(Action::Warn) => Some(Decision::Warn),
            Some(Action::Encrypt) => Some(Decision::Encrypt),
            Some(Action::Refuse) | None => None,
        }
    }

    /// Whether what holds `secrets` is to be encrypted.
    pub fn encrypts(&self, secrets: &[Secret]) -> bool {
        self.action == Some(Action::Encrypt) && secrets.iter().any(|secret| !self.allows(secret))
    }
}
