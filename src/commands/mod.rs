//! The commands: each turns its arguments into values, makes one call into the domain, and hands one report to the
//! terminal. What they share is here: opening the repository, and reading a target.

pub mod ban;
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
pub mod migrate;
pub mod package;
pub mod pin;
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
use std::str::FromStr;

use crate::cli::{self, Command, TargetArgs};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::git::{Oid, Repository};
use crate::package::storage::Storage;
use crate::packaging::jobs::Jobs;
use crate::process::Output;
use crate::progress::Progress;
use crate::service::NameError;
use crate::sharing;
use crate::text::command::{in_text, slsart};
use crate::text::style::DIM;
use crate::text::words::line;
use crate::ui::Ui;
use crate::workspace::{Wanted, Workspace};

/// Runs a command.
pub fn dispatch(command: Command, context: &Context, ui: &Ui) -> Result<()> {
    match command {
        Command::Completions(_) | Command::Man(_) | Command::Hook(_) if ui.is_json() => Err(no_json()),
        Command::Completions(args) => shell::completions(&args, ui),
        Command::Man(args) => shell::man(&args, ui),
        Command::Hook(args) => hook::run(&args, context, ui),
        command => {
            let repository = open(context)?;
            let workspace = match command {
                Command::Init(_)
                | Command::Uninstall(_)
                | Command::Hooks(_)
                | Command::Jobs(_)
                | Command::Status(_) => with_any_config(context, &repository, ui.progress(), ui),
                _ => Workspace::new(context, &repository, ui.progress())?,
            };
            in_repository(command, &workspace, ui).map_err(|error| without_jobs_of(error, &repository))
        }
    }
}

/// What is printed as it is has no JSON.
fn no_json() -> Error {
    Error::usage("what this prints is no object").hint("leave out --json")
}

fn in_repository(command: Command, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    match command {
        Command::Init(args) => init::init(&args, workspace, ui),
        Command::Uninstall(args) => init::uninstall(&args, workspace, ui),
        Command::Package(args) => package::run(&args, workspace, ui),
        Command::Record(args) => record::run(&args, workspace, ui),
        Command::Log(args) => log::run(&args, workspace, ui),
        Command::Show(args) => show::run(&args, workspace, ui),
        Command::Diff(args) => diff::run(&args, workspace, ui),
        Command::Verify(args) => verify::run(&args, workspace, ui),
        Command::Sign(args) => sign::run(&args, workspace, ui),
        Command::Migrate(args) => migrate::run(&args, workspace, ui),
        Command::Extract(args) => extract::run(&args, workspace, ui),
        Command::Check(args) => check::run(&args, workspace, ui),
        Command::Deploy(args) => deploy::deploy(&args, workspace, ui),
        Command::Rollback(args) => deploy::rollback(&args, workspace, ui),
        Command::Live(args) => live::run(&args, workspace, ui),
        Command::Ban(args) => ban::ban(&args, workspace, ui),
        Command::Unban(args) => ban::unban(&args, workspace, ui),
        Command::Pin(args) => pin::pin(&args, workspace, ui),
        Command::Unpin(args) => pin::unpin(&args, workspace, ui),
        Command::Prune(args) => prune::run(&args, workspace, ui),
        Command::Export(args) => bundle::export(&args, workspace, ui),
        Command::Import(args) => bundle::import(&args, workspace, ui),
        Command::Unlock(args) => unlock::run(&args, workspace, ui),
        Command::Push(args) => push::run(&args, workspace, ui),
        Command::Fetch(args) => fetch::run(&args, workspace, ui),
        Command::Toolchain(args) => toolchain::run(&args, workspace, ui),
        Command::Status(args) => status::run(&args, workspace, ui),
        Command::Jobs(args) => jobs::run(&args, workspace, ui),
        Command::Secrets(args) => secrets::run(&args, workspace, ui),
        Command::History(args) => history::run(&args, workspace, ui),
        Command::Hooks(args) => hooks::run(&args, workspace, ui),
        Command::Hook(_) | Command::Completions(_) | Command::Man(_) => {
            Err(Error::bug("a command without a repository was given one"))
        }
    }
}

