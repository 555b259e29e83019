//! `manifest.toml`: what is recorded of a package beside its files. The format is specified in docs/format.md.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use super::files::FileEntry;
use super::files::{MAX_FILES, is_safe_path};
use super::id::{PackageId, Sha256};
pub use super::plugin::Plugin;
use super::secrets::{Secret, SecretScan};
pub use super::variables::Variables;
use crate::error::{ANOTHER_COPY, Error, Result};
use crate::service::{Region, ServiceName, ServicePath, Stage};

pub const FORMAT: u32 = 1;

pub const MAX_BYTES: u64 = 16 * 1024 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    pub package: Package,
    pub source: SourceEntry,
    pub target: Target,
    pub tools: Tools,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub framework: Option<Plugin>,
    #[serde(default, skip_serializing_if = "NodeWanted::is_empty")]
    pub node: NodeWanted,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lockfile: Option<LockfileEntry>,
    #[serde(default)]
    pub environment: Variables,
    #[serde(default, skip_serializing_if = "Carried::is_empty")]
    pub carried: Carried,
    /// Present if it was searched for secrets.
    #[serde(default, rename = "secrets", skip_serializing_if = "Option::is_none")]
    pub scan: Option<SecretScan>,
    /// Where secrets are in it, never their values.
    #[serde(default, rename = "secret", skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Secret>,
    /// The framework's plugins, in loading order.
    #[serde(default, rename = "plugin", skip_serializing_if = "Vec::is_empty")]
    pub plugins: Vec<Plugin>,
    /// The files, sorted by path.
    #[serde(rename = "file")]
    pub files: Vec<FileEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// The id: a hash over the files' list.
    pub id: PackageId,
    pub size: u64,
    pub recorded: Timestamp,
    pub made: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Packaged in a clean worktree of the commit, with plugins installed from the commit's lockfile.
    Worktree,
    /// Packaged in the user's working tree.
    InPlace,
    Recorded,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceEntry {
    /// The commit it belongs to, 40 hexadecimal digits.
    pub commit: String,
    pub tree: String,
    /// Whether it was made from a working tree with changes.
    #[serde(default)]
    pub dirty: bool,
}

/// What a package can be deployed to: packaging fixes its service, stage and region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    pub service: ServiceName,
    pub path: ServicePath,
    pub stage: Stage,
    pub region: Region,
}

impl Target {
    /// Whether both are one stack, whatever the service's directory.
    pub fn is_same_stack(&self, other: &Self) -> bool {
        (&self.service, &self.stage, &self.region) == (&other.service, &other.stage, &other.region)
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} · {} · {}", self.service, self.stage, self.region)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name, such as `osls` or `npm`.
    pub name: String,
    pub version: String,
}

impl std::fmt::Display for Tool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tools {
    pub slsart: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub framework: Option<Tool>,
    /// Without a leading `v`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_manager: Option<Tool>,
    /// As Rust names it: `linux`, `macos`.
    pub os: String,
    /// As Rust names it: `x86_64`, `aarch64`.
    pub arch: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockfileEntry {
    pub path: String,
    /// `npm`, `yarn`, `pnpm` or `bun`.
    pub kind: String,
    pub sha256: Sha256,
}

/// The node versions that a source and its framework ask for, as each file writes them; of the source's files, the one nearest to the
/// service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeWanted {
    /// `.nvmrc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nvmrc: Option<String>,
    /// `.node-version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_version: Option<String>,
    /// `engines.node` of `package.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engines: Option<String>,
    /// `volta.node` of `package.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volta: Option<String>,
    /// `engines.node` of the framework's own `package.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub framework: Option<String>,
}

impl NodeWanted {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Ignored files that were copied into the checkout for packaging.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// Relative to the service's directory, sorted; of very many, the first.
    #[serde(default)]
    pub paths: Vec<String>,
}

