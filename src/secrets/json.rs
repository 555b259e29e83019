//! Secrets in JSON: state and templates. Strings are searched unescaped, and places are given as keys.

use serde_json::Value;

use super::matcher::Matcher;
use super::values;

const MAX_BYTES: usize = 256 << 20;
/// Most secrets that are reported of a file.
const MAX_FOUND: usize = 500;

/// Most characters of a place that are reported.
const MAX_PLACE: usize = 400;

pub(super) type FoundString = (String, &'static str, Option<String>);

/// The secrets in a file; `None` if it is no JSON.
pub(super) fn search(matcher: &Matcher, path: &str, bytes: &[u8]) -> Option<Vec<FoundString>> {
    if !path.to_ascii_lowercase().ends_with(".json") || bytes.len() > MAX_BYTES {
        return None;
    }
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let mut found = Vec::new();
    walk(matcher, &value, &mut Vec::new(), &mut found);
    Some(found)
}

enum PathStep<'v> {
    Key(&'v str),
    Index(usize),
}

fn walk<'v>(matcher: &Matcher, value: &'v Value, path: &mut Vec<PathStep<'v>>, found: &mut Vec<FoundString>) {
    if found.len() >= MAX_FOUND {
        return;
    }
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                // A key that is a secret itself is located, but never shown.
                let hits = matcher.hits(key.as_bytes(), false);
                found.extend(hits.iter().map(|hit| (place(path), hit.kind, hit.name.clone())));
                path.push(PathStep::Key(if hits.is_empty() { key } else { "*" }));
                walk(matcher, inner, path, found);
                path.pop();
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                path.push(PathStep::Index(index));
                walk(matcher, inner, path, found);
                path.pop();
            }
        }
        Value::String(text) => in_string(matcher, text, path, found),
        // A password of digits stands there as a number only where it was written as one.
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

fn in_string(matcher: &Matcher, text: &str, path: &[PathStep<'_>], found: &mut Vec<FoundString>) {
    let key = path.iter().rev().find_map(|step| match step {
        PathStep::Key(key) => Some(*key),
        PathStep::Index(_) => None,
    });
    let key = key.unwrap_or_default();
    // Only the key's name identifies such a secret.
    let secret_key = key.to_ascii_lowercase().replace(['_', '-'], "").ends_with("secretaccesskey");
    let mut hits = matcher.hits(text.as_bytes(), false);
    if hits.is_empty() && secret_key {
        let line = format!("secret_access_key={text}");
        hits = matcher.hits(line.as_bytes(), false);
    }
    let mut told: Vec<(&'static str, Option<String>)> =
        hits.into_iter().map(|hit| (hit.kind, hit.name)).collect();
    if told.is_empty() && values::is_named(key, text) {
        told.push(("named", Some(key.to_owned())));
    }
    told.dedup();
    found.extend(told.into_iter().map(|(kind, name)| (place(path), kind, name)));
}

fn place(path: &[PathStep<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            PathStep::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            PathStep::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    if text.len() > MAX_PLACE {
        text = text.chars().take(MAX_PLACE).chain(['…']).collect();
    }
    if text.is_empty() { "all of it".to_owned() } else { text }
}
