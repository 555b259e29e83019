//! The repository's policy for secrets, and the scanner for its packages: from `slsart.toml`, the environment and dotenv files.

use std::fs;

use super::Workspace;
use crate::config::FILE;
use crate::error::{Error, Result};
use crate::git::Source;
use crate::package::Manifest;
use crate::package::secrets::Secret;
use crate::secrets::{Recipients, Scanner, SecretPolicy};
use crate::service::{Stage, Values};
use crate::store::StoredPackage;

const MAX_BYTES: u64 = 1 << 20;

/// The scanner and the policy for a package of a service. `names`: the environment variables that its configuration refers to. `read`:
/// gives the text of a file in its directory.
pub fn scanner_and_policy(
    workspace: &Workspace<'_>,
    names: &[String],
    stage: &Stage,
    read: impl Fn(&str) -> Option<String>,
) -> Result<(Scanner, SecretPolicy)> {
    let environment = &workspace.context.environment;
    let variable = |name: &str| environment.text(name).map(str::to_owned);
    let values = Values::all(names, stage, variable, read);
    let scanner = Scanner::new(values.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
    Ok((scanner, policy(workspace)?))
}

/// What `slsart.toml` wants done about secrets.
pub fn policy(workspace: &Workspace<'_>) -> Result<SecretPolicy> {
    let config = &workspace.config.secrets;
    let mut keys: Vec<String> = Vec::new();
    for recipient in &config.recipients {
        if recipient.starts_with("age1") || recipient.starts_with("ssh-") || recipient.starts_with("AGE-") {
            keys.push(recipient.clone());
            continue;
        }
        let text = file(workspace, recipient).ok_or_else(|| {
            Error::refused(format!(
                "{FILE}: the recipient '{recipient}' is neither a public key nor a file of public keys"
            ))
            .hint("a public key begins with age1 or ssh-; a file is named from the repository's top")
        })?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        keys.extend(lines.map(str::to_owned));
    }
    SecretPolicy::new(config.action, &config.allow, Recipients::parse(keys.iter().map(String::as_str))?)
}

fn file(workspace: &Workspace<'_>, path: &str) -> Option<String> {
    if !crate::package::files::is_safe_path(path) {
        return None;
    }
    if let Some(top) = workspace.repository.work_tree_if_any() {
        return fs::read_to_string(top.join(path)).ok();
    }
    let head = workspace.repository.commit(workspace.repository.head()?).ok()?;
    let bytes = Source::new(workspace.repository, head.tree).read(path, MAX_BYTES).ok().flatten()?;
    String::from_utf8(bytes).ok()
}

/// Searches a recorded package with the present values of its variables.
pub fn search_recorded(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> Result<Vec<Secret>> {
    let (scanner, _) = scanner_of_recorded(workspace, package)?;
    package.search(&scanner, workspace.progress)
}

pub fn scanner_of_recorded(
    workspace: &Workspace<'_>,
    package: &StoredPackage<'_>,
) -> Result<(Scanner, SecretPolicy)> {
    let Manifest { environment, target, .. } = &package.manifest;
    let here = workspace.repository.work_tree_if_any().map(|top| target.path.under(top));
    let read = |file: &str| fs::read_to_string(here.as_ref()?.join(file)).ok();
    scanner_and_policy(workspace, &environment.names, &target.stage, read)
}
