//! Holds the words of the program and its documents to plain field English: slips that a reader has to read twice.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on fails")]

use std::fs;
use std::path::Path;

use walkdir::WalkDir;

/// A phrase, and why it has to be read twice or what the field says instead. Lower case, whole words.
const SLIPS: [(&str, &str); 44] = [
    ("whoever", "name the person: the user, the lock holder, the remote"),
    ("nobody", "name what is missing: no key, no remote, no terminal"),
    ("somebody", "name the person or the machine"),
    ("is told", "report, print or show"),
    ("are told", "report, print or show"),
    ("told in", "set up in, configured in"),
    ("can't be told", "is unknown"),
    ("tells of", "describes, reports"),
    ("is had", "is installed, is downloaded, exists"),
    ("are had", "are installed, are downloaded, exist"),
    ("to be had", "available"),
    ("could not be had", "could not be downloaded"),
    ("that is none", "which is not one"),
    ("is none of", "is not one of, is unknown"),
    ("what is none", "name the thing: what is not a terminal"),
    ("takes an update", "can be updated"),
    ("takes no update", "can't be updated"),
    ("takes this runtime", "accepts this runtime"),
    ("takes no part", "name the subject and what it did"),
    ("not there yet", "does not exist yet"),
    ("and will be made", "will be created"),
    ("be made anew", "be created again"),
    ("made whole", "created completely"),
    ("taken back", "rolled back, undone"),
    ("took the update back", "rolled the update back"),
    ("ended well", "succeeded"),
    ("end well", "succeed, finish"),
    ("failed half-way", "did not finish"),
    ("hangs on", "depends on"),
    ("hang on", "depend on"),
    ("let go of", "delete, release"),
    ("lets go of", "deletes, releases"),
    ("limits in time", "timeouts"),
    ("ear for signals", "interruptible by signals"),
    ("others were faster", "a retry, a stale plan"),
    ("was faster than", "a stale plan"),
    ("as far as the history knows", "by the history"),
    ("that is known to be", "name the state: trusted, recorded"),
    ("fled from", "rolled back from"),
    ("is passed over", "is skipped"),
    ("by itself stands", "is separate"),
    ("cut short", "truncated, interrupted"),
    ("look after", "manage"),
    ("behavior", "British spelling: behaviour"),
];

/// The lines of a file that have a slip, also where the phrase goes on in the next line of a comment, a string or a document.
fn slips(text: &str) -> Vec<String> {
    let mut words: Vec<(usize, String)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '\'' | '-');
        let line = line.trim_start().trim_start_matches(['/', '!', '#', '>']).trim_end_matches('\\');
        let parts = line.split(|c: char| !is_part(c));
        words.extend(parts.filter(|part| !part.is_empty()).map(|part| (number + 1, part.to_lowercase())));
    }
    let found = |(phrase, reason): &(&str, &str)| {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        let hits =
            words.windows(phrase.len()).filter(|window| window.iter().map(|(_, word)| word).eq(&phrase));
        hits.map(|window| format!("{}: “{}”: {reason}", window[0].0, phrase.join(" "))).collect::<Vec<_>>()
    };
    SLIPS.iter().flat_map(found).collect()
}

fn slips_below(place: &str) -> Vec<String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = WalkDir::new(top.join(place)).into_iter().map(|entry| entry.unwrap().into_path());
    let texts = files.filter_map(|path| {
        let text = path.is_file().then(|| fs::read(&path).unwrap())?;
        let name = path.strip_prefix(top).unwrap().display().to_string();
        Some((name, String::from_utf8(text).ok()?))
    });
    texts
        .flat_map(|(name, text)| slips(&text).into_iter().map(move |slip| format!("{name}:{slip}")))
        .collect()
}

#[test]
fn help_messages_and_comments_are_plain() {
    assert_eq!(slips_below("src"), Vec::<String>::new());
}

#[test]
fn documents_are_plain() {
    let all: Vec<String> = ["docs", "README.md", "CHANGELOG.md"].into_iter().flat_map(slips_below).collect();
    assert_eq!(all, Vec::<String>::new());
}

#[test]
fn a_slip_is_found_wherever_it_is_put_in() {
    for (phrase, reason) in SLIPS {
        let found = |text: &str| slips(text).iter().any(|slip| slip.ends_with(reason));
        assert!(found(&format!("warn(\"orders {phrase}: see below\")")), "in a string: {phrase}");
        assert!(found(&phrase.to_uppercase()), "in capitals: {phrase}");
        let (first, rest) = phrase.split_once(' ').unwrap_or((phrase, ""));
        assert!(found(&format!("    /// It {first}\n    /// {rest} here.")), "over two lines: {phrase}");
        assert!(found(&format!("\"it {first} \\\n  {rest} here\"")), "over two lines of a string: {phrase}");
        assert!(!found(&format!("{first}ing {rest}s")), "in other words: {phrase}");
    }
    assert_eq!(slips("NOBODY_TO_ASK, is tolderated\nlet\n\ngo"), Vec::<String>::new());
}