/// An error that does not hint at packaging what a background job packages now.
fn without_jobs_of(mut error: Error, repository: &Repository) -> Error {
    if !error.hints.iter().any(|hint| hint.contains(&slsart(["package"]))) {
        return error;
    }
    for job in Jobs::of(repository).all().into_iter().filter(|job| job.lives && job.record.state.goes_on()) {
        let Ok(commit) = Oid::from_str(&job.record.commit) else { continue };
        let short = repository.short_id(commit);
        let is_head = repository.head() == Some(commit);
        for hint in &mut error.hints {
            let is_meant = in_text(hint).into_iter().any(|range| {
                let mut words = hint[range].split(' ').skip(2);
                let is_package = words.next() == Some("package");
                let named = words.next().filter(|word| !word.starts_with('-'));
                is_package && named.map_or(is_head, |named| named == short)
            });
            if is_meant {
                let follow = slsart(["jobs", "log", &short, "--follow"]);
                *hint = format!("a background job packages {short} now; to follow it: {follow}");
            }
        }
    }
    error
}

/// How to get a first package: from the remote that was never asked, else by making one.
fn first_package(workspace: &Workspace<'_>) -> Result<String> {
    let repository = workspace.repository;
    if let Ok(remote) = sharing::remote(workspace, None)
        && sharing::seen(repository, &remote).is_none()
        && !workspace.store().tracking(&remote).is_known()?
    {
        return Ok(format!("to ask {remote} for its packages: {}", slsart(["fetch", &remote])));
    }
    let Some(head) = repository.head() else {
        return Ok("commit your service first: git add -A && git commit".to_owned());
    };
    Ok(match workspace.services(head)?.len() {
        0 => "no Serverless service is committed yet".to_owned(),
        _ if workspace.service(head, &Wanted::default()).is_ok() => {
            format!("to make one: {}", slsart(["package"]))
        }
        _ => format!("to make them: {}", slsart(["package", "--all"])),
    })
}

/// The workspace, though its `slsart.toml` can't be read: what helps somebody out must not need it.
fn with_any_config<'a>(
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

fn open(context: &Context) -> Result<Repository> {
    let path = |name| context.environment.value(name).map(Path::new);
    Repository::open(&context.cwd, path("GIT_DIR"), path("GIT_WORK_TREE"))
}

impl TargetArgs {
    /// The values, checked.
    fn wanted(&self) -> Result<Wanted> {
        Ok(Wanted {
            service: self.service.clone(),
            stage: self.stage.as_deref().map(name).transpose()?,
            region: self.region.as_deref().map(name).transpose()?,
            offers_all: false,
        })
    }
}

/// Says that a list is narrowed to the current directory's service, and how to see all.
fn write_narrowed(f: &mut fmt::Formatter<'_>, service: Option<&str>, command: &str) -> fmt::Result {
    service.map_or(Ok(()), |service| {
        writeln!(f, "{DIM}only {}; of all services: git slsart {command} --all{DIM:#}", line(service))
    })
}

/// How packages are kept: as the command line says, else as `slsart.toml` does.
fn storage(wanted: Option<cli::Storage>, workspace: &Workspace<'_>) -> Storage {
    match wanted {
        Some(cli::Storage::Auto) => Storage::Auto,
        Some(cli::Storage::Git) => Storage::Git,
        Some(cli::Storage::Lfs) => Storage::Lfs,
        None => workspace.config.storage,
    }
}

fn name<T: FromStr<Err = NameError>>(text: &str) -> Result<T> {
    text.parse().map_err(|error: NameError| {
        let hint = error.hint();
        Error::usage(error.to_string()).hints(hint)
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
