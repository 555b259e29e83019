//! `show`.

mod object;
mod plugins;

use std::collections::BTreeMap;
use std::fmt;

use clap::Args;
use jiff::Timestamp;
use object::PackageObject;
use serde::Serialize;

use super::args::TargetArgs;
use crate::error::Result;
use crate::package::Manifest;
use crate::package::manifest::{Origin, Tools};
use crate::package::storage::Form;
use crate::sharing;
use crate::store::bans::Ban;
use crate::store::pins::Pin;
use crate::text::style::{BOLD, COMMIT, DIM, WARNING};
use crate::text::words::{ago, bytes, line as shown};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Show a recorded package in full
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A commit, or a package's id
    #[arg(default_value = "HEAD", value_name = "REF")]
    revision: String,
    /// Show only its plugins, with everything recorded about each
    #[arg(long)]
    plugins: bool,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Serialize)]
struct ShowReport {
    #[serde(flatten)]
    object: PackageObject,
    #[serde(skip)]
    manifest: Manifest,
    #[serde(skip)]
    forms: BTreeMap<String, Form>,
    /// Why it is not to be deployed.
    #[serde(skip)]
    banned: Option<Ban>,
    #[serde(skip)]
    pinned: Option<Pin>,
    /// Whether only the plugins are shown.
    #[serde(skip)]
    plugins: bool,
    #[serde(skip)]
    now: Timestamp,
}

pub(crate) fn run(args: &ShowArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let filter = workspace.one_of(&args.target.wanted()?, &args.revision)?;
    let found = sharing::find(workspace, &args.revision, &filter)?;
    let package = sharing::open(workspace, &found)?;
    let commit = workspace.repository.commit(found.commit).ok();
    // A damaged package can still be described; `verify` says what is wrong with it.
    let forms = package.forms().unwrap_or_default();
    let banned = workspace.store().bans().of(found.commit, found.line.package)?;
    let pinned = workspace.store().pins().of(found.commit, found.line.package)?;
    ui.report(&ShowReport {
        object: PackageObject::of(&package.manifest, commit, &forms, (banned.as_ref(), pinned.as_ref())),
        manifest: package.manifest,
        forms,
        banned,
        pinned,
        plugins: args.plugins,
        now: workspace.context.clock.now(),
    })
}

/// Enough of `sha512-` and its base64 to compare two of them by eye.
const DIGEST_CHARS: usize = 19;

/// What made the package, and where.
fn programs(tools: &Tools, made: Origin) -> String {
    let programs = [
        tools.framework.as_ref().map(ToString::to_string),
        tools.node.as_ref().map(|node| format!("node {node}")),
        tools.package_manager.as_ref().map(ToString::to_string),
        // Of a package made elsewhere, only the machine that recorded it is known.
        Some(match made {
            Origin::Recorded => format!("recorded on {} {}", tools.os, tools.arch),
            Origin::Worktree | Origin::InPlace => format!("{} {}", tools.os, tools.arch),
        }),
    ];
    programs.iter().flatten().map(|text| shown(text)).collect::<Vec<_>>().join(" · ")
}

impl fmt::Display for ShowReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.plugins {
            return plugins::write(f, &self.manifest);
        }
        let Manifest { package, source, target, tools, node, lockfile, environment, plugins, files, .. } =
            &self.manifest;
        let mut line = |name: &str, text: &str| writeln!(f, "{BOLD}{name:10}{BOLD:#}{text}");
        let shown = |text: &str| shown(text).into_owned();
        line("Package", &package.id.to_string())?;
        if let Some(ban) = &self.banned {
            line("Banned", &format!("{WARNING}{ban}{WARNING:#}"))?;
        }
        if let Some(pin) = &self.pinned {
            line("Pinned", &pin.to_string())?;
        }
        line("Target", &format!("{target}  {DIM}in {}{DIM:#}", target.path))?;
        line("Commit", &format!("{COMMIT}{}{COMMIT:#}  {}", source.commit, shown(self.object.subject())))?;
        if source.dirty {
            line("Source", &format!("{WARNING}with uncommitted changes{WARNING:#}  tree {}", source.tree))?;
        }
        let how = match package.made {
            Origin::Worktree => "in a clean worktree",
            Origin::InPlace => "in place",
            Origin::Recorded => "elsewhere, and recorded",
        };
        line(
            "Made",
            &format!("{how}  {DIM}recorded {}, {}{DIM:#}", ago(package.recorded, self.now), package.recorded),
        )?;
        line("With", &programs(tools, package.made))?;
        let wanted = [
            (".nvmrc", &node.nvmrc),
            (".node-version", &node.node_version),
            ("engines", &node.engines),
            ("volta", &node.volta),
        ];
        let wanted =
            wanted.into_iter().filter_map(|(file, text)| Some(format!("{file} {}", shown(text.as_ref()?))));
        let wanted = wanted.collect::<Vec<_>>().join(" · ");
        if !wanted.is_empty() {
            line("Node", &format!("asked for: {wanted}"))?;
        }
        match lockfile {
            Some(lockfile) => line(
                "Lockfile",
                &format!(
                    "{}  {DIM}of {}, {}{DIM:#}",
                    shown(&lockfile.path),
                    lockfile.kind,
                    digest(&lockfile.sha256.to_string())
                ),
            )?,
            None => line("Lockfile", "none")?,
        }
        for (index, plugin) in plugins.iter().enumerate() {
            let version = match &plugin.version {
                Some(version) => format!(" {}", shown(version)),
                None if plugin.object.is_some() => String::new(),
                None => " version not read".to_owned(),
            };
            let sum = plugin.integrity.as_deref().or(plugin.checksum.as_deref());
            let sum = sum.or(plugin.object.as_deref()).map(digest);
            let origin = [plugin.path.as_deref(), sum.as_deref()];
            let origin = origin.into_iter().flatten().collect::<Vec<_>>().join(" ");
            let origin = shown(&origin);
            line(
                if index == 0 { "Plugins" } else { "" },
                &format!("{}{version}  {DIM}{origin}{DIM:#}", shown(&plugin.name)),
            )?;
        }
        if !environment.names.is_empty() {
            line("Variables", &shown(&environment.names.join(", ")))?;
        }
        for (index, file) in files.iter().enumerate() {
            let label = if index == 0 { "Files" } else { "" };
            let form = match self.forms.get(&file.path) {
                Some(Form::Lfs) => "  lfs",
                _ => "",
            };
            line(
                label,
                &format!(
                    "{}  {}{form}  {DIM}{}{DIM:#}",
                    shown(&file.path),
                    bytes(file.size),
                    digest(&file.sha256.to_string())
                ),
            )?;
        }
        Ok(())
    }
}

/// The beginning of a digest, so that its line fits a terminal; `--plugins` and `--json` show all of it.
fn digest(text: &str) -> String {
    match text.char_indices().nth(DIGEST_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
