//! A service that was renamed in its directory: AWS knows a stack by the service's name, so that the package of the new name makes a second
//! stack beside the one of the old name.

use std::fmt;

use crate::deploy::history;
use crate::deploy::history::packages::open;
use crate::deploy::observe::expected::Expected;
use crate::deploy::observe::expected::usual_stack;
use crate::deploy::preflight::plan::Plan;
use crate::error::{Error, Result};
use crate::package::manifest::Target;
use crate::workspace::{Workspace, name_of};

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
}

impl SecondStack {
    /// What is live beside the stack of `plan`; none where nothing of another name is.
    pub fn of(workspace: &Workspace<'_>, plan: &Plan<'_>) -> Result<Option<Self>> {
        let (target, package) = (&plan.target, &plan.package);
        let stack = Expected::of(package).map_or_else(|_| usual_stack(target), |expected| expected.stack);
        for other in workspace.store().histories().targets()? {
            let is_beside =
                (&other.path, &other.stage, &other.region) == (&target.path, &target.stage, &target.region);
            if !is_beside || other.service == target.service || has_moved(workspace, &other)? {
                continue;
            }
            let known = workspace.store().histories().of(&other)?.deployments;
            let Some(live) = history::live(&known) else { continue };
            let expected = open(workspace, live).and_then(|package| Expected::of(&package).ok());
            let beside = expected.map_or_else(|| usual_stack(&other), |expected| expected.stack);
            // A configuration may fix the stack's name, whatever the service is called.
            if beside != stack {
                let (name, is_new) = (other.service.to_string(), plan.live.is_none());
                return Ok(Some(Self { stack, beside, name, is_new }));
            }
        }
        Ok(None)
    }

    /// Whether the deployment would create a stack.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// What to ask before it does.
    #[must_use]
    pub fn question(&self) -> String {
        format!("Create the stack {} beside {}?", self.stack, self.beside)
    }

    /// The error where nothing can be asked.
    #[must_use]
    pub fn refusal(&self) -> Error {
        let Self { stack, beside, name, .. } = self;
        Error::refused(format!("this {self}"))
            .hint(format!("to create {stack} beside {beside}: --new-stack"))
            .hint(format!("to update {beside} instead, commit the service under its name {name} again"))
    }
}

/// Whether the service of this name is in another directory today.
fn has_moved(workspace: &Workspace<'_>, target: &Target) -> Result<bool> {
    let is_it = |service: &crate::service::Service| name_of(service) == Some(&target.service);
    Ok(workspace.head_services()?.iter().any(|service| is_it(service) && service.path != target.path))
}

impl fmt::Display for SecondStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stack, beside, name, is_new } = self;
        let what = if *is_new { "creates a second stack" } else { "updates one of two stacks" };
        write!(f, "{what}, {stack}: {beside}, of the service's other name {name}, stays as it is")
    }
}
