//! `hook NAME`: what git's hooks run. A failure is reported in a line, and never fails git's own command.

use std::io::{self, IsTerminal as _, Read as _};

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::git::Repository;
use crate::hooks::{fetch, input, push, rewrite};
use crate::packaging::{after_commit, jobs};
use crate::progress::Silent;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Most bytes that git is listened to.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

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
    /// After commits were rewritten: `OLD NEW` a line on standard input
    PostRewrite {
        /// What rewrote them: amend or rebase
        command: Option<String>,
    },
    /// Before a push: what is pushed on standard input
    PrePush {
        /// The remote's name
        remote: Option<String>,
        /// Its URL
        url: Option<String>,
    },
    /// After a merge
    PostMerge {
        /// Whether it was a squash
        squash: Option<String>,
    },
    /// After a checkout
    PostCheckout {
        /// From where, to where, and whether that was a branch
        arguments: Vec<String>,
    },
    /// The background job that the post-commit hook starts
    Package {
        /// The commit to package
        commit: String,
    },
    /// The background job that fetches notes
    Fetch,
}

pub(crate) fn run(args: &HookArgs, context: &Context, ui: &Ui) -> Result<()> {
    let outcome = super::open(context).and_then(|repository| {
        repository.set_unattended();
        match &args.hook {
            Hook::Package { commit } => {
                jobs::package_all(&Workspace::new(context, &repository, ui.progress())?, commit)
            }
            Hook::Fetch => fetch::run(&Workspace::new(context, &repository, ui.progress())?),
            hook => gits_own(hook, context, &repository, ui),
        }
    });
    match (&args.hook, outcome) {
        (Hook::Package { .. } | Hook::Fetch, outcome) => outcome,
        (_, Err(error)) => {
            ui.warn(&in_a_line(&error));
            Ok(())
        }
        (_, Ok(())) => Ok(()),
    }
}

fn gits_own(hook: &Hook, context: &Context, repository: &Repository, ui: &Ui) -> Result<()> {
    // During a commit, only git's own output is wanted.
    let workspace = super::with_any_config(context, repository, &Silent, ui);
    let lines = match hook {
        Hook::PostCommit => return after_commit::run(&workspace),
        Hook::PostMerge { .. } | Hook::PostCheckout { .. } => return fetch::start(&workspace),
        Hook::PostRewrite { command } => {
            let mut pairs = input::rewritten(&listen());
            if pairs.is_empty() {
                // Some hook managers don't hand it on.
                pairs = input::rewritten(&repository.rewritten());
            }
            rewrite::run(&workspace, &pairs, command.as_deref() == Some("rebase"))?
        }
        Hook::PrePush { remote, .. } => {
            let workspace = workspace.with_progress(ui.progress_if_watched());
            let pushed = Pushed::of(remote.as_deref(), listen(), context, repository);
            push::run(&workspace, &pushed.remote, &input::updates(&pushed.text))?
        }
        Hook::Package { .. } | Hook::Fetch => return Err(Error::bug("a job was taken for a hook of git's")),
    };
    for line in &lines {
        ui.warn(line);
    }
    Ok(())
}

struct Pushed {
    remote: String,
    text: String,
}

impl Pushed {
    /// As git tells it; or as pre-commit does, in the environment.
    fn of(remote: Option<&str>, text: String, context: &Context, repository: &Repository) -> Self {
        let told = |name: &str| context.environment.text(name);
        let remote = remote.or_else(|| told("PRE_COMMIT_REMOTE_NAME")).unwrap_or_default().to_owned();
        let local = told("PRE_COMMIT_LOCAL_BRANCH").filter(|_| text.trim().is_empty());
        let (Some(local), Some(name)) = (local, told("PRE_COMMIT_REMOTE_BRANCH")) else {
            return Self { remote, text };
        };
        let commit = repository.resolve(told("PRE_COMMIT_TO_REF").unwrap_or(local));
        let text = commit.map(|commit| format!("{local} {commit} {name} {}\n", "0".repeat(40)));
        Self { remote, text: text.unwrap_or_default() }
    }
}

/// All that git says on standard input.
fn listen() -> String {
    let input = io::stdin();
    let mut bytes = Vec::new();
    if !input.is_terminal() {
        // What could be read is what there is to go by.
        let _ = input.lock().take(MAX_BYTES).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn in_a_line(error: &Error) -> String {
    std::iter::once(error.with_causes()).chain(error.hints.iter().cloned()).collect::<Vec<_>>().join("; ")
}
