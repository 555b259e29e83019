//! What a deploy or rollback is about to do, decided before anything is done.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::deploy::history;
use crate::deploy::history::Watermark;
use crate::deploy::history::release::{Live, describe_commit, describe_live};
use crate::deploy::observe::aws_state::AwsState;
use crate::deploy::observe::effect::{self, LastUpdate};
use crate::deploy::preflight::checks::{self, Check, CheckedPackage};
use crate::deploy::preflight::guard::{self, Baseline, Changes};
use crate::deploy::preflight::plugins_at_deploy::{PluginAtDeploy, plugins_at_deploy};
use crate::error::{Error, Result};
use crate::git::Oid;
use crate::package::PackageId;
use crate::package::manifest::{Target, Tool};
use crate::service::S3Prefix;
use crate::sharing;
use crate::store::deployments::{Action, Effect};
use crate::store::histories::History;
use crate::store::{NotedPackage, StoredPackage};
use crate::text::style::{BOLD, COMMIT, DIM, WARNING};
use crate::workspace::Workspace;

/// A deployment that is about to happen.
#[derive(Serialize)]
pub struct Plan<'r> {
    /// What will be done.
    pub action: Action,
    /// To what.
    pub target: Target,
    /// What is live there now, by the history.
    pub live: Option<Live>,
    /// What will be live.
    pub restore: Restore,
    /// What would change; `None` where it is not known what is live.
    pub changes: Option<Changes>,
    /// The plugins that act when the package is deployed.
    pub plugins_at_deploy: Vec<PluginAtDeploy>,
    /// What the user should know before saying yes.
    pub warnings: Vec<String>,
    /// What was checked.
    pub checks: Vec<Check>,
    /// A time, in milliseconds since 1970, after every S3 prefix that the history knows: the framework's clean-up keeps the
    /// newest by name, and this machine's clock may be behind another's.
    #[serde(skip)]
    pub newest_prefix: i64,
    /// The S3 prefix that the package was made with.
    #[serde(skip)]
    pub(in crate::deploy) prefix: Option<S3Prefix>,
    /// Whether a later deployment than the live one may have changed what is live.
    #[serde(skip)]
    pub uncertain: bool,
    /// Whether the history has no deployment.
    #[serde(skip)]
    is_new: bool,
    /// When the stack was last updated.
    #[serde(skip)]
    pub(in crate::deploy) last_update: LastUpdate,
    /// The history that the plan was made with.
    #[serde(skip)]
    pub(in crate::deploy) watermark: Watermark,
    /// The package.
    #[serde(skip)]
    pub package: StoredPackage<'r>,
    /// When the plan was made.
    #[serde(skip)]
    pub at: Timestamp,
}

/// What will be live.
#[derive(Debug, Clone, Serialize)]
pub struct Restore {
    /// Its commit.
    pub commit: String,
    /// The commit's name for people.
    #[serde(skip)]
    pub short: String,
    /// The commit's subject, or a tag.
    pub label: String,
    /// Its package.
    pub package: String,
    /// The sum of its files' sizes, in bytes.
    pub size: u64,
    /// When it was recorded.
    pub recorded: Timestamp,
    /// The node version it was made with.
    pub node: Option<String>,
    /// The framework it was made with.
    pub framework: Option<Tool>,
}

/// What a lock is taken for.
#[derive(Debug, Clone)]
pub(in crate::deploy) struct Purpose {
    pub(in crate::deploy) action: Action,
    pub(in crate::deploy) target: Target,
    /// The package that will be live, with its source commit.
    pub(in crate::deploy) package: (Oid, PackageId),
}

impl<'r> Plan<'r> {
    /// What its lock is taken for.
    pub(in crate::deploy) fn purpose(&self) -> Purpose {
        let package = (self.package.commit, self.package.manifest.package.id);
        Purpose { action: self.action, target: self.target.clone(), package }
    }

