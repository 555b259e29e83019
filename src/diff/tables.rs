//! Facts about resource types: which hold data, and which changes make `CloudFormation` replace them. The tables are in `tables/`, with
//! their sources and dates; `tables/make.py` generates the one of replacements.

use std::collections::HashMap;
use std::sync::LazyLock;

static STATEFUL: LazyLock<HashMap<&str, Stateful>> = LazyLock::new(|| {
    let lines = include_str!("tables/stateful.txt").lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let (head, holds) = line.split_once(": ")?;
            let (kind, snapshot) = head.split_once(' ').map_or((head, false), |(kind, _)| (kind, true));
            Some((kind, Stateful { holds, snapshot }))
        })
        .collect()
});

static REPLACEMENT: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let lines = include_str!("tables/replacement.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(':').map(|_| line)).filter_map(split_type).collect()
});

static NAMES: LazyLock<HashMap<&str, (&str, &str)>> = LazyLock::new(|| {
    let lines = include_str!("tables/names.txt").lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let (kind, names) = line.split_once(": ")?;
            let (property, identifier) = names.split_once(' ').unwrap_or((names, names));
            Some((kind, (property, identifier)))
        })
        .collect()
});

/// Splits `AWS::SQS::Queue: A B` into the type and the rest.
fn split_type(line: &str) -> Option<(&str, &str)> {
    line.split_once(": ").or_else(|| line.strip_suffix(':').map(|kind| (kind, "")))
}

/// A type whose data can't be recreated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stateful {
    /// The data that is lost with a resource of it.
    pub holds: &'static str,
    pub snapshot: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UpdateEffect {
    InPlace,
    /// The type, or the property, is unknown.
    Unknown,
    MayReplace,
    Replaces,
}

pub fn stateful(kind: &str) -> Option<Stateful> {
    STATEFUL.get(kind).copied()
}

/// The property that names a resource of type `kind`, and the one that an import identifies it by.
pub fn name(kind: &str) -> Option<(&'static str, &'static str)> {
    NAMES.get(kind).copied()
}

/// The effect of changing the property at `path` of a resource of type `kind`.
pub fn update(kind: &str, path: &str) -> UpdateEffect {
    let Some(known) = REPLACEMENT.get(kind) else { return UpdateEffect::Unknown };
    let (replacing, in_place) =
        known.split_once('|').map_or((*known, None), |(one, other)| (one, Some(other)));
    let words = replacing.split_ascii_whitespace().filter_map(|word| match word {
        "*" => Some(UpdateEffect::Replaces),
        word => match word.strip_suffix('?') {
            Some(word) => touches(word, path).then_some(UpdateEffect::MayReplace),
            None => touches(word, path).then_some(UpdateEffect::Replaces),
        },
    });
    let worst = words.max().unwrap_or(UpdateEffect::InPlace);
    let top = path.split('/').next().unwrap_or_default();
    let is_known = |list: &str| list.split_ascii_whitespace().any(|name| name == top);
    // A part of it may be listed as replacing; then the property is known, too.
    let is_part = || replacing.split_ascii_whitespace().any(|word| word.split('/').next() == Some(top));
    match in_place {
        Some(list) if worst == UpdateEffect::InPlace && !is_known(list) && !is_part() => {
            UpdateEffect::Unknown
        }
        _ => worst,
    }
}

/// The paths of a type's properties whose change replaces a resource, or may.
pub fn replacing(kind: &str) -> impl Iterator<Item = (&'static str, UpdateEffect)> {
    let known = REPLACEMENT.get(kind).copied().unwrap_or_default();
    let words =
        known.split('|').next().unwrap_or_default().split_ascii_whitespace().filter(|word| *word != "*");
    words.map(|word| match word.strip_suffix('?') {
        Some(word) => (word, UpdateEffect::MayReplace),
        None => (word, UpdateEffect::Replaces),
    })
}

