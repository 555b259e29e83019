//! The node that will run the framework: the one that made the package, or one that the framework takes.

use std::path::Path;

use super::Check;
use crate::git::Source;
use crate::package::Manifest;
use crate::package::manifest::Tool;
use crate::toolchain::node::{Admission, admission, same_major};
use crate::toolchain::{Lockfile, Programs};
use crate::workspace::Workspace;

/// The node that is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Here {
    /// Its version; `None` when there is no node.
    version: Option<String>,
    /// The version manager that has it, where it is not the first that is found.
    from: Option<String>,
}

impl Here {
    /// The node that `programs` find in `directory`.
    pub fn of(programs: &Programs, directory: &Path, workspace: &Workspace<'_>) -> Self {
        match programs.node() {
            Some(node) => {
                let from = node.place(&workspace.context.environment);
                Self { version: Some(node.version.clone()), from: Some(from) }
            }
            None => Self { version: programs.node_version(directory).ok(), from: None },
        }
    }
}

/// The check of the node that is `here` against the one that made the package, and against `engines`: the framework and the versions
/// of node that it says it runs on. `None` where there is nothing to compare it with.
pub fn node(manifest: &Manifest, engines: Option<(&Tool, &str)>, here: &Here) -> Option<Check> {
    verdict(manifest.tools.node.as_deref(), engines, here)
}

/// The versions of node that the framework of a package says it runs on, before it is installed: as the manifest has them, which
/// packages recorded before have not, else as the lockfile of `source` does. `None` where neither says.
pub(super) fn engines(manifest: &Manifest, source: Source<'_>) -> Option<String> {
    let locked = || {
        let lockfile = Lockfile::find(source, &manifest.target.path).ok()??;
        lockfile.packages(source).ok()??.engines(manifest.tools.framework.as_ref()?)
    };
    manifest.node.framework.clone().or_else(locked)
}

fn verdict(recorded: Option<&str>, engines: Option<(&Tool, &str)>, here: &Here) -> Option<Check> {
    let Some(version) = here.version.as_deref() else {
        return Some(Check::blocks(
            "node",
            "cannot run node",
            "install node.js, or add its directory to PATH",
        ));
    };
    if let Some((framework, engines)) = engines
        && let Admission::Refused { least } = admission(engines, version)
    {
        let fits = |recorded: &&str| admission(engines, recorded) == Admission::Admitted;
        let wanted = recorded.filter(fits).map(str::to_owned).or(least);
        let hint = match wanted {
            Some(wanted) => {
                format!("use that node, or have a version manager install it, such as: nvm install {wanted}")
            }
            None => "no installed version of node fits".to_owned(),
        };
        let message = format!("{framework} runs on node {engines}, and {version} is here");
        return Some(Check::blocks("node", message, hint));
    }
    let recorded = recorded?;
    let shown = match &here.from {
        Some(from) => format!("{version} from {from}"),
        None => version.to_owned(),
    };
    Some(if version == recorded {
        Check::ok("node", format!("{shown}, as recorded"))
    } else if same_major(version, recorded) {
        Check::ok("node", format!("{shown}; {recorded} made the package"))
    } else {
        Check::warning("node", format!("{shown} is here and {recorded} made the package"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::CheckVerdict;
    use super::*;

    fn line(
        recorded: Option<&str>,
        engines: Option<&str>,
        version: Option<&str>,
        from: Option<&str>,
    ) -> String {
        let osls = Tool { name: "osls".to_owned(), version: "4.3.1".to_owned() };
        let here = Here { version: version.map(str::to_owned), from: from.map(str::to_owned) };
        let Some(check) = verdict(recorded, engines.map(|engines| (&osls, engines)), &here) else {
            return String::new();
        };
        let sign = match check.verdict {
            CheckVerdict::Ok => "✓",
            CheckVerdict::Warning => "!",
            CheckVerdict::Blocks => "✗",
        };
        format!("{sign} {} {}", check.message, check.hint.unwrap_or_default())
    }

    #[test]
    fn only_what_the_framework_refuses_blocks() {
        let old = Some("22.11.0");
        assert_eq!(line(old, Some(">=20"), old, None), "✓ 22.11.0, as recorded ");
        assert_eq!(line(old, None, old, Some("~/.nvm")), "✓ 22.11.0 from ~/.nvm, as recorded ");
        assert_eq!(line(old, Some(">=20"), Some("22.1.0"), None), "✓ 22.1.0; 22.11.0 made the package ");
        assert_eq!(line(old, None, Some("24.0.0"), None), "! 24.0.0 is here and 22.11.0 made the package ");
        assert_eq!(line(None, Some(">=20"), Some("24.0.0"), None), "");
        for (recorded, wanted) in [(old, "22.11.0"), (None, "20.0.0"), (Some("18.0.0"), "20.0.0")] {
            let refused = line(recorded, Some(">=20"), Some("18.1.0"), None);
            assert!(refused.starts_with("✗ osls 4.3.1 runs on node >=20, and 18.1.0 is here"), "{refused}");
            assert!(refused.ends_with(&format!("nvm install {wanted}")), "{refused}");
        }
        assert!(line(None, None, None, None).starts_with("✗ cannot run node"));
    }
}
