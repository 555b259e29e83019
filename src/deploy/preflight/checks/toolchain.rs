//! Where the plugins will come from: from what is kept, or from the package manager.

use super::Check;
use crate::packaging::checkout::InstallSource;
use crate::store::deployments::Action;
use crate::text::words::short;

const NAME: &str = "toolchain";

/// The check of where the plugins will come from. That a package which is deployed for the first time has nothing kept is as it
/// should be; a rollback that needs a registry is worth a warning.
pub(super) fn check(source: &InstallSource, action: Action) -> Check {
    match source {
        InstallSource::Snapshot(id) => {
            Check::ok(NAME, format!("the plugins will be restored (toolchain {})", short(id, 12)))
        }
        InstallSource::PackageManager { program, found: false, .. } => Check::blocks(
            NAME,
            format!(
                "there is no toolchain that fits, and {program}, which would install the plugins, is not here"
            ),
            format!("install {program}, or add its directory to PATH"),
        ),
        InstallSource::PackageManager { program, lockfile, unfit, .. } if !unfit.is_empty() => {
            let message = format!("{program} installs the plugins from {lockfile}: {}", unfit.join("; "));
            Check::warning(NAME, message)
        }
        InstallSource::PackageManager { program, lockfile, .. } => {
            let message =
                format!("{program} will install the plugins from {lockfile}: there is no toolchain here");
            match action {
                Action::Deploy => Check::ok(NAME, message),
                Action::Rollback | Action::Undo => Check::warning(NAME, message),
            }
        }
        InstallSource::NoLockfile => Check::blocks(
            NAME,
            "the commit has no lockfile for the service: its plugins are unknown",
            "commit the lockfile of your package manager, such as package-lock.json, and package that commit",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::CheckVerdict;
    use super::*;

    #[test]
    fn a_registry_is_worth_a_warning_where_something_is_rolled_back() {
        let installed = |found: bool, unfit: &[&str]| InstallSource::PackageManager {
            program: "npm",
            lockfile: "package-lock.json".to_owned(),
            unfit: unfit.iter().map(|why| (*why).to_owned()).collect(),
            found,
        };
        for (source, deploy, rollback) in [
            (InstallSource::Snapshot("74f4e3c3".to_owned()), CheckVerdict::Ok, CheckVerdict::Ok),
            (installed(true, &[]), CheckVerdict::Ok, CheckVerdict::Warning),
            (installed(true, &["it is for arm64"]), CheckVerdict::Warning, CheckVerdict::Warning),
            (installed(false, &[]), CheckVerdict::Blocks, CheckVerdict::Blocks),
            (installed(false, &["it is for arm64"]), CheckVerdict::Blocks, CheckVerdict::Blocks),
            (InstallSource::NoLockfile, CheckVerdict::Blocks, CheckVerdict::Blocks),
        ] {
            assert_eq!(check(&source, Action::Deploy).verdict, deploy, "{source:?}");
            assert_eq!(check(&source, Action::Rollback).verdict, rollback, "{source:?}");
        }
    }
}
