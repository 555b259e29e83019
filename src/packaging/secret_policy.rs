//! Secrets of packages, in a repository: what is looked for, what `slsart.toml` and people decide, and whether a package may be
//! pushed.

use std::fs;

use super::Summary;
use crate::config::FILE;
use crate::error::{Error, Result};
use crate::git::Source;
use crate::package::Manifest;
use crate::package::secrets::{Action, Decision, Scan, Secret, listed};
use crate::secrets::{Policy, Recipients, Scanner};
use crate::service::{Stage, Values};
use crate::store::{NotedPackage, Recorded, SecretOptions, StoredPackage};
use crate::text::command::slsart;
use crate::workspace::Workspace;

/// Most bytes of a file with recipients.
const MAX_BYTES: u64 = 1 << 20;

/// What looks for secrets in a package of a service, and what is done about them.
///
/// # Arguments
/// `names`: the environment variables that the service's configuration refers to. `read`: gives the text of a file in the service's
/// directory.
pub(super) fn watch(
    workspace: &Workspace<'_>,
    names: &[String],
    stage: &Stage,
    read: impl Fn(&str) -> Option<String>,
) -> Result<(Scanner, Policy)> {
    let environment = &workspace.context.environment;
    let variable = |name: &str| environment.text(name).map(str::to_owned);
    let values = Values::all(names, stage, variable, read);
    let scanner = Scanner::new(values.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
    Ok((scanner, policy(workspace)?))
}

/// What `slsart.toml` wants done about secrets.
pub fn policy(workspace: &Workspace<'_>) -> Result<Policy> {
    let config = &workspace.config.secrets;
    let mut keys: Vec<String> = Vec::new();
    for recipient in &config.recipients {
        if recipient.starts_with("age1") || recipient.starts_with("ssh-") || recipient.starts_with("AGE-") {
            keys.push(recipient.clone());
            continue;
        }
        let text = file(workspace, recipient).ok_or_else(|| {
            Error::refused(format!(
                "{FILE}: the recipient '{recipient}' is neither a public key nor a file of them"
            ))
            .hint("a public key begins with age1 or ssh-; a file is named from the repository's top")
        })?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        keys.extend(lines.map(str::to_owned));
    }
    Policy::new(config.action, &config.allow, Recipients::parse(keys.iter().map(String::as_str))?)
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

/// Tells of a recording, and warns of the secrets in it.
pub(super) fn told(
    workspace: &Workspace<'_>,
    recorded: Recorded,
    manifest: Manifest,
    policy: &Policy,
    subject: &str,
    left_out: Vec<String>,
) -> Summary {
    let (manifest, already) = match recorded {
        Recorded::New(manifest) => (*manifest, false),
        Recorded::Already(_) => (manifest, true),
    };
    let open = policy.objectionable(&manifest.secrets);
    if !already && !open.is_empty() {
        let what = listed(&open).join("; ");
        let progress = workspace.progress;
        match manifest.scan.as_ref().and_then(|scan| scan.decision) {
            Some(Decision::Encrypt) => progress.note(&format!("what holds secrets is encrypted: {what}")),
            Some(Decision::Warn | Decision::Allow) => {
                progress.warn(&format!("the package holds secrets, and may be pushed: {what}"));
            }
            None => progress.warn(&format!(
                "the package holds secrets, and is not pushed before you decide: {what}; to decide: {}",
                slsart(["secrets"])
            )),
        }
    }
    Summary::of(&manifest, subject, already, left_out)
}

/// What a package's secrets are, and what was decided of them.
#[derive(Debug)]
pub struct Standing {
    /// Those that no pattern of `slsart.toml` lets be.
    pub open: Vec<Secret>,
    /// What was decided; `None`: nothing yet.
    pub decision: Option<Decision>,
    /// Whether the package was searched.
    pub scanned: bool,
}

/// What a package's manifest says of its secrets.
#[must_use]
pub fn standing(manifest: &Manifest, policy: &Policy) -> Standing {
    let scan = manifest.scan.as_ref();
    let open = policy.objectionable(&manifest.secrets).into_iter().cloned().collect();
    Standing { open, decision: scan.and_then(|scan| scan.decision), scanned: scan.is_some() }
}

impl Standing {
    /// Whether somebody has to decide.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        !self.open.is_empty() && self.decision.is_none()
    }
}

/// How many of these packages hold secrets that nobody has decided about. Those that were never searched are not counted.
pub fn undecided(workspace: &Workspace<'_>, found: &[NotedPackage]) -> Result<usize> {
    let (policy, store) = (policy(workspace)?, workspace.store());
    let manifests = found.iter().filter_map(|found| store.open(found.commit, &found.line).ok());
    Ok(manifests.filter(|package| standing(&package.manifest, &policy).is_undecided()).count())
}

/// Whether a package may be sent to a remote. One that was recorded before packages were searched is searched now.
///
/// # Returns
/// A warning, where it holds secrets and may be pushed all the same.
///
/// # Errors
/// When it holds secrets that nobody has decided about: where they are, and how to decide.
pub fn may_push(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> Result<Option<String>> {
    let policy = policy(workspace)?;
    let mut standing = standing(&package.manifest, &policy);
    if !standing.scanned {
        let found = search(workspace, package)?;
        standing.open = policy.objectionable(&found).into_iter().cloned().collect();
    }
    if standing.open.is_empty() || standing.decision == Some(Decision::Encrypt) {
        return Ok(None);
    }
    let id = package.manifest.package.id.short();
    let places = listed(&standing.open.iter().collect::<Vec<_>>());
    // What slsart.toml said when it was recorded gives way to what it says now; what somebody said of this package does not.
    let stricter = matches!(policy.action, Some(Action::Encrypt | Action::Refuse));
    let warned =
        !stricter && standing.decision == Some(Decision::Warn) || policy.action == Some(Action::Warn);
    if warned || standing.decision == Some(Decision::Allow) {
        return Ok(warned.then(|| format!("package {id} holds secrets: {}", places.join("; "))));
    }
    let places = places.join("; ");
    let why = format!("package {id} holds secrets, and is not pushed before you decide: {places}");
    Err(Error::refused(why).hints(ways(&id)))
}

/// The ways to decide about a package.
fn ways(id: &str) -> Vec<String> {
    vec![
        format!(
            "encrypt them, once [secrets] recipients in {FILE} has keys: {}",
            slsart(["secrets", "encrypt", id])
        ),
        format!("push this package as it is: {}", slsart(["secrets", "allow", id])),
        format!(
            "for all packages: [secrets] action = \"warn\", or allow = [\"NAME\"] for what is no secret, in {FILE}"
        ),
    ]
}

/// Searches a recorded package with today's values of its variables.
pub fn search(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> Result<Vec<Secret>> {
    let (scanner, _) = watch_recorded(workspace, package)?;
    package.search(&scanner, workspace.progress)
}

fn watch_recorded(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> Result<(Scanner, Policy)> {
    let Manifest { environment, target, .. } = &package.manifest;
    let here = workspace.repository.work_tree_if_any().map(|top| target.path.under(top));
    let read = |file: &str| fs::read_to_string(here.as_ref()?.join(file)).ok();
    watch(workspace, &environment.names, &target.stage, read)
}

/// Searches a recorded package, and records what is found. What was decided of it stays.
///
/// # Returns
/// Its manifest as it is then.
pub fn scan(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> Result<Manifest> {
    let (scanner, policy) = watch_recorded(workspace, package)?;
    let found = package.search(&scanner, workspace.progress)?;
    let mut manifest = package.manifest.clone();
    // What is known is not forgotten because a variable has another value now.
    let known = manifest.secrets.iter().filter(|known| !found.contains(known)).cloned().collect::<Vec<_>>();
    let before = manifest.scan.take();
    SecretOptions { scanner: &scanner, policy: &policy }.describe([found, known].concat(), &mut manifest);
    if let Some(scan) = &mut manifest.scan {
        let Scan { decision, recipients, .. } = before.unwrap_or_default();
        (scan.decision, scan.recipients) = (decision, recipients);
        // Encrypted or allowed is what was known then.
        let new = manifest.secrets.iter().any(|secret| !package.manifest.secrets.contains(secret));
        if new && scan.decision.is_some() {
            scan.decision = None;
        }
    }
    if manifest != package.manifest {
        package.rewrite_manifest(&manifest, workspace.progress)?;
    }
    Ok(manifest)
}

/// Lets a package be pushed with its secrets as they are.
pub fn allow(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> Result<Manifest> {
    let mut manifest = if package.manifest.scan.is_some() {
        package.manifest.clone()
    } else {
        searched(workspace, package)?
    };
    if let Some(scan) = &mut manifest.scan {
        scan.decision = Some(Decision::Allow);
    }
    package.rewrite_manifest(&manifest, workspace.progress)?;
    Ok(manifest)
}

fn searched(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> Result<Manifest> {
    let (scanner, policy) = watch_recorded(workspace, package)?;
    let found = package.search(&scanner, workspace.progress)?;
    let mut manifest = package.manifest.clone();
    SecretOptions { scanner: &scanner, policy: &policy }.describe(found, &mut manifest);
    Ok(manifest)
}

/// Encrypts what holds secrets in a recorded package.
///
/// # Returns
/// Its manifest as it is then.
pub fn encrypt(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> Result<Manifest> {
    let (scanner, policy) = watch_recorded(workspace, package)?;
    let policy = policy.encrypting()?;
    if !workspace.store().opens(&policy.recipients)? {
        workspace
            .progress
            .warn("no key of yours is one of the recipients: you will not be able to deploy these packages");
    }
    package.encrypt(SecretOptions { scanner: &scanner, policy: &policy }, workspace.progress)
}
