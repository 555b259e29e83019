//! The packages of a target, for a person to choose one to go back to.

use std::fmt;

use jiff::Timestamp;

use super::goal::package_of;
use super::history;
use super::plan::{Plan, describe_commit};
use crate::error::{Error, Result};
use crate::package::Manifest;
use crate::package::manifest::{Plugin, Target};
use crate::store::NotedPackage;
use crate::store::deployments::Action;
use crate::text::words::{ago, bytes, count, line};
use crate::toolchain::drift::{self, Change, PluginChange};
use crate::workspace::{Wanted, Workspace};

/// Most packages to choose from; typing narrows them down, and a name on the command line finds any.
const MAX_CHOICES: usize = 200;

/// The packages of a target, newest first.
pub struct Choices {
    /// The target.
    pub target: Target,
    /// What there is to choose.
    pub rows: Vec<Choice>,
    /// How many were left out since they are banned.
    pub banned: usize,
}

/// A package to choose.
pub struct Choice {
    found: NotedPackage,
    mark: Mark,
    short: String,
    label: String,
    plugins: Vec<PluginChange>,
    now: Timestamp,
}

/// What a package is to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Live,
    LastGood,
    None,
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
            workspace.need_known(&filter)?;
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
        let all = found.len();
        let bans = store.bans().all()?;
        found.retain(|found| !bans.contains_key(&(found.commit, found.line.package)));
        let banned = all - found.len();
        found.truncate(MAX_CHOICES);
        let known = store.histories().of(&target)?.deployments;
        let live = history::live(&known).and_then(|live| package_of(workspace, live).ok());
        let back = history::back(&known);
        let mut good = back.iter().filter_map(|back| package_of(workspace, back).ok());
        let good = good.find(|good| found.contains(good));
        let manifest =
            |found: &NotedPackage| store.open(found.commit, &found.line).ok().map(|package| package.manifest);
        let before = live.as_ref().and_then(manifest);
        let row = |found: NotedPackage| {
            let mark = match () {
                () if live.as_ref() == Some(&found) => Mark::Live,
                () if good.as_ref() == Some(&found) => Mark::LastGood,
                () => Mark::None,
            };
            let plugins = before.as_ref().zip(manifest(&found)).map(|(live, other)| changes(live, &other));
            let (short, label) = describe_commit(workspace.repository, found.commit);
            let now = workspace.context.clock.now();
            Choice { found, mark, short, label, plugins: plugins.unwrap_or_default(), now }
        };
        Ok(Self { target, rows: found.into_iter().map(row).collect(), banned })
    }

    /// The index of the one that is probably meant: the last good one, else the newest that is not live.
    #[must_use]
    pub fn first(&self) -> usize {
        let position = |is: &dyn Fn(&Choice) -> bool| self.rows.iter().position(is);
        position(&|row| row.mark == Mark::LastGood)
            .or_else(|| position(&|row| row.mark == Mark::None))
            .unwrap_or(0)
    }

    /// The plan to go back to the one at `index`.
    pub fn plan<'r>(&self, workspace: &Workspace<'r>, index: usize) -> Result<Plan<'r>> {
        Plan::of_found(workspace, Action::Rollback, &self.rows[index].found)
    }

    /// What is left out, in words.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        (self.banned > 0).then(|| format!("{} left out: banned", count(self.banned, "package")))
    }
}

/// How the plugins and the framework of a package differ from those of what is live.
fn changes(live: &Manifest, other: &Manifest) -> Vec<PluginChange> {
    let all = |manifest: &Manifest| -> Vec<Plugin> {
        manifest.framework.iter().chain(&manifest.plugins).cloned().collect()
    };
    drift::differences(&all(live), &all(other))
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, mark, short, label, plugins, now } = self;
        let mark = match mark {
            Mark::Live => "live",
            Mark::LastGood => "last good",
            Mark::None => "",
        };
        let (age, size) = (ago(found.line.recorded, *now), bytes(found.line.size));
        write!(f, "{mark:9}  {short}  {}  {age} · {size}", line(label))?;
        for (index, PluginChange { name, change }) in plugins.iter().take(2).enumerate() {
            write!(f, "{}", if index == 0 { " · " } else { ", " })?;
            match change {
                Change::Version { before, now } => {
                    write!(f, "{} {} → {}", line(name), line(before), line(now))?;
                }
                Change::Gone { .. } => write!(f, "without {}", line(name))?,
                Change::New { .. } => write!(f, "with {}", line(name))?,
                Change::Source | Change::Files { .. } => write!(f, "another {}", line(name))?,
            }
        }
        if plugins.len() > 2 {
            write!(f, " and {} more", plugins.len() - 2)?;
        }
        Ok(())
    }
}
