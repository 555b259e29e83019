//! `.env` files, as the framework reads them: with the npm package dotenv, which is lenient.
//!
//! The syntax is that of its documentation: `NAME=value` or `NAME: value`, perhaps after `export`; values bare, up to a `#`, or in
//! single, double or back quotes, over several lines there. References to other variables are left as they are written.

use std::collections::BTreeMap;

pub(super) const MAX_BYTES: usize = 1 << 20;

/// The variables of a file. If a name is repeated, the last value counts.
pub(super) fn parse(text: &str) -> BTreeMap<String, String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut all = BTreeMap::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let line = rest.split('\n').next().unwrap_or_default();
        let after_line = rest.get(line.len() + 1..).unwrap_or_default();
        rest = match assignment(line) {
            Some((name, at)) => {
                let (value, end) = value(&rest[at..]);
                all.insert(name.to_owned(), value);
                rest.get(at + end..).and_then(|after| after.split_once('\n')).map_or("", |(_, next)| next)
            }
            None => after_line,
        };
    }
    all
}

/// The name in an assignment, and the position after its sign.
fn assignment(line: &str) -> Option<(&str, usize)> {
    let trimmed = line.trim_start();
    let exported = trimmed.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
    let start = exported.map_or(trimmed, str::trim_start);
    let name_end = start.find(|c: char| !(c.is_ascii_alphanumeric() || "_.-".contains(c)))?;
    let (name, after) = start.split_at(name_end);
    let spaces = after.len() - after.trim_start().len();
    let sign = after[spaces..].chars().next()?;
    let colon = sign == ':' && spaces == 0 && after[1..].starts_with([' ', '\t']);
    let at = line.len() - after.len() + spaces + 1;
    (!name.is_empty() && (sign == '=' || colon)).then_some((name, at))
}

/// The value at the start of `text`, and its length in bytes.
fn value(text: &str) -> (String, usize) {
    let line_end = text.find('\n').unwrap_or(text.len());
    let spaces = line_end.min(text.len() - text.trim_start_matches([' ', '\t']).len());
    let quoted = &text[spaces..];
    if let Some(quote) = quoted.chars().next().filter(|c| "'\"`".contains(*c))
        && let Some(length) = closing(&quoted[1..], quote)
    {
        let inner = &quoted[1..=length];
        let value =
            if quote == '"' { inner.replace("\\n", "\n").replace("\\r", "\r") } else { inner.to_owned() };
        return (value, spaces + length + 2);
    }
    let bare = text[..line_end].split('#').next().unwrap_or_default();
    (bare.trim().to_owned(), line_end)
}

/// The bytes before the closing quote.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let closes = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_bare_or_quoted() {
        let text = "# a comment\nA=1\n  export B = two words # told\nC='#1 $A' # x\nD=\"l1\\nl2\"\r\nE: yes\nF=\nG=`it's`\n\
            H=\"two\nlines\"\nnot a line\nI=un'even\nJ='open\nA=last\nK.x-y=a=b\n=none\n";
        let all = parse(text);
        let expected = [
            ("A", "last"),
            ("B", "two words"),
            ("C", "#1 $A"),
            ("D", "l1\nl2"),
            ("E", "yes"),
            ("F", ""),
            ("G", "it's"),
            ("H", "two\nlines"),
            ("I", "un'even"),
            ("J", "'open"),
            ("K.x-y", "a=b"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(all, BTreeMap::from(expected));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC*", odd in "(A|=|:|'|\"|`|#|\n|\r| |[\\\\]|é|export ){0,40}") {
            let _ = (parse(&text), parse(&odd));
        }
    }
}