impl Carried {
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl Manifest {
    /// Reads a manifest, from any source, and checks that it is consistent.
    ///
    /// # Errors
    /// [`crate::error::Kind::Integrity`] when it is damaged, refused when a newer version of this program wrote it.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let damaged = |why: &str| {
            Error::integrity(format!("the package's manifest is damaged: {why}")).hint(ANOTHER_COPY)
        };
        let text = std::str::from_utf8(bytes).map_err(|error| damaged("it is not UTF-8").because(error))?;
        let version: Version =
            toml::from_str(text).map_err(|error| damaged("it does not name its format").because(error))?;
        if version.format > FORMAT {
            return Err(Error::refused(format!(
                "the package was recorded in format {}, and this git-slsart knows formats up to {FORMAT}",
                version.format
            ))
            .hint("install a newer git-slsart: cargo install git-slsart"));
        }
        let manifest: Self =
            toml::from_str(text).map_err(|error| damaged("it can't be read").because(error))?;
        let is_id = |text: &str| text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_id(&manifest.source.commit) || !is_id(&manifest.source.tree) {
            return Err(damaged("its source is not named by object ids"));
        }
        if manifest.files.len() > MAX_FILES {
            return Err(damaged("it lists too many files"));
        }
        if let Some(file) = manifest.files.iter().find(|file| !is_safe_path(&file.path)) {
            return Err(damaged(&format!("the path {:?} is not allowed in a package", file.path)));
        }
        if manifest.files.windows(2).any(|pair| pair[0].path >= pair[1].path) {
            return Err(damaged("its files are not sorted, or a file is listed twice"));
        }
        let id =
            PackageId::of(manifest.files.iter().map(|file| (file.path.as_str(), file.size, file.sha256)));
        if id != manifest.package.id {
            return Err(damaged("its id does not match its files"));
        }
        Ok(manifest)
    }

    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::bug("a manifest can't be written").because(error))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::secrets::Decision;
    use super::*;

    pub(crate) fn sample() -> Manifest {
        let files = vec![
            FileEntry { path: "orders.zip".to_owned(), size: 3, sha256: Sha256::of(b"zip") },
            FileEntry { path: "serverless-state.json".to_owned(), size: 2, sha256: Sha256::of(b"{}") },
        ];
        let id = PackageId::of(files.iter().map(|file| (file.path.as_str(), file.size, file.sha256)));
        Manifest {
            format: FORMAT,
            package: Package { id, size: 5, recorded: Timestamp::UNIX_EPOCH, made: Origin::Worktree },
            source: SourceEntry { commit: "1".repeat(40), tree: "2".repeat(40), dirty: false },
            target: Target {
                service: "orders".parse().unwrap(),
                path: ".".parse().unwrap(),
                stage: "prod".parse().unwrap(),
                region: "us-east-1".parse().unwrap(),
            },
            tools: Tools {
                slsart: "0.1.0".to_owned(),
                framework: Some(Tool { name: "osls".to_owned(), version: "4.3.1".to_owned() }),
                node: Some("22.11.0".to_owned()),
                package_manager: None,
                os: "linux".to_owned(),
                arch: "x86_64".to_owned(),
            },
            framework: None,
            node: NodeWanted {
                nvmrc: Some("22".to_owned()),
                framework: Some(">=18".to_owned()),
                ..NodeWanted::default()
            },
            lockfile: None,
            environment: Variables::default(),
            carried: Carried::default(),
            scan: Some(SecretScan { scanner: 1, decision: Some(Decision::Allow), ..SecretScan::default() }),
            secrets: vec![Secret {
                file: "serverless-state.json".to_owned(),
                entry: None,
                place: "service.custom.token".to_owned(),
                kind: "github-token".to_owned(),
                name: None,
            }],
            plugins: vec![Plugin {
                version: Some("1.0.0".to_owned()),
                hooks: Some(vec!["before:deploy:deploy".to_owned()]),
                ..Plugin::named("serverless-x")
            }],
            files,
        }
    }

    #[test]
    fn a_manifest_is_read_back_as_it_was_written() {
        let manifest = sample();
        assert_eq!(Manifest::parse(manifest.to_toml().unwrap().as_bytes()).unwrap(), manifest);
    }

    #[test]
    fn a_manifest_of_before_lacks_what_the_framework_asks_for() {
        let text = sample().to_toml().unwrap().replace("framework = \">=18\"\n", "");
        assert_eq!(Manifest::parse(text.as_bytes()).unwrap().node.framework, None);
    }

    #[test]
    fn a_newer_format_is_refused_and_says_so() {
        let text = sample().to_toml().unwrap().replace("format = 1", "format = 9");
        let error = Manifest::parse(text.as_bytes()).unwrap_err();
        assert!(error.message.contains("format 9"), "{error}");
    }

    #[test]
    fn a_manifest_whose_id_or_paths_lie_is_damaged() {
        let text = sample().to_toml().unwrap();
        for lie in [text.replace("size = 3", "size = 4"), text.replace("orders.zip", "../rders.zip")] {
            assert_eq!(Manifest::parse(lie.as_bytes()).unwrap_err().kind, crate::error::Kind::Integrity);
        }
    }
}
