//! Parses git's input for hooks (githooks, "post-rewrite" and "pre-push"). Other lines are ignored.

use crate::git::Oid;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The object that the remote's ref is to point at.
    pub object: Oid,
    pub name: String,
}

/// The commits that were rewritten, each with its successor: `OLD NEW [MORE]` a line.
pub fn rewritten(text: &str) -> Vec<(Oid, Oid)> {
    let pair = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        Some((id(words.next()?)?, id(words.next()?)?))
    };
    text.lines().filter_map(pair).collect()
}

/// The refs that are pushed, without deletions: `LOCAL-REF OBJECT REMOTE-REF OBJECT` a line.
pub fn updates(text: &str) -> Vec<Update> {
    let update = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [_, object, name, _] = words[..] else { return None };
        Some(Update { object: id(object)?, name: name.to_owned() })
    };
    text.lines().filter_map(update).collect()
}

/// A full id other than zero.
fn id(text: &str) -> Option<Oid> {
    Oid::from_str(text).ok().filter(|id| text.len() == 40 && !id.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";
    const NONE: &str = "0000000000000000000000000000000000000000";

    #[test]
    fn rewritten_commits_are_told_by_git_and_by_filter_repo() {
        let one = (Oid::from_str(ONE).unwrap(), Oid::from_str(TWO).unwrap());
        let text = format!("old                  new\n{ONE} {TWO} more\n\n{TWO} {NONE}\n{ONE} 22\n{ONE}\n");
        assert_eq!(rewritten(&text), [one]);
        assert_eq!(rewritten(""), []);
    }

    #[test]
    fn what_is_removed_is_no_update() {
        let text = format!("HEAD {ONE} refs/heads/main {NONE}\n(delete) {NONE} refs/heads/gone {TWO}\n\n");
        let expected = Update { object: Oid::from_str(ONE).unwrap(), name: "refs/heads/main".to_owned() };
        assert_eq!(updates(&text), [expected]);
    }
}