    /// Refuses names, of plugins that may drift, that the package knows no plugin by.
    pub fn check_names(&self, names: &[String]) -> Result<()> {
        let manifest = &self.package.manifest;
        let framework = manifest.tools.framework.as_ref().map(|tool| tool.name.as_str());
        let known: Vec<&str> =
            manifest.plugins.iter().map(|plugin| plugin.name.as_str()).chain(framework).collect();
        match names.iter().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(Error::usage(format!("the package has no plugin '{name}'"))
                .hint(format!("it has: {}", known.join(", ")))),
            None => Ok(()),
        }
    }

    /// Lets what the checks block pass where it is one of `values` that `option` was given with: [`checks::ALLOW_RUNTIME`],
    /// [`checks::ALLOW_ACCOUNT`], [`checks::ALLOW_MISSING`].
    pub fn allow(&mut self, option: &str, values: &[String]) {
        checks::allow(&mut self.checks, option, values);
    }

    /// Lets resources that hold data be deleted or replaced, by their logical ids.
    ///
    /// # Errors
    /// Usage, when an id is unknown.
    pub fn allow_deletion(&mut self, ids: &[String]) -> Result<()> {
        match (&mut self.changes, ids) {
            (_, []) => Ok(()),
            (Some(changes), ids) => changes.allow(ids),
            (None, _) => Err(Error::usage("what is live is unknown, so nothing is known to be deleted")
                .hint("leave out --allow-delete")),
        }
    }

    /// Refuses to start where something that holds data would be deleted or replaced, or a check says no.
    pub fn pass(&self) -> Result<()> {
        self.changes.as_ref().map_or(Ok(()), |changes| changes.check(self.action))?;
        checks::pass(&self.checks)
    }

    pub(in crate::deploy) fn of_found(
        workspace: &Workspace<'r>,
        action: Action,
        found: &NotedPackage,
    ) -> Result<Self> {
        let repository = workspace.repository;
        checks::pass(checks::banned(workspace, found)?.as_slice())?;
        let package = sharing::open(workspace, found)?;
        let manifest = &package.manifest;
        let History { mut deployments, unread } = workspace.store().histories().of(&manifest.target)?;
        let watermark = Watermark::of(&deployments);
        let CheckedPackage { mut checks, prefix, answers, .. } =
            checks::of_package(workspace, &package, action, &deployments, None)?;
        if let Some(AwsState { stack: Ok(Some(stack)), template: Ok(Some(template)), .. }) = &answers {
            effect::settle(&mut deployments, stack, template, false);
        }
        let last_update = answers.as_ref().map_or(LastUpdate::Unknown, |told| LastUpdate::of(&told.stack));
        let live = history::live(&deployments).map(|live| describe_live(repository, live));
        let prefixes = deployments.iter().filter_map(|known| known.prefix.as_ref()?.parse::<S3Prefix>().ok());
        let newest_prefix = prefixes.map(|prefix| prefix.millis() + 1).max().unwrap_or(0);
        let mut warnings = Vec::new();
        if unread > 0 {
            warnings
                .push(format!("{unread} records of the history can't be read: what is live is not certain"));
        }
        if manifest.source.dirty {
            warnings.push("the package was made with uncommitted changes".to_owned());
        }
        warnings.extend(history::doubt(&deployments, workspace.context.clock.now()));
        let is_gone = last_update == LastUpdate::NoStack;
        if !is_gone && live.as_ref().is_some_and(|live| live.package == manifest.package.id.to_string()) {
            warnings.push("by the history, this package is live already".to_owned());
        }
        let before = Baseline::of(workspace, &deployments, answers.as_ref());
        let before = guard::or_warning(before, &mut warnings)?;
        warnings.extend(before.as_ref().and_then(|before| before.remark.clone()));
        let changes = before.map(|before| Changes::of(workspace, &before, &package, &deployments));
        let changes = guard::or_warning(changes.transpose(), &mut warnings)?;
        if let (Some(changes), Some(answers)) = (&changes, &answers) {
            let region = manifest.target.region.as_str();
            checks.extend(checks::names::check(&changes.taken, &answers.name, region));
        }
        let plugins_at_deploy = plugins_at_deploy(manifest);
        let (short, label) = describe_commit(repository, package.commit);
        let restore = Restore {
            commit: package.commit.to_string(),
            short,
            label,
            package: manifest.package.id.to_string(),
            size: manifest.package.size,
            recorded: manifest.package.recorded,
            node: manifest.tools.node.clone(),
            framework: manifest.tools.framework.clone(),
        };
        let target = manifest.target.clone();
        Ok(Self {
            action,
            target,
            live,
            restore,
            changes,
            plugins_at_deploy,
            warnings,
            checks,
            newest_prefix,
            prefix,
            uncertain: history::is_uncertain(&deployments),
            is_new: deployments.iter().all(|known| known.effect() == Effect::None),
            last_update,
            watermark,
            package,
            at: workspace.context.clock.now(),
        })
    }
}

impl fmt::Display for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::text::words::{ago, bytes, person};
        writeln!(f, "{BOLD}Target{BOLD:#}    {}", self.target)?;
        match &self.live {
            Some(Live { short, label, .. }) if self.last_update == LastUpdate::NoStack => writeln!(
                f,
                "{BOLD}Live{BOLD:#}      {WARNING}nothing: the stack does not exist any more{WARNING:#}  {DIM}deployed last: {short}  {label}{DIM:#}"
            )?,
            Some(live) => {
                let Live { short, label, since, by, .. } = live;
                let when = ago(*since, self.at);
                writeln!(
                    f,
                    "{BOLD}Live{BOLD:#}      {COMMIT}{short}{COMMIT:#}  {label}  {DIM}deployed {when} by {}{DIM:#}",
                    person(by)
                )?;
            }
            None => {
                let why = if self.is_new {
                    "nothing was deployed by git slsart yet"
                } else {
                    "no deployment has finished yet"
                };
                writeln!(f, "{BOLD}Live{BOLD:#}      {DIM}not known: {why}{DIM:#}")?;
            }
        }
        let verb = if self.action == Action::Deploy { "Deploy  " } else { "Restore " };
        let Restore { short, label, package, size, recorded, node, framework, .. } = &self.restore;
        write!(
            f,
            "{BOLD}{verb}{BOLD:#}  {COMMIT}{short}{COMMIT:#}  {label}  {DIM}package {} · {} · {}",
            &package[..8],
            bytes(*size),
            ago(*recorded, self.at)
        )?;
        if let Some(node) = node {
            write!(f, " · node {node}")?;
        }
        if let Some(framework) = framework {
            write!(f, " · {framework}")?;
        }
        writeln!(f, "{DIM:#}")?;
        if let Some(changes) = &self.changes {
            write!(f, "{changes}")?;
        }
        for (index, plugin) in self.plugins_at_deploy.iter().enumerate() {
            let head = if index == 0 { "Plugins" } else { "" };
            writeln!(f, "{BOLD}{head:10}{BOLD:#}{plugin}")?;
        }
        if self.action != Action::Deploy {
            writeln!(
                f,
                "{DIM}not rolled back: data, secrets, SSM values, other stacks, what plugins did{DIM:#}"
            )?;
        }
        self.warnings.iter().try_for_each(|warning| writeln!(f, "{WARNING}!{WARNING:#} {warning}"))?;
        checks::write(f, &self.checks)
    }
}
