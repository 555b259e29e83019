//! Encryption with age (age-encryption.org/v1), to x25519 and ssh keys.

use std::error::Error as StdError;
use std::fmt;
use std::io::{Read as _, Write as _};
use std::str::FromStr as _;

use crate::error::{Error, Result};

/// Most bytes of a content that is encrypted: it is held in memory.
pub const MAX_SEALED: u64 = 256 << 20;

/// The readers' public keys, in their own form, sorted.
#[derive(Default)]
pub struct Recipients {
    keys: Vec<Box<dyn age::Recipient + Send + Sync>>,
    names: Vec<String>,
}

impl Recipients {
    /// Reads public keys, one each: `age1…`, `ssh-ed25519 …` or `ssh-rsa …`.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self> {
        let mut names: Vec<String> = texts.into_iter().map(str::trim).map(without_comment).collect();
        names.sort_unstable();
        names.dedup();
        let keys = names.iter().map(|name| key(name)).collect::<Result<_>>()?;
        Ok(Self { keys, names })
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// Without the comment of an ssh key, such as a mail address.
fn without_comment(text: &str) -> String {
    let parts = if text.starts_with("ssh-") { 2 } else { 1 };
    text.split_whitespace().take(parts).collect::<Vec<_>>().join(" ")
}

fn key(text: &str) -> Result<Box<dyn age::Recipient + Send + Sync>> {
    let wrong = |why: &str| {
        Error::refused(format!("'{text}' is not a recipient: {why}"))
            .hint("a recipient is a public key: age1…, ssh-ed25519 AAAA… or ssh-rsa AAAA…; or a file of them in the repository")
    };
    if text.starts_with("AGE-SECRET-KEY-") {
        return Err(Error::refused("a recipient in slsart.toml is a secret key, and must be a public one")
            .hint("to print the public key: age-keygen -y FILE")
            .hint("the secret key is in a file of this repository: create a new key"));
    }
    if text.starts_with("ssh-") {
        let key = age::ssh::Recipient::from_str(text)
            .map_err(|error| wrong(&format!("age can't encrypt to it ({error:?})")))?;
        return Ok(Box::new(key));
    }
    let key = age::x25519::Recipient::from_str(text).map_err(wrong)?;
    Ok(Box::new(key))
}

/// Encrypts `plain` to `recipients`, of which there must be one; the result differs each time.
pub fn seal(plain: &[u8], recipients: &Recipients) -> Result<Vec<u8>> {
    let keys = recipients.keys.iter().map(|key| &**key as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(keys)
        .map_err(|error| Error::refused("nothing can be encrypted to these recipients").because(error))?;
    let mut sealed = Vec::with_capacity(plain.len() + 1024);
    let write = || {
        let mut writer = encryptor.wrap_output(&mut sealed)?;
        writer.write_all(plain)?;
        writer.finish().map(drop)
    };
    let written: std::io::Result<()> = write();
    written.map_err(|error| Error::bug("an encrypted file can't be written").because(error))?;
    Ok(sealed)
}

/// The reader's secret keys.
#[derive(Default)]
pub struct Identities {
    keys: Vec<Box<dyn age::Identity + Send + Sync>>,
    /// Keys that were found and can't be used, in words.
    unusable: Vec<String>,
}

impl Identities {
    /// Adds the keys in a file's text: age keys, a line each, or one ssh key. `place`: of the file, for messages.
    pub fn add(&mut self, text: &str, place: &str) {
        if text.contains("-----BEGIN ") {
            match age::ssh::Identity::from_buffer(text.as_bytes(), Some(place.to_owned())) {
                Ok(key @ age::ssh::Identity::Unencrypted(_)) => self.keys.push(Box::new(key)),
                Ok(age::ssh::Identity::Encrypted(_)) => {
                    self.unusable.push(format!(
                        "{place} is protected by a passphrase, which git slsart does not ask for"
                    ));
                }
                Ok(age::ssh::Identity::Unsupported(_)) | Err(_) => {
                    self.unusable.push(format!("{place} is a key of a kind that age can't use"));
                }
            }
            return;
        }
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match age::x25519::Identity::from_str(line) {
                Ok(key) => self.keys.push(Box::new(key)),
                Err(_) => self.unusable.push(format!("{place} has a line that is not an age key")),
            }
        }
    }

    /// Adds a file that was named and can't be read.
    pub fn add_unreadable(&mut self, place: &str, why: &std::io::Error) {
        self.unusable.push(format!("{place} can't be read: {why}"));
    }
}

#[derive(Debug)]
pub struct Locked;

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("age: none of your identities is one of its recipients")
    }
}

impl StdError for Locked {}

pub fn is_locked(error: &Error) -> bool {
    StdError::source(error).is_some_and(<dyn StdError>::is::<Locked>)
}

/// Decrypts; at most `limit` bytes.
///
/// # Errors
/// [`is_locked`] when no key opens it; [`crate::error::Kind::Integrity`] when it is damaged.
pub fn unseal(sealed: &[u8], identities: &Identities, limit: u64) -> Result<Vec<u8>> {
    let damaged = |error: Box<dyn StdError + Send + Sync>| {
        Error::integrity("what is encrypted in the package is damaged")
            .hint(crate::error::ANOTHER_COPY)
            .because(error)
    };
    let decryptor = age::Decryptor::new(sealed).map_err(|error| damaged(error.into()))?;
    let keys = identities.keys.iter().map(|key| &**key as &dyn age::Identity);
    let reader = match decryptor.decrypt(keys) {
        Ok(reader) => reader,
        Err(age::DecryptError::NoMatchingKeys) => {
            return Err(Error::refused("a part of the package is encrypted")
                .hints(identities.unusable.iter().cloned())
                .because(Locked));
        }
        Err(error) => return Err(damaged(error.into())),
    };
    let mut plain = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut plain).map_err(|error| damaged(error.into()))?;
    if plain.len() as u64 > limit {
        return Err(damaged("it is too large".into()));
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_a_recipients_key_and_no_other() {
        let (one, other) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
        let recipients = Recipients::parse([one.to_public().to_string().as_str()]).unwrap();
        let sealed = seal(b"hunter2", &recipients).unwrap();
        let keys = |identity: &age::x25519::Identity| {
            use age::secrecy::ExposeSecret as _;
            let mut identities = Identities::default();
            identities.add(identity.to_string().expose_secret(), "a file");
            identities
        };
        assert_eq!(unseal(&sealed, &keys(&one), 100).unwrap(), b"hunter2");
        assert!(is_locked(&unseal(&sealed, &keys(&other), 100).unwrap_err()));
        assert!(unseal(&sealed, &keys(&one), 6).is_err());
        let mut damaged = sealed.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert_eq!(unseal(&damaged, &keys(&one), 100).unwrap_err().kind, crate::error::Kind::Integrity);
    }

    #[test]
    fn a_comment_of_an_ssh_key_is_no_part_of_it_and_a_secret_key_is_no_recipient() {
        let key = concat!(
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN",
            " alice@rust"
        );
        let recipients = Recipients::parse([key, &key[..70], "  "].iter().take(1).copied()).unwrap();
        assert!(!recipients.names()[0].contains("alice"));
        assert!(Recipients::parse(["age1nonsense"]).is_err());
        assert!(Recipients::parse([["AGE-SECRET", "-KEY-1QQQ"].concat().as_str()]).is_err());
    }
}
