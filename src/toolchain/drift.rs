//! The differences between two sets of plugins: recorded, installed, or another package's. Pure.

use std::fmt;

use serde::Serialize;

use crate::git::directory::Listed;
use crate::package::manifest::Plugin;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginChange {
    pub name: String,
    #[serde(flatten)]
    pub change: Change,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "change")]
pub enum Change {
    #[serde(rename = "removed")]
    Gone {
        version: Option<String>,
    },
    #[serde(rename = "added")]
    New {
        version: Option<String>,
    },
    Version {
        before: String,
        #[serde(rename = "after")]
        now: String,
    },
    /// The same version with another integrity: it was published again, or comes from elsewhere.
    Source,
    Files {
        paths: Vec<String>,
    },
}

/// The plugins that differ between `recorded` and `other`. A property that is unknown in either is no difference.
pub fn differences(recorded: &[Plugin], other: &[Plugin]) -> Vec<PluginChange> {
    let change = |plugin: &Plugin, change| PluginChange { name: plugin.name.clone(), change };
    let find = |all: &'_ [Plugin], name: &str| all.iter().position(|plugin| plugin.name == name);
    let mut all = Vec::new();
    for plugin in recorded {
        let now = find(other, &plugin.name).map(|at| &other[at]);
        let how = match now {
            None => Some(Change::Gone { version: plugin.version.clone() }),
            Some(now) => difference(plugin, now),
        };
        all.extend(how.map(|how| change(plugin, how)));
    }
    let new = other.iter().filter(|plugin| find(recorded, &plugin.name).is_none());
    all.extend(new.map(|plugin| change(plugin, Change::New { version: plugin.version.clone() })));
    all
}

pub fn difference(recorded: &Plugin, now: &Plugin) -> Option<Change> {
    let differ =
        |one: &Option<String>, other: &Option<String>| one.is_some() && other.is_some() && one != other;
    if let (Some(before), Some(now)) = (&recorded.version, &now.version)
        && before != now
    {
        return Some(Change::Version { before: before.clone(), now: now.clone() });
    }
    // When yarn makes its zips anew, the same files get another checksum: the files decide if they are known.
    if recorded.tree.is_some() && recorded.tree == now.tree {
        return None;
    }
    if differ(&recorded.tree, &now.tree)
        || differ(&recorded.object, &now.object)
        || recorded.patch != now.patch && now.integrity.is_some()
    {
        return Some(Change::Files { paths: Vec::new() });
    }
    (differ(&recorded.integrity, &now.integrity) || differ(&recorded.checksum, &now.checksum))
        .then_some(Change::Source)
}

pub fn changed_files(recorded: &[Listed], now: &[Listed]) -> Vec<String> {
    let differing = |one: &[Listed], other: &[Listed]| -> Vec<String> {
        let same = |file: &&Listed| {
            other.binary_search_by(|found| found.path.cmp(&file.path)).is_ok_and(|at| other[at] == **file)
        };
        one.iter().filter(|file| !same(file)).map(|file| file.path.clone()).collect()
    };
    let mut paths = differing(recorded, now);
    paths.extend(differing(now, recorded));
    paths.sort_unstable();
    paths.dedup();
    paths
}

impl fmt::Display for PluginChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, change } = self;
        let versioned = |version: &Option<String>| {
            version.as_ref().map(|version| format!(" {version}")).unwrap_or_default()
        };
        match change {
            Change::Gone { version } => write!(f, "{name}{} is not installed", versioned(version)),
            Change::New { version } => {
                write!(f, "{name}{} was not installed when packaging", versioned(version))
            }
            Change::Version { before, now } => write!(f, "{name} is {now} and was {before} when packaging"),
            Change::Source => {
                write!(f, "{name} has the recorded version, but another integrity hash")
            }
            Change::Files { paths } if paths.is_empty() => {
                write!(f, "{name} has the recorded version, but its files differ")
            }
            Change::Files { paths } => {
                let shown = paths.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
                let more =
                    if paths.len() > 3 { format!(" and {} more", paths.len() - 3) } else { String::new() };
                write!(f, "{name} has the recorded version, but its files differ: {shown}{more}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin(name: &str, version: &str, tree: &str) -> Plugin {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Plugin { version: text(version), tree: text(tree), ..Plugin::named(name) }
    }

    fn shown(recorded: &Plugin, now: &Plugin) -> String {
        let changes = differences(std::slice::from_ref(recorded), std::slice::from_ref(now));
        changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn each_difference_is_told_and_what_is_unknown_is_none() {
        let recorded = plugin("p", "1.0.0", "aa");
        for (now, said) in [
            (plugin("p", "1.0.0", "aa"), ""),
            (plugin("p", "", ""), ""),
            (plugin("p", "1.0.0", ""), ""),
            (plugin("p", "1.1.0", "bb"), "p is 1.1.0 and was 1.0.0 when packaging"),
            (plugin("p", "1.0.0", "bb"), "p has the recorded version, but its files differ"),
            (plugin("q", "2.0.0", ""), "p 1.0.0 is not installed; q 2.0.0 was not installed when packaging"),
        ] {
            assert_eq!(shown(&recorded, &now), said);
        }
        let integrity = |text: &str| Plugin { integrity: Some(text.to_owned()), ..plugin("p", "1.0.0", "") };
        assert!(shown(&integrity("sha512-a"), &integrity("sha512-b")).contains("another integrity"));
        let object = |text: &str| Plugin { object: Some(text.to_owned()), ..Plugin::named("./p") };
        assert!(shown(&object("a"), &object("b")).contains("its files differ"));
    }

    #[test]
    fn files_are_named() {
        let file = |path: &str, id: u8, mode| Listed {
            path: path.to_owned(),
            id: crate::git::Oid::from_bytes(&[id; 20]).unwrap(),
            mode,
        };
        let before = [file("a", 1, 0o100_644), file("b", 2, 0o100_644), file("c", 3, 0o100_644)];
        let now = [file("a", 1, 0o100_644), file("b", 2, 0o100_755), file("d", 4, 0o100_644)];
        assert_eq!(changed_files(&before, &now), ["b", "c", "d"]);
        assert_eq!(changed_files(&before, &before), [""; 0]);
        let paths = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let change = PluginChange { name: "p".to_owned(), change: Change::Files { paths } };
        assert!(change.to_string().ends_with("differ: a, b, c and 1 more"), "{change}");
    }
}
