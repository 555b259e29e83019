//! The packages of a target, for a person to choose one to go back to.

use crate::deploy::history::packages::package_of;
use crate::deploy::history::release::describe_commit;
use crate::deploy::history::{self, PackageStanding, standing};
use crate::deploy::preflight::plan::Plan;
use crate::deploy::preflight::rollback_target::{Previous, previous};
use crate::error::{Error, Result};
use crate::package::Manifest;
use crate::package::manifest::{Plugin, Target};
use crate::store::NotedPackage;
use crate::store::deployments::{Action, Deployment};
use crate::text::table::{Column, Table};
use crate::text::words::{ago, bytes, line};
use crate::toolchain::drift::{self, Change, PluginChange};
use crate::workspace::{Wanted, Workspace};

/// Most packages to choose from; typing narrows them down, and a name on the command line finds any.
const MAX_CHOICES: usize = 200;

/// The packages of a target, newest first.
pub struct Choices {
    /// The target.
    pub target: Target,
    /// How they are shown: a line a package.
    pub table: Table,
    /// The line of the one that is probably meant.
    pub first: usize,
    /// What else there is to know.
    pub remark: Option<String>,
    found: Vec<NotedPackage>,
}

impl Choices {
    /// The packages of the one target that is meant.
    pub fn of(workspace: &Workspace<'_>, wanted: &Wanted) -> Result<Self> {
        let store = workspace.store();
        let filter = workspace.target(wanted, None)?;
        let mut found = store.packages().all(&filter)?.found;
        let mut targets: Vec<Target> = found.iter().map(|found| found.line.target.clone()).collect();
        filter.keep_nearest(&mut targets, |target| target);
        let Some(target) = targets.first().cloned() else {
            workspace.need_known_target(&filter, wanted, "rollback")?;
            return Err(Error::not_recorded("there is no package to go back to")
                .hint("`git slsart log --all` lists the packages"));
        };
        // The directory of the service may have been another.
        found.retain(|found| targets.iter().any(|target| target.is_same_stack(&found.line.target)));
        if let Some(other) = found.iter().find(|found| !found.line.target.is_same_stack(&target)) {
            return Err(Error::refused("several targets have packages").hint(format!(
                "name one with --service, --stage and --region: {target}; {}; …",
                other.line.target
            )));
        }
        found.truncate(MAX_CHOICES);
        let known = store.histories().of(&target)?.deployments;
        // A package that is lost can't be chosen, and is no reason to offer none.
        let (meant, remark) = match previous(workspace, &known) {
            Ok(Previous { found, skipped }) => (found, skipped),
            Err(error) => (None, vec![error.to_string()]),
        };
        let remark = (!remark.is_empty()).then(|| remark.join("; "));
        let bans = store.bans().all()?;
        let standings: Vec<_> = found.iter().map(|found| standing(&known, |one| is_of(one, found))).collect();
        let meant = meant.and_then(|meant| found.iter().position(|found| *found == meant));
        let is_banned = |found: &NotedPackage| bans.contains_key(&(found.commit, found.line.package));
        let marks = found.iter().zip(&standings).enumerate().map(|(at, (found, standing))| {
            let mark = match standing {
                _ if meant == Some(at) => "last good",
                PackageStanding::Live => "live",
                _ if is_banned(found) => "banned",
                PackageStanding::WasLive => "was live",
                PackageStanding::RolledBackFrom => "rolled back from",
                PackageStanding::Failed => "failed",
                PackageStanding::NeverDeployed => "never deployed",
            };
            if mark == "live" && is_banned(found) { "live, banned" } else { mark }
        });
        let live = history::live(&known).and_then(|live| package_of(workspace, live).ok());
        let table = table(workspace, &found, marks, live.as_ref());
        // Where there is nothing to go back to: what changes nothing, else a package that was never rolled back from.
        let standing = |wanted| standings.iter().position(|standing| *standing == wanted);
        let first = meant
            .or_else(|| standing(PackageStanding::Live))
            .or_else(|| standing(PackageStanding::NeverDeployed));
        Ok(Self { target, table, first: first.unwrap_or(0), remark, found })
    }

    /// The plan to go back to the one at `index`.
    pub fn plan<'r>(&self, workspace: &Workspace<'r>, index: usize) -> Result<Plan<'r>> {
        Plan::of_found(workspace, Action::Rollback, &self.found[index])
    }
}

/// Whether a deployment is of this package.
fn is_of(deployment: &Deployment, found: &NotedPackage) -> bool {
    deployment.package == found.line.package && deployment.commit == found.commit.to_string()
}

fn table<'a>(
    workspace: &Workspace<'_>,
    found: &[NotedPackage],
    marks: impl Iterator<Item = &'a str>,
    live: Option<&NotedPackage>,
) -> Table {
    let store = workspace.store();
    let manifest =
        |found: &NotedPackage| store.open(found.commit, &found.line).ok().map(|package| package.manifest);
    let live = live.and_then(manifest);
    let now = workspace.context.clock.now();
    let mut table = Table::new([
        Column::left(),
        Column::left(),
        Column::ragged().cut(),
        Column::ragged().rank(1),
        Column::ragged().after(" · ").rank(3),
        Column::ragged().after(" · ").rank(2),
    ]);
    for (found, mark) in found.iter().zip(marks) {
        let plugins = live.as_ref().zip(manifest(found)).map(|(live, other)| changes(live, &other));
        let (short, label) = describe_commit(workspace.repository, found.commit);
        table.line([
            mark.to_owned(),
            short,
            line(&label).into_owned(),
            ago(found.line.recorded, now),
            bytes(found.line.size),
            in_words(&plugins.unwrap_or_default()),
        ]);
    }
    table
}

/// How the plugins and the framework of a package differ from those of what is live.
fn changes(live: &Manifest, other: &Manifest) -> Vec<PluginChange> {
    let all = |manifest: &Manifest| -> Vec<Plugin> {
        manifest.framework.iter().chain(&manifest.plugins).cloned().collect()
    };
    drift::differences(&all(live), &all(other))
}

/// What differs of plugins, the first of them by name.
fn in_words(changes: &[PluginChange]) -> String {
    let one = |PluginChange { name, change }: &PluginChange| match change {
        Change::Version { before, now } => format!("{} {} → {}", line(name), line(before), line(now)),
        Change::Gone { .. } => format!("without {}", line(name)),
        Change::New { .. } => format!("with {}", line(name)),
        Change::Source | Change::Files { .. } => format!("{} differs", line(name)),
    };
    let named = changes.iter().take(2).map(one).collect::<Vec<_>>().join(", ");
    if changes.len() > 2 { format!("{named} and {} more", changes.len() - 2) } else { named }
}
