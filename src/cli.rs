//! The command line: the table of commands, and which function runs each. Parser, man pages and completions share it. Each
//! command's arguments stand in its own file; the doc comments are the help.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::commands;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Keep Serverless Framework packages in git, and roll back to any of them exactly
///
/// A Serverless Framework service can't be rolled back by fetching an old zip: plugins act when packaging and when
/// deploying, and a deploy needs the source and every plugin installed. git slsart keeps each package in git, tied to
/// the commit it was made from, together with what its plugins were; `git slsart rollback REF` checks that commit out,
/// installs its plugins and deploys its exact package again, without rebuilding it.
///
/// Start with `git slsart init` in a repository that has a service, then `git slsart package`.
#[derive(Debug, Parser)]
#[command(name = "git-slsart", bin_name = "git slsart", version, max_term_width = 110)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands as help and manual list them, the everyday ones first.
const GROUPS: &[(&str, &[&str])] = &[
    ("Every day", &["package", "deploy", "rollback", "status", "log", "live"]),
    ("Start", &["init", "hooks", "completions", "man", "uninstall"]),
    ("Look", &["show", "diff", "history", "check", "verify", "jobs"]),
    ("Share", &["push", "fetch", "record", "extract", "export", "import"]),
    (
        "Keep in order",
        &["pin", "unpin", "ban", "unban", "prune", "toolchain", "secrets", "sign", "migrate", "unlock"],
    ),
];

/// The program's definition, its help with the commands in groups and every long help with the exit codes.
pub fn command_line() -> clap::Command {
    let command = with_exit_status(Cli::command());
    let header = *command.get_styles().get_header();
    let lists = groups(&command).map(|group| {
        let heading = group.get_subcommand_help_heading().unwrap_or_default().to_owned();
        let list = group.help_template("{subcommands}").max_term_width(110).render_help();
        format!("{header}{heading}:{header:#}\n{}\n", list.ansi())
    });
    let lists: String = lists.collect();
    let options = format!("{header}Options:{header:#}\n{{options}}{{after-help}}");
    command.help_template(format!("{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{lists}{options}"))
}

fn with_exit_status(command: clap::Command) -> clap::Command {
    let hidden = command.is_hide_set();
    if hidden { command } else { command.after_long_help(EXIT_STATUS).mut_subcommands(with_exit_status) }
}

/// A command for each group, with the group's commands below it and its name as their heading.
fn groups(command: &clap::Command) -> impl Iterator<Item = clap::Command> {
    GROUPS.iter().map(|(heading, names)| {
        let commands = names.iter().filter_map(|name| command.find_subcommand(name).cloned());
        let group = clap::Command::new("git-slsart").disable_help_subcommand(true);
        group.subcommands(commands).subcommand_help_heading(*heading)
    })
}

impl Cli {
    /// Reads a command line, the program's name first.
    ///
    /// # Errors
    /// When it is wrong, and when it asks for help or the version.
    pub fn read<T: Into<OsString> + Clone>(
        arguments: impl IntoIterator<Item = T>,
    ) -> Result<Self, clap::Error> {
        Self::from_arg_matches(&command_line().try_get_matches_from(arguments)?)
    }
}

/// What every command's long help ends with.
const EXIT_STATUS: &str = "\
Exit status:
  0    done
  1    refused or failed; the message shows what to do
  2    the command line is wrong
  3    a program failed (npm, the framework); its own exit code is shown
  4    the content differs from the record
  5    no package is recorded for the request
  130  interrupted
  255  a bug in git-slsart";

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Run as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// Print one JSON object on standard output, and errors as JSON on standard error
    ///
    /// docs/json.md describes the format, with a schema for every command.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only warnings, errors and what was asked for
    ///
    /// A command that changes something prints nothing if it succeeds. A command that shows something still shows it.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Also print the output of the programs that git slsart runs
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: Color,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// A command with its arguments.
#[derive(Debug, Subcommand)]
pub enum Command {
    Package(commands::package::PackageArgs),
    Deploy(commands::deploy::DeployArgs),
    Rollback(commands::deploy::RollbackArgs),
    Status(commands::status::StatusArgs),
    Log(commands::log::LogArgs),
    Live(commands::live::LiveArgs),
    Init(commands::init::InitArgs),
    Hooks(commands::hooks::HooksArgs),
    Completions(commands::shell::CompletionsArgs),
    Man(commands::shell::ManArgs),
    Uninstall(commands::init::UninstallArgs),
    Show(commands::show::ShowArgs),
    Diff(commands::diff::DiffArgs),
    History(commands::history::HistoryArgs),
    Check(commands::check::CheckArgs),
    Verify(commands::verify::VerifyArgs),
    Jobs(commands::jobs::JobsArgs),
    Push(commands::push::PushArgs),
    Fetch(commands::fetch::FetchArgs),
    Record(commands::record::RecordArgs),
    Extract(commands::extract::ExtractArgs),
    Export(commands::bundle::ExportArgs),
    Import(commands::bundle::ImportArgs),
    Pin(commands::mark::PinArgs),
    /// Remove the pin of a package
    Unpin(commands::mark::LiftArgs),
    Ban(commands::mark::BanArgs),
    /// Remove the ban of a package
    Unban(commands::mark::LiftArgs),
    Prune(commands::prune::PruneArgs),
    Toolchain(commands::toolchain::ToolchainArgs),
    Secrets(commands::secrets::SecretsArgs),
    Sign(commands::sign::SignArgs),
    Migrate(commands::migrate::MigrateArgs),
    Unlock(commands::unlock::UnlockArgs),
    Hook(commands::hook::HookArgs),
}

