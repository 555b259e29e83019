//! The command line: definitions shared by the parser, the man pages and the completions. Each command's arguments stand
//! in its own file; the doc comments are the help.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::commands;

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
#[command(after_long_help = EXIT_STATUS)]
#[command(subcommand_required = true, arg_required_else_help = true, disable_help_subcommand = true)]
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

/// The program's definition, its help with the commands in groups.
#[must_use]
pub fn command() -> clap::Command {
    let command = Cli::command();
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

/// A command for each group, with the group's commands below it and its name as their heading.
pub(crate) fn groups(command: &clap::Command) -> impl Iterator<Item = clap::Command> {
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
        Self::from_arg_matches(&command().try_get_matches_from(arguments)?)
    }
}

/// What every command's long help ends with.
pub const EXIT_STATUS: &str = "\
Exit status:
  0    done
  1    refused or failed; the message says what to do
  2    the command line is wrong
  3    a program that was run failed (npm, the framework); its own code is shown
  4    bytes are not what was recorded
  5    nothing is recorded for what was asked
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
    /// docs/json.md says what is promised, and has a schema for every command.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only warnings, errors and what was asked for
    ///
    /// A command that changes something prints nothing when all is well. A command that shows something still shows it.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Also print the output of programs that would only be shown when they fail
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

/// Which service, stage and region are meant.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Target")]
pub struct TargetArgs {
    /// The service: its directory in the repository, or its name [default: the current directory's, then the only one]
    #[arg(long, value_name = "PATH|NAME")]
    pub service: Option<String>,
    /// The stage [default: from slsart.toml, then from the service]
    #[arg(short, long)]
    pub stage: Option<String>,
    /// The region [default: from slsart.toml, then from the service]
    #[arg(short, long)]
    pub region: Option<String>,
}

/// Which services, stage and region are meant.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Target")]
pub struct TargetsArgs {
    /// The service: its directory in the repository, or its name; may be given several times [default: the current directory's, then the only one]
    #[arg(long, value_name = "PATH|NAME")]
    pub service: Vec<String>,
    /// Every service of the commit
    #[arg(short, long, conflicts_with = "service")]
    pub all: bool,
    /// The stage [default: from slsart.toml, then from the service]
    #[arg(short, long)]
    pub stage: Option<String>,
    /// The region [default: from slsart.toml, then from the service]
    #[arg(short, long)]
    pub region: Option<String>,
}

/// How packages are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Storage {
    /// In git objects; large files in Git LFS, where git-lfs is installed
    Auto,
    /// In git objects
    Git,
    /// Archives in Git LFS
    Lfs,
}

/// A form that packages can be converted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Git objects
    Git,
    /// Archives in Git LFS
    Lfs,
}

/// A command with its arguments.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "each command's arguments document it, and are its help")]
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
    Pin(commands::pin::PinArgs),
    Unpin(commands::pin::UnpinArgs),
    Ban(commands::ban::BanArgs),
    Unban(commands::ban::UnbanArgs),
    Prune(commands::prune::PruneArgs),
    Toolchain(commands::toolchain::ToolchainArgs),
    Secrets(commands::secrets::SecretsArgs),
    Sign(commands::sign::SignArgs),
    Migrate(commands::migrate::MigrateArgs),
    Unlock(commands::unlock::UnlockArgs),
    Hook(commands::hook::HookArgs),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let shown =
            command().get_subcommands().filter(|command| !command.is_hide_set()).cloned().collect::<Vec<_>>();
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