/// Whether `path` is, is above or is below the property in the table, where `*` is any item.
fn touches(known: &str, path: &str) -> bool {
    known.split('/').zip(path.split('/')).all(|(known, part)| known == "*" || known == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_tables_is_read() {
        let lines = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(STATEFUL.len(), lines(include_str!("tables/stateful.txt")));
        assert_eq!(NAMES.len(), lines(include_str!("tables/names.txt")));
        // A new name is a new resource.
        let renamed =
            |(kind, (property, _)): (&&str, &(&str, &str))| update(kind, property) < UpdateEffect::MayReplace;
        let renamed: Vec<_> = NAMES.iter().filter(|one| renamed(*one)).collect();
        assert!(renamed.is_empty(), "{renamed:?}");
        assert_eq!(REPLACEMENT.len(), lines(include_str!("tables/replacement.txt")));
        assert!(REPLACEMENT.len() > 1_800 && STATEFUL.len() > 60);
        assert!(include_str!("tables/replacement.txt").len() < 200_000);
        let missing: Vec<_> = STATEFUL.keys().filter(|kind| !REPLACEMENT.contains_key(*kind)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        // The registry lists what updates in place: for these types, everything else is unknown.
        assert!(STATEFUL.keys().all(|kind| REPLACEMENT[kind].contains('|')));
    }

    #[test]
    fn what_the_documentation_says_of_well_known_properties() {
        for (kind, path, expected) in [
            ("AWS::DynamoDB::Table", "TableName", UpdateEffect::Replaces),
            ("AWS::DynamoDB::Table", "KeySchema/0/AttributeName", UpdateEffect::MayReplace),
            ("AWS::DynamoDB::Table", "BillingMode", UpdateEffect::InPlace),
            ("AWS::DynamoDB::Table", "NoSuchProperty", UpdateEffect::Unknown),
            ("AWS::S3::Bucket", "BucketName", UpdateEffect::Replaces),
            ("AWS::S3::Bucket", "VersioningConfiguration/Status", UpdateEffect::InPlace),
            ("AWS::SQS::Queue", "FifoQueue", UpdateEffect::Replaces),
            ("AWS::RDS::DBInstance", "AllocatedStorage", UpdateEffect::InPlace),
            ("AWS::RDS::DBInstance", "StorageEncrypted", UpdateEffect::Replaces),
            ("AWS::Cognito::UserPool", "Policies/PasswordPolicy", UpdateEffect::InPlace),
            ("AWS::Logs::LogGroup", "LogGroupName", UpdateEffect::Replaces),
            ("AWS::Logs::LogGroup", "RetentionInDays", UpdateEffect::InPlace),
            ("AWS::Lambda::Function", "FunctionName", UpdateEffect::Replaces),
            ("AWS::Lambda::Function", "MemorySize", UpdateEffect::InPlace),
            ("AWS::MSK::Cluster", "BrokerNodeGroupInfo", UpdateEffect::Replaces),
            ("AWS::MSK::Cluster", "BrokerNodeGroupInfo/ClientSubnets/0", UpdateEffect::Replaces),
            ("AWS::MSK::Cluster", "BrokerNodeGroupInfo/InstanceType", UpdateEffect::InPlace),
            ("AWS::Glue::SecurityConfiguration", "EncryptionConfiguration", UpdateEffect::Replaces),
            ("Custom::Thing", "Anything", UpdateEffect::Unknown),
        ] {
            assert_eq!(update(kind, path), expected, "{kind} {path}");
        }
        assert!(stateful("AWS::RDS::DBCluster").unwrap().snapshot);
        assert!(!stateful("AWS::DynamoDB::Table").unwrap().snapshot);
        assert_eq!(stateful("AWS::Lambda::Function"), None);
    }

    #[test]
    fn items_of_lists_are_any() {
        assert!(touches("A/*/B", "A/3/B/C") && touches("A/*/B", "A") && !touches("A/*/B", "A/3/C"));
    }
}
