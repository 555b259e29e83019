//! `completions` and `man`: how the program fits into a shell and into `git help`.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::error::{Error, Result};
use crate::ui::Ui;

/// Print a completion script for a shell
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Print the manual page, or write all pages to a directory
///
/// `git help slsart` and `git slsart --help` find them once they are where man looks:
/// git slsart man --dir ~/.local/share/man/man1
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write a page for every command to DIR
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) fn completions(args: &CompletionsArgs, mut command: clap::Command, ui: &Ui) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "git-slsart", &mut script);
    ui.write(&script)
}

pub(crate) fn man(
    args: &ManArgs,
    command: &clap::Command,
    groups: impl Iterator<Item = clap::Command>,
    ui: &Ui,
) -> Result<()> {
    let main_page = main_page(command, groups);
    if let Some(directory) = &args.dir {
        fs::create_dir_all(directory).map_err(|error| Error::io("create", directory, error))?;
        let page = directory.join("git-slsart.1");
        return clap_mangen::generate_to(command.clone(), directory)
            .and_then(|()| fs::write(page, main_page?))
            .map_err(|error| Error::io("write to", directory, error));
    }
    ui.write(&main_page.map_err(|error| Error::bug("the manual page can't be written").because(error))?)
}

/// The page of the program itself, its commands in groups.
fn main_page(command: &clap::Command, groups: impl Iterator<Item = clap::Command>) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let man = Man::new(command.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    for group in groups {
        Man::new(group).render_subcommands_section(&mut page)?;
    }
    man.render_options_section(&mut page)?;
    man.render_extra_section(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(page)
}
