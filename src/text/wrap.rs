//! Fits text to a terminal: lines break between words, and continue indented. A command is not broken, so that it can be pasted; one
//! longer than a line continues after a backslash, as in a shell. Pure.

use std::borrow::Cow;

use anstream::adapter::strip_str;
use unicode_width::UnicodeWidthStr as _;

/// How a command in a text begins.
const PROGRAMS: &[&str] = &["git", "(cd", "npm", "npx", "aws"];
/// The deepest indent, after a name at the start of a line: `Target    orders`.
const FURTHEST: usize = 12;

/// The width of a text in columns, without colours.
pub fn width(text: &str) -> usize {
    strip_str(text).to_string().width()
}

/// Wraps `text` to `room` columns; longer words stay whole.
pub fn wrap(text: &str, room: usize) -> Cow<'_, str> {
    if text.lines().all(|line| width(line) <= room) {
        return Cow::Borrowed(text);
    }
    let lines =
        text.split('\n').map(|line| if width(line) <= room { line.to_owned() } else { wrapped(line, room) });
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

fn wrapped(line: &str, room: usize) -> String {
    let indent = indent(line);
    let indent = if indent + indent / 2 > room { 0 } else { indent };
    let mut done = String::new();
    let mut used = 0;
    for Piece { gap, text, is_command } in pieces(line) {
        let needed = width(text);
        if used > indent && used + gap + needed > room {
            done.push('\n');
            done.push_str(&" ".repeat(indent));
            used = indent;
        } else {
            done.push_str(&" ".repeat(gap));
            used += gap;
        }
        if is_command && used + needed > room {
            let (text, end) = continued(text, room, used);
            done.push_str(&text);
            used = end;
        } else {
            done.push_str(text);
            used += needed;
        }
    }
    done
}

/// A command over several lines, and the column where it ends.
fn continued(command: &str, room: usize, mut used: usize) -> (String, usize) {
    let indent = used + 2;
    let mut done = String::new();
    for (at, word) in command.split(' ').enumerate() {
        let needed = width(word);
        // The backslash needs room too.
        if at > 0 && used + 1 + needed + 2 > room {
            done.push_str(" \\\n");
            done.push_str(&" ".repeat(indent));
            used = indent;
        } else if at > 0 {
            done.push(' ');
            used += 1;
        }
        done.push_str(word);
        used += needed;
    }
    (done, used)
}

/// A part that is not broken, and the number of spaces before it.
struct Piece<'a> {
    gap: usize,
    text: &'a str,
    is_command: bool,
}

fn pieces(line: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = line;
    let mut follows_text = false;
    while !rest.is_empty() {
        let gap = rest.len() - rest.trim_start_matches(' ').len();
        rest = &rest[gap..];
        if rest.is_empty() {
            break;
        }
        let is_command = !(follows_text && gap < 2) && begins_command(rest) || rest.starts_with('`');
        let end = if is_command { end_of_command(rest) } else { rest.find(' ').unwrap_or(rest.len()) };
        let (text, after) = rest.split_at(end);
        // A command follows a colon, or is on its own.
        follows_text = !strip_str(text).to_string().ends_with(':');
        pieces.push(Piece { gap, text, is_command });
        rest = after;
    }
    pieces
}

fn begins_command(text: &str) -> bool {
    let plain = strip_str(text).to_string();
    plain.split(' ').next().is_some_and(|word| PROGRAMS.contains(&word))
}

/// A command ends with its quotation or the line, or before a remark.
fn end_of_command(text: &str) -> usize {
    if let Some(quoted) = text.strip_prefix('`') {
        let close = quoted.find('`').map_or(text.len(), |at| at + 2);
        return close + text[close..].find(' ').unwrap_or(text.len() - close);
    }
    ["; ", ", ", "  "]
        .iter()
        .filter_map(|end| text.find(end))
        .map(|at| at + usize::from(!text[at..].starts_with(' ')))
        .min()
        .unwrap_or(text.len())
}

/// The indent of continued lines: after a sign or a name at the start.
fn indent(line: &str) -> usize {
    let plain = strip_str(line).to_string();
    let leading = plain.len() - plain.trim_start_matches(' ').len();
    let head = plain.get(leading..).and_then(|rest| rest.find("  ").map(|at| (rest, leading + at)));
    let after = head.map(|(rest, at)| {
        at + rest[at - leading..].len() - rest[at - leading..].trim_start_matches(' ').len()
    });
    after.filter(|at| *at <= FURTHEST).unwrap_or(leading + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_go_on_below_their_text() {
        let text =
            "Live      3f2a1c0  checkout rewrite  deployed 12 minutes ago\n  ✓ package intact (3 files)\n";
        let lines = "Live      3f2a1c0  checkout\n          rewrite  deployed 12\n          minutes ago\n  ✓ package intact (3 files)\n";
        assert_eq!(wrap(text, 30), lines);
        assert_eq!(wrap(text, 80), text);
        assert_eq!(wrap("  ! DB_URL differs from the value", 20), "  ! DB_URL differs\n    from the value");
        assert_eq!(wrap("averyverylongword and more", 10), "averyverylongword\n  and more");
    }

    #[test]
    fn colours_take_no_room() {
        let text = "\x1b[1mLive\x1b[0m      \x1b[33m3f2a1c0\x1b[0m";
        assert_eq!((width(text), wrap(text, 17).as_ref()), (17, text));
    }

    #[test]
    fn a_command_is_not_broken() {
        let hint = "hint: to see what is recorded: git slsart log --all";
        assert_eq!(wrap(hint, 40), "hint: to see what is recorded:\n  git slsart log --all");
        let long = "hint: to go on: git slsart deploy v1 --service services/orders -s prod";
        assert_eq!(
            wrap(long, 40),
            "hint: to go on:\n  git slsart deploy v1 --service \\\n    services/orders -s prod"
        );
        let quoted = "hint: `git slsart log --all` lists the packages";
        assert_eq!(wrap(quoted, 30), "hint: `git slsart log --all`\n  lists the packages");
        let remark = "nothing to do; to send it: git slsart push origin; and more of it";
        assert_eq!(wrap(remark, 40), "nothing to do; to send it:\n  git slsart push origin; and more of it");
        assert_eq!(
            wrap("deployed by git slsart in this repository", 24),
            "deployed by git slsart\n  in this repository"
        );
    }
}
