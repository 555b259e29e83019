//! The installed framework of a service, and its command lines. Owns the program and its arguments; starts nothing and reads no file
//! itself.

use std::ffi::OsString;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::discovery::CONFIG_FILES;
use super::names::{Region, ServicePath, Stage};

/// Either of these lets `serverless` 4 run without a login.
pub const LICENCE_VARIABLES: [&str; 2] = ["SERVERLESS_ACCESS_KEY", "SERVERLESS_LICENSE_KEY"];

const MAX_PACKAGE_JSON_BYTES: usize = 1 << 20;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameworkError {
    #[error("the framework's package.json can't be read: {0}")]
    PackageJson(String),
    #[error(
        "serverless {version} runs only with a licence, and neither SERVERLESS_ACCESS_KEY nor SERVERLESS_LICENSE_KEY is set"
    )]
    Licence { version: String },
}

impl FrameworkError {
    pub fn hint(&self) -> &'static str {
        match self {
            Self::PackageJson(_) => "install the service's packages again, as in `npm ci`",
            Self::Licence { .. } => {
                "set SERVERLESS_ACCESS_KEY or SERVERLESS_LICENSE_KEY, or log in with `serverless login`"
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrameworkKind {
    /// `osls`, the maintained fork.
    Osls,
    Serverless,
}

impl FrameworkKind {
    pub fn package(self) -> &'static str {
        match self {
            Self::Osls => "osls",
            Self::Serverless => "serverless",
        }
    }

    /// Its programs in `node_modules/.bin`, the surest first. `osls` installs all three names, and so does not own the others alone:
    /// npm also installs `serverless` when a plugin asks for it as a peer.
    pub fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Osls => &["osls", "serverless", "sls"],
            Self::Serverless => &["serverless", "sls"],
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Framework {
    pub kind: FrameworkKind,
    pub version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

impl Framework {
    pub fn from_package_json(text: &str) -> Result<Self, FrameworkError> {
        let refuse = |reason: &str| FrameworkError::PackageJson(reason.to_owned());
        if text.len() > MAX_PACKAGE_JSON_BYTES {
            return Err(refuse("it is too large"));
        }
        let json: Value = serde_json::from_str(text).map_err(|error| refuse(&error.to_string()))?;
        let kind = match json["name"].as_str() {
            Some("osls") => FrameworkKind::Osls,
            Some("serverless") => FrameworkKind::Serverless,
            _ => return Err(refuse("it names neither osls nor serverless")),
        };
        let version = json["version"].as_str().ok_or_else(|| refuse("it has no version"))?.to_owned();
        let node = json["engines"]["node"].as_str().map(str::to_owned);
        Ok(Self { kind, version, node })
    }

    pub fn major(&self) -> u64 {
        self.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0)
    }

    /// Whether it runs only with a licence: `serverless` from version 4 on. Its npm package downloads the rest, and updates itself unless
    /// `frameworkVersion` is pinned.
    pub fn needs_licence(&self) -> bool {
        self.kind == FrameworkKind::Serverless && self.major() >= 4
    }

    /// Refuses a framework that needs a licence if `is_set` finds neither of [`LICENCE_VARIABLES`]. A user who is logged in needs neither,
    /// so a caller may report this as a warning.
    pub fn check_licence(&self, is_set: impl Fn(&str) -> bool) -> Result<(), FrameworkError> {
        if !self.needs_licence() || LICENCE_VARIABLES.into_iter().any(is_set) {
            return Ok(());
        }
        Err(FrameworkError::Licence { version: self.version.clone() })
    }
}

/// A place where a framework may be installed; paths are relative to the repository's root, with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub kind: FrameworkKind,
    /// The directory whose `node_modules` may have it.
    pub directory: ServicePath,
    /// The framework is installed here if this `package.json` exists.
    pub package_json: String,
    pub programs: Vec<String>,
}

/// Where the framework of a service may be, in search order: from the service's directory up to the repository's root, and `osls` before
/// `serverless` in each. A global framework is never used.
pub fn candidates(service: &ServicePath) -> Vec<Candidate> {
    let in_directory = |directory: ServicePath| {
        [FrameworkKind::Osls, FrameworkKind::Serverless].map(|kind| Candidate {
            kind,
            directory: directory.clone(),
            package_json: directory.file(&format!("node_modules/{}/package.json", kind.package())),
            programs: kind
                .programs()
                .iter()
                .map(|name| directory.file(&format!("node_modules/.bin/{name}")))
                .collect(),
        })
    };
    service.ancestors().into_iter().flat_map(in_directory).collect()
}

/// `package`: packages the service in the working directory.
#[derive(Debug, Clone, Copy)]
pub struct PackageArguments<'a> {
    pub stage: &'a Stage,
    pub region: &'a Region,
    /// The package's directory in place of `.serverless`: an absolute path. Its content is removed first.
    pub directory: Option<&'a Path>,
    /// The config file's name: one of [`CONFIG_FILES`] or another in the service's directory.
    pub config: &'a str,
    pub verbose: bool,
}

impl PackageArguments<'_> {
    pub fn to_vec(self) -> Vec<OsString> {
        let mut all = vec!["package".into()];
        all.extend(self.directory.into_iter().flat_map(|directory| ["--package".into(), directory.into()]));
        target(&mut all, self.stage, self.region, self.config, self.verbose);
        all
    }
}

