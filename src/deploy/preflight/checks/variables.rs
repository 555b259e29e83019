//! Environment variables that the configuration refers to: whether they are what they were when packaging. Names are shown, values
//! never.

use super::Check;
use super::check::listed;
use crate::package::VariableChanges;
use crate::package::manifest::Variables;
use crate::service::Values;

const NAME: &str = "variables";

/// The check of the values `now` against those when packaging; `None` where the configuration refers to none, or those were not
/// known.
pub(super) fn check(recorded: &Variables, now: &Values) -> Option<Check> {
    let VariableChanges { changed, missing, new } = recorded.compare(now)?;
    if recorded.names.is_empty() {
        return None;
    }
    let told = |names: &[String], what: &str| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        (!names.is_empty()).then(|| format!("{} {what}", listed(&names)))
    };
    let differences: Vec<String> = [
        told(&changed, "changed since packaging"),
        told(&missing, "set when packaging and not here"),
        told(&new, "set here and not when packaging"),
    ]
    .into_iter()
    .flatten()
    .collect();
    Some(if differences.is_empty() {
        let names: Vec<&str> = recorded.names.iter().map(String::as_str).collect();
        Check::ok(NAME, format!("as when packaging ({})", listed(&names)))
    } else {
        Check::warning(NAME, differences.join("; "))
    })
}

#[cfg(test)]
mod tests {
    use super::super::CheckVerdict;
    use super::*;

    #[test]
    fn names_are_told_and_values_never() {
        let names = ["A", "B", "C"].map(str::to_owned).to_vec();
        let before = Values::of(&[("A", "old-secret"), ("B", "x")]);
        let recorded = Variables::marked(names.clone(), &before, [1; 16]);
        let same = check(&recorded, &before).unwrap();
        assert_eq!((same.verdict, same.message.as_str()), (CheckVerdict::Ok, "as when packaging (A, B, C)"));
        let other = check(&recorded, &Values::of(&[("A", "new-secret"), ("C", "y")])).unwrap();
        assert_eq!(other.verdict, CheckVerdict::Warning);
        assert_eq!(
            other.message,
            "A changed since packaging; B set when packaging and not here; C set here and not when packaging"
        );
        assert!(check(&Variables::named(names), &before).is_none());
        assert!(check(&Variables::marked(Vec::new(), &before, [1; 16]), &before).is_none());
    }
}
