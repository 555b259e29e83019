//! Which node a commit asks for, and where version managers have it. Starts nothing.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::context::Environment;
use crate::error::Result;
use crate::git::Source;
use crate::package::manifest::NodeWanted;
use crate::service::ServicePath;

const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// Most characters that are recorded of a version.
const MAX_WORDS: usize = 200;

#[derive(Default, Deserialize)]
#[serde(default)]
struct PackageJson {
    engines: Node,
    volta: Node,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Node {
    node: Option<String>,
}

/// The node versions that the source asks for, from the files nearest to the service; without the framework's.
pub fn wanted(source: Source<'_>, service: &ServicePath) -> Result<NodeWanted> {
    let mut wanted = NodeWanted::default();
    for directory in service.ancestors() {
        let read = |name: &str| {
            let content = source.read(&directory.file(name), MAX_BYTES)?;
            Ok::<_, crate::error::Error>(content.and_then(|content| String::from_utf8(content).ok()))
        };
        let NodeWanted { nvmrc, node_version, engines, volta, .. } = &mut wanted;
        if nvmrc.is_none() {
            *nvmrc = read(".nvmrc")?.as_deref().and_then(first_word);
        }
        if node_version.is_none() {
            *node_version = read(".node-version")?.as_deref().and_then(first_word);
        }
        let json = read("package.json")?.and_then(|text| serde_json::from_str::<PackageJson>(&text).ok());
        let PackageJson { engines: engine, volta: pinned } = json.unwrap_or_default();
        *engines = engines.take().or(engine.node.as_deref().and_then(words));
        *volta = volta.take().or(pinned.node.as_deref().and_then(words));
    }
    Ok(wanted)
}

/// The first line that is not empty or a `#` comment.
fn first_word(text: &str) -> Option<String> {
    text.lines().map(|line| line.split('#').next().unwrap_or_default()).find_map(words)
}

fn words(text: &str) -> Option<String> {
    let text: String = text.trim().chars().take(MAX_WORDS).collect();
    Some(text).filter(|text| !text.is_empty())
}

/// Whether two versions have the same major number; false if either is no version.
pub fn same_major(one: &str, other: &str) -> bool {
    let major = |text| Version::parse(text).map(|version| version.0);
    major(one).is_some_and(|one| Some(one) == major(other))
}

/// The node to use in place of the first in `PATH`, for a package made by version `recorded`: that very version if a version manager has
/// it; the nearest if the first has another major number or there is none.
pub fn selected_version(recorded: &str, first: Option<&str>, environment: &Environment) -> Option<Managed> {
    if first == Some(recorded) {
        return None;
    }
    let near = first.is_some_and(|first| same_major(recorded, first));
    find_managed(recorded, environment).filter(|found| !near || found.version == recorded)
}

/// Whether a version of node is in a range of npm's, such as `^20.19.0 || >=22`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// In the range, or the range can't be read: npm itself only warns.
    Admitted,
    Refused {
        /// The lowest version in the range.
        least: Option<String>,
    },
}

