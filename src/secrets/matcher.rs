//! Finds secrets in bytes: the beginnings of all kinds, and all values, in one pass.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::kinds;
use crate::error::{Error, Result};

pub(super) const MAX_HITS: usize = 100;

pub(super) struct Matcher {
    whole: Automaton,
    /// The values alone, for packages from a registry, which are most of an archive. `None` without values.
    only_values: Option<Automaton>,
}

struct Automaton {
    inner: AhoCorasick,
    patterns: Vec<Pattern>,
}

impl Automaton {
    fn new(patterns: impl IntoIterator<Item = (Vec<u8>, Pattern)>) -> Result<Self> {
        let (texts, patterns): (Vec<_>, Vec<_>) = patterns.into_iter().unzip();
        let inner = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(&texts);
        let inner = inner
            .or_else(|_| AhoCorasick::new(&texts))
            .map_err(|_| Error::refused("too many environment variables to search for their values"))?;
        Ok(Self { inner, patterns })
    }
}

#[derive(Clone)]
enum Pattern {
    Start(usize),
    Value(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) kind: &'static str,
    pub(super) name: Option<String>,
    pub(super) at: usize,
    end: usize,
}

impl Matcher {
    /// Finds the known kinds, and these values by the names of their variables.
    pub(super) fn new(secrets: &[(&str, &str)]) -> Result<Self> {
        let value = |(name, value): &(&str, &str)| {
            let name = (*name).to_owned();
            forms(value.trim()).into_iter().map(move |form| (form, Pattern::Value(name.clone())))
        };
        let values: Vec<(Vec<u8>, Pattern)> = secrets.iter().flat_map(value).collect();
        let start = |(number, kind): (usize, &'static kinds::Kind)| {
            kind.starts.iter().map(move |start| (start.as_bytes().to_vec(), Pattern::Start(number)))
        };
        let starts = kinds::KINDS.iter().enumerate().flat_map(start);
        let whole = Automaton::new(starts.chain(values.iter().cloned()))?;
        let only_values = if values.is_empty() { None } else { Some(Automaton::new(values)?) };
        Ok(Self { whole, only_values })
    }

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
            if hits.len() >= MAX_HITS {
                break;
            }
        }
        hits.sort_by_key(|hit| (hit.at, hit.end));
        named_once(hits)
    }
}

/// Merges a variable's value with a known kind in it: keeps the name and the more specific kind.
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

fn stands_alone(bytes: &[u8], range: std::ops::Range<usize>) -> bool {
    let word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let joined = |one: Option<&u8>, other: Option<&u8>| word(one) && word(other);
    let before = range.start.checked_sub(1).and_then(|at| bytes.get(at));
    let escaped = range.start > 1 && bytes[range.start - 2] == b'\\';
    (escaped || !joined(before, bytes.get(range.start)))
        && !joined(range.end.checked_sub(1).and_then(|at| bytes.get(at)), bytes.get(range.end))
}

/// A value, and its forms in JSON, in a URL and in base64.
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
