//! yarn's Plug'n'Play: packages that are found through a file of yarn's instead of a `node_modules`. That file is code, so node has to run
//! it; yarn itself is not needed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::process::Invocation;

const SCRIPT: &str = include_str!("pnp.cjs");

/// The file's names, the present one first.
pub(super) const NAMES: &[&str] = &[".pnp.cjs", ".pnp.js"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pnp {
    file: PathBuf,
}

#[derive(Debug, Deserialize)]
pub(super) struct Resolved {
    /// Its place for node: perhaps in a zip, perhaps nowhere on disk.
    pub(super) location: PathBuf,
    /// Its files on disk: its own directory, or an unpacked copy.
    pub(super) directory: PathBuf,
    pub(super) programs: BTreeMap<String, String>,
    pub(super) json: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct PnpAnswer {
    /// The `NODE_OPTIONS` for a node that finds packages this way.
    pub(super) options: String,
    /// A package outside the top: in a cache that a user's projects share, or a link.
    pub(super) outside: Option<PathBuf>,
    pub(super) found: BTreeMap<String, Resolved>,
}

impl Pnp {
    pub fn find(directory: &Path, top: &Path) -> Option<Self> {
        let mut places = directory.ancestors().take_while(|place| place.starts_with(top));
        places.find_map(|place| {
            let file = NAMES.iter().map(|name| place.join(name)).find(|file| file.is_file())?;
            Some(Self { file })
        })
    }

    /// Whether packages are found here, and not in a `node_modules` of `place` or above it.
    pub fn rules(&self, place: &Path) -> bool {
        self.file.parent().is_some_and(|own| own.starts_with(place))
    }

    /// Finds the packages `names` from `directory`, no higher than `top`; those in a zip are unpacked below `unpacked`, if given.
    pub(super) fn ask(
        &self,
        directory: &Path,
        top: &Path,
        names: &[&str],
        unpacked: Option<&Path>,
    ) -> Result<PnpAnswer> {
        let real = |path: &Path| path.canonicalize().map_err(|error| Error::io("read", path, error));
        let names = serde_json::Value::from(names).to_string();
        let run = Invocation::new("node").args(["-e", SCRIPT, "--"]);
        let run = run.args([real(&self.file)?, real(directory)?, real(top)?]).arg(names);
        let run = run.args(unpacked).current_dir(directory);
        let wrong = |error: Error| {
            Error::refused(format!("{} does not say where packages are", self.file.display()))
                .hint("to write it again: yarn install")
                .because(error)
        };
        let output = run.read().map_err(wrong)?;
        serde_json::from_slice(&output).map_err(|error| wrong(Error::refused(error.to_string())))
    }

    /// A package outside the repository at `top`, if there is one.
    pub fn outside(&self, top: &Path) -> Result<Option<PathBuf>> {
        self.ask(top, top, &[], None).map(|answer| answer.outside)
    }
}
