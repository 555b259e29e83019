//! Arguments that several commands have.

use std::str::FromStr;

use clap::{Args, ValueEnum};

use crate::deploy::fleet::packages::Selection;
use crate::error::{Error, Result};
use crate::package::storage::Storage;
use crate::service::NameError;
use crate::workspace::{Wanted, Workspace};

/// Which service, stage and region are meant.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Target")]
pub struct TargetArgs {
    /// The service: its directory in the repository, or its name [default: the current directory's, then the only one]
    #[arg(long, value_name = "PATH|NAME")]
    pub service: Option<String>,
    /// The stage [default: from slsart.toml, then from the service]
    #[arg(short, long)]
    pub stage: Option<String>,
    /// The region [default: from slsart.toml, then from the service]
    #[arg(short, long)]
    pub region: Option<String>,
}

impl TargetArgs {
    /// The values, checked.
    pub(super) fn wanted(&self) -> Result<Wanted> {
        Ok(Wanted {
            service: self.service.clone(),
            stage: self.stage.as_deref().map(name).transpose()?,
            region: self.region.as_deref().map(name).transpose()?,
            offers_all: false,
        })
    }
}

/// Which services, stage and region are meant.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Target")]
pub struct TargetsArgs {
    /// The service: its directory in the repository, or its name; may be given several times [default: the current directory's, then the only one]
    #[arg(long, value_name = "PATH|NAME")]
    pub service: Vec<String>,
    /// Every service of the commit
    #[arg(short, long, conflicts_with = "service")]
    pub all: bool,
    /// The stage [default: from slsart.toml, then from the service]
    #[arg(short, long)]
    pub stage: Option<String>,
    /// The region [default: from slsart.toml, then from the service]
    #[arg(short, long)]
    pub region: Option<String>,
}

impl TargetsArgs {
    /// Which services are meant.
    pub(super) fn selection(&self) -> Selection {
        if self.all { Selection::All } else { Selection::Named(self.service.clone()) }
    }

    /// The values, checked; of services, the only one.
    pub(super) fn wanted(&self) -> Result<Wanted> {
        Ok(Wanted {
            service: self.service.first().filter(|_| self.service.len() == 1).cloned(),
            stage: self.stage.as_deref().map(name).transpose()?,
            region: self.region.as_deref().map(name).transpose()?,
            offers_all: true,
        })
    }
}

/// How packages are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StorageArg {
    /// In git objects; large files in Git LFS, where git-lfs is installed
    Auto,
    /// In git objects
    Git,
    /// Archives in Git LFS
    Lfs,
}

/// A form that packages can be converted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormArg {
    /// Git objects
    Git,
    /// Archives in Git LFS
    Lfs,
}

/// How packages are kept: as the command line says, else as `slsart.toml` does.
pub(super) fn storage(wanted: Option<StorageArg>, workspace: &Workspace<'_>) -> Storage {
    match wanted {
        Some(StorageArg::Auto) => Storage::Auto,
        Some(StorageArg::Git) => Storage::Git,
        Some(StorageArg::Lfs) => Storage::Lfs,
        None => workspace.config.storage,
    }
}

fn name<T: FromStr<Err = NameError>>(text: &str) -> Result<T> {
    text.parse().map_err(|error: NameError| {
        let hint = error.hint();
        Error::usage(error.to_string()).hints(hint)
    })
}
