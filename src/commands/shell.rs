//! `completions` and `man`: how the program fits into a shell and into `git help`.

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::error::{Error, Result};
use crate::ui::Ui;

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::EXIT_STATUS)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Print the manual page, or write all pages to a directory
///
/// `git help slsart` and `git slsart --help` find them once they are where man looks:
/// git slsart man --dir ~/.local/share/man/man1
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::EXIT_STATUS)]
pub struct ManArgs {
    /// Write a page for every command to DIR
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn completions(args: &CompletionsArgs, ui: &Ui) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "git-slsart", &mut script);
    ui.write(&script)
}

pub(super) fn man(args: &ManArgs, ui: &Ui) -> Result<()> {
    if let Some(directory) = &args.dir {
        fs::create_dir_all(directory).map_err(|error| Error::io("create", directory, error))?;
        return clap_mangen::generate_to(Cli::command(), directory)
            .map_err(|error| Error::io("write to", directory, error));
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| Error::bug("the manual page can't be made").because(error))?;
    ui.write(&page)
}
