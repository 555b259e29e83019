//! `git slsart`: keeps Serverless Framework packages in git and rolls back to any of them exactly.
//!
//! Data flows one way: argv → command → domain → edges. `docs/architecture.md` has the table that a test holds.

pub mod cli;
pub mod commands;
pub mod config;
pub mod context;
pub mod deploy;
pub mod error;
pub mod git;
pub mod package;
pub mod packaging;
pub mod process;
pub mod progress;
pub mod service;
pub mod setup;
pub mod store;
pub mod text;
pub mod toolchain;
pub mod ui;
pub mod workspace;

use std::ffi::OsString;
use std::path::PathBuf;

use anstream::ColorChoice;
use clap::Parser as _;

use cli::{Cli, Color, Global};
use context::{Clock, Context, Environment};
use error::{Error, Result};
use ui::Ui;

/// What the process hands to the program.
#[derive(Debug)]
pub struct Process {
    /// The arguments, the program's name first.
    pub arguments: Vec<OsString>,
    /// The environment.
    pub environment: Environment,
    /// The working directory.
    pub cwd: PathBuf,
    /// The path of the executable.
    pub program: PathBuf,
}

/// Runs the program: parse, build the context, dispatch, render an error.
///
/// # Returns
/// The exit code.
#[must_use]
pub fn run(process: Process) -> u8 {
    let cli = match Cli::try_parse_from(&process.arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, and go to standard output; the rest is a wrong command line.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    let ui = Ui::new(options(&cli.global));
    let outcome =
        context(&cli.global, process).and_then(|context| commands::dispatch(cli.command, &context, &ui));
    match outcome {
        Ok(()) => 0,
        Err(error) => {
            ui.error(&error);
            error.kind.exit_code()
        }
    }
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
    process::interrupt::listen()?;
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
    Ok(Context { cwd, environment: process.environment, clock, program: process.program })
}
