//! `diff`.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::args::TargetArgs;
use crate::deploy::observe::drift::Drift;
use crate::deploy::observe::expected::stack_of;
use crate::deploy::observe::snapshot::LiveSnapshot;
use crate::diff::template::Change;
use crate::diff::{CommitLine, Commits, Detail, Difference, StackSnapshot, write_lines};
use crate::error::Result;
use crate::package::manifest::Target;
use crate::sharing;
use crate::store::{Filter, StoredPackage};
use crate::text::style::{BOLD, COMMIT, DIM, ERROR, GOOD, HINT, WARNING};
use crate::text::words::{count, line, short};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Most files of an archive that are listed without --code.
const MAX_FILES: usize = 40;
const MAX_COMMITS: usize = 20;

/// Show what differs between two packages, or between a package and what is live
///
/// Compares A with B, or with --live what is live in AWS with A: functions (code, memory, timeout, runtime, handler, names
/// of environment variables), events, other resources, outputs, plugins, the framework, and the commits in between. S3 keys
/// and version ids, which change with every packaging, are ignored. Resources that a deployment would delete or replace are
/// marked. Values of environment variables and properties are not shown.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct DiffArgs {
    /// A commit, or a package's id [with --live, default: HEAD]
    #[arg(value_name = "A", required_unless_present = "live")]
    first: Option<String>,
    /// Another, or another package's id [default: HEAD]
    #[arg(value_name = "B", conflicts_with = "live")]
    second: Option<String>,
    /// Compare A with what is live in AWS: what deploying it would change
    #[arg(long)]
    live: bool,
    /// Show one line for each thing that differs
    #[arg(long, conflicts_with_all = ["code", "plugins"])]
    stat: bool,
    /// Show the lines that differ in the files inside the archives
    #[arg(long, conflicts_with = "plugins")]
    code: bool,
    /// Show only plugins, framework and node
    #[arg(long)]
    plugins: bool,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Stat,
    Full,
    Plugins,
}

#[derive(Serialize)]
struct DiffReport {
    before: DiffEnd,
    after: DiffEnd,
    #[serde(flatten)]
    difference: Difference,
    /// What of the functions is not as the history, or the package whose code runs, says; `None` but with `--live`.
    drift: Option<Vec<Drift>>,
    #[serde(skip)]
    extent: Extent,
    /// The two stacks, where the packages are not for the same one.
    #[serde(skip)]
    stacks: Option<[String; 2]>,
}

#[derive(Serialize)]
struct DiffEnd {
    /// The package; `None` where what is live is none that is recorded.
    #[serde(flatten)]
    package: Option<Named>,
    target: Target,
    stack: Option<String>,
}

#[derive(Serialize)]
struct Named {
    commit: String,
    #[serde(skip)]
    short: String,
    label: String,
    package: String,
}

pub(crate) fn run(args: &DiffArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let wanted = args.target.wanted()?;
    let open = |revision: &str, filter: &Filter| {
        sharing::open(workspace, &sharing::find(workspace, revision, filter)?)
    };
    let open_one = |revision: &str| open(revision, &workspace.one_of(&wanted, revision)?);
    let first = args.first.as_deref().unwrap_or("HEAD");
    let detail = if args.code { Detail::Texts } else { Detail::Counts };
    let (from, stack, before, after, drift) = if args.live {
        let LiveSnapshot { report, package, side } = LiveSnapshot::of(workspace, &wanted)?;
        let target = report.target;
        let filter = Filter::of(&target);
        let package = package.map(|package| name(workspace, &package));
        let stack = report.stack.name;
        let from = DiffEnd { package, target, stack: Some(stack.clone()) };
        (from, stack, side, open(first, &filter)?, Some(report.drift))
    } else {
        let before = open_one(first)?;
        let after = open_one(args.second.as_deref().unwrap_or("HEAD"))?;
        (describe(workspace, &before), stack_of(&before), StackSnapshot::of_package(&before)?, after, None)
    };
    let mut difference =
        Difference::between(workspace.repository, &before, &StackSnapshot::of_package(&after)?, detail)?;
    let stacks = Some([stack, stack_of(&after)]).filter(|[before, after]| before != after);
    if stacks.is_some() {
        // A deployment to one stack deletes and replaces nothing of another.
        difference.judgements.clear();
    }
    let extent = match (args.stat, args.plugins) {
        (true, _) => Extent::Stat,
        (_, true) => Extent::Plugins,
        _ => Extent::Full,
    };
    let after = describe(workspace, &after);
    ui.report(&DiffReport { before: from, after, difference, drift, extent, stacks })
}

