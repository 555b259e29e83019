//! `process.env` in JavaScript and TypeScript, found in the text. Knows the few ways to write a name; a computed name is not found.

use std::collections::BTreeSet;

const ENVIRONMENT: &str = "process.env";

pub(super) fn search(text: &str, names: &mut BTreeSet<String>) {
    for (at, _) in text.match_indices(ENVIRONMENT) {
        let (before, after) = (&text[..at], &text[at + ENVIRONMENT.len()..]);
        if before.ends_with(|c| is_identifier(c) || c == '.') || after.starts_with(is_identifier) {
            continue;
        }
        if let Some(name) = member(after) {
            names.insert(name.to_owned());
        } else if let Some(pattern) = pattern_before(before) {
            names.extend(pattern.split(',').filter_map(key).map(str::to_owned));
        }
    }
}

fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// The name in `.NAME`, `?.NAME`, `['NAME']` or `?.["NAME"]`.
fn member(after: &str) -> Option<&str> {
    let after = after.strip_prefix('?').unwrap_or(after);
    let dotted = after.strip_prefix('.');
    if let Some(inner) = dotted.unwrap_or(after).strip_prefix('[') {
        let inner = inner.trim_start();
        let quote = inner.chars().next().filter(|c| matches!(c, '\'' | '"' | '`'))?;
        return inner[1..]
            .split_once(quote)
            .map(|(name, _)| name)
            .filter(|name| !name.is_empty() && !name.contains("${"));
    }
    let name = dotted?;
    let end = name.find(|c| !is_identifier(c)).unwrap_or(name.len());
    Some(&name[..end]).filter(|name| !name.is_empty())
}

/// The inside of `{ … } =` right before.
fn pattern_before(before: &str) -> Option<&str> {
    let pattern = before.trim_end().strip_suffix('=')?.trim_end().strip_suffix('}')?;
    let (_, pattern) = pattern.rsplit_once('{')?;
    Some(pattern)
}

/// The name in `NAME`, `NAME: local` or `NAME = default`.
fn key(entry: &str) -> Option<&str> {
    let name = entry.split([':', '=']).next()?.trim().trim_matches(['\'', '"']);
    (!name.is_empty() && name.chars().all(is_identifier)).then_some(name)
}
