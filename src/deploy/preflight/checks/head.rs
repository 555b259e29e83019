//! The checks of HEAD: the working tree, its package, its lockfile and what is installed, and then all that is checked before a
//! deployment.

use super::Installation;
use super::check::INTACT;
use super::credentials::eased;
use super::package::banned;
use super::{Check, of_package};
use crate::config::{FILE, Problem};
use crate::deploy::history;
use crate::deploy::preflight::second_stack::SecondStack;
use crate::error::{Kind, Result};
use crate::git::Source;
use crate::package::Manifest;
use crate::service::ServicePath;
use crate::sharing;
use crate::store::deployments::Action;
use crate::toolchain::{Lockfile, framework};
use crate::workspace::{Wanted, Workspace, name_of};

/// All checks of HEAD and the working tree against the package of HEAD.
pub fn all(workspace: &Workspace<'_>, wanted: &Wanted) -> Result<Vec<Check>> {
    let repository = workspace.repository;
    let top = repository.work_tree()?;
    let head = repository.resolve("HEAD")?;
    let service = workspace.service(head, wanted)?;
    let stage = workspace.stage(wanted, Some(&service))?;
    let mut checks = vec![clean(workspace)?];
    checks.extend(workspace.config_problems()?.into_iter().map(config));
    let mut filter = workspace.one(wanted)?;
    filter.stage = Some(stage.to_string());
    let package = |words: &[&str]| {
        let named = (&service.path, name_of(&service));
        workspace.package_command(words, named, &stage, wanted.region.as_ref())
    };
    let found = match sharing::find(workspace, "HEAD", &filter) {
        Ok(found) if found.line.dirty_tree.is_some() => {
            checks.push(Check::blocks(
                "package",
                "HEAD's only package was made with uncommitted changes",
                package(&[]),
            ));
            Some(found)
        }
        Ok(found) => {
            let message = format!("packaged for {} ({})", found.line.target, found.line.package.short());
            checks.push(Check::ok("package", message));
            Some(found)
        }
        Err(error) if error.kind == Kind::NotRecorded => {
            // A command must not repeat what is probably a slip.
            let hint = workspace.mistyped(wanted)?.unwrap_or_else(|| package(&[]));
            checks.push(Check::blocks("package", error.message, hint));
            None
        }
        Err(error) => return Err(error),
    };
    if let Some(found) = found {
        checks.extend(banned(workspace, &found)?);
        match sharing::open(workspace, &found) {
            Ok(stored) => {
                let package_again = package(&["--again"]);
                let source = Source::new(repository, repository.commit(head)?.tree);
                checks.push(lockfile(source, &service.path, &stored.manifest, &package_again)?);
                let installed = Installation::read(repository, top, &service.path, &stored.manifest);
                checks.extend(installed.checks_in_working_tree());
                let known = workspace.store().histories().of(&stored.manifest.target)?.deployments;
                let framework = framework::find(top, &service.path).ok();
                let checked = of_package(workspace, &stored, Action::Deploy, &known, framework.as_ref())?;
                checks.extend(checked.checks.into_iter().map(eased));
                let live = history::live(&known).map(|live| live.ended.unwrap_or(live.started));
                if let Some(second) =
                    SecondStack::of(workspace, &stored, live)?.filter(SecondStack::is_unusual)
                {
                    let way = second.way(workspace, &stored.manifest.target);
                    checks.push(Check::warning("stack", format!("a deployment {second}")).hinted(way));
                }
                checks.extend(settings(&checked.configured, &service.config));
            }
            Err(error) if error.kind == Kind::Integrity => {
                checks.push(Check::blocks(INTACT, error.message, "git slsart verify HEAD"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(checks)
}

fn config(problem: Problem) -> Check {
    if problem.blocks {
        return Check::blocks("config", problem.to_string(), problem.hint);
    }
    Check::warning("config", problem.to_string()).hinted(problem.hint)
}

fn clean(workspace: &Workspace<'_>) -> Result<Check> {
    let paths = workspace.repository.dirty_paths()?;
    let paths: Vec<_> =
        paths.iter().filter(|path| !path.split('/').any(|part| part == ".serverless")).collect();
    Ok(match paths.first() {
        None => Check::ok("clean", "the working tree has no changes"),
        Some(first) => {
            let more = if paths.len() > 1 { format!(" and {} more", paths.len() - 1) } else { String::new() };
            Check::blocks(
                "clean",
                format!("the working tree has changes: {first}{more}"),
                "commit them, or put them aside: git stash --include-untracked",
            )
        }
    })
}

/// The check that `slsart.toml` is not part of the code: a new comment in it would be a change of every function.
fn settings(archives: &[String], config: &str) -> Option<Check> {
    let first = archives.first()?;
    let message = format!("{FILE} is in {first}: each change to it changes the code of the functions");
    Some(
        Check::warning("settings", message)
            .hinted(format!("add '!{FILE}' to `patterns` under `package` in {config}")),
    )
}

fn lockfile(source: Source<'_>, path: &ServicePath, manifest: &Manifest, again: &str) -> Result<Check> {
    let now = Lockfile::find(source, path)?;
    Ok(match (&manifest.lockfile, now) {
        (Some(recorded), Some(now)) if recorded.sha256 == now.sha256 && recorded.path == now.path => {
            Check::ok("lockfile", format!("{} is as recorded", recorded.path))
        }
        (Some(recorded), Some(_)) => Check::blocks(
            "lockfile",
            format!("{} differs from the one that made the package", recorded.path),
            format!("package the commit again: {again}"),
        ),
        (Some(recorded), None) => Check::blocks(
            "lockfile",
            format!("{} is missing", recorded.path),
            format!("git checkout HEAD -- '{}'", recorded.path),
        ),
        (None, _) => Check::warning("lockfile", "the package was recorded without a lockfile"),
    })
}
