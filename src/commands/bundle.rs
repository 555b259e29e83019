//! `export` and `import`.

use std::fmt;
use std::fs::Permissions;
use std::io::Seek as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::args::TargetArgs;
use crate::bundle::{self, Exported, Imported};
use crate::error::{Error, Result};
use crate::package::PackageId;
use crate::package::manifest::Target;
use crate::store::NotedPackage;
use crate::text::command::slsart;
use crate::text::style::{BOLD, COMMIT, DIM};
use crate::text::words::{bytes, count, line};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Write a package into one file, with its source and its toolchains
///
/// With the file, any repository (even an empty one) can roll back to the package, without a git host or a registry: run
/// `git slsart import FILE` there. It contains the package's commit without its history. The file is a zip of git objects.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// A commit, or a package's id
    #[arg(value_name = "REF")]
    revision: String,
    /// Where to; `-` is standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Include the deployments of its target: who deployed what, when and why
    #[arg(long)]
    history: bool,
    /// Overwrite an existing file
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    target: TargetArgs,
}

/// Import an exported package
///
/// The whole file is verified before anything is written. Nothing in the repository is replaced.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Debug, Serialize)]
struct BundleRow {
    commit: String,
    subject: String,
    package: PackageId,
    target: Target,
    /// The sum of its files' sizes, in bytes.
    size: u64,
    #[serde(skip)]
    short: String,
}

#[derive(Debug, Serialize)]
struct ExportReport {
    #[serde(flatten)]
    package: BundleRow,
    file: String,
    /// In bytes.
    file_size: u64,
    toolchain_count: usize,
    lfs_object_count: usize,
    history: bool,
}

#[derive(Debug, Serialize)]
struct ImportReport {
    #[serde(flatten)]
    package: BundleRow,
    /// Whether anything was not here before.
    new: bool,
    toolchain_count: usize,
    /// Whether the history is here now; `None` where there is none in the file, or another here.
    history: Option<bool>,
    shallow: bool,
}

pub(crate) fn export(args: &ExportArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let is_stdout = args.file == Path::new("-");
    if is_stdout && ui.is_json() {
        return Err(Error::usage("both the file and --json would go to standard output").hint("name a file"));
    }
    let path = workspace.context.cwd.join(&args.file);
    if !is_stdout && !args.force && path.symlink_metadata().is_ok() {
        return Err(Error::refused(format!("'{}' exists already", args.file.display()))
            .hint("name another file, or overwrite this one with --force"));
    }
    let found = workspace.find(&args.revision, &workspace.one_of(&args.target.wanted()?, &args.revision)?)?;
    let directory =
        if is_stdout { tempfile::env::temp_dir() } else { path.parent().unwrap_or(&path).to_owned() };
    let cannot = |error| Error::io("write to", &directory, error);
    let mut out = tempfile::Builder::new()
        .prefix(".slsart-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(&directory)
        .map_err(cannot)?;
    let Exported { toolchains, objects, history, size } =
        bundle::export(workspace, &found, args.history, (out.as_file(), &directory))?;
    if is_stdout {
        out.rewind().map_err(cannot)?;
        return ui.stream(out.as_file_mut());
    }
    let placed = if args.force { out.persist(&path) } else { out.persist_noclobber(&path) };
    placed.map_err(|error| Error::io("write", &path, error.error))?;
    let report = ExportReport {
        package: package(workspace, &found),
        file: args.file.display().to_string(),
        file_size: size,
        toolchain_count: toolchains,
        lfs_object_count: objects,
        history,
    };
    ui.done(&report, false)
}

pub(crate) fn import(args: &ImportArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let path = workspace.context.cwd.join(&args.file);
    let Imported { found, new, toolchains, history, shallow } = bundle::import(workspace, &path)?;
    let report = ImportReport {
        package: package(workspace, &found),
        new,
        toolchain_count: toolchains,
        history,
        shallow,
    };
    ui.done(&report, false)
}

fn package(workspace: &Workspace<'_>, found: &NotedPackage) -> BundleRow {
    let NotedPackage { commit, line } = found;
    BundleRow {
        commit: commit.to_string(),
        subject: workspace.repository.commit(*commit).map(|commit| commit.subject).unwrap_or_default(),
        package: line.package,
        target: line.target.clone(),
        size: line.size,
        short: workspace.repository.short_id(*commit),
    }
}

impl BundleRow {
    fn write(&self, f: &mut fmt::Formatter<'_>, word: &str) -> fmt::Result {
        let Self { short, subject, package, target, size, .. } = self;
        let (subject, package, size) = (line(subject), package.short(), bytes(*size));
        writeln!(
            f,
            "{BOLD}{word}{BOLD:#}  {COMMIT}{short}{COMMIT:#}  {subject}  {DIM}package {package} · {target} · {size}{DIM:#}"
        )
    }
}

impl fmt::Display for ExportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.package.write(f, "Exported")?;
        let toolchains = match self.toolchain_count {
            0 => {
                "no toolchain: a rollback needs the registry, unless you save one: git slsart toolchain save"
                    .to_owned()
            }
            number => count(number, "toolchain"),
        };
        let objects = match self.lfs_object_count {
            0 => String::new(),
            number => format!(", {}", count(number, "LFS object")),
        };
        let history = if self.history { ", the target's history" } else { "" };
        let (file, size) = (line(&self.file), bytes(self.file_size));
        writeln!(
            f,
            "{BOLD}To{BOLD:#}        {file} · {size}  {DIM}with its source, {toolchains}{objects}{history}{DIM:#}"
        )
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.new {
            return self.package.write(f, "Known   ");
        }
        self.package.write(f, "Imported")?;
        let toolchains = match self.toolchain_count {
            0 => String::new(),
            number => format!(" and {}", count(number, "toolchain")),
        };
        let history = if self.history == Some(true) { ", with its target's history" } else { "" };
        writeln!(f, "{BOLD}With{BOLD:#}      its source{toolchains}{history}")?;
        let BundleRow { short, target, .. } = &self.package;
        if self.shallow {
            writeln!(
                f,
                "{DIM}the history before {short} is not here; to fetch it: git fetch --unshallow{DIM:#}"
            )?;
        }
        let name = if target.path.is_root() { target.service.as_str() } else { target.path.as_str() };
        let words =
            ["rollback", short, "--service", name, "-s", target.stage.as_str(), "-r", target.region.as_str()];
        writeln!(f, "{BOLD}Use{BOLD:#}       {}", slsart(words))
    }
}
