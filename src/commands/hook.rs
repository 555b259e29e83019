//! `hook NAME`: what git's hooks run.

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::error::Result;
use crate::packaging::{after_commit, jobs};
use crate::progress::Silent;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// What git's hooks run
#[derive(Debug, Args)]
#[command(hide = true)]
pub struct HookArgs {
    #[command(subcommand)]
    hook: Hook,
}

#[derive(Debug, Subcommand)]
enum Hook {
    /// After a commit
    PostCommit,
    /// The background job that the post-commit hook starts
    Package {
        /// The commit to package
        commit: String,
    },
}

pub(super) fn run(args: &HookArgs, context: &Context, ui: &Ui) -> Result<()> {
    let repository = super::open(context)?;
    match &args.hook {
        // Whoever commits wants to see what git says, and nothing else.
        Hook::PostCommit => after_commit::run(&super::with_any_config(context, &repository, &Silent, ui)),
        Hook::Package { commit } => {
            jobs::package_all(&Workspace::new(context, &repository, ui.progress())?, commit)
        }
    }
}
