//! A service that was renamed, in its directory or with it: AWS knows a stack by the service's name, so that the package of the new name makes a second
//! stack beside the one of the old name.

use std::fmt;

use jiff::Timestamp;

use crate::context::Context;
use crate::deploy::history;
use crate::deploy::history::packages::open;
use crate::deploy::observe::expected::{stack_of, usual_stack};
use crate::error::{Error, Result};
use crate::git::Oid;
use crate::package::manifest::Target;
use crate::service::{Service, ServicePath};
use crate::store::StoredPackage;
use crate::workspace::{Workspace, name_of};

/// The option that lets a deployment create a second stack.
const NEW_STACK: &str = "--new-stack";
/// The option that lets a deployment update the stack of a former name.
const OLD_STACK: &str = "--old-stack";

/// A stack that is live from the directory of a package, under another name.
#[derive(Debug)]
pub struct SecondStack {
    /// The stack of the package.
    stack: String,
    /// The stack that stays beside it.
    beside: String,
    /// The other name.
    name: String,
    /// Whether the package's stack is not known to exist.
    is_new: bool,
    /// Whether HEAD calls the service by the other name.
    is_former: bool,
}

impl SecondStack {
    /// What is live beside the stack of `package`; none where nothing of another name is.
    ///
    /// # Arguments
    /// `mine`: since when something is live in the package's own stack.
    pub fn of(
        workspace: &Workspace<'_>,
        package: &StoredPackage<'_>,
        mine: Option<Timestamp>,
    ) -> Result<Option<Self>> {
        let target = &package.manifest.target;
        let stack = stack_of(package);
        let services = workspace.head_services()?;
        let place = workspace.place_in_head(package.commit, &target.path)?;
        let present = services.iter().find(|service| service.path == place).and_then(name_of);
        for other in workspace.store().histories().targets()? {
            let is_beside = (&other.stage, &other.region) == (&target.stage, &target.region);
            if !is_beside || other.service == target.service || has_moved(workspace, &other, &place)? {
                continue;
            }
            let known = workspace.store().histories().of(&other)?.deployments;
            let Some(live) = history::live(&known) else { continue };
            let made_from =
                Oid::from_str(&live.commit).ok().filter(|commit| workspace.repository.has(*commit));
            let is_same = match made_from {
                Some(commit) => workspace.place_in_head(commit, &other.path)? == place,
                None => other.path == place,
            };
            if !is_same {
                continue;
            }
            let package = open(workspace, live);
            let beside = package.map_or_else(|| usual_stack(&other), |package| stack_of(&package));
            // A configuration may fix the stack's name, whatever the service is called.
            if beside != stack {
                // Without a name in HEAD, the stack that was deployed last is the one in use.
                let is_former = match (present, mine) {
                    (Some(present), _) => *present == other.service,
                    (None, mine) => mine.is_some_and(|since| since < live.started),
                };
                let (name, is_new) = (other.service.to_string(), mine.is_none());
                return Ok(Some(Self { stack, beside, name, is_new, is_former }));
            }
        }
        Ok(None)
    }

    /// Whether a deployment to this stack needs a question or an option: it is not the stack of the service's present name, or does not
    /// exist yet.
    pub fn is_unusual(&self) -> bool {
        self.is_new || self.is_former
    }

    /// Whether one of these options is the one that it needs.
    pub fn is_allowed(&self, new_stack: bool, old_stack: bool) -> bool {
        if self.is_new { new_stack } else { old_stack }
    }

    /// What to ask before the deployment.
    pub fn question(&self) -> String {
        let verb = if self.is_new { "Create" } else { "Update" };
        format!("{verb} the stack {} beside {}?", self.stack, self.beside)
    }

    /// The way to deploy all the same.
    pub fn way(&self, workspace: &Workspace<'_>, target: &Target) -> String {
        let Self { stack, beside, is_new, .. } = self;
        let (verb, option) = if *is_new { ("create", NEW_STACK) } else { ("update", OLD_STACK) };
        format!("to {verb} {stack} beside {beside}: {}", workspace.slsart(&["deploy", option], target))
    }

    /// The error where nothing can be asked: the commands that go on.
    pub fn refusal(&self, context: &Context) -> Error {
        let Self { stack, beside, name, is_new, .. } = self;
        let error = Error::refused(format!("this {self}"));
        if *is_new {
            error
                .hint(format!("to create {stack} beside {beside}: {}", context.again(&[], &[NEW_STACK])))
                .hint(format!("to update {beside} instead, commit the service under its name {name} again"))
        } else {
            error
                .hint(format!(
                    "to update {stack}, and leave {beside} as it is: {}",
                    context.again(&[], &[OLD_STACK])
                ))
                .hint(format!("to update {beside} instead, name a package of {name}"))
        }
    }
}

/// Whether the service of this name is in another directory than `place` today.
fn has_moved(workspace: &Workspace<'_>, target: &Target, place: &ServicePath) -> Result<bool> {
    let is_it = |service: &Service| name_of(service) == Some(&target.service);
    Ok(workspace.head_services()?.iter().any(|service| is_it(service) && service.path != *place))
}

impl fmt::Display for SecondStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stack, beside, name, is_new, .. } = self;
        let what = if *is_new { "creates a second stack" } else { "updates only one of two stacks" };
        write!(
            f,
            "{what}, {stack}; the stack {beside} of the same service, under its name {name}, is left as it is"
        )
    }
}
