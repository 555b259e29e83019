//! Installs exactly what a lockfile fixes, with its package manager.

use std::path::Path;

use super::lockfile::{Lockfile, LockfileKind};
use super::programs::{NODE_HINT, Programs};
use crate::context::Environment;
use crate::error::{Error, Result};
use crate::package::Machine;
use crate::process::Output;

struct InstallCommand {
    program: &'static str,
    arguments: &'static [&'static str],
    to_have: &'static str,
}

/// The command that installs exactly what the lockfile says, or fails. It includes development dependencies, often the framework and its
/// plugins, which `NODE_ENV=production` would leave out. The installation must be in the checkout and independent of its path: pnpm needs
/// options for that, since by default it writes paths of this machine into programs, and may link to a store that all projects share.
fn command(kind: LockfileKind) -> InstallCommand {
    let (program, arguments, to_have): (_, &[_], _) = match kind {
        LockfileKind::Npm => (
            "npm",
            &["ci", "--include=dev", "--no-audit", "--no-fund"],
            "npm comes with node.js: nodejs.org, or your version manager",
        ),
        LockfileKind::Yarn => (
            "yarn",
            &["install", "--frozen-lockfile", "--non-interactive", "--production=false"],
            "to install yarn 1: npm install --global yarn@1",
        ),
        LockfileKind::YarnBerry => (
            "yarn",
            &["install", "--immutable"],
            "to install the yarn that package.json names: corepack enable; or: npm install --global @yarnpkg/cli-dist",
        ),
        LockfileKind::Pnpm => (
            "pnpm",
            &[
                "install",
                "--frozen-lockfile",
                "--prod=false",
                "--config.enable-global-virtual-store=false",
                "--config.extend-node-path=false",
            ],
            "to install the pnpm that package.json names: corepack enable; or: npm install --global pnpm",
        ),
        LockfileKind::Bun => {
            ("bun", &["install", "--frozen-lockfile"], "to install bun: npm install --global bun")
        }
    };
    InstallCommand { program, arguments, to_have }
}

pub fn program(kind: LockfileKind) -> &'static str {
    command(kind).program
}

/// Installs the packages of `lockfile` in the disposable checkout at `top`.
pub fn install(programs: &Programs, top: &Path, lockfile: &Lockfile, output: Output) -> Result<()> {
    let InstallCommand { program, arguments, to_have } = command(lockfile.kind);
    let directory = lockfile.directory.under(top);
    check_yarn(programs, lockfile, &directory)?;
    let run = programs.run(program).args(arguments).current_dir(directory);
    let run = match lockfile.kind {
        // Plug'n'Play's packages stay in the cache: the user's own is not kept with the checkout.
        LockfileKind::YarnBerry => {
            run.env("YARN_ENABLE_GLOBAL_CACHE", "false").without_env("YARN_CACHE_FOLDER")
        }
        _ => run,
    };
    run.in_disposable_directory().run(output).map_err(|error| match error.kind {
        crate::error::Kind::Child(_) => error
            .hint("a package in the lockfile could not be downloaded: check that the registry can be reached and still has that version"),
        crate::error::Kind::Refused => error.hint(to_have),
        _ => error,
    })
}

/// Refuses the yarn of another kind: both have the same name, and fail with unclear errors on the other's lockfile.
fn check_yarn(programs: &Programs, lockfile: &Lockfile, directory: &Path) -> Result<()> {
    let wanted = match lockfile.kind {
        LockfileKind::Yarn => "yarn 1",
        LockfileKind::YarnBerry => "yarn 2 or later",
        LockfileKind::Npm | LockfileKind::Pnpm | LockfileKind::Bun => return Ok(()),
    };
    // If even `--version` fails, the installation's own error says more.
    let Some(found) = programs.version_of("yarn", directory) else { return Ok(()) };
    let is_first = found.starts_with("1.") || found.starts_with("0.");
    if is_first == (lockfile.kind == LockfileKind::Yarn) {
        return Ok(());
    }
    let path = &lockfile.path;
    Err(Error::refused(format!("{path} was written by {wanted}, and the installed yarn is {found}"))
        .hint(command(lockfile.kind).to_have))
}

pub fn version(
    programs: &Programs,
    kind: LockfileKind,
    directory: &Path,
    environment: &Environment,
) -> Option<String> {
    let npm = || programs.find("npm", environment).filter(|_| kind == LockfileKind::Npm);
    npm().and_then(|npm| installed_version(&npm)).or_else(|| programs.version_of(program(kind), directory))
}

/// The version in the `package.json` of the installed npm that `program` links to: starting it would take 0.2 s. `None`
/// for a stand-in, such as a version manager's shim. Other package managers may hand over to another version of themselves.
fn installed_version(program: &Path) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Package {
        name: String,
        version: String,
    }
    // `PREFIX/lib/node_modules/npm/bin/npm-cli.js`
    let package = program.canonicalize().ok()?.parent()?.parent()?.join("package.json");
    let package: Package = serde_json::from_slice(&std::fs::read(package).ok()?).ok()?;
    Some(package.version).filter(|_| package.name == "npm")
}

/// Node's description of the machine. The report would look up the names of all network connections.
const DESCRIBE: &str = "\
process.report && (process.report.excludeNetwork = true);
const { glibcVersionRuntime: glibc } = process.report ? process.report.getReport().header : {};
const libc = glibc ? `glibc ${glibc}` : process.platform === 'linux' ? 'musl' : '';
const { node, modules } = process.versions;
console.log(JSON.stringify({ os: process.platform, arch: process.arch, libc, node, modules }));";

/// This machine, as the node that is started in `directory` sees it; fails without node.
pub fn machine(programs: &Programs, directory: &Path) -> Result<Machine> {
    let output = programs.run("node").args(["-e", DESCRIBE]).current_dir(directory).read();
    let output = output.map_err(|error| error.hint(NODE_HINT))?;
    serde_json::from_slice(&output)
        .map_err(|error| Error::refused("node does not report its platform").because(error))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_version_of_npm_is_read_where_it_is_installed() {
        let prefix = tempfile::tempdir().unwrap();
        let module = prefix.path().join("lib/node_modules/npm");
        fs::create_dir_all(module.join("bin")).unwrap();
        fs::create_dir(prefix.path().join("bin")).unwrap();
        fs::write(module.join("bin/npm-cli.js"), "").unwrap();
        let npm = prefix.path().join("bin/npm");
        symlink(module.join("bin/npm-cli.js"), &npm).unwrap();
        let with = |package: &str| {
            fs::write(module.join("package.json"), package).unwrap();
            installed_version(&npm)
        };
        assert_eq!(with(r#"{"name": "npm", "version": "11.19.1"}"#).as_deref(), Some("11.19.1"));
        // Corepack's npm runs the npm that a project names.
        assert_eq!(with(r#"{"name": "corepack", "version": "0.34.0"}"#), None);
        assert_eq!(with("{"), None);
        fs::remove_file(module.join("package.json")).unwrap();
        assert_eq!(installed_version(&npm), None);
    }
}
