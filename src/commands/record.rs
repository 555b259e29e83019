//! `record`.

use std::path::PathBuf;

use clap::Args;

use super::args::{StorageArg, TargetArgs, storage};
use super::package::PackageReport;
use crate::error::Result;
use crate::packaging::record::record;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Record a package that was made without git slsart
///
/// DIR is the output of `serverless package --package DIR`, made here or on a CI machine. Service, stage and region are read
/// from it; with the options, they must match.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// The package directory
    #[arg(value_name = "DIR")]
    package: PathBuf,
    /// The commit that it was made from
    #[arg(default_value = "HEAD")]
    commit: String,
    /// How the package is kept [default: from slsart.toml]
    #[arg(long, value_name = "HOW")]
    storage: Option<StorageArg>,
    #[command(flatten)]
    target: TargetArgs,
}

pub(crate) fn run(args: &RecordArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let wanted = args.target.wanted()?;
    let commit = workspace.repository.resolve(&args.commit)?;
    let directory = workspace.context.cwd.join(&args.package);
    let summary = record(workspace, &directory, commit, &wanted, storage(args.storage, workspace))?;
    ui.done(&PackageReport { packages: vec![summary], again: Vec::new(), storage: args.storage }, false)
}
