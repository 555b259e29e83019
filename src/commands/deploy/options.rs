//! The options that `deploy` and `rollback` share.

use std::fmt;

use clap::Args;
use serde::Serialize;

use crate::commands::args::TargetsArgs;
use crate::commands::{framework_output, installing};
use crate::deploy::execute::apply::DeployOptions;
use crate::deploy::fleet::packages::command_line;
use crate::deploy::preflight::checks;
use crate::deploy::preflight::plan::Plan;
use crate::deploy::preflight::second_stack::SecondStack;
use crate::store::deployments::Action;
use crate::ui::Ui;

/// What to do where a question can't be asked.
pub(super) const NOBODY_TO_ASK: &str = "--yes goes on without a question; --dry-run only shows the plan";

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct ActArgs {
    /// The reason, recorded in the target's history
    #[arg(short, long, value_name = "REASON")]
    pub(super) message: Option<String>,
    /// Do not ask
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Only show the plan; exit status 1 if something is blocked
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
    /// Deploy even if the plugin (or the framework) NAME differs from the recorded one; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(super) allow_plugin_drift: Vec<String>,
    /// Do not take the lock on the remote: other machines do not see this deployment
    #[arg(long)]
    pub(super) no_lock: bool,
    /// Deploy even if git slsart finds no valid AWS credentials: for a framework that finds them elsewhere
    #[arg(long)]
    pub(super) no_credentials: bool,
    /// Deploy even if Lambda no longer accepts the runtime NAME; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(super) allow_runtime: Vec<String>,
    /// Deploy to the account NUMBER, even if the last proven deployment was in another account
    #[arg(long, value_name = "NUMBER")]
    pub(super) allow_account: Vec<String>,
    /// Deploy even if the package needs the S3 object or container image at URL, which is missing and which a deploy does
    /// not upload; may be given several times
    #[arg(long, value_name = "URL")]
    pub(super) allow_missing: Vec<String>,
    /// Allow this deployment to delete or replace the stateful resource with this logical id, and its data; recorded in the
    /// history; may be given several times
    #[arg(long, value_name = "LOGICAL_ID")]
    pub(super) allow_delete: Vec<String>,
    /// Create a second stack where the service was renamed; the stack of its old name stays as it is
    #[arg(long)]
    pub(super) new_stack: bool,
    /// Update the stack of a service's old name; the stack of its new name stays as it is
    #[arg(long)]
    pub(super) old_stack: bool,
    /// With several services, also deploy those whose package is live already or would change nothing live
    #[arg(long)]
    pub(super) again: bool,
    #[command(flatten)]
    pub(super) target: TargetsArgs,
}

impl ActArgs {
    /// Adds what `second` is to the warnings of `plan`, and prints it where the plan is not shown.
    ///
    /// # Returns
    /// `second`, where it needs a question or an option and the option is not given.
    pub(super) fn warn_of(
        &self,
        second: Option<SecondStack>,
        plan: &mut Plan<'_>,
        ui: &Ui,
    ) -> Option<SecondStack> {
        let second = second?;
        plan.warnings.push(second.to_string());
        if !second.is_unusual() {
            return None;
        }
        if !second.is_allowed(self.new_stack, self.old_stack) {
            return Some(second);
        }
        if ui.is_quiet() && !self.dry_run {
            ui.warn(&format!("this {second}"));
        }
        None
    }

    /// The options that let what a check blocks pass, with their values.
    pub(super) fn allowed(&self) -> [(&'static str, &[String]); 4] {
        static GIVEN: [String; 1] = [String::new()];
        let given = |is_given| if is_given { GIVEN.as_slice() } else { &[] };
        [
            (checks::ALLOW_NO_CREDENTIALS, given(self.no_credentials)),
            (checks::ALLOW_RUNTIME, &self.allow_runtime),
            (checks::ALLOW_ACCOUNT, &self.allow_account),
            (checks::ALLOW_MISSING, &self.allow_missing),
        ]
    }

    /// The same command, to paste: what is needed to do it again, or the rest of it.
    ///
    /// # Arguments
    /// `flag`: one more. `allow_delete`: those of `--allow-delete` that are still needed.
    pub(super) fn command_line(
        &self,
        action: Action,
        revision: &str,
        flag: Option<&str>,
        allow_delete: &[String],
    ) -> String {
        let Self { target, .. } = self;
        let options = [
            ("--service", target.service.iter().collect()),
            ("-s", Vec::from_iter(&target.stage)),
            ("-r", Vec::from_iter(&target.region)),
            ("--allow-plugin-drift", self.allow_plugin_drift.iter().collect()),
            (checks::ALLOW_RUNTIME, self.allow_runtime.iter().collect()),
            (checks::ALLOW_ACCOUNT, self.allow_account.iter().collect()),
            (checks::ALLOW_MISSING, self.allow_missing.iter().collect()),
            ("--allow-delete", allow_delete.iter().collect()),
        ];
        let options =
            options.iter().flat_map(|(name, values)| values.iter().flat_map(|value| [*name, value.as_str()]));
        let flags = [(target.all, "--all"), (self.no_credentials, checks::ALLOW_NO_CREDENTIALS)];
        let flags = flags.into_iter().filter_map(|(is_given, flag)| is_given.then_some(flag));
        command_line(action, revision, flag.into_iter().chain(flags).chain(options))
    }

    pub(super) fn applying(&self, ui: &Ui) -> DeployOptions {
        DeployOptions {
            reason: self.message.clone(),
            allowed_drift: self.allow_plugin_drift.clone(),
            allowed_deletions: self.allow_delete.clone(),
            no_lock: self.no_lock,
            installing: installing(ui),
            deploying: framework_output(ui),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Report<'a, T> {
    pub(super) dry_run: bool,
    #[serde(flatten)]
    pub(super) what: &'a T,
}

impl<T: fmt::Display> fmt::Display for Report<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)
    }
}
