//! Which directories of a repository are services.
//! Owns telling them by the names of their files; lists no directory and opens no file itself.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::names::ServicePath;
use super::outline::{Outline, document};

/// The names of a service's config, the one that the framework takes first (`lib/cli/resolve-configuration-path.js`).
pub const CONFIG_FILES: [&str; 7] = [
    "serverless.yml",
    "serverless.yaml",
    "serverless.json",
    "serverless.js",
    "serverless.mjs",
    "serverless.cjs",
    "serverless.ts",
];

/// Directories in which nothing is a service of this repository: installed packages, packages made, and git's and our own files.
const SKIPPED: [&str; 4] = ["node_modules", ".serverless", ".git", ".slsart"];

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Service {
    pub path: ServicePath,
    /// The name of its config file, in that directory.
    pub config: String,
    /// What the config says by itself; none when only running it would tell.
    pub outline: Option<Outline>,
    /// Why the config could not be read, in one line; the framework would fail on it, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Its directory, and its name where that can be read.
impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outline.as_ref().and_then(|outline| outline.service.as_ref()) {
            Some(name) => write!(f, "{} ({name})", self.path),
            None => self.path.fmt(f),
        }
    }
}

/// Finds the services among `paths`, files relative to the repository's root with `/` between names, ordered by path.
///
/// `read` gives a file's text, or none if it can't be had. A YAML or JSON file of the right name that has neither `service` nor
/// `provider` is something else.
pub fn discover<'p>(
    paths: impl IntoIterator<Item = &'p str>,
    mut read: impl FnMut(&str) -> Option<String>,
) -> Vec<Service> {
    let mut best: BTreeMap<&str, usize> = BTreeMap::new();
    for path in paths {
        let (directory, name) = path.rsplit_once('/').unwrap_or((".", path));
        let Some(rank) = CONFIG_FILES.iter().position(|config| *config == name) else { continue };
        if directory.split('/').any(|part| SKIPPED.contains(&part)) {
            continue;
        }
        best.entry(directory).and_modify(|known| *known = rank.min(*known)).or_insert(rank);
    }
    best.into_iter()
        .filter_map(|(directory, rank)| service(directory, CONFIG_FILES[rank], &mut read))
        .collect()
}

fn service(directory: &str, config: &str, read: &mut impl FnMut(&str) -> Option<String>) -> Option<Service> {
    let path: ServicePath = directory.parse().ok()?;
    let found =
        |outline, problem| Some(Service { path: path.clone(), config: config.to_owned(), outline, problem });
    if !has_outline(config) {
        return found(None, None);
    }
    let Some(text) = read(&path.file(config)) else {
        return found(None, Some("it can't be read".to_owned()));
    };
    match document(config, &text) {
        None => found(None, None),
        Some(Err(problem)) => found(None, Some(problem)),
        Some(Ok(value)) if value.get("service").is_none() && value.get("provider").is_none() => None,
        Some(Ok(value)) => found(Some(Outline::of_config(&value)), None),
    }
}

/// Whether a config can be read without running it.
fn has_outline(config: &str) -> bool {
    matches!(config.rsplit('.').next(), Some("yml" | "yaml" | "json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<Service> {
        let read =
            |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
        discover(files.iter().map(|(path, _)| *path), read)
    }

    #[test]
    fn services_are_found_where_they_are() {
        let config = "service: orders\nprovider: {name: aws}";
        let services = found(&[
            ("serverless.yml", config),
            ("services/order desk/serverless.yaml", config),
            ("web/serverless.ts", "export default {}"),
            ("src/a.js", ""),
            ("my-serverless.yml", config),
            ("node_modules/x/serverless.yml", config),
            ("a/.serverless/serverless.yml", config),
            ("a/.slsart/serverless.yml", config),
            ("docs/serverless.json", "{\"openapi\": 3}"),
            ("a\\b/serverless.yml", config),
        ]);
        let names: Vec<_> =
            services.iter().map(|service| (service.path.as_str(), service.config.as_str())).collect();
        assert_eq!(
            names,
            [(".", "serverless.yml"), ("services/order desk", "serverless.yaml"), ("web", "serverless.ts")]
        );
        assert_eq!(services[0].outline.as_ref().unwrap().service.as_ref().unwrap().as_str(), "orders");
        assert_eq!((services[2].outline.as_ref(), services[2].problem.as_ref()), (None, None));
    }

    #[test]
    fn of_several_configs_the_framework_takes_one() {
        let services = found(&[
            ("a/serverless.ts", ""),
            ("a/serverless.js", ""),
            ("a/serverless.mjs", ""),
            ("a/serverless.cjs", ""),
        ]);
        assert_eq!((services.len(), services[0].config.as_str()), (1, "serverless.js"));
    }

    #[test]
    fn a_config_that_does_not_read_is_still_a_service() {
        let services = discover(["a/serverless.yml", "b/serverless.yml"], |path| {
            (path == "a/serverless.yml").then(|| "a: [".to_owned())
        });
        assert_eq!(services.len(), 2);
        assert!(
            services.iter().all(|service| service.outline.is_none() && service.problem.is_some()),
            "{services:?}"
        );
    }
}
