//! Selects packages by their notes. Pure.

use std::collections::BTreeSet;
use std::fmt;

use super::note::Note;
use super::note_line::PackageLine;
use crate::package::manifest::Target;

/// Selects packages; `None` matches anything.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub service: Option<ServiceFilter>,
    pub stage: Option<String>,
    pub region: Option<String>,
    /// Whether pruned packages match too.
    pub pruned: bool,
}

impl Filter {
    pub fn of(target: &Target) -> Self {
        Self {
            service: Some(ServiceFilter { name: None, ..ServiceFilter::from(target.path.as_str()) }),
            stage: Some(target.stage.to_string()),
            region: Some(target.region.to_string()),
            pruned: false,
        }
    }

    pub fn matches(&self, target: &Target) -> bool {
        let is = |wanted: &Option<String>, has: &str| wanted.as_ref().is_none_or(|wanted| wanted == has);
        let (path, name) = (target.path.as_str(), target.service.as_str());
        self.service.as_ref().is_none_or(|service| service.is(path, Some(name)))
            && is(&self.stage, target.stage.as_str())
            && is(&self.region, target.region.as_str())
    }

    /// Keeps of `all` the targets that match the service best. A renamed or moved service is still found by its old name or directory, but
    /// only if no target has both the new ones.
    pub fn keep_nearest<T>(&self, all: &mut Vec<T>, target: impl Fn(&T) -> &Target) {
        let Some(service) = &self.service else { return };
        let nearness = |one: &T| service.of(target(one));
        let most = all.iter().map(nearness).max();
        all.retain(|one| Some(nearness(one)) == most);
    }
}

/// A service, by its directory and its name. Both may change; one of them is enough to match, unless another service matches better.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceFilter {
    pub path: Option<String>,
    pub name: Option<String>,
    /// If the configuration does not say the name, as in `serverless.js`: the names that packages of its directory have, such as one for
    /// each stage. All match equally well.
    pub names: BTreeSet<String>,
    /// The directories and names of the other present services.
    pub others: Vec<(String, Option<String>)>,
}

/// What a user typed: a directory or a name.
impl From<&str> for ServiceFilter {
    fn from(text: &str) -> Self {
        Self { path: Some(text.to_owned()), name: Some(text.to_owned()), ..Self::default() }
    }
}

impl ServiceFilter {
    pub fn is(&self, path: &str, name: Option<&str>) -> bool {
        let mine = self.nearness(path, name);
        let theirs = |(other, called): &(String, Option<String>)| {
            nearness(other == path, called.as_deref().is_some_and(|called| Some(called) == name))
        };
        mine > 0 && self.others.iter().all(|other| theirs(other) < mine)
    }

    /// How well a directory and name match; 0 if they don't.
    pub fn nearness(&self, path: &str, name: Option<&str>) -> u8 {
        let is = |mine: &Option<String>, has: Option<&str>| mine.is_some() && mine.as_deref() == has;
        let is_named = name.is_some_and(|name| self.names.contains(name));
        nearness(is_named || is(&self.path, Some(path)), is(&self.name, name))
    }

    /// Whether it is the repository's only service, so that its name need not be shown.
    pub fn is_alone(&self) -> bool {
        self.others.is_empty() && self.path.as_deref() == Some(".")
    }

    fn of(&self, target: &Target) -> u8 {
        self.nearness(target.path.as_str(), Some(target.service.as_str()))
    }
}

/// AWS identifies a stack by its service's name, so the name counts for more than the directory.
fn nearness(is_path: bool, is_name: bool) -> u8 {
    2 * u8::from(is_name) + u8::from(is_path)
}

impl fmt::Display for ServiceFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The repository's top matches any service there; a name is specific.
        let path = self.path.as_deref().filter(|path| *path != ".");
        f.write_str(path.or(self.name.as_deref()).unwrap_or("."))
    }
}

impl Note {
    /// The lines that match `filter`, oldest first.
    pub(super) fn lines(self, filter: &Filter) -> Vec<PackageLine> {
        let pruned = self.pruned.into_iter().filter(|_| filter.pruned);
        let mut lines: Vec<_> = self.packages.into_iter().chain(pruned).collect();
        lines.retain(|line| filter.matches(&line.target));
        lines.sort_by_key(|line| line.recorded);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::manifest::tests::sample;

    fn target(path: &str, name: &str) -> Target {
        let mut target = sample().target;
        target.path = path.parse().unwrap();
        target.service = name.parse().unwrap();
        target
    }

    #[test]
    fn a_service_is_found_by_its_directory_and_its_name_but_not_where_it_is_another() {
        let others = vec![("b".to_owned(), Some("beta".to_owned()))];
        let alpha = ServiceFilter { name: Some("alpha".to_owned()), others, ..ServiceFilter::from("a") };
        for (path, name, is_it) in [
            ("a", "alpha", true),
            ("old/a", "alpha", true),
            ("a", "old-alpha", true),
            ("b", "beta", false),
            ("c", "gamma", false),
            // With the directory of one service and the name of another, the name decides.
            ("b", "alpha", true),
            ("a", "beta", false),
        ] {
            assert_eq!(alpha.is(path, Some(name)), is_it, "{path} {name}");
        }
    }

    #[test]
    fn what_has_both_is_nearer_than_what_has_one() {
        let filter = Filter {
            service: Some(ServiceFilter { name: Some("alpha".to_owned()), ..ServiceFilter::from("a") }),
            ..Filter::default()
        };
        let kept = |targets: &[(&str, &str)]| {
            let mut all: Vec<_> = targets.iter().map(|(path, name)| target(path, name)).collect();
            filter.keep_nearest(&mut all, |target| target);
            all.iter().map(|target| format!("{} {}", target.path, target.service)).collect::<Vec<_>>()
        };
        assert_eq!(kept(&[("a", "was"), ("a", "alpha"), ("old", "alpha")]), ["a alpha"]);
        assert_eq!(kept(&[("a", "was"), ("old", "alpha")]), ["old alpha"]);
        assert_eq!(kept(&[("a", "was")]), ["a was"]);
    }

    #[test]
    fn of_names_that_only_packages_tell_none_is_nearer() {
        let names = ["alpha-dev", "alpha-prod"].map(str::to_owned).into();
        let service = ServiceFilter { name: None, names, ..ServiceFilter::from("a") };
        let all = [target("a", "alpha-dev"), target("a", "alpha-qa"), target("old", "alpha-prod")];
        assert!(all.iter().all(|target| service.of(target) == 1));
        assert!(!service.is("old", Some("beta")));
    }
}
