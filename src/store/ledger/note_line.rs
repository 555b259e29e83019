//! A note's line: one package, self-contained, so that notes of two machines merge line by line.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::package::PackageId;
use crate::package::manifest::{Manifest, Target, Tool};

/// The word that every line of this format starts with.
const VERSION: &str = "slsart/1";

/// Escaped in values: separators, quotes, anything but ASCII.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'=').add(b'"');

/// One package, as its line in a commit's note has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageLine {
    pub target: Target,
    pub package: PackageId,
    pub size: u64,
    pub recorded: Timestamp,
    /// The version of node that made it.
    pub node: Option<String>,
    /// The framework that made it, as `name@version`.
    pub framework: Option<String>,
    /// The tree it was made from, if not the commit's own.
    pub dirty_tree: Option<String>,
    /// When it was pruned. Such a line is a tombstone: the package is gone unless a later line records it again.
    pub pruned: Option<Timestamp>,
    /// Keys of a later version of this program, kept as they are.
    pub unknown: Vec<(String, String)>,
}

impl PackageLine {
    pub fn of(manifest: &Manifest) -> Self {
        Self {
            target: manifest.target.clone(),
            package: manifest.package.id,
            size: manifest.package.size,
            recorded: manifest.package.recorded,
            node: manifest.tools.node.clone(),
            framework: manifest
                .tools
                .framework
                .as_ref()
                .map(|tool| format!("{}@{}", tool.name, tool.version)),
            dirty_tree: manifest.source.dirty.then(|| manifest.source.tree.clone()),
            pruned: None,
            unknown: Vec::new(),
        }
    }

    /// Whether both lines are of the same package for the same target, from any source: they are pruned together.
    pub fn shares_content(&self, other: &Self) -> bool {
        (self.package, &self.target) == (other.package, &other.target)
    }

    /// Whether both lines are of the same package from the same source.
    pub fn is_same(&self, other: &Self) -> bool {
        self.shares_content(other) && self.dirty_tree == other.dirty_tree
    }

    #[must_use]
    pub fn tombstone(&self, at: Timestamp) -> Self {
        Self { pruned: Some(at), ..self.clone() }
    }

    /// The framework's name and version; `None` if unknown, or not written as `name@version`.
    pub fn tool(&self) -> Option<Tool> {
        let (name, version) = self.framework.as_ref()?.rsplit_once('@')?;
        Some(Tool { name: name.to_owned(), version: version.to_owned() })
    }
}

impl fmt::Display for PackageLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(VERSION)?;
        let mut field = |key: &str, value: &str| write!(f, " {key}={}", utf8_percent_encode(value, ESCAPED));
        field("service", self.target.service.as_str())?;
        field("path", self.target.path.as_str())?;
        field("stage", self.target.stage.as_str())?;
        field("region", self.target.region.as_str())?;
        field("package", &self.package.to_string())?;
        field("size", &self.size.to_string())?;
        for (key, value) in
            [("node", &self.node), ("framework", &self.framework), ("dirty", &self.dirty_tree)]
        {
            if let Some(value) = value {
                field(key, value)?;
            }
        }
        field("recorded", &self.recorded.to_string())?;
        if let Some(pruned) = self.pruned {
            field("pruned", &pruned.to_string())?;
        }
        self.unknown.iter().try_for_each(|(key, value)| field(key, value))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Another tool's line, or a later version's.
    #[error("the line does not start with `{VERSION}`")]
    OtherVersion,
    /// A field is missing, repeated, or has an invalid value.
    #[error("the field `{0}` is missing or wrong")]
    Field(&'static str),
}

impl FromStr for PackageLine {
    type Err = LineError;