/// `deploy --package --force`: deploys an existing package.
#[derive(Debug, Clone, Copy)]
pub struct DeployArguments<'a> {
    /// The stage. It overrides the package's own, so they must be the same.
    pub stage: &'a Stage,
    /// The region, likewise.
    pub region: &'a Region,
    /// A disposable copy of the package, at an absolute path that does not end in `.serverless`, unless it is the service's own: the
    /// framework reads the state from `.serverless` in the service's directory, and copies this one there only if its name differs.
    pub directory: &'a Path,
    pub config: &'a str,
    pub verbose: bool,
}

impl DeployArguments<'_> {
    /// Always with `--force`: the framework may otherwise find "no changes" against the last upload, which need not be live.
    pub fn to_vec(self) -> Vec<OsString> {
        let mut all = vec!["deploy".into(), "--package".into(), self.directory.into(), "--force".into()];
        target(&mut all, self.stage, self.region, self.config, self.verbose);
        all
    }
}

fn target(all: &mut Vec<OsString>, stage: &Stage, region: &Region, config: &str, verbose: bool) {
    all.extend(["--stage".into(), stage.as_str().into(), "--region".into(), region.as_str().into()]);
    if !CONFIG_FILES.contains(&config) {
        all.extend(["--config".into(), config.into()]);
    }
    if verbose {
        all.push("--verbose".into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framework(name: &str, version: &str) -> Framework {
        Framework::from_package_json(&format!(
            r#"{{"name": "{name}", "version": "{version}", "engines": {{"node": ">=18"}}}}"#
        ))
        .unwrap()
    }

    #[test]
    fn a_framework_is_told_by_its_package_json() {
        let osls = framework("osls", "4.3.1");
        assert_eq!((osls.kind, osls.major(), osls.node.as_deref()), (FrameworkKind::Osls, 4, Some(">=18")));
        for bad in [
            "",
            "{}",
            "[]",
            r#"{"name": "react", "version": "1"}"#,
            r#"{"name": "osls"}"#,
            r#"{"name": "osls", "version": 4}"#,
        ] {
            assert!(Framework::from_package_json(bad).unwrap_err().hint().contains("npm ci"), "{bad}");
        }
    }

    #[test]
    fn only_serverless_4_needs_a_licence() {
        for (name, version) in [("osls", "4.3.1"), ("serverless", "3.40.0"), ("serverless", "2.72.4")] {
            assert_eq!(framework(name, version).check_licence(|_| false), Ok(()));
        }
        let v4 = framework("serverless", "4.20.1");
        assert!(v4.check_licence(|_| false).unwrap_err().to_string().contains("serverless 4.20.1"));
        for variable in LICENCE_VARIABLES {
            assert_eq!(v4.check_licence(|name| name == variable), Ok(()));
        }
    }

    #[test]
    fn the_nearest_framework_comes_first_and_osls_before_serverless() {
        let all = candidates(&"services/a b".parse().unwrap());
        let files: Vec<_> = all.iter().map(|candidate| candidate.package_json.as_str()).collect();
        assert_eq!(
            files,
            [
                "services/a b/node_modules/osls/package.json",
                "services/a b/node_modules/serverless/package.json",
                "services/node_modules/osls/package.json",
                "services/node_modules/serverless/package.json",
                "node_modules/osls/package.json",
                "node_modules/serverless/package.json",
            ]
        );
        assert_eq!(all[5].programs, ["node_modules/.bin/serverless", "node_modules/.bin/sls"]);
        assert_eq!(all[0].programs[0], "services/a b/node_modules/.bin/osls");
        assert_eq!(candidates(&ServicePath::root()).len(), 2);
    }

    #[test]
    fn command_lines_are_whole() {
        let (stage, region) = ("prod".parse().unwrap(), "eu-west-1".parse().unwrap());
        let deploy = DeployArguments {
            stage: &stage,
            region: &region,
            directory: Path::new("/t/a b"),
            config: "serverless.ts",
            verbose: false,
        };
        assert_eq!(
            deploy.to_vec(),
            ["deploy", "--package", "/t/a b", "--force", "--stage", "prod", "--region", "eu-west-1"]
        );
        let package = PackageArguments {
            stage: &stage,
            region: &region,
            directory: None,
            config: "sls.other.yml",
            verbose: true,
        };
        assert_eq!(
            package.to_vec(),
            ["package", "--stage", "prod", "--region", "eu-west-1", "--config", "sls.other.yml", "--verbose"]
        );
    }
}
