//! Searches the files of a package for secrets, and reports their places.

use std::io::{self, Read};

use super::matcher::{Hit, MAX_HITS, Matcher};
use super::{json, kinds, values};
use crate::error::Result;
use crate::package::secrets::Secret;
use crate::package::{PackageId, Sha256};

pub struct Scanner {
    matcher: Matcher,
    /// A hash of all values with their names; `None` if there are none.
    values: Option<Sha256>,
}

impl Scanner {
    /// Searches for the known kinds, and for those of these values, by the names of their variables, that are secrets. Fails if there are
    /// too many values.
    pub fn new<'v>(variables: impl IntoIterator<Item = (&'v str, &'v str)>) -> Result<Self> {
        let mut secret: Vec<(&str, &str)> =
            variables.into_iter().filter(|(name, value)| values::is_secret(name, value)).collect();
        secret.sort_unstable();
        secret.dedup();
        let matcher = Matcher::new(&secret)?;
        let told: Vec<u8> = secret
            .iter()
            .flat_map(|(name, value)| [*name, "\0", *value, "\0"].concat().into_bytes())
            .collect();
        let values = (!secret.is_empty()).then(|| Sha256::of(&told));
        Ok(Self { matcher, values })
    }

    /// A mark of the values for the manifest of the package `id`: 16 bits, so that it shows a change, and reveals no value. `None` if
    /// there are none.
    pub fn mark(&self, id: PackageId) -> Option<String> {
        let values = self.values?;
        let hash = Sha256::of(&[id.to_string().as_bytes(), values.as_bytes()].concat());
        Some(hash.to_string()[..4].to_owned())
    }

    /// The secrets in a file of a package that is no archive. In JSON, places are given as keys.
    pub fn file(&self, path: &str, bytes: &[u8]) -> Vec<Secret> {
        let secret = |place: String, kind: &str, name: Option<String>| Secret {
            file: path.to_owned(),
            entry: None,
            place,
            kind: kind.to_owned(),
            name,
        };
        if let Some(found) = json::search(&self.matcher, path, bytes) {
            return found.into_iter().map(|(place, kind, name)| secret(place, kind, name)).collect();
        }
        self.places(bytes, false).into_iter().map(|(place, kind, name)| secret(place, kind, name)).collect()
    }

    /// The secrets in a file inside the archive `file`. In packages from a public registry, which are full of keys for tests, only values
    /// are searched for.
    pub fn entry(&self, file: &str, entry: &str, bytes: &[u8]) -> Vec<Secret> {
        let found = self.places(bytes, is_published(entry)).into_iter();
        found.map(|(place, kind, name)| in_entry(file, entry, place, kind, name)).collect()
    }

    /// The same, of a content that is read in parts.
    pub fn stream(&self, file: &str, entry: &str, reader: &mut dyn Read) -> io::Result<Vec<Secret>> {
        const PART: usize = 1 << 20;
        let only_values = is_published(entry);
        let (mut window, mut start) = (Vec::new(), 0);
        let mut found: Vec<Secret> = Vec::new();
        loop {
            let read = (&mut *reader).take(PART as u64).read_to_end(&mut window)?;
            for hit in self.matcher.hits(&window, only_values) {
                let secret =
                    in_entry(file, entry, format!("byte {}", start + hit.at + 1), hit.kind, hit.name);
                if found.len() < MAX_HITS && !found.contains(&secret) {
                    found.push(secret);
                }
            }
            if read < PART {
                return Ok(found);
            }
            // A match that began at the end goes on in the next part.
            let kept = kinds::MAX_FORM.min(window.len());
            start += window.len() - kept;
            window.drain(..window.len() - kept);
        }
    }

    /// The secrets in some bytes with their places: lines of text, else bytes.
    fn places(&self, bytes: &[u8], only_values: bool) -> Vec<(String, &'static str, Option<String>)> {
        let hits = self.matcher.hits(bytes, only_values);
        if hits.is_empty() {
            return Vec::new();
        }
        let text = !bytes[..bytes.len().min(8192)].contains(&0);
        let (mut line, mut seen) = (1, 0);
        let place = |hit: Hit| {
            if !text {
                return (format!("byte {}", hit.at + 1), hit.kind, hit.name);
            }
            line += bytes[seen..hit.at.max(seen)].split(|byte| *byte == b'\n').skip(1).count();
            seen = hit.at.max(seen);
            (format!("line {line}"), hit.kind, hit.name)
        };
        let mut places: Vec<_> = hits.into_iter().map(place).collect();
        places.dedup();
        places
    }
}

/// Whether a file in an archive belongs to a package from a registry.
fn is_published(entry: &str) -> bool {
    entry.split('/').any(|part| part == "node_modules" || part == "site-packages")
}

fn in_entry(file: &str, entry: &str, place: String, kind: &str, name: Option<String>) -> Secret {
    Secret { file: file.to_owned(), entry: Some(entry.to_owned()), place, kind: kind.to_owned(), name }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
