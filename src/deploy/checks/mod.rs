//! What is checked before anything starts: a file a check, each of which gives lines and stops none of the others. Nothing here
//! reaches AWS.

mod carried;
mod head;
mod installation;
mod licence;
mod limits;
mod node;
mod package;
mod runtimes;
mod toolchain;
mod variables;

use std::fmt;

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::git::Source;
use crate::package::manifest::Target;
use crate::packaging::{equip, surroundings};
use crate::store::StoredPackage;
use crate::store::deployments::{Action, Deployment};
use crate::text::style::{BOLD, DIM, ERROR, GOOD, HINT, WARNING};
use crate::text::words::line;
use crate::toolchain::Programs;
use crate::toolchain::framework::Installed;
use crate::workspace::Workspace;

pub use head::all;
pub use installation::{Drift, drifts, installation};
pub use node::{Here, node};
pub use runtimes::ALLOW as ALLOW_RUNTIME;

/// The check of the package's own bytes: what it blocks is no refusal but damage.
const INTACT: &str = "intact";

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Worth a look; nothing is stopped.
    Warning,
    /// Not as it must be: what was asked for does not start.
    Blocks,
}

/// One check and what it found.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What was checked.
    pub name: &'static str,
    /// What was found.
    pub verdict: Verdict,
    /// In words.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The option, and the value, that let it pass all the same.
    #[serde(skip)]
    allowed_by: Option<(&'static str, String)>,
}

impl Check {
    /// As it should be.
    pub fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, message: message.into(), hint: None, allowed_by: None }
    }

    /// Worth a look.
    pub fn warning(name: &'static str, message: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warning, ..Self::ok(name, message) }
    }

    /// The same, but that `option` with `value` lets it pass: the hint says so.
    #[must_use]
    fn allowed_by(self, option: &'static str, value: &str) -> Self {
        let way = format!("to go on all the same: {option} {value}");
        let hint = self.hint.map_or_else(|| way.clone(), |hint| format!("{hint}; {way}"));
        Self { hint: Some(hint), allowed_by: Some((option, value.to_owned())), ..self }
    }

    /// Not as it must be.
    pub fn blocks(name: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { verdict: Verdict::Blocks, hint: Some(hint.into()), ..Self::ok(name, message) }
    }
}

/// What is checked of a package before it is deployed, from whatever working tree.
///
/// # Arguments
/// `live`: what is live, as far as the history knows. `framework`: the installed one, where there is one already.
pub fn of_package(
    workspace: &Workspace<'_>,
    package: &StoredPackage<'_>,
    action: Action,
    live: Option<&Deployment>,
    framework: Option<&Installed>,
) -> Result<Vec<Check>> {
    let Workspace { context, repository, config, progress, .. } = workspace;
    let StoredPackage { manifest, source, .. } = package;
    let Target { path, .. } = &manifest.target;
    let programs = Programs::with_node(manifest.tools.node.as_deref(), &context.cwd, &context.environment);
    let intact = package::intact(package, *progress)?;
    let is_whole = intact.verdict == Verdict::Ok;
    let mut checks = vec![intact];
    if is_whole {
        checks.extend(of_state(workspace, package, live)?);
    }
    checks.push(toolchain::check(&equip::outlook(workspace, *source, path, &programs)?, action));
    checks.extend(node(manifest, framework, &Here::of(&programs, &context.cwd, workspace)));
    let is_set = |name: &str| context.environment.value(name).is_some();
    checks.extend(licence::check(manifest.tools.framework.as_ref(), is_set));
    let tree = Source::new(repository, repository.commit(*source)?.tree);
    let found = surroundings::carried(workspace, tree, path)?;
    let own = |file: &str| tree.entry(&path.file(file)).is_ok_and(|found| found.is_some());
    checks.extend(carried::check(&config.carry, &found, &manifest.carried.paths, own)?);
    let variables = &manifest.environment;
    let values = surroundings::values_for(workspace, *source, &manifest.target, &variables.names)?;
    checks.extend(variables::check(variables, &values));
    Ok(checks)
}

/// What is checked of what the package's state says.
fn of_state(
    workspace: &Workspace<'_>,
    package: &StoredPackage<'_>,
    live: Option<&Deployment>,
) -> Result<Vec<Check>> {
    let state = package::state(package)?;
    let mut checks = vec![package::target(&package.manifest.target, &state)];
    let Ok(template) = state.template() else { return Ok(checks) };
    let live = live.and_then(|live| package::live(workspace, live));
    let live = live.as_ref().map(runtimes::of_template);
    let today = workspace.context.clock.now().to_zoned_datetime(TimeZone::UTC).date();
    checks.extend(runtimes::check(&runtimes::of_template(&template), live.as_ref(), today)?);
    checks.extend(limits::check(&template, |file| package.unpacked_size(file))?);
    Ok(checks)
}

/// Lets pass what blocks and `names` name: the values that were given with `option`.
///
/// # Errors
/// When nothing blocks that has one of the names: it is misspelt, or not needed any more.
pub fn allow(checks: &mut [Check], option: &str, names: &[String]) -> Result<()> {
    for name in names {
        let is_named = |check: &&mut Check| {
            check.allowed_by.as_ref().is_some_and(|(by, value)| (*by, value) == (option, name))
        };
        let Some(check) = checks.iter_mut().find(is_named) else {
            return Err(Error::usage(format!("nothing has to be allowed with {option} {name}"))
                .hint("leave it out: see the checks with --dry-run"));
        };
        check.verdict = Verdict::Warning;
        check.message.push_str(&format!(" (allowed by {option})"));
        check.hint = None;
    }
    Ok(())
}

/// Some names for people: the first few of many.
fn listed(names: &[&str]) -> String {
    const MOST: usize = 5;
    let shown = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    if names.len() > MOST { format!("{shown} and {} more", names.len() - MOST) } else { shown }
}

/// Refuses what `checks` do not let start.
///
/// # Errors
/// One error for all that block; [`Kind::Integrity`] where the package itself is damaged.
pub fn pass(checks: &[Check]) -> Result<()> {
    let blocking: Vec<&Check> = checks.iter().filter(|check| check.verdict == Verdict::Blocks).collect();
    if blocking.is_empty() {
        return Ok(());
    }
    let damaged = blocking.iter().any(|check| check.name == INTACT);
    let message = blocking.iter().map(|check| check.message.as_str()).collect::<Vec<_>>().join("; ");
    let error = Error::new(if damaged { Kind::Integrity } else { Kind::Refused }, message);
    Err(error.hints(blocking.iter().filter_map(|check| check.hint.clone())))
}

/// The checks under their heading, in a plan.
pub fn write(f: &mut fmt::Formatter<'_>, checks: &[Check]) -> fmt::Result {
    writeln!(f, "{BOLD}Checks{BOLD:#}")?;
    checks
        .iter()
        .flat_map(|check| check.to_string().lines().map(str::to_owned).collect::<Vec<_>>())
        .try_for_each(|line| writeln!(f, "  {line}"))
}

impl fmt::Display for Check {
    /// A line, and one more for what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, verdict, message, hint, .. } = self;
        let (style, sign) = match verdict {
            Verdict::Ok => (GOOD, "✓"),
            Verdict::Warning => (WARNING, "!"),
            Verdict::Blocks => (ERROR, "✗"),
        };
        writeln!(f, "{style}{sign}{style:#} {name:10} {}", line(message))?;
        match hint {
            Some(hint) => writeln!(f, "  {HINT}hint:{HINT:#}     {DIM}{}{DIM:#}", line(hint)),
            None => Ok(()),
        }
    }
}
