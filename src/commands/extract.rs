//! `extract`.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::args::TargetArgs;
use crate::error::Result;
use crate::package::manifest::Target;
use crate::progress::Progress as _;
use crate::sharing;
use crate::text::style::BOLD;
use crate::text::words::{bytes, line, short};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Write a recorded package's exact directory
///
/// Every byte is checked against the record. The directory is written completely or not at all.
#[derive(Debug, Args)]
pub struct ExtractArgs {
    /// A commit, or a package's id
    #[arg(value_name = "REF")]
    revision: String,
    /// The directory to write; it must be empty or not exist
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, Serialize)]
struct ExtractReport {
    directory: PathBuf,
    package: String,
    target: Target,
    file_count: usize,
    size: u64,
}

pub(crate) fn run(args: &ExtractArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let filter = workspace.one_of(&args.target.wanted()?, &args.revision)?;
    let found = sharing::find(workspace, &args.revision, &filter)?;
    let package = sharing::open(workspace, &found)?;
    let directory = workspace.context.cwd.join(&args.output);
    ui.progress().phase("Extracting");
    package.extract(&directory, workspace.progress)?;
    let report = ExtractReport {
        directory: args.output.clone(),
        package: package.manifest.package.id.to_string(),
        target: package.manifest.target,
        file_count: package.manifest.files.len(),
        size: package.manifest.package.size,
    };
    ui.done(&report, false)
}

impl fmt::Display for ExtractReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { directory, package, target, file_count, size } = self;
        let directory = directory.display().to_string();
        let directory = line(&directory);
        writeln!(
            f,
            "{BOLD}Extracted{BOLD:#}  {target}  package {} · {file_count} files · {} → {directory}",
            short(package, 8),
            bytes(*size)
        )
    }
}
