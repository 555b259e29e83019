//! The commands: each turns its arguments into values, makes one call into the domain, and hands one report to the
//! terminal. What they share is here: opening the repository, and where output goes. `cli` lists and runs them.

pub mod args;
pub mod bundle;
pub mod check;
pub mod deploy;
pub mod diff;
pub mod extract;
pub mod fetch;
pub mod history;
pub mod hook;
pub mod hooks;
pub mod init;
pub mod jobs;
pub mod live;
pub mod log;
pub mod mark;
pub mod migrate;
pub mod package;
mod packages;
pub mod prune;
pub mod push;
pub mod record;
pub mod secrets;
pub mod shell;
pub mod show;
pub mod sign;
mod signature;
pub mod status;
pub mod toolchain;
pub mod unlock;
pub mod verify;

use std::fmt;
use std::path::Path;

use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::git::Repository;
use crate::process::Output;
use crate::progress::Progress;
use crate::sharing;
use crate::text::command::slsart;
use crate::text::style::DIM;
use crate::text::words::line;
use crate::ui::Ui;
use crate::workspace::{Wanted, Workspace};

/// What is printed as it is has no JSON.
pub(crate) fn no_json() -> Error {
    Error::usage("the output of this command can't be printed as JSON").hint("leave out --json")
}

/// How to ask the remote that packages are shared through, where it was never asked.
fn never_asked(workspace: &Workspace<'_>) -> Result<Option<String>> {
    let remote = sharing::never_asked(workspace)?;
    Ok(remote.map(|remote| format!("to ask {remote} for its packages: {}", slsart(["fetch", &remote]))))
}

/// Adds to the error for what nothing is recorded for that a remote may know more.
pub(crate) fn or_ask(error: Error, workspace: &Workspace<'_>) -> Error {
    if error.kind != Kind::NotRecorded {
        return error;
    }
    error.hints(never_asked(workspace).ok().flatten())
}

/// How to get a first package: from the remote that was never asked, else by making one.
fn first_package(workspace: &Workspace<'_>) -> Result<String> {
    if let Some(ask) = never_asked(workspace)? {
        return Ok(ask);
    }
    let Some(head) = workspace.repository.head() else {
        return Ok(format!("to set up the repository, for its first commit: {}", slsart(["init"])));
    };
    Ok(match workspace.services(head)?.len() {
        0 if !workspace.config.services.is_empty() => {
            "`services` in slsart.toml lists no directory with a service".to_owned()
        }
        0 => "no Serverless service is committed yet".to_owned(),
        _ if workspace.service(head, &Wanted::default()).is_ok() => {
            format!("to make one: {}", slsart(["package"]))
        }
        _ => format!("to make them: {}", slsart(["package", "--all"])),
    })
}

/// The workspace, though its `slsart.toml` can't be read: commands that repair must not need it.
pub(crate) fn with_any_config<'a>(
    context: &'a Context,
    repository: &'a Repository,
    progress: &'a dyn Progress,
    ui: &Ui,
) -> Workspace<'a> {
    Workspace::new(context, repository, progress).unwrap_or_else(|error| {
        let causes = error.causes();
        let why = causes.iter().filter_map(|cause| cause.lines().last()).map(str::to_owned);
        let told = [error.to_string()].into_iter().chain(why).chain(error.hints);
        ui.warn(&told.collect::<Vec<_>>().join("; "));
        Workspace::without_config(context, repository, progress)
    })
}

/// Warns of what is wrong in a `slsart.toml` that can be read.
fn warn_of_config(workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    for problem in workspace.config_problems()? {
        ui.warn(&format!("{problem}; {}", problem.hint));
    }
    Ok(())
}

pub(crate) fn open(context: &Context) -> Result<Repository> {
    let path = |name| context.environment.value(name).map(Path::new);
    Repository::open(&context.cwd, path("GIT_DIR"), path("GIT_WORK_TREE"))
}

/// Says that a list is narrowed to the current directory's service, and how to see all.
fn write_narrowed(f: &mut fmt::Formatter<'_>, service: Option<&str>, command: &str) -> fmt::Result {
    service.map_or(Ok(()), |service| {
        writeln!(f, "{DIM}only {}; for all services: git slsart {command} --all{DIM:#}", line(service))
    })
}

/// Where the output of programs goes that are not what the user asked for.
fn installing(ui: &Ui) -> Output {
    if ui.is_verbose() { Output::Stream } else { Output::OnFailure }
}

/// Where the framework's output goes: it is streamed as it comes, unless only results are wanted, or standard error is for
/// an error's JSON.
fn framework_output(ui: &Ui) -> Output {
    let kept = ui.is_quiet() || (ui.is_json() && !ui.is_verbose());
    if kept { Output::OnFailure } else { Output::Stream }
}
