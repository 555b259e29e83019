//! Command lines in messages: quoted so that they can be pasted, and found in a text.
//!
//! A command begins a line, or follows a colon or two spaces, and ends with the line or before `; `. Within a sentence it is in backticks.
//! Placeholders are in capitals (`REF`).

use std::borrow::Cow;
use std::ops::Range;

/// A command line of this program, each word quoted if a shell needs that.
pub fn slsart<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    command(["git", "slsart"].into_iter().chain(words))
}

/// A command line of any program, each word quoted if a shell needs that.
pub fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(quoted).collect::<Vec<_>>().join(" ")
}

pub fn quoted(word: &str) -> Cow<'_, str> {
    shlex::try_quote(word).unwrap_or(Cow::Borrowed(word))
}

/// Where a text has command lines of git, including this program's.
pub fn in_text(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.match_indices("git ") {
        let (before, rest) = text.split_at(at);
        let before = without_style(before);
        if !rest[4..].starts_with(|c: char| c.is_ascii_lowercase() || c == '-') {
            continue;
        }
        let follows = ["\n", ": ", "  ", "&& ", "| ", "`"].iter().any(|start| before.ends_with(start));
        if found.last().is_none_or(|last| last.end <= at) && (before.is_empty() || follows) {
            let closed = if before.ends_with('`') { rest.find('`') } else { None };
            found.push(at..at + closed.unwrap_or_else(|| length(rest)));
        }
    }
    found
}

fn without_style(text: &str) -> &str {
    match text.rsplit_once("\x1b[") {
        Some((before, code)) if code.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';') == "m" => {
            without_style(before)
        }
        _ => text,
    }
}

/// The length of the command line at the start of a text.
fn length(text: &str) -> usize {
    let mut quote = None;
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (_, '\n' | '\x1b') | (None, ')') => return at,
            (Some(open), _) => quote = Some(open).filter(|open| *open != character),
            (None, '\'' | '"') => quote = Some(character),
            (None, _) if ["; ", " && ", " | "].iter().any(|end| text[at..].starts_with(end)) => return at,
            _ => {}
        }
    }
    text.len()
}

/// Rewrites a text's command lines to run in another directory, with git's `-C`.
pub fn run_in(directory: &str, text: &str) -> String {
    let mut rest = text.to_owned();
    for Range { start, .. } in in_text(text).into_iter().rev() {
        let program = if rest[start..].starts_with("git slsart ") { "git slsart" } else { "git" };
        rest.insert_str(start + program.len(), &format!(" -C {}", quoted(directory)));
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(text: &str) -> Vec<&str> {
        in_text(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(slsart(["show", "a b", "--service", "it's"]), r#"git slsart show 'a b' --service "it's""#);
    }

    #[test]
    fn commands_stand_where_the_convention_has_them() {
        assert_eq!(commands("git slsart log"), ["git slsart log"]);
        assert_eq!(commands("to see it: git show 'a; b'; then go on"), ["git show 'a; b'"]);
        assert_eq!(commands("Undo      git slsart rollback 1\n"), ["git slsart rollback 1"]);
        assert_eq!(commands("`git slsart log` lists them, `git fsck` not"), ["git slsart log", "git fsck"]);
        assert_eq!(commands("do: git add -A && git commit"), ["git add -A", "git commit"]);
        assert_eq!(commands("\x1b[2mmake it: git slsart package\x1b[0m"), ["git slsart package"]);
        assert_eq!(commands("\x1b[1mnext    \x1b[0m\x1b[2mgit add a\x1b[0m"), ["git add a"]);
        assert_eq!(commands("left alone (the lines for it: git slsart hooks)"), ["git slsart hooks"]);
        assert!(commands("nothing was deployed by git slsart here; a legit thing  git → lfs").is_empty());
    }

    #[test]
    fn commands_can_be_made_to_run_in_another_directory() {
        assert_eq!(
            run_in("a b", "`git slsart log` or: git fetch && git slsart fetch"),
            "`git slsart -C 'a b' log` or: git -C 'a b' fetch && git slsart -C 'a b' fetch"
        );
    }
}
