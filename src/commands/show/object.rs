//! What `show --json` says of a package: the manifest in the names that all commands share, whatever the file in git looks like.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::commands::mark::Marked;
use crate::git::Commit;
use crate::package::manifest::{
    FileEntry, LockfileEntry, Manifest, NodeWanted, Origin, Plugin, Target, Tool,
};
use crate::package::storage::Form;
use crate::store::bans::Ban;
use crate::store::pins::Pin;

#[derive(Serialize)]
pub(super) struct PackageObject {
    commit: String,
    subject: String,
    committed: Option<Timestamp>,
    tree: String,
    /// Whether that is not the commit's.
    dirty: bool,
    package: String,
    target: Target,
    /// The sum of the files' sizes, in bytes.
    size: u64,
    recorded: Timestamp,
    made: Origin,
    /// Why it is not to be deployed.
    banned: Option<Marked>,
    pinned: Option<Marked>,
    /// The version of git-slsart that recorded it.
    slsart: String,
    os: String,
    arch: String,
    node: Option<String>,
    node_wanted: NodeWanted,
    package_manager: Option<Tool>,
    lockfile: Option<LockfileEntry>,
    framework: Option<Plugin>,
    plugins: Vec<PluginObject>,
    /// The environment variables that the configuration refers to.
    variables: Vec<String>,
    /// Ignored files that were carried from the working tree.
    carried: Vec<String>,
    files: Vec<FileObject>,
}

#[derive(Serialize)]
struct PluginObject {
    #[serde(flatten)]
    plugin: Plugin,
    /// Of its hooks, those that a deploy of the package runs.
    deploy_events: Option<Vec<String>>,
}

#[derive(Serialize)]
struct FileObject {
    #[serde(flatten)]
    entry: FileEntry,
    form: Option<Form>,
}

impl PackageObject {
    /// Describes the package of `manifest`, whose commit is `None` where it is not here.
    pub(super) fn of(
        manifest: &Manifest,
        commit: Option<Commit>,
        forms: &BTreeMap<String, Form>,
        (banned, pinned): (Option<&Ban>, Option<&Pin>),
    ) -> Self {
        let Manifest { package, source, target, tools, node, lockfile, .. } = manifest.clone();
        let entry = |plugin: &Plugin| {
            let events = plugin.at_deploy().map(|events| events.into_iter().map(str::to_owned).collect());
            PluginObject { deploy_events: events, plugin: plugin.clone() }
        };
        let file =
            |entry: &FileEntry| FileObject { form: forms.get(&entry.path).copied(), entry: entry.clone() };
        Self {
            commit: source.commit,
            subject: commit.as_ref().map(|commit| commit.subject.clone()).unwrap_or_default(),
            committed: commit.map(|commit| commit.time),
            tree: source.tree,
            dirty: source.dirty,
            package: package.id.to_string(),
            target,
            size: package.size,
            recorded: package.recorded,
            made: package.made,
            banned: banned.map(Marked::from),
            pinned: pinned.map(Marked::from),
            slsart: tools.slsart,
            os: tools.os,
            arch: tools.arch,
            node: tools.node,
            node_wanted: node,
            package_manager: tools.package_manager,
            lockfile,
            framework: super::plugins::framework(manifest),
            plugins: manifest.plugins.iter().map(entry).collect(),
            variables: manifest.environment.names.clone(),
            carried: manifest.carried.paths.clone(),
            files: manifest.files.iter().map(file).collect(),
        }
    }

    /// The commit's subject; empty where the commit is not here.
    pub(super) fn subject(&self) -> &str {
        &self.subject
    }
}
