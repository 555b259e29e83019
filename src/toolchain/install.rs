//! Installing what a lockfile fixes, with the package manager it belongs to, and nothing that it doesn't say.

use std::path::Path;

use super::lockfile::{Kind, Lockfile};
use super::programs::Programs;
use crate::error::{Error, Result};
use crate::package::Machine;
use crate::process::Output;

/// The command that installs exactly what the lockfile says, or fails. The framework and its plugins are development
/// dependencies as often as not, which `NODE_ENV=production` would leave out.
fn command(kind: Kind) -> (&'static str, &'static [&'static str]) {
    match kind {
        Kind::Npm => ("npm", &["ci", "--include=dev", "--no-audit", "--no-fund"]),
        Kind::Yarn => ("yarn", &["install", "--frozen-lockfile", "--non-interactive", "--production=false"]),
        Kind::YarnBerry => ("yarn", &["install", "--immutable"]),
        Kind::Pnpm => ("pnpm", &["install", "--frozen-lockfile", "--prod=false"]),
        Kind::Bun => ("bun", &["install", "--frozen-lockfile"]),
    }
}

/// The package manager's name.
#[must_use]
pub fn program(kind: Kind) -> &'static str {
    command(kind).0
}

/// Installs the packages of `lockfile` in the disposable checkout at `top`.
pub fn install(programs: &Programs, top: &Path, lockfile: &Lockfile, output: Output) -> Result<()> {
    let (program, arguments) = command(lockfile.kind);
    let run = programs.run(program).args(arguments).current_dir(lockfile.directory.under(top));
    run.in_disposable_directory().run(output).map_err(|error| match error.kind {
        crate::error::Kind::Child(_) => error
            .hint("a package the lockfile names could not be had: is the registry reachable, and is the version still there?"),
        _ => error,
    })
}

/// The version of the package manager, where it says it.
#[must_use]
pub fn version(programs: &Programs, kind: Kind, directory: &Path) -> Option<String> {
    read_version(programs, program(kind), directory)
}

const NODE_HINT: &str = "install node.js, or add its directory to PATH: the Serverless Framework runs on it";

/// The version of node, without its leading `v`.
///
/// # Errors
/// When there is no node.
pub fn node_version(programs: &Programs, directory: &Path) -> Result<String> {
    read_version(programs, "node", directory).ok_or_else(|| Error::refused("cannot run node").hint(NODE_HINT))
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

fn read_version(programs: &Programs, program: &str, directory: &Path) -> Option<String> {
    let output = programs.run(program).arg("--version").current_dir(directory).read().ok()?;
    let text = String::from_utf8(output).ok()?;
    Some(text.trim().trim_start_matches('v').to_owned()).filter(|version| !version.is_empty())
}
