//! The licence that version 4 of `serverless` stops to ask for.

use super::Check;
use crate::package::manifest::Tool;
use crate::service::{Framework, FrameworkKind};

/// The check of the framework that made the package; `None` where it needs no licence. `is_set` tells which variables are.
pub(super) fn check(framework: Option<&Tool>, is_set: impl Fn(&str) -> bool) -> Option<Check> {
    let tool = framework.filter(|tool| tool.name == FrameworkKind::Serverless.package())?;
    let framework = Framework { kind: FrameworkKind::Serverless, version: tool.version.clone(), node: None };
    if !framework.needs_licence() {
        return None;
    }
    Some(match framework.check_licence(is_set) {
        Ok(()) => Check::ok("licence", format!("{tool} has its licence key")),
        Err(error) => Check::blocks("licence", error.to_string(), error.hint()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::CheckVerdict;
    use super::*;

    #[test]
    fn only_version_4_is_asked_for_its_key() {
        let verdict = |name: &str, version: &str, set: &str| {
            let tool = Tool { name: name.to_owned(), version: version.to_owned() };
            check(Some(&tool), |name| name == set).map(|check| check.verdict)
        };
        assert_eq!(verdict("serverless", "4.20.1", ""), Some(CheckVerdict::Blocks));
        assert_eq!(verdict("serverless", "4.20.1", "SERVERLESS_ACCESS_KEY"), Some(CheckVerdict::Ok));
        assert_eq!(verdict("serverless", "3.40.0", ""), None);
        assert_eq!(verdict("osls", "4.3.1", ""), None);
        assert!(check(None, |_| false).is_none());
    }
}
