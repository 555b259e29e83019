//! Whether Lambda still takes the runtimes of the package: AWS stops making functions with an old one, and later updating them.
//!
//! The dates are those of <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html>, as cfn-lint has them
//! (`runtimes.py`). AWS has put such dates off before: what they block can be allowed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use super::Check;
use crate::error::{Error, Result};

/// The option that lets a runtime pass.
pub const ALLOW: &str = "--allow-runtime";

const NAME: &str = "runtimes";
const TABLE: &str = include_str!("runtimes.toml");

/// The dates of all runtimes.
#[derive(Debug, Deserialize)]
struct Table {
    source: String,
    taken: Date,
    runtimes: BTreeMap<String, Dates>,
}

/// From when on AWS does no longer what.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct Dates {
    deprecated: Option<Date>,
    create_blocked: Option<Date>,
    update_blocked: Option<Date>,
}

/// The functions of a template with their runtimes, by logical id; container images have none.
pub(super) fn of_template(template: &Value) -> BTreeMap<String, String> {
    let resources = template["Resources"].as_object().into_iter().flatten();
    let functions = resources.filter(|(_, resource)| resource["Type"] == "AWS::Lambda::Function");
    let runtime = |(id, resource): (&String, &Value)| {
        Some((id.clone(), resource["Properties"]["Runtime"].as_str()?.to_owned()))
    };
    functions.filter_map(runtime).collect()
}

/// A line for each runtime that is not as it should be `today`, or one for all. `live` are the functions of what is live, where
/// that is known.
pub(super) fn check(
    functions: &BTreeMap<String, String>,
    live: Option<&BTreeMap<String, String>>,
    today: Date,
) -> Result<Vec<Check>> {
    let table: Table = toml::from_str(TABLE)
        .map_err(|error| Error::bug("the table of runtimes can't be read").because(error))?;
    let runtimes: BTreeSet<&str> = functions.values().map(String::as_str).collect();
    let mut checks: Vec<Check> =
        runtimes.iter().filter_map(|runtime| table.check(runtime, functions, live, today)).collect();
    if checks.is_empty() && !runtimes.is_empty() {
        let list = runtimes.into_iter().collect::<Vec<_>>().join(", ");
        checks.push(Check::ok(NAME, format!("Lambda accepts {list}")));
    }
    Ok(checks)
}

impl Table {
    fn check(
        &self,
        runtime: &str,
        functions: &BTreeMap<String, String>,
        live: Option<&BTreeMap<String, String>>,
        today: Date,
    ) -> Option<Check> {
        // One that is newer than the table is not known to be old.
        let dates = self.runtimes.get(runtime).copied().unwrap_or_default();
        let past = |date: Option<Date>| date.filter(|date| *date <= today);
        let ids: Vec<&str> =
            functions.iter().filter(|(_, of)| *of == runtime).map(|(id, _)| id.as_str()).collect();
        let new: Vec<&str> =
            ids.iter().copied().filter(|id| live.is_some_and(|live| !live.contains_key(*id))).collect();
        if let Some(date) = past(dates.update_blocked) {
            let list = ids.join(", ");
            return Some(self.blocks(
                runtime,
                format!("Lambda no longer updates functions with {runtime}, since {date}: {list}"),
            ));
        }
        if let Some(date) = past(dates.create_blocked) {
            let message = format!("Lambda no longer creates functions with {runtime}, since {date}");
            return Some(if !new.is_empty() {
                self.blocks(runtime, format!("{message}; not live yet: {}", new.join(", ")))
            } else if live.is_none() {
                Check::warning(NAME, format!("{message}; perhaps not live yet: {}", ids.join(", ")))
            } else {
                Check::warning(NAME, format!("{message}; it still updates those that are live"))
            });
        }
        past(dates.deprecated)
            .map(|date| Check::warning(NAME, format!("{runtime} has been deprecated since {date}")))
    }

    fn blocks(&self, runtime: &str, message: String) -> Check {
        let hint = format!("by the dates of {}, taken {}", self.source, self.taken);
        Check::blocks(NAME, message, hint).allowed_by(ALLOW, runtime)
    }
}

#[cfg(test)]
mod tests {
    use super::super::CheckVerdict;
    use super::*;

    fn functions(all: &[(&str, &str)]) -> BTreeMap<String, String> {
        all.iter().map(|(id, runtime)| ((*id).to_owned(), (*runtime).to_owned())).collect()
    }

    /// Of node 14: deprecated 2023-12-04, no new functions from 2024-01-09 on, no updates from 2027-03-03 on.
    fn at(today: &str, live: Option<&[(&str, &str)]>) -> Vec<(CheckVerdict, String)> {
        let package = functions(&[("Old", "nodejs14.x"), ("New", "nodejs22.x")]);
        let live = live.map(functions);
        let checks = check(&package, live.as_ref(), today.parse().unwrap()).unwrap();
        checks.into_iter().map(|check| (check.verdict, check.message)).collect()
    }

    #[test]
    fn a_runtime_ages_in_three_steps() {
        let ok = (CheckVerdict::Ok, "Lambda accepts nodejs14.x, nodejs22.x".to_owned());
        assert_eq!(at("2023-12-03", None), [ok]);
        let deprecated =
            (CheckVerdict::Warning, "nodejs14.x has been deprecated since 2023-12-04".to_owned());
        assert_eq!(at("2023-12-04", None), [deprecated]);

        let live: &[_] = &[("Old", "nodejs14.x")];
        let [(verdict, message)] = &at("2024-01-09", Some(live))[..] else { panic!() };
        assert_eq!(*verdict, CheckVerdict::Warning);
        assert!(message.ends_with("still updates those that are live"), "{message}");
        let [(verdict, message)] = &at("2024-01-09", Some(&[]))[..] else { panic!() };
        assert_eq!(*verdict, CheckVerdict::Blocks);
        assert!(message.ends_with("not live yet: Old"), "{message}");
        let [(verdict, message)] = &at("2024-01-09", None)[..] else { panic!() };
        assert_eq!(*verdict, CheckVerdict::Warning);
        assert!(message.ends_with("perhaps not live yet: Old"), "{message}");

        let [(verdict, message)] = &at("2027-03-03", Some(live))[..] else { panic!() };
        assert_eq!(*verdict, CheckVerdict::Blocks);
        assert!(
            message.starts_with("Lambda no longer updates functions with nodejs14.x, since 2027-03-03"),
            "{message}"
        );
    }

    #[test]
    fn a_runtime_that_the_table_lacks_is_taken() {
        let today = "2099-01-01".parse().unwrap();
        let checks = check(&functions(&[("A", "nodejs99.x")]), None, today).unwrap();
        assert_eq!(checks[0].verdict, CheckVerdict::Ok);
        assert!(check(&BTreeMap::new(), None, today).unwrap().is_empty());
    }

    #[test]
    fn a_template_tells_its_functions() {
        let template = serde_json::json!({ "Resources": {
            "A": { "Type": "AWS::Lambda::Function", "Properties": { "Runtime": "nodejs22.x" } },
            "Image": { "Type": "AWS::Lambda::Function", "Properties": { "PackageType": "Image" } },
            "Table": { "Type": "AWS::DynamoDB::Table", "Properties": { "Runtime": "x" } },
        }});
        assert_eq!(of_template(&template), functions(&[("A", "nodejs22.x")]));
        assert!(of_template(&Value::Null).is_empty());
    }
}
