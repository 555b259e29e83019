//! Hands the process to the library, and its answer to the process.

use std::process::ExitCode;

use git_slsart::Process;
use git_slsart::context::Environment;

#[expect(clippy::disallowed_methods, reason = "the one place that reads the process's surroundings")]
fn main() -> ExitCode {
    let process = Process {
        arguments: std::env::args_os().collect(),
        environment: Environment::new(std::env::vars_os()),
        cwd: std::env::current_dir().unwrap_or_default(),
        program: std::env::current_exe().unwrap_or_else(|_| "git-slsart".into()),
    };
    ExitCode::from(git_slsart::run(process))
}