pub fn admission(engines: &str, running: &str) -> Admission {
    let parsed = nodejs_semver::Range::parse(engines).ok().zip(nodejs_semver::Version::parse(running).ok());
    match parsed {
        Some((range, version)) if !range.satisfies_with_prerelease(&version, true) => {
            Admission::Refused { least: range.min_version().map(|least| least.to_string()) }
        }
        _ => Admission::Admitted,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32, u32);

impl Version {
    /// Three numbers, with or without a leading `v`; not a name such as `22` or `lts`.
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.strip_prefix('v').unwrap_or(text).split('.').map(|number| {
            let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            number.parse().ok().filter(|_| plain)
        });
        let version = Self(numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(version)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Managed {
    /// Without a leading `v`.
    pub version: String,
    /// The directory to put first in `PATH`.
    pub programs: PathBuf,
    pub manager: PathBuf,
}

impl Managed {
    /// The version manager's directory, for messages.
    pub fn place(&self, environment: &Environment) -> String {
        let in_home = environment.value("HOME").and_then(|home| self.manager.strip_prefix(home).ok());
        let place = in_home.map_or_else(|| self.manager.clone(), |below| Path::new("~").join(below));
        place.display().to_string()
    }
}

/// The node of version `wanted` in a version manager of this machine; else the newest with the same major number.
///
/// `list` gives the names in a directory, none if it does not exist: nothing else is read.
pub fn managed(
    wanted: &str,
    environment: &Environment,
    list: impl Fn(&Path) -> Vec<String>,
) -> Option<Managed> {
    let wanted = Version::parse(wanted)?;
    let mut best: Option<(Version, Managed)> = None;
    for (manager, versions, below) in places(environment) {
        let versions = manager.join(versions);
        for name in list(&versions) {
            let Some(version) = Version::parse(&name).filter(|version| version.0 == wanted.0) else {
                continue;
            };
            let programs = versions.join(&name).join(below);
            if !list(&programs).iter().any(|name| name == "node") {
                continue;
            }
            let nearer = |best: Version| best != wanted && (version == wanted || version > best);
            if best.as_ref().is_none_or(|(version, _)| nearer(*version)) {
                let Version(major, minor, patch) = version;
                let manager = manager.clone();
                let found = Managed { version: format!("{major}.{minor}.{patch}"), programs, manager };
                best = Some((version, found));
            }
        }
    }
    best.map(|(_, found)| found)
}

pub fn find_managed(wanted: &str, environment: &Environment) -> Option<Managed> {
    managed(wanted, environment, |directory| {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    })
}

/// The directories of version managers; in each, where its versions are; and in those, where the programs are. The variables are those
/// that each documents.
fn places(environment: &Environment) -> Vec<(PathBuf, &'static str, &'static str)> {
    let home = environment.value("HOME").map(PathBuf::from);
    let variable = |name: &str| environment.value(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let in_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let data = |path: &str| {
        let base = variable("XDG_DATA_HOME").or_else(|| in_home(".local/share"));
        base.map(|base| base.join(path))
    };
    let place = |manager: Option<PathBuf>, versions, programs| Some((manager?, versions, programs));
    let fnm = variable("FNM_DIR");
    let fnm_home = |path: Option<PathBuf>| if fnm.is_some() { None } else { path };
    [
        place(variable("NVM_DIR").or_else(|| in_home(".nvm")), "versions/node", "bin"),
        place(fnm.clone(), "node-versions", "installation/bin"),
        place(fnm_home(data("fnm")), "node-versions", "installation/bin"),
        place(fnm_home(in_home(".fnm")), "node-versions", "installation/bin"),
        place(fnm_home(in_home("Library/Application Support/fnm")), "node-versions", "installation/bin"),
        place(variable("VOLTA_HOME").or_else(|| in_home(".volta")), "tools/image/node", "bin"),
        place(variable("ASDF_DATA_DIR").or_else(|| in_home(".asdf")), "installs/nodejs", "bin"),
        place(variable("MISE_DATA_DIR").or_else(|| data("mise")), "installs/node", "bin"),
        place(variable("NODENV_ROOT").or_else(|| in_home(".nodenv")), "versions", "bin"),
        place(variable("N_PREFIX").or_else(|| Some(PathBuf::from("/usr/local"))), "n/versions/node", "bin"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn find(wanted: &str, variables: &[(&str, &str)], programs: &[&str]) -> Option<(String, String)> {
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let list = |directory: &Path| {
            let below = programs.iter().filter_map(|program| Path::new(program).strip_prefix(directory).ok());
            let names: BTreeSet<_> =
                below.filter_map(|rest| Some(rest.iter().next()?.to_str()?.to_owned())).collect();
            names.into_iter().collect()
        };
        let found = managed(wanted, &Environment::new(variables), list)?;
        Some((found.version, found.programs.to_str().unwrap().to_owned()))
    }

    #[test]
    fn every_manager_is_known() {
        for (path, variables) in [
            ("/h/.nvm/versions/node/v22.11.0/bin", vec![]),
            ("/elsewhere/versions/node/v22.11.0/bin", vec![("NVM_DIR", "/elsewhere")]),
            ("/h/.local/share/fnm/node-versions/v22.11.0/installation/bin", vec![]),
            ("/f/node-versions/v22.11.0/installation/bin", vec![("FNM_DIR", "/f")]),
            ("/h/.volta/tools/image/node/22.11.0/bin", vec![]),
            ("/h/.asdf/installs/nodejs/22.11.0/bin", vec![]),
            ("/d/mise/installs/node/22.11.0/bin", vec![("XDG_DATA_HOME", "/d")]),
            ("/h/.nodenv/versions/22.11.0/bin", vec![]),
            ("/usr/local/n/versions/node/22.11.0/bin", vec![]),
        ] {
            let variables: Vec<_> = variables.into_iter().chain([("HOME", "/h")]).collect();
            let program = format!("{path}/node");
            let found = find("22.11.0", &variables, &[&program, "/h/.nvm/versions/node/v20.1.0/bin/node"]);
            assert_eq!(found, Some(("22.11.0".to_owned(), path.to_owned())));
        }
    }

    #[test]
    fn the_exact_version_wins_and_then_the_newest_of_the_same_number() {
        let home = [("HOME", "/h")];
        let all = [
            "/h/.nvm/versions/node/v22.11.0/bin/node",
            "/h/.nvm/versions/node/v22.9.0/bin/node",
            "/h/.asdf/installs/nodejs/22.12.0/bin/node",
            "/h/.asdf/installs/nodejs/22.13.0/README",
            "/h/.local/share/mise/installs/node/22/bin/node",
        ];
        let version = |wanted: &str| find(wanted, &home, &all).map(|(version, _)| version);
        assert_eq!(version("22.9.0").as_deref(), Some("22.9.0"));
        assert_eq!(version("22.10.0").as_deref(), Some("22.12.0"));
        assert_eq!(version("20.0.0"), None);
        assert_eq!(version("lts"), None);
        assert_eq!(find("22.9.0", &[], &all), None);
    }

    #[test]
    fn another_node_is_used_where_it_is_the_recorded_one_or_the_first_is_of_another_number() {
        let home = tempfile::tempdir().unwrap();
        for version in ["v22.11.0", "v22.12.0"] {
            let programs = home.path().join(".nvm/versions/node").join(version).join("bin");
            fs::create_dir_all(&programs).unwrap();
            fs::write(programs.join("node"), "").unwrap();
        }
        let environment = Environment::new([("HOME".into(), home.path().into())]);
        let version = |recorded: &str, first: Option<&str>| {
            selected_version(recorded, first, &environment).map(|found| found.version)
        };
        assert_eq!(version("22.11.0", Some("22.11.0")), None);
        assert_eq!(version("22.11.0", Some("22.1.0")).as_deref(), Some("22.11.0"));
        assert_eq!(version("22.10.0", Some("22.1.0")), None);
        assert_eq!(version("22.10.0", Some("24.0.0")).as_deref(), Some("22.12.0"));
        assert_eq!(version("22.10.0", None).as_deref(), Some("22.12.0"));
        assert_eq!(version("20.0.0", Some("24.0.0")), None);
        assert_eq!(selected_version("22.11.0", None, &environment).unwrap().place(&environment), "~/.nvm");
    }

    #[test]
    fn a_framework_says_which_node_it_runs_on() {
        let osls = "^20.19.0 || ^22.13.0 || >=24";
        for good in ["20.19.0", "22.22.1", "24.0.0", "25.1.0", "26.0.0-nightly20261101"] {
            assert_eq!(admission(osls, good), Admission::Admitted, "{good}");
        }
        for bad in ["18.20.0", "20.18.9", "21.0.0", "22.11.0", "23.0.0"] {
            let least = Some("20.19.0".to_owned());
            assert_eq!(admission(osls, bad), Admission::Refused { least }, "{bad}");
        }
        for (engines, running) in [("lts", "18.0.0"), ("*", "1.0.0"), ("", "1.0.0"), (">=18", "?")] {
            assert_eq!(admission(engines, running), Admission::Admitted, "{engines} {running}");
        }
    }

    #[test]
    fn only_the_first_number_counts() {
        assert!(same_major("22.11.0", "v22.1.0"));
        assert!(!same_major("22.11.0", "v24.0.0") && !same_major("22.11.0", "?") && !same_major("?", "?"));
        assert_eq!(first_word("# ours\n v22.11.0 # since May\n").as_deref(), Some("v22.11.0"));
    }
}
