//! Installing what a lockfile fixes, with the package manager it belongs to, and nothing that it doesn't say.

use std::path::Path;

use super::lockfile::{Kind, Lockfile};
use super::programs::{NODE_HINT, Programs};
use crate::error::{Error, Result};
use crate::package::Machine;
use crate::process::Output;

struct InstallCommand {
    program: &'static str,
    arguments: &'static [&'static str],
    to_have: &'static str,
}

/// The command that installs exactly what the lockfile says, or fails. The framework and its plugins are development
/// dependencies as often as not, which `NODE_ENV=production` would leave out. What is installed has to be in the checkout, and
/// has to be the same wherever that is: pnpm is told so, which else puts paths of this machine into programs, and may link
/// to a store that all projects share.
fn command(kind: Kind) -> InstallCommand {
    let (program, arguments, to_have): (_, &[_], _) = match kind {
        Kind::Npm => (
            "npm",
            &["ci", "--include=dev", "--no-audit", "--no-fund"],
            "npm comes with node.js: nodejs.org, or your version manager",
        ),
        Kind::Yarn => (
            "yarn",
            &["install", "--frozen-lockfile", "--non-interactive", "--production=false"],
            "to have yarn 1: npm install --global yarn@1",
        ),
        Kind::YarnBerry => (
            "yarn",
            &["install", "--immutable"],
            "to have the yarn that package.json names: corepack enable; or: npm install --global @yarnpkg/cli-dist",
        ),
        Kind::Pnpm => (
            "pnpm",
            &[
                "install",
                "--frozen-lockfile",
                "--prod=false",
                "--config.enable-global-virtual-store=false",
                "--config.extend-node-path=false",
            ],
            "to have the pnpm that package.json names: corepack enable; or: npm install --global pnpm",
        ),
        Kind::Bun => ("bun", &["install", "--frozen-lockfile"], "to have bun: npm install --global bun"),
    };
    InstallCommand { program, arguments, to_have }
}

/// The package manager's name.
pub fn program(kind: Kind) -> &'static str {
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
        Kind::YarnBerry => run.env("YARN_ENABLE_GLOBAL_CACHE", "false").without_env("YARN_CACHE_FOLDER"),
        _ => run,
    };
    run.in_disposable_directory().run(output).map_err(|error| match error.kind {
        crate::error::Kind::Child(_) => error
            .hint("a package the lockfile names could not be had: is the registry reachable, and is the version still there?"),
        crate::error::Kind::Refused => error.hint(to_have),
        _ => error,
    })
}

/// Refuses the yarn of another kind: both are called so, and neither says well what is wrong with the other's lockfile.
fn check_yarn(programs: &Programs, lockfile: &Lockfile, directory: &Path) -> Result<()> {
    let wanted = match lockfile.kind {
        Kind::Yarn => "yarn 1",
        Kind::YarnBerry => "yarn 2 or later",
        Kind::Npm | Kind::Pnpm | Kind::Bun => return Ok(()),
    };
    // Where it does not even tell its version, its error tells more.
    let Some(found) = version(programs, lockfile.kind, directory) else { return Ok(()) };
    let is_first = found.starts_with("1.") || found.starts_with("0.");
    if is_first == (lockfile.kind == Kind::Yarn) {
        return Ok(());
    }
    let path = &lockfile.path;
    Err(Error::refused(format!("{path} is of {wanted}, and the yarn that is found is {found}"))
        .hint(command(lockfile.kind).to_have))
}

/// The version of the package manager, where it says it.
pub fn version(programs: &Programs, kind: Kind, directory: &Path) -> Option<String> {
    programs.version_of(program(kind), directory)
}

/// What node says of the machine. The report would look up the names of all network connections.
const DESCRIBE: &str = "\
process.report && (process.report.excludeNetwork = true);
const { glibcVersionRuntime: glibc } = process.report ? process.report.getReport().header : {};
const libc = glibc ? `glibc ${glibc}` : process.platform === 'linux' ? 'musl' : '';
const { node, modules } = process.versions;
console.log(JSON.stringify({ os: process.platform, arch: process.arch, libc, node, modules }));";

/// This machine, as the node that is started in `directory` sees it.
///
/// # Errors
/// When there is no node.
pub fn machine(programs: &Programs, directory: &Path) -> Result<Machine> {
    let output = programs.run("node").args(["-e", DESCRIBE]).current_dir(directory).read();
    let output = output.map_err(|error| error.hint(NODE_HINT))?;
    serde_json::from_slice(&output)
        .map_err(|error| Error::refused("node does not say what machine this is").because(error))
}
