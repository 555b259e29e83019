//! `git slsart`: keeps Serverless Framework packages in git and rolls back to any of them exactly.
//!
//! Data flows one way: argv → command → domain → edges. `docs/architecture.md` has the table that a test holds.

pub mod archive;
pub(crate) mod aws;
pub(crate) mod bundle;
pub mod cli;
pub(crate) mod commands;
pub(crate) mod config;
pub mod context;
pub(crate) mod deploy;
pub(crate) mod diff;
pub(crate) mod error;
pub mod git;
pub(crate) mod hooks;
pub mod package;
pub mod packaging;
pub(crate) mod process;
pub mod progress;
pub(crate) mod prune;
pub(crate) mod secrets;
pub(crate) mod service;
pub(crate) mod setup;
pub mod sharing;
pub(crate) mod status;
pub mod store;
pub mod text;
pub mod toolchain;
pub(crate) mod ui;
pub mod workspace;

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::mpsc;

use anstream::ColorChoice;

use cli::{Cli, Color, Global};
use context::{Clock, Context, Environment};
use error::{Error, Result};
use ui::Ui;

#[derive(Debug)]
pub struct Process {
    /// The arguments, the program's name first.
    pub arguments: Vec<OsString>,
    pub environment: Environment,
    pub cwd: PathBuf,
    pub program: PathBuf,
}

/// Runs the program: parse, build the context, dispatch, render an error. Returns the exit code.
pub fn run(process: Process) -> u8 {
    let cli = match Cli::read(&process.arguments) {
        Ok(cli) => cli,
        Err(error) => return not_parsed(&error, &process.arguments),
    };
    let ui = Ui::new(options(&cli.global)).running_in(cli.global.directory.as_deref());
    let outcome = catch_panics(|| {
        process::interrupt::listen(ui.acknowledgement())?;
        let context = context(&cli.global, process)?;
        cli::dispatch(cli.command, &context, &ui)
    });
    match outcome {
        Ok(()) => 0,
        Err(error) => {
            ui.error(&error);
            error.kind.exit_code()
        }
    }
}

/// Reports an invalid command line; help and version are answers, and go to standard output.
fn not_parsed(error: &clap::Error, arguments: &[OsString]) -> u8 {
    let mut options = arguments.iter().skip(1).take_while(|argument| *argument != "--");
    if error.use_stderr() && options.any(|argument| argument == "--json") {
        let global = ui::Options { json: true, quiet: false, verbose: false, color: ColorChoice::Never };
        Ui::new(global).error(&usage(error));
    } else {
        // git answers `git slsart --help` itself, with a manual page that may not be installed.
        let text = error.render().ansi().to_string();
        match text.rsplit_once("--help").filter(|_| error.use_stderr()) {
            Some((head, tail)) => anstream::eprint!("{head}-h{tail}"),
            None => drop(error.print()),
        }
    }
    u8::try_from(error.exit_code()).unwrap_or(2)
}

fn usage(error: &clap::Error) -> Error {
    let hint = "see `git slsart -h`";
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Error::usage("there is no command").hint(hint);
    }
    let text = error.render().to_string();
    let (message, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    let more =
        rest.lines().map(str::trim).filter(|line| line.starts_with("tip:") || line.starts_with("Usage:"));
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    Error::usage(message.trim_start_matches("error: ")).hints(more.map(str::to_owned)).hint(hint)
}

/// Does `work`; a panic in it becomes an error, after its values are dropped.
fn catch_panics(work: impl FnOnce() -> Result<()>) -> Result<()> {
    let (tell, told) = mpsc::channel();
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| drop(tell.send(info.to_string()))));
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(hook);
    outcome.unwrap_or_else(|_| {
        let what = told.try_iter().next().unwrap_or_default();
        Err(Error::bug("git-slsart reached a state that should be impossible")
            .because(std::io::Error::other(what)))
    })
}

fn options(global: &Global) -> ui::Options {
    let color = match global.color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    };
    ui::Options { json: global.json, quiet: global.quiet, verbose: global.verbose, color }
}

fn context(global: &Global, process: Process) -> Result<Context> {
    let cwd = match &global.directory {
        Some(directory) => process.cwd.join(directory),
        None => process.cwd,
    };
    if !cwd.is_dir() {
        return Err(Error::usage(format!("'{}' is not a directory", cwd.display())));
    }
    let clock = match process.environment.text("SLSART_NOW") {
        Some(text) => Clock::Fixed(text.parse().map_err(|error: jiff::Error| {
            Error::usage("SLSART_NOW is not a time such as 2026-01-31T12:00:00Z").because(error)
        })?),
        None => Clock::System,
    };
    let Process { mut arguments, environment, program, .. } = process;
    arguments.drain(..arguments.len().min(1));
    Ok(Context { cwd, environment, clock, program, arguments })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_says_where() {
        let error = catch_panics(|| panic!("out of cheese")).unwrap_err();
        assert_eq!(error.kind.exit_code(), 255);
        assert!(error.causes()[0].contains("src/lib.rs") && error.causes()[0].contains("out of cheese"));
        assert!(catch_panics(|| Ok(())).is_ok());
    }
}
