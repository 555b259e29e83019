//! `push`.

use std::fmt;

use clap::Args;

use crate::error::{Error, Result};
use crate::sharing::{self, PackageRef, PushReport, PushSelection, Unsent};
use crate::text::command::slsart;
use crate::text::style::{BOLD, COMMIT, DIM, GOOD, WARNING};
use crate::text::words::{bytes, count, line, short};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Most packages that are named one by one.
const MAX_NAMED: usize = 12;

/// The most hints for what did not get there, before the one that says where all of them are.
const MAX_HINTS: usize = 5;

/// Send packages, notes, histories and toolchains to a remote
///
/// Sends only what the remote lacks, LFS objects with `git lfs`. Notes and histories of both sides are merged, so that
/// concurrent pushes lose nothing. The package's commit and its history are sent too.
#[derive(Debug, Args)]
pub struct PushArgs {
    /// The remote [default: `remote` in [share] of slsart.toml, else `origin` or the only one]
    remote: Option<String>,
    /// Only the packages of these commits; notes and histories of all packages on the remote
    #[arg(value_name = "REF")]
    revisions: Vec<String>,
    /// Only show what would be sent
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(crate) fn run(args: &PushArgs, workspace: &Workspace<'_>, ui: &Ui) -> Result<()> {
    let remote = remote(workspace, args.remote.as_deref(), "push")?;
    let what = if args.revisions.is_empty() {
        PushSelection::All
    } else {
        let commits = args.revisions.iter().map(|revision| workspace.repository.resolve(revision));
        PushSelection::Commits(commits.collect::<Result<_>>()?)
    };
    let mut pushed = sharing::push(workspace, &remote, &what, args.dry_run)?;
    pushed.named.clone_from(&args.revisions);
    let left = pushed.withheld.len() + pushed.refused.len();
    ui.done(&pushed, args.dry_run || left > 0)?;
    if left == 0 {
        return Ok(());
    }
    let are_packages = pushed.withheld.iter().chain(&pushed.refused).all(|kept| kept.package.is_some());
    let what = count(left, if are_packages { "package" } else { "ref" });
    let undecided = pushed.withheld.iter().filter(|kept| kept.undecided);
    let undecided = undecided.filter_map(|kept| Some(&kept.package.as_ref()?.package));
    // One command decides about all of them.
    let mut hints: Vec<String> = sharing::ways_to_decide(undecided);
    let others = pushed.withheld.iter().chain(&pushed.refused).filter(|kept| !kept.undecided);
    for hint in others.flat_map(|kept| &kept.hints) {
        if !hints.contains(hint) {
            hints.push(hint.clone());
        }
    }
    let more = hints.split_off(hints.len().min(MAX_HINTS)).len();
    if more > 0 {
        let all = slsart(["push", remote.as_str(), "--dry-run", "--json"]);
        hints.push(format!("{} more; to list all: {all}", count(more, "hint")));
    }
    Err(Error::refused(format!("{what} not pushed to {remote}")).hints(hints))
}

/// The remote of `command`. Where a commit is named in its place, the hint has both.
pub(super) fn remote(workspace: &Workspace<'_>, named: Option<&str>, command: &str) -> Result<String> {
    sharing::remote(workspace, named).map_err(|error| {
        let revision = named.filter(|named| workspace.repository.resolve(named).is_ok());
        let usual = sharing::remote(workspace, None).ok();
        error.hints(revision.zip(usual).map(|(revision, remote)| {
            format!("to {command} the packages of {revision}: {}", slsart([command, &remote, revision]))
        }))
    })
}

/// `Packages  3f2a1c0  6d252d1d  orders · prod · us-east-1  675 kB`, a line each.
pub(super) fn write_parcels(f: &mut fmt::Formatter<'_>, word: &str, parcels: &[PackageRef]) -> fmt::Result {
    for (index, PackageRef { commit, package, target, size }) in parcels.iter().take(MAX_NAMED).enumerate() {
        let word = if index == 0 { word } else { "" };
        writeln!(
            f,
            "{BOLD}{word:<10}{BOLD:#}{COMMIT}{}{COMMIT:#}  {BOLD}{}{BOLD:#}  {target}  {}",
            short(commit, 7),
            package.short(),
            bytes(*size)
        )?;
    }
    match parcels.len().checked_sub(MAX_NAMED) {
        Some(more) if more > 0 => writeln!(f, "{:10}{DIM}and {more} more{DIM:#}", ""),
        _ => Ok(()),
    }
}

/// `Histories orders · prod · us-east-1`: the names of chains as people know them.
pub(super) fn write_chains(f: &mut fmt::Formatter<'_>, chains: &[String]) -> fmt::Result {
    let of = |prefix: &str| chains.iter().filter_map(|name| name.strip_prefix(prefix)).collect::<Vec<_>>();
    let histories = of("refs/slsart/deployments/");
    if !histories.is_empty() {
        let names = histories.iter().map(|name| {
            let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy().replace('/', " · ");
            line(&name).into_owned()
        });
        writeln!(f, "{BOLD}Histories{BOLD:#} {}", names.collect::<Vec<_>>().join(", "))?;
    }
    for (word, prefix) in [("Bans", "refs/slsart/bans/"), ("Pins", "refs/slsart/pins/")] {
        let found = of(prefix);
        if !found.is_empty() {
            writeln!(f, "{BOLD}{word:<10}{BOLD:#}updated, of {}", count(found.len(), "package"))?;
        }
    }
    Ok(())
}

impl fmt::Display for PushReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { remote, named, packages, chains, withheld, refused, .. } = self;
        let named = line(&named.join(", ")).into_owned();
        let all = |word: &str| if named.is_empty() { word.to_owned() } else { named.clone() };
        write_parcels(f, if self.dry_run { "Send" } else { "Sent" }, packages)?;
        if self.there_already > 0 {
            let these = count(self.there_already, "package");
            writeln!(f, "{:10}{DIM}{remote} keeps {these} in another form{DIM:#}", "")?;
        }
        if self.lfs_objects > 0 {
            writeln!(f, "{BOLD}LFS{BOLD:#}       {}", count(self.lfs_objects, "object"))?;
        }
        if self.toolchains > 0 {
            writeln!(f, "{BOLD}Plugins{BOLD:#}   {}", count(self.toolchains, "toolchain"))?;
        }
        write_chains(f, chains)?;
        for (word, kept) in [("Withheld", withheld), ("Refused", refused)] {
            for Unsent { package, what, why, .. } in kept {
                let commit = package.as_ref().map(|parcel| format!(" of {}", short(&parcel.commit, 7)));
                writeln!(
                    f,
                    "{WARNING}{word:<10}{WARNING:#}{}{}: {}",
                    line(what),
                    commit.unwrap_or_default(),
                    line(why)
                )?;
            }
        }
        let nothing = packages.is_empty() && chains.is_empty() && !self.notes && self.toolchains == 0;
        match (nothing && withheld.is_empty() && refused.is_empty(), self.dry_run) {
            (true, false) => writeln!(f, "{DIM}{remote} has {} already{DIM:#}", all("everything")),
            (true, true) => writeln!(f, "{DIM}{remote} has {} already{DIM:#}", all("all packages")),
            (false, false) if refused.is_empty() && withheld.is_empty() => {
                writeln!(f, "{GOOD}✓{GOOD:#} {remote} has {}", all("what is here"))
            }
            _ => Ok(()),
        }
    }
}
