//! Looks for secrets in bytes: every beginning of every kind, and every value, in one pass.

use std::io::{self, Read};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{json, kinds, values};
use crate::error::{Error, Result};
use crate::package::secrets::Secret;
use crate::package::{PackageId, Sha256};

/// Most secrets that are told of one content.
const MOST_HITS: usize = 100;

/// Finds secrets.
pub struct Scanner {
    /// Everything.
    whole: Automaton,
    /// The values alone: most of an archive is packages from a registry. `None` where there are none.
    only_values: Option<Automaton>,
    /// A hash of all values with their names; `None` where there are none.
    values: Option<Sha256>,
}

/// Finds patterns.
struct Automaton {
    inner: AhoCorasick,
    patterns: Vec<Pattern>,
}

impl Automaton {
    fn new(patterns: impl IntoIterator<Item = (Vec<u8>, Pattern)>) -> Result<Self> {
        let (texts, patterns): (Vec<_>, Vec<_>) = patterns.into_iter().unzip();
        let inner = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(&texts);
        let inner = inner.or_else(|_| AhoCorasick::new(&texts)).map_err(|_| {
            Error::refused("the values of the environment variables are too many to look for secrets")
        })?;
        Ok(Self { inner, patterns })
    }
}

/// What one pattern of an automaton is.
#[derive(Clone)]
enum Pattern {
    /// The beginning of a kind, by its number.
    Start(usize),
    /// The value of the variable of this name.
    Value(String),
}

/// A secret in some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) kind: &'static str,
    /// The variable whose value it is.
    pub(super) name: Option<String>,
    /// Where it begins.
    pub(super) at: usize,
    end: usize,
}

impl Scanner {
    /// Looks for the known kinds, and for those of these values, by the names of their variables, that are secrets.
    ///
    /// # Errors
    /// When there are more values than can be looked for.
    pub fn new<'v>(variables: impl IntoIterator<Item = (&'v str, &'v str)>) -> Result<Self> {
        let mut secret: Vec<(&str, &str)> =
            variables.into_iter().filter(|(name, value)| values::is_secret(name, value)).collect();
        secret.sort_unstable();
        secret.dedup();
        let value = |(name, value): &(&str, &str)| {
            let name = (*name).to_owned();
            forms(value.trim()).into_iter().map(move |form| (form, Pattern::Value(name.clone())))
        };
        let values: Vec<(Vec<u8>, Pattern)> = secret.iter().flat_map(value).collect();
        let start = |(number, kind): (usize, &'static kinds::Kind)| {
            kind.starts.iter().map(move |start| (start.as_bytes().to_vec(), Pattern::Start(number)))
        };
        let starts = kinds::KINDS.iter().enumerate().flat_map(start);
        let whole = Automaton::new(starts.chain(values.iter().cloned()))?;
        let only_values = if values.is_empty() { None } else { Some(Automaton::new(values)?) };
        let told: Vec<u8> = secret
            .iter()
            .flat_map(|(name, value)| [*name, "\0", *value, "\0"].concat().into_bytes())
            .collect();
        let values = (!secret.is_empty()).then(|| Sha256::of(&told));
        Ok(Self { whole, only_values, values })
    }

    /// A mark of the values that are looked for, as the manifest of the package `id` has it: 16 bits, so that it tells whether they
    /// are others, and of what they are nothing. `None` where there are none.
    #[must_use]
    pub fn mark(&self, id: PackageId) -> Option<String> {
        let values = self.values?;
        let hash = Sha256::of(&[id.to_string().as_bytes(), values.as_bytes()].concat());
        Some(hash.to_string()[..4].to_owned())
    }

    /// The secrets in a file of a package that is no archive. In JSON their places are told by keys.
    #[must_use]
    pub fn file(&self, path: &str, bytes: &[u8]) -> Vec<Secret> {
        let secret = |place: String, kind: &str, name: Option<String>| Secret {
            file: path.to_owned(),
            entry: None,
            place,
            kind: kind.to_owned(),
            name,
        };
        if let Some(found) = json::search(self, path, bytes) {
            return found.into_iter().map(|(place, kind, name)| secret(place, kind, name)).collect();
        }
        self.places(bytes, false).into_iter().map(|(place, kind, name)| secret(place, kind, name)).collect()
    }

    /// The secrets in a file inside the archive `file`. In packages from a registry, which anybody can have, only values are looked
    /// for: they are full of keys for tests.
    #[must_use]
    pub fn entry(&self, file: &str, entry: &str, bytes: &[u8]) -> Vec<Secret> {
        let found = self.places(bytes, is_published(entry)).into_iter();
        found.map(|(place, kind, name)| in_entry(file, entry, place, kind, name)).collect()
    }

    /// The same, of a content that comes in parts.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn stream(&self, file: &str, entry: &str, reader: &mut dyn Read) -> io::Result<Vec<Secret>> {
        const PART: usize = 1 << 20;
        let only_values = is_published(entry);
        let (mut window, mut start) = (Vec::new(), 0);
        let mut found: Vec<Secret> = Vec::new();
        loop {
            let read = (&mut *reader).take(PART as u64).read_to_end(&mut window)?;
            for hit in self.hits(&window, only_values) {
                let secret =
                    in_entry(file, entry, format!("byte {}", start + hit.at + 1), hit.kind, hit.name);
                if found.len() < MOST_HITS && !found.contains(&secret) {
                    found.push(secret);
                }
            }
            if read < PART {
                return Ok(found);
            }
            // What began at the end goes on in the next part.
            let kept = kinds::MOST_FORM.min(window.len());
            start += window.len() - kept;
            window.drain(..window.len() - kept);
        }
    }

    /// The secrets in some bytes with their places: lines of text, else bytes.
    fn places(&self, bytes: &[u8], only_values: bool) -> Vec<(String, &'static str, Option<String>)> {
        let hits = self.hits(bytes, only_values);
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

    /// The secrets in some bytes, in order.
    pub(super) fn hits(&self, bytes: &[u8], only_values: bool) -> Vec<Hit> {
        let mut hits: Vec<Hit> = Vec::new();
        let automaton = if only_values { self.only_values.as_ref() } else { Some(&self.whole) };
        let Some(Automaton { inner, patterns }) = automaton else { return hits };
        for found in inner.find_overlapping_iter(bytes) {
            let hit = match patterns.get(found.pattern().as_usize()) {
                Some(Pattern::Value(name)) if stands_alone(bytes, found.range()) => {
                    Hit { kind: "variable", name: Some(name.clone()), at: found.start(), end: found.end() }
                }
                Some(Pattern::Start(number)) => match kinds::at(*number, bytes, found.start()) {
                    Some(range) => {
                        Hit { kind: kinds::KINDS[*number].name, name: None, at: range.start, end: range.end }
                    }
                    None => continue,
                },
                _ => continue,
            };
            hits.push(hit);
            if hits.len() >= MOST_HITS {
                break;
            }
        }
        hits.sort_by_key(|hit| (hit.at, hit.end));
        named_once(hits)
    }
}

