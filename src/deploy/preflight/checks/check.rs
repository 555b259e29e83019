//! What a check gives: a line with a verdict; and what becomes of all lines together.

use std::fmt;

use serde::Serialize;

use crate::aws::AwsError;
use crate::error::{Error, Kind, Result};
use crate::text::style::{BOLD, DIM, ERROR, GOOD, HINT, WARNING};
use crate::text::words::line;

/// The check of the package's own bytes: what it blocks is no refusal but damage.
pub(super) const INTACT: &str = "intact";

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckVerdict {
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
    pub verdict: CheckVerdict,
    /// In words.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The option, and the value, that let it pass all the same.
    #[serde(skip)]
    pub(super) allowed_by: Option<(&'static str, String)>,
    /// Whether what blocks is damage, and no refusal.
    #[serde(skip)]
    pub(super) is_damage: bool,
}

impl Check {
    /// As it should be.
    pub fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self {
            name,
            verdict: CheckVerdict::Ok,
            message: message.into(),
            hint: None,
            allowed_by: None,
            is_damage: name == INTACT,
        }
    }

    /// Worth a look.
    pub fn warning(name: &'static str, message: impl Into<String>) -> Self {
        Self { verdict: CheckVerdict::Warning, ..Self::ok(name, message) }
    }

    /// The same, with what to do.
    pub(super) fn hinted(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The same, but that `option` with `value` lets it pass: the hint says so.
    pub(super) fn allowed_by(self, option: &'static str, value: &str) -> Self {
        let way = format!("to go on all the same: {option} {value}");
        let way = way.trim_end();
        let hint = self.hint.map_or_else(|| way.to_owned(), |hint| format!("{hint}; {way}"));
        Self { hint: Some(hint), allowed_by: Some((option, value.to_owned())), ..self }
    }

    /// The same, but that it is no refusal: the content differs from the record.
    pub(super) fn of_damage(self) -> Self {
        Self { is_damage: true, ..self }
    }

    /// Not as it must be.
    pub fn blocks(name: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { verdict: CheckVerdict::Blocks, hint: Some(hint.into()), ..Self::ok(name, message) }
    }
}

/// The check of something that AWS did not answer: a warning.
pub(super) fn unanswered(name: &'static str, error: &AwsError) -> Check {
    Check { hint: error.hint(), ..Check::warning(name, error.to_string()) }
}

/// Some names for people: the first few of many.
pub(in crate::deploy) fn listed(names: &[&str]) -> String {
    const MAX_SHOWN: usize = 5;
    let shown = names.iter().take(MAX_SHOWN).copied().collect::<Vec<_>>().join(", ");
    if names.len() > MAX_SHOWN { format!("{shown} and {} more", names.len() - MAX_SHOWN) } else { shown }
}

/// Lets pass what blocks and is of one of the values `names` that were given with `option`. A name that nothing blocks by changes
/// nothing.
pub fn allow(checks: &mut [Check], option: &str, names: &[String]) {
    for check in checks.iter_mut().filter(|check| check.verdict == CheckVerdict::Blocks) {
        let Some((by, value)) = &check.allowed_by else { continue };
        if *by == option && names.contains(value) {
            check.verdict = CheckVerdict::Warning;
            check.message.push_str(&format!(" (allowed by {option})"));
            check.hint = None;
        }
    }
}

/// Refuses what `checks` do not let start.
///
/// # Errors
/// One error for all that block; [`Kind::Integrity`] where the package itself is damaged.
pub fn pass(checks: &[Check]) -> Result<()> {
    let blocking: Vec<&Check> = checks.iter().filter(|check| check.verdict == CheckVerdict::Blocks).collect();
    if blocking.is_empty() {
        return Ok(());
    }
    let damaged = blocking.iter().any(|check| check.is_damage);
    let message = blocking.iter().map(|check| check.message.as_str()).collect::<Vec<_>>().join("; ");
    let error = Error::new(if damaged { Kind::Integrity } else { Kind::Refused }, message);
    Err(error.hints(blocking.iter().filter_map(|check| check.hint.clone())))
}

/// The checks under their heading, in a plan. What blocks stands without its hint: the error after the plan has it.
pub fn write(f: &mut fmt::Formatter<'_>, checks: &[Check]) -> fmt::Result {
    writeln!(f, "{BOLD}Checks{BOLD:#}")?;
    checks
        .iter()
        .flat_map(|check| {
            let shown = if check.verdict == CheckVerdict::Blocks { 1 } else { usize::MAX };
            check.to_string().lines().take(shown).map(str::to_owned).collect::<Vec<_>>()
        })
        .try_for_each(|line| writeln!(f, "  {line}"))
}

impl fmt::Display for Check {
    /// A line, and one more for what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, verdict, message, hint, .. } = self;
        let (style, sign) = match verdict {
            CheckVerdict::Ok => (GOOD, "✓"),
            CheckVerdict::Warning => (WARNING, "!"),
            CheckVerdict::Blocks => (ERROR, "✗"),
        };
        writeln!(f, "{style}{sign}{style:#} {name:10} {}", line(message))?;
        match hint {
            Some(hint) => writeln!(f, "  {HINT}hint:{HINT:#}     {DIM}{}{DIM:#}", line(hint)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_blocks_is_one_error_and_damage_outweighs_the_rest() {
        let old = Check::blocks("runtimes", "old", "wait").allowed_by("--allow-runtime", "nodejs4.3");
        let mut checks = vec![Check::ok("a", "well"), Check::warning("b", "look"), old];
        let error = pass(&checks).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (Kind::Refused, "old"));
        assert_eq!(error.hints, ["wait; to go on all the same: --allow-runtime nodejs4.3"]);

        allow(&mut checks, "--allow-runtime", &["nodejs6.10".to_owned()]);
        allow(&mut checks, "--allow-other", &["nodejs4.3".to_owned()]);
        assert!(pass(&checks).is_err());
        checks.push(Check::blocks(INTACT, "damaged", "elsewhere"));
        let error = pass(&checks).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (Kind::Integrity, "old; damaged"));

        checks.pop();
        allow(&mut checks, "--allow-runtime", &["nodejs4.3".to_owned()]);
        assert!(pass(&checks).is_ok());
        assert_eq!(checks[2].message, "old (allowed by --allow-runtime)");
    }

    #[test]
    fn many_names_are_few_words() {
        assert_eq!(listed(&["a", "b"]), "a, b");
        assert_eq!(listed(&["a", "b", "c", "d", "e", "f", "g"]), "a, b, c, d, e and 2 more");
    }
}