/// Runs a command.
pub(crate) fn dispatch(command: Command, context: &Context, ui: &Ui) -> Result<()> {
    match command {
        Command::Completions(_) | Command::Man(_) | Command::Hook(_) if ui.is_json() => {
            Err(commands::no_json())
        }
        Command::Completions(args) => commands::shell::completions(&args, command_line(), ui),
        Command::Man(args) => {
            let command = command_line();
            commands::shell::man(&args, &command, groups(&command), ui)
        }
        Command::Hook(args) => commands::hook::run(&args, context, ui),
        command => {
            let repository = commands::open(context)?;
            let workspace = match command {
                Command::Init(_)
                | Command::Uninstall(_)
                | Command::Hooks(_)
                | Command::Jobs(_)
                | Command::Status(_) => commands::with_any_config(context, &repository, ui.progress(), ui),
                _ => Workspace::new(context, &repository, ui.progress())?,
            };
            in_repository(command, &workspace, ui)
                .map_err(|error| commands::or_ask(error, &workspace))
                .map_err(|error| commands::jobs::without_jobs_of(error, &repository))
        }
    }
}

fn in_repository(command: Command, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    match command {
        Command::Init(args) => commands::init::init(&args, workspace, ui),
        Command::Uninstall(args) => commands::init::uninstall(&args, workspace, ui),
        Command::Package(args) => commands::package::run(&args, workspace, ui),
        Command::Record(args) => commands::record::run(&args, workspace, ui),
        Command::Log(args) => commands::log::run(&args, workspace, ui),
        Command::Show(args) => commands::show::run(&args, workspace, ui),
        Command::Diff(args) => commands::diff::run(&args, workspace, ui),
        Command::Verify(args) => commands::verify::run(&args, workspace, ui),
        Command::Sign(args) => commands::sign::run(&args, workspace, ui),
        Command::Migrate(args) => commands::migrate::run(&args, workspace, ui),
        Command::Extract(args) => commands::extract::run(&args, workspace, ui),
        Command::Check(args) => commands::check::run(&args, workspace, ui),
        Command::Deploy(args) => commands::deploy::deploy(&args, workspace, ui),
        Command::Rollback(args) => commands::deploy::rollback(&args, workspace, ui),
        Command::Live(args) => commands::live::run(&args, workspace, ui),
        Command::Ban(args) => commands::mark::ban(&args, workspace, ui),
        Command::Unban(args) => commands::mark::unban(&args, workspace, ui),
        Command::Pin(args) => commands::mark::pin(&args, workspace, ui),
        Command::Unpin(args) => commands::mark::unpin(&args, workspace, ui),
        Command::Prune(args) => commands::prune::run(&args, workspace, ui),
        Command::Export(args) => commands::bundle::export(&args, workspace, ui),
        Command::Import(args) => commands::bundle::import(&args, workspace, ui),
        Command::Unlock(args) => commands::unlock::run(&args, workspace, ui),
        Command::Push(args) => commands::push::run(&args, workspace, ui),
        Command::Fetch(args) => commands::fetch::run(&args, workspace, ui),
        Command::Toolchain(args) => commands::toolchain::run(&args, workspace, ui),
        Command::Status(args) => commands::status::run(&args, workspace, ui),
        Command::Jobs(args) => commands::jobs::run(&args, workspace, ui),
        Command::Secrets(args) => commands::secrets::run(&args, workspace, ui),
        Command::History(args) => commands::history::run(&args, workspace, ui),
        Command::Hooks(args) => commands::hooks::run(&args, workspace, ui),
        Command::Hook(_) | Command::Completions(_) | Command::Man(_) => {
            Err(Error::bug("a command without a repository was given one"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let shown = command_line()
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
            .cloned()
            .collect::<Vec<_>>();
        let grouped: Vec<_> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        let names: Vec<_> = shown.iter().map(clap::Command::get_name).collect();
        assert_eq!(grouped, names);
    }

    #[test]
    fn no_commands_argument_takes_a_global_options_place() {
        Cli::command().debug_assert();
        // clap itself is silent when an argument has a global option's id: the option then sets the argument.
        let global: BTreeSet<_> = Global::augment_args(clap::Command::new(""))
            .get_arguments()
            .map(|arg| arg.get_id().clone())
            .collect();
        for command in Cli::command().get_subcommands() {
            let taken = command.get_arguments().find(|arg| global.contains(arg.get_id()));
            assert!(taken.is_none(), "{}: {taken:?}", command.get_name());
        }
    }
}