fn describe(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> DiffEnd {
    let target = package.manifest.target.clone();
    DiffEnd { package: Some(name(workspace, package)), target, stack: None }
}

fn name(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> Named {
    let repository = workspace.repository;
    let subject = repository.commit(package.commit).map(|commit| commit.subject).unwrap_or_default();
    Named {
        commit: package.commit.to_string(),
        short: repository.short_id(package.commit),
        label: repository.tag_of(package.commit).unwrap_or(subject),
        package: package.manifest.package.id.to_string(),
    }
}

impl fmt::Display for DiffReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, DiffEnd { package, target, stack }) in [("From", &self.before), ("To", &self.after)] {
            write!(f, "{BOLD}{name:6}{BOLD:#}")?;
            if let Some(stack) = stack {
                write!(f, "what is live in the stack {}: ", line(stack))?;
            }
            match package {
                Some(Named { short: commit, label, package, .. }) => {
                    let (label, package) = (line(label), short(package, 8));
                    write!(
                        f,
                        "{COMMIT}{commit}{COMMIT:#}  {label}  {DIM}package {package} · {target}{DIM:#}"
                    )?;
                }
                None => write!(f, "{WARNING}not recorded here{WARNING:#}  {DIM}{target}{DIM:#}")?,
            }
            writeln!(f)?;
        }
        let lines = match self.extent {
            Extent::Plugins => self.difference.plugin_lines(),
            Extent::Stat | Extent::Full => self.difference.lines(),
        };
        writeln!(f)?;
        write_lines(f, &lines, 0)?;
        if lines.is_empty() {
            writeln!(f, "plugins, framework and node are the same")?;
        }
        if let Some([before, after]) = &self.stacks {
            writeln!(
                f,
                "{WARNING}!{WARNING:#} these are two stacks: a deployment to {} leaves {} as it is",
                line(after),
                line(before)
            )?;
        }
        if self.before.package.is_none() && self.extent != Extent::Plugins {
            writeln!(f, "{WARNING}!{WARNING:#} the live code is not compared: it matches no package here")?;
        }
        for Drift { function, what, recorded, live } in self.drift.iter().flatten() {
            let (recorded, live) = (line(recorded), line(live));
            writeln!(
                f,
                "{WARNING}!{WARNING:#} function {}  {what} {recorded} → {live}, since it was deployed",
                line(function)
            )?;
        }
        if self.extent == Extent::Full {
            self.archives(f)?;
        }
        match &self.difference.made.commits {
            Some(commits) if self.extent != Extent::Plugins => self.commits(f, commits),
            _ => Ok(()),
        }
    }
}

impl DiffReport {
    fn archives(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for archive in &self.difference.archives {
            writeln!(f, "\n{BOLD}{}{BOLD:#}", line(&archive.path))?;
            if let Some(problem) = &archive.problem {
                writeln!(f, "  {WARNING}!{WARNING:#} it can't be compared: {}", line(problem))?;
            }
            let has_text = archive.files.iter().any(|file| file.diff.is_some());
            let most = if has_text { usize::MAX } else { MAX_FILES };
            for file in archive.files.iter().take(most) {
                let (sign, style) = match file.change {
                    Change::Added => ('+', GOOD),
                    Change::Removed => ('-', ERROR),
                    Change::Changed => ('~', WARNING),
                };
                let lines = match (file.added, file.removed) {
                    (Some(added), Some(removed)) => format!("+{added} −{removed}"),
                    _ => "not text".to_owned(),
                };
                writeln!(f, "  {style}{sign}{style:#} {}  {DIM}{lines}{DIM:#}", line(&file.path))?;
                file.diff.as_deref().map_or(Ok(()), |diff| hunks(f, diff))?;
            }
            if let Some(more) = archive.files.len().checked_sub(most).filter(|more| *more > 0) {
                writeln!(f, "  {DIM}and {more} more; --code shows all{DIM:#}")?;
            }
        }
        Ok(())
    }

    fn commits(&self, f: &mut fmt::Formatter<'_>, commits: &Commits) -> fmt::Result {
        let mut parts = Vec::new();
        if commits.added > 0 {
            parts.push(count(commits.added, "commit"));
        }
        if commits.removed > 0 {
            parts.push(format!("{} undone", count(commits.removed, "commit")));
        }
        if parts.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n{}", parts.join(", "))?;
        let most = if self.extent == Extent::Full { MAX_COMMITS } else { 0 };
        for CommitLine { short, subject, removed, .. } in commits.named.iter().take(most) {
            let (sign, style) = if *removed { ('-', ERROR) } else { ('+', GOOD) };
            writeln!(f, "  {style}{sign}{style:#} {COMMIT}{short}{COMMIT:#}  {}", line(subject))?;
        }
        match (commits.added + commits.removed).checked_sub(most).filter(|more| *more > 0 && most > 0) {
            Some(more) => writeln!(f, "  {DIM}and {more} more{DIM:#}"),
            None => Ok(()),
        }
    }
}

/// The lines that differ, coloured as git does.
fn hunks(f: &mut fmt::Formatter<'_>, diff: &str) -> fmt::Result {
    for text in diff.lines() {
        let style = match text.as_bytes().first() {
            Some(b'+') => GOOD,
            Some(b'-') => ERROR,
            Some(b'@') => HINT,
            _ => anstyle::Style::new(),
        };
        writeln!(f, "    {style}{}{style:#}", line(text))?;
    }
    Ok(())
}
