//! The disposable copy of a package that the framework is handed. `deploy --package` removes and rewrites directories: it
//! never sees the stored package. In the copy, archives are where the copy has them and the S3 prefix is a new one, since
//! the framework's clean-up removes old prefixes by name, the live one among them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::error::{Error, Result};
use crate::package::directory::STATE_FILE;
use crate::packaging::draft::from_state;
use crate::progress::Progress;
use crate::service::{Relocation, State};
use crate::store::StoredPackage;

/// Most bytes a template beside the state may have.
const MAX_TEMPLATE_BYTES: u64 = 64 * 1024 * 1024;

/// Writes a copy of `package` to `directory`, an absolute path where nothing is yet, with a prefix of the time `at`, in
/// milliseconds since 1970.
///
/// # Returns
/// The S3 prefix that the framework will upload to.
pub(in crate::deploy) fn copy(
    package: &StoredPackage<'_>,
    directory: &Path,
    at: i64,
    progress: &dyn Progress,
) -> Result<String> {
    package.extract(directory, progress)?;
    let state_path = directory.join(STATE_FILE);
    let content = fs::read(&state_path).map_err(|error| Error::io("read", &state_path, error))?;
    let state = State::parse(&content).map_err(from_state)?;
    let target = &package.manifest.target;
    state.check_target(target.stage.as_str(), target.region.as_str()).map_err(|error| {
        Error::refused(error.to_string())
            .hint("the package was recorded for another target than it was made for")
    })?;
    let prefix = state.prefix().and_then(|prefix| Ok(prefix.fresh(at)?)).map_err(from_state)?;
    let files: BTreeSet<String> = package.manifest.files.iter().map(|file| file.path.clone()).collect();
    let relocation = Relocation { directory, files: &files, prefix: &prefix };
    let relocated = state.relocated(&relocation).map_err(from_state)?;
    fs::write(&state_path, relocated).map_err(|error| Error::io("write", &state_path, error))?;
    for file in &package.manifest.files {
        if file.path != STATE_FILE && is_template(&file.path) && file.size <= MAX_TEMPLATE_BYTES {
            relocate_template(&state, &relocation, &directory.join(&file.path))?;
        }
    }
    Ok(prefix.as_str().to_owned())
}

/// Nested stacks and the like that plugins upload from the package's directory.
fn is_template(path: &str) -> bool {
    let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    matches!(ending.as_str(), "json" | "yml" | "yaml" | "template")
}

fn relocate_template(state: &State, relocation: &Relocation<'_>, path: &Path) -> Result<()> {
    let Ok(text) = fs::read_to_string(path) else { return Ok(()) };
    match state.relocated_file(&text, relocation).map_err(from_state)? {
        Some(new) => fs::write(path, new).map_err(|error| Error::io("write", path, error)),
        None => Ok(()),
    }
}
