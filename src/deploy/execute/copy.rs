//! The disposable copy of a package that the framework is handed. `deploy --package` removes and rewrites directories: it
//! never sees the stored package. In the copy, archives are where the copy has them and the S3 prefix is a new one, since
//! the framework's clean-up removes old prefixes by name, the live one among them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::service::{Relocation, STATE_FILE, State};
use crate::store::StoredPackage;

/// Most bytes a template beside the state may have.
const MAX_TEMPLATE_BYTES: u64 = 64 * 1024 * 1024;

/// Writes a copy of `package` to `directory`, an absolute path where nothing is yet, with a prefix of the time `at`, in
/// milliseconds since 1970.
///
/// # Returns
/// The S3 prefix that the framework will upload to, and the template that it hands to AWS.
pub(in crate::deploy) fn copy(
    package: &StoredPackage<'_>,
    directory: &Path,
    at: i64,
    progress: &dyn Progress,
) -> Result<(String, Value)> {
    package.extract(directory, progress)?;
    let state = package.state()?;
    let target = &package.manifest.target;
    state.check_target(target.stage.as_str(), target.region.as_str()).map_err(|error| {
        Error::refused(error.to_string()).hint("the package was recorded for a target other than its own")
    })?;
    let prefix = state.prefix().and_then(|prefix| Ok(prefix.fresh(at)?))?;
    let files: BTreeSet<String> = package.manifest.files.iter().map(|file| file.path.clone()).collect();
    let relocation = Relocation { directory, files: &files, prefix: &prefix };
    let relocated = state.relocated(&relocation)?;
    let path = directory.join(STATE_FILE);
    fs::write(&path, relocated.to_json()?).map_err(|error| Error::io("write", &path, error))?;
    for file in &package.manifest.files {
        if file.path != STATE_FILE && is_template(&file.path) && file.size <= MAX_TEMPLATE_BYTES {
            relocate_template(state, &relocation, &directory.join(&file.path))?;
        }
    }
    Ok((prefix.as_str().to_owned(), relocated.template()?))
}

/// Nested stacks and the like that plugins upload from the package's directory.
fn is_template(path: &str) -> bool {
    let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    matches!(ending.as_str(), "json" | "yml" | "yaml" | "template")
}

fn relocate_template(state: &State, relocation: &Relocation<'_>, path: &Path) -> Result<()> {
    let Ok(text) = fs::read_to_string(path) else { return Ok(()) };
    match state.relocated_file(&text, relocation)? {
        Some(new) => fs::write(path, new).map_err(|error| Error::io("write", path, error)),
        None => Ok(()),
    }
}