    fn from_str(line: &str) -> Result<Self, LineError> {
        let mut words = line.split_ascii_whitespace();
        if words.next() != Some(VERSION) {
            return Err(LineError::OtherVersion);
        }
        let mut fields = Fields(Vec::new());
        for word in words {
            let (key, value) = word.split_once('=').ok_or(LineError::Field("a word without `=`"))?;
            let value = percent_decode_str(value).decode_utf8().map_err(|_| LineError::Field("not UTF-8"))?;
            fields.0.push((key.to_owned(), value.into_owned()));
        }
        Ok(Self {
            target: Target {
                service: fields.parse("service")?,
                path: fields.parse("path")?,
                stage: fields.parse("stage")?,
                region: fields.parse("region")?,
            },
            package: fields.parse("package")?,
            size: fields.parse("size")?,
            recorded: fields.parse("recorded")?,
            node: fields.take("node")?,
            framework: fields.take("framework")?,
            dirty_tree: fields.take("dirty")?,
            pruned: fields.parse_if_there("pruned")?,
            unknown: fields.0,
        })
    }
}

struct Fields(Vec<(String, String)>);

impl Fields {
    fn take(&mut self, key: &'static str) -> Result<Option<String>, LineError> {
        let Some(index) = self.0.iter().position(|(name, _)| name == key) else { return Ok(None) };
        let value = self.0.remove(index).1;
        if self.0.iter().any(|(name, _)| name == key) { Err(LineError::Field(key)) } else { Ok(Some(value)) }
    }

    fn parse<T: FromStr>(&mut self, key: &'static str) -> Result<T, LineError> {
        self.parse_if_there(key)?.ok_or(LineError::Field(key))
    }

    fn parse_if_there<T: FromStr>(&mut self, key: &'static str) -> Result<Option<T>, LineError> {
        let value = self.take(key)?;
        value.map(|value| value.parse().map_err(|_| LineError::Field(key))).transpose()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::package::manifest::tests::sample;

    #[test]
    fn a_line_reads_well_and_is_read_back() {
        let line = PackageLine::of(&sample());
        let text = line.to_string();
        assert!(
            text.starts_with("slsart/1 service=orders path=. stage=prod region=us-east-1 package="),
            "{text}"
        );
        assert!(
            text.ends_with(" size=5 node=22.11.0 framework=osls@4.3.1 recorded=1970-01-01T00:00:00Z"),
            "{text}"
        );
        assert_eq!(text.parse::<PackageLine>().unwrap(), line);
    }

    #[test]
    fn a_tombstone_is_the_line_and_when() {
        let line = PackageLine::of(&sample()).tombstone(Timestamp::from_second(86_400).unwrap());
        let text = line.to_string();
        assert!(
            text.ends_with(" recorded=1970-01-01T00:00:00Z pruned=1970-01-02T00:00:00Z")
                && line.unknown.is_empty(),
            "{text}"
        );
        assert_eq!(text.parse::<PackageLine>().unwrap(), line);
    }

    #[test]
    fn unknown_keys_are_kept_and_other_versions_told_apart() {
        let text = format!("{} color=blue%20sky", PackageLine::of(&sample()));
        let line: PackageLine = text.parse().unwrap();
        assert_eq!(line.unknown, [("color".to_owned(), "blue sky".to_owned())]);
        assert_eq!(line.to_string(), text);
        assert_eq!("slsart/2 service=x".parse::<PackageLine>(), Err(LineError::OtherVersion));
        assert_eq!("slsart/1 service=x".parse::<PackageLine>(), Err(LineError::Field("path")));
    }

    proptest! {
        #[test]
        fn a_damaged_line_is_refused_or_reads_as_it_is_written_again(at: prop::sample::Index, with in "[ -~é]{0,3}") {
            let mut line: Vec<char> = PackageLine::of(&sample()).to_string().chars().collect();
            let at = at.index(line.len());
            line.splice(at..=at, with.chars());
            if let Ok(line) = String::from_iter(line).parse::<PackageLine>() {
                prop_assert_eq!(line.to_string().parse::<PackageLine>(), Ok(line));
            }
        }

        #[test]
        fn every_path_and_value_survives(path in "[a-zA-Z0-9 %=\"é]{1,20}(/[a-z %]{1,9})?", key in "x[a-z]{3}", value in ".{0,20}") {
            let Ok(path) = path.parse() else { return Ok(()) };
            let mut line = PackageLine::of(&sample());
            line.target.path = path;
            line.unknown.push((key, value));
            prop_assert_eq!(line.to_string().parse::<PackageLine>().unwrap(), line);
        }
    }
}
