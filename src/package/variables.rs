//! The environment variables that a configuration refers to: their names, and a mark of each value, which reveals whether it changed and
//! hardly anything else. Specified in docs/format.md.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::service::Values;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Variables {
    pub names: Vec<String>,
    /// Random, and of this package alone. Absent if the values were unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// A mark of each value, by the variable's name. A variable without a value has no mark.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub marks: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VariableChanges {
    pub changed: Vec<String>,
    /// Those that had a value and have none.
    pub missing: Vec<String>,
    pub new: Vec<String>,
}

impl Variables {
    pub fn named(names: Vec<String>) -> Self {
        Self { names, ..Self::default() }
    }

    pub fn marked(names: Vec<String>, values: &Values, salt: [u8; 16]) -> Self {
        let salt = hexadecimal(&salt);
        let marks = values.iter().map(|(name, value)| (name.to_owned(), mark(&salt, name, value))).collect();
        Self { names, salt: Some(salt), marks }
    }

    /// The changes from the values at packaging; `None` if those were unknown.
    pub fn compare(&self, now: &Values) -> Option<VariableChanges> {
        let salt = self.salt.as_ref()?;
        let mut changes = VariableChanges::default();
        for name in &self.names {
            match (self.marks.get(name), now.get(name)) {
                (Some(before), Some(value)) if *before != mark(salt, name, value) => {
                    changes.changed.push(name.clone());
                }
                (Some(_), None) => changes.missing.push(name.clone()),
                (None, Some(_)) => changes.new.push(name.clone()),
                _ => {}
            }
        }
        Some(changes)
    }
}

/// The first 16 bits of a salted hash. So few on purpose: a changed value goes unnoticed once in 65,536 times, and a list of passwords has
/// far more matches than the right one.
fn mark(salt: &str, name: &str, value: &str) -> String {
    let hash = Sha256::digest([salt, name, value].join("\0"));
    hexadecimal(&hash[..2])
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_told_by_name() {
        let names = ["A", "B", "C", "D", "E"].map(str::to_owned).to_vec();
        let before = Values::of(&[("A", "1"), ("B", "secret"), ("C", "3")]);
        let recorded = Variables::marked(names.clone(), &before, [7; 16]);
        assert_eq!(recorded.compare(&before), Some(VariableChanges::default()));
        let changes = recorded.compare(&Values::of(&[("A", "1"), ("B", "other"), ("D", "4")])).unwrap();
        let words = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            changes,
            VariableChanges { changed: words(&["B"]), missing: words(&["C"]), new: words(&["D"]) }
        );
        assert_eq!(Variables::named(names).compare(&before), None);
    }

    #[test]
    fn what_was_recorded_before_there_were_marks_is_read() {
        let read: Variables = toml::from_str("names = ['A']").unwrap();
        assert_eq!(read, Variables::named(vec!["A".to_owned()]));
        assert_eq!(toml::from_str::<Variables>("").unwrap(), Variables::default());
    }

    #[test]
    fn a_mark_is_short_and_of_one_package_and_name() {
        let marks = |salt: u8, name: &str| {
            let recorded =
                Variables::marked(vec![name.to_owned()], &Values::of(&[(name, "secret")]), [salt; 16]);
            recorded.marks[name].clone()
        };
        // printf '%s\0A\0secret' 07…07 | sha256sum
        assert_eq!(marks(7, "A"), "aa59");
        assert_ne!(marks(7, "A"), marks(8, "A"));
        assert_ne!(marks(7, "A"), marks(7, "B"));
        let text = toml::to_string(&Variables::marked(
            vec!["A".to_owned()],
            &Values::of(&[("A", "secret")]),
            [7; 16],
        ));
        assert!(!text.unwrap().contains("secret"));
    }
}
