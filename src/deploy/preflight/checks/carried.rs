//! Files that git ignores and a deploy needs: they come from the working tree, and must still be there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Check;
use super::check::listed;
use crate::config::Carry;
use crate::error::Result;
use crate::packaging::carry::{no_match, unmatched};
use crate::text::words::count;

const NAME: &str = "carried";

/// The check of the files that would be carried, `found`, against those that were when packaging, `recorded`, and against what the
/// configuration names; `None` where there is nothing of either. `own` tells what the source has itself.
pub(super) fn check(
    carry: &Carry,
    found: &BTreeMap<String, PathBuf>,
    recorded: &[String],
    own: impl Fn(&str) -> bool,
) -> Result<Option<Check>> {
    let missing: Vec<&str> =
        recorded.iter().map(String::as_str).filter(|path| !found.contains_key(*path) && !own(path)).collect();
    if !missing.is_empty() {
        let message = format!("carried when packaging, and not here now: {}", listed(&missing));
        return Ok(Some(warning(message)));
    }
    let unmatched = unmatched(carry, found.keys())?;
    if !unmatched.is_empty() {
        return Ok(Some(warning(no_match(&unmatched))));
    }
    Ok((!found.is_empty()).then(|| {
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        Check::ok(NAME, format!("{}: {}", count(found.len(), "ignored file"), listed(&names)))
    }))
}

fn warning(message: String) -> Check {
    Check::warning(NAME, message)
}

#[cfg(test)]
mod tests {
    use super::super::CheckVerdict;
    use super::*;

    fn line(patterns: &[&str], found: &[&str], recorded: &[&str]) -> Option<(CheckVerdict, String)> {
        let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let found = words(found).into_iter().map(|path| (path, PathBuf::new())).collect();
        let carry = Carry { paths: words(patterns) };
        let check = check(&carry, &found, &words(recorded), |path| path == "tracked").unwrap()?;
        Some((check.verdict, check.message))
    }

    #[test]
    fn what_was_there_or_is_named_must_be_there() {
        let defaults = &[".env", ".env.*"];
        assert_eq!(line(defaults, &[], &[]), None);
        assert_eq!(line(defaults, &[], &["tracked"]), None);
        let ok = |message: &str| Some((CheckVerdict::Ok, message.to_owned()));
        let warning = |message: &str| Some((CheckVerdict::Warning, message.to_owned()));
        assert_eq!(line(defaults, &[".env"], &[".env"]), ok("1 ignored file: .env"));
        assert_eq!(
            line(defaults, &[".env"], &[".env", ".env.prod"]),
            warning("carried when packaging, and not here now: .env.prod")
        );
        let patterns = &[".env", "build/", "keys/**/*.pem"];
        assert_eq!(
            line(patterns, &[".env"], &[]),
            warning("[carry] in slsart.toml: no file that git ignores matches build/, keys/**/*.pem")
        );
        assert_eq!(
            line(patterns, &["build/a", "keys/x/y.pem"], &[]),
            ok("2 ignored files: build/a, keys/x/y.pem")
        );
    }
}
