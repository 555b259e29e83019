//! Sizes, times, people and ids in words; and making foreign text safe to show.

use std::borrow::Cow;

use jiff::Timestamp;

/// A size in bytes, in steps of a thousand: `675 kB`.
pub fn bytes(size: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = size as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.5 {
            let digits = usize::from(value < 9.95 && unit != "B");
            return format!("{value:.digits$} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// The time from an instant to `now`: `12 minutes ago`.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - then.as_second();
    let units =
        [(86_400 * 365, "year"), (86_400 * 30, "month"), (86_400, "day"), (3_600, "hour"), (60, "minute")];
    for (length, unit) in units {
        let count = seconds / length;
        if count >= 1 {
            return format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" });
        }
    }
    "just now".to_owned()
}

pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// The name in `Name <email>`.
pub fn person(signature: &str) -> &str {
    signature.split_once(" <").map_or(signature, |(name, _)| name)
}

/// The first `digits` of an id.
pub fn short(id: &str, digits: usize) -> &str {
    id.get(..digits).unwrap_or(id)
}

/// Foreign text (a subject, a name, a note) on one line: line ends as `⏎`, and control and bidirectional characters as their codes.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text.trim_end_matches(['\r', '\n']), |character| match character {
        '\n' => Some("⏎".to_owned()),
        '\t' => Some(" ".to_owned()),
        _ => None,
    })
}

/// A whole text: its lines and this program's colours stay, other control characters are shown as their codes.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split('\x1b');
    let keep = |character| matches!(character, '\n' | '\t').then(|| String::from(character));
    let mut shown = escaped(parts.next().unwrap_or_default(), keep).into_owned();
    for part in parts {
        shown.push_str(if is_colour(part) { "\x1b" } else { "\\u{1b}" });
        shown.push_str(&escaped(part, keep));
    }
    Cow::Owned(shown)
}

/// Whether the text after an escape sets a colour.
fn is_colour(rest: &str) -> bool {
    let digits =
        |rest: &str| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m');
    rest.strip_prefix('[').is_some_and(digits)
}

fn acts(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escaped(text: &str, instead: impl Fn(char) -> Option<String>) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let show = |character: char| {
        let code = || character.escape_unicode().to_string();
        if acts(character) { instead(character).unwrap_or_else(code) } else { character.to_string() }
    };
    Cow::Owned(text.chars().map(show).collect())
}

/// Milliseconds as seconds: `0.1`, `43`.
pub fn seconds(milliseconds: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let value = milliseconds as f64 / 1000.0;
    if value < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_id_is_shown_as_far_as_it_goes() {
        assert_eq!([short("0123456789", 7), short("012", 7), short("ääää", 7)], ["0123456", "012", "ääää"]);
    }

    #[test]
    fn nothing_from_elsewhere_acts_on_the_terminal() {
        assert_eq!(line("a\nb\x1b[2Jc\u{202e}\r\n"), "a⏎b\\u{1b}[2Jc\\u{202e}");
        assert_eq!(line("Ärger → 日本"), "Ärger → 日本");
        assert_eq!(printable("a\n\x1b[1;31mb\x1b[0m"), "a\n\x1b[1;31mb\x1b[0m");
        assert_eq!(printable("\x1b]0;t\x07\x1b[2J\rx\x1b"), "\\u{1b}]0;t\\u{7}\\u{1b}[2J\\u{d}x\\u{1b}");
    }

    #[test]
    fn sizes_and_times_are_short() {
        assert_eq!(
            [bytes(0), bytes(999), bytes(1500), bytes(675_156), bytes(7_400_000)],
            ["0 B", "999 B", "1.5 kB", "675 kB", "7.4 MB"]
        );
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(
            [ago(at(0), at(30)), ago(at(0), at(60)), ago(at(0), at(7300))],
            ["just now", "1 minute ago", "2 hours ago"]
        );
        assert_eq!(person("Dana <d@example.org>"), "Dana");
        assert_eq!([seconds(120), seconds(43_200)], ["0.1", "43"]);
    }
}