/// Of a variable's value and of what is known of a part of it, one: with the name and the more telling kind.
fn named_once(hits: Vec<Hit>) -> Vec<Hit> {
    let mut kept: Vec<Hit> = Vec::new();
    for hit in hits {
        match kept.iter_mut().rev().take(8).find(|known| known.at < hit.end && hit.at < known.end) {
            Some(known) => {
                if known.kind == "variable" {
                    known.kind = hit.kind;
                }
                known.name = known.name.take().or(hit.name);
                known.end = known.end.max(hit.end);
            }
            None => kept.push(hit),
        }
    }
    kept
}

/// Whether a value is not a part of a longer word.
fn stands_alone(bytes: &[u8], range: std::ops::Range<usize>) -> bool {
    let word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let joined = |one: Option<&u8>, other: Option<&u8>| word(one) && word(other);
    let before = range.start.checked_sub(1).and_then(|at| bytes.get(at));
    let escaped = range.start > 1 && bytes[range.start - 2] == b'\\';
    (escaped || !joined(before, bytes.get(range.start)))
        && !joined(range.end.checked_sub(1).and_then(|at| bytes.get(at)), bytes.get(range.end))
}

/// A value, and how it stands in JSON, in a URL and in base64.
fn forms(value: &str) -> Vec<Vec<u8>> {
    let json = serde_json::to_string(value).unwrap_or_default();
    let mut forms = vec![
        value.as_bytes().to_vec(),
        json.trim_matches('"').as_bytes().to_vec(),
        utf8_percent_encode(value, NON_ALPHANUMERIC).to_string().into_bytes(),
        BASE64_STANDARD.encode(value).into_bytes(),
    ];
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// Whether a file in an archive is one of a package from a registry.
fn is_published(entry: &str) -> bool {
    entry.split('/').any(|part| part == "node_modules" || part == "site-packages")
}

fn in_entry(file: &str, entry: &str, place: String, kind: &str, name: Option<String>) -> Secret {
    Secret { file: file.to_owned(), entry: Some(entry.to_owned()), place, kind: kind.to_owned(), name }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
