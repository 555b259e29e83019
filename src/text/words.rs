//! Sizes, times and people in words.

use jiff::Timestamp;

/// A size in bytes as people write it, in steps of a thousand: `675 kB`.
#[must_use]
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

/// How long before `now` an instant was: `12 minutes ago`.
#[must_use]
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

/// A number of things: `1 package`, `3 packages`.
#[must_use]
pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// The name in `Name <email>`.
#[must_use]
pub fn person(signature: &str) -> &str {
    signature.split_once(" <").map_or(signature, |(name, _)| name)
}

/// Milliseconds as seconds: `0.1`, `43`.
#[must_use]
pub fn seconds(milliseconds: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let value = milliseconds as f64 / 1000.0;
    if value < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

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
