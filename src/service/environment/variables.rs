//! The framework's variables: `${source:address, fallback}`, one inside the other.
//! Owns finding the `env:` and `file(…)` sources of a text; resolves nothing but the stage.
//!
//! The syntax is that of the framework's `lib/configuration/variables/parse.js`.

use std::collections::BTreeSet;

/// Variables nested deeper than this are read as text.
const MAX_DEPTH: usize = 32;

/// A part that another variable provides; no name contains it.
const UNKNOWN: char = '\0';

pub(super) struct FoundNames<'s> {
    pub(super) names: BTreeSet<String>,
    pub(super) files: BTreeSet<String>,
    stage: Option<&'s str>,
}

impl<'s> FoundNames<'s> {
    /// `stage` is the value of `${sls:stage}` and `${opt:stage}`.
    pub(super) fn new(stage: Option<&'s str>) -> Self {
        Self { names: BTreeSet::new(), files: BTreeSet::new(), stage }
    }

    /// Adds the references in `text`; with `escapes`, `\${` begins no variable.
    pub(super) fn search(&mut self, text: &str, escapes: bool) {
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let backslashes = rest[..at].bytes().rev().take_while(|b| *b == b'\\').count();
            rest = &rest[at + 2..];
            if !escapes || backslashes % 2 == 0 {
                (rest, _) = self.variable(rest, 1);
            }
        }
    }

    /// Reads a variable after its `${`; returns the text after its `}`, and its value if known.
    fn variable<'t>(&mut self, text: &'t str, depth: usize) -> (&'t str, Option<&'s str>) {
        let mut rest = text;
        let mut value = None;
        let mut first = true;
        loop {
            let (source, after) = self.source(rest, depth);
            let known = self.take(source.trim());
            if first {
                value = known;
                first = false;
            }
            match after.strip_prefix(',') {
                Some(next) => rest = next,
                None => return (after.strip_prefix('}').unwrap_or(after), value),
            }
        }
    }

    /// Reads one source, up to its `,` or `}`; returns it with nested variables replaced, and the text after it.
    fn source<'t>(&mut self, text: &'t str, depth: usize) -> (String, &'t str) {
        let mut source = String::new();
        let mut parentheses = 0_usize;
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            match c {
                '}' => break,
                ',' if parentheses == 0 => break,
                '$' if rest.starts_with("${") && depth < MAX_DEPTH => {
                    let (after, value) = self.variable(&rest[2..], depth + 1);
                    source.push_str(value.unwrap_or_default());
                    if value.is_none() {
                        source.push(UNKNOWN);
                    }
                    rest = after;
                    continue;
                }
                '\'' | '"' if source.trim().is_empty() => {
                    rest = after_literal(&rest[1..], c);
                    source.push(c);
                    continue;
                }
                '(' => parentheses += 1,
                ')' => parentheses = parentheses.saturating_sub(1),
                _ => {}
            }
            source.push(c);
            rest = &rest[c.len_utf8()..];
        }
        (source, rest)
    }

    /// Collects a source; returns its value if known.
    fn take(&mut self, source: &str) -> Option<&'s str> {
        let whole = |text: &str| !text.is_empty() && !text.contains(UNKNOWN);
        if let Some(name) = source.strip_prefix("env:").map(str::trim).filter(|name| whole(name)) {
            self.names.insert(name.to_owned());
        } else if let Some((path, _)) = source.strip_prefix("file(").and_then(|rest| rest.split_once(')')) {
            let path = path.trim().trim_start_matches("./");
            if whole(path) {
                self.files.insert(path.to_owned());
            }
        }
        self.stage.filter(|_| matches!(source, "sls:stage" | "opt:stage" | "self:provider.stage"))
    }
}

/// The text after the string that began with `quote`.
fn after_literal(text: &str, quote: char) -> &str {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            _ if c == quote => return &text[at + c.len_utf8()..],
            _ => {}
        }
    }
    ""
}
