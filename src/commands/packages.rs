//! The packages that a command works on, when it may be many.

use clap::Args;

use super::args::TargetArgs;
use crate::error::Result;
use crate::progress::Progress as _;
use crate::sharing;
use crate::store::{NotedPackage, StoredPackage};
use crate::text::words::{count, short};
use crate::ui::Ui;
use crate::workspace::Workspace;

#[derive(Debug, Args)]
pub(super) struct PackagesArgs {
    /// Commits, or packages' ids
    #[arg(value_name = "REF", default_value = "HEAD", conflicts_with = "all")]
    pub(super) revisions: Vec<String>,
    /// Every package of every commit
    #[arg(short, long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

impl PackagesArgs {
    /// The packages that are meant: every one of each commit, whatever its target.
    pub(super) fn selected(&self, workspace: &Workspace<'_>, ui: &Ui) -> Result<Vec<NotedPackage>> {
        let filter = workspace.listed(&self.target.wanted()?, self.all)?;
        let store = workspace.store();
        let mut found = Vec::new();
        if self.all {
            let listing = store.packages().all(&filter)?;
            for (commit, line) in &listing.unread {
                ui.warn(&format!(
                    "the note of {} has a line that this git-slsart can't read: {line}",
                    short(&commit.to_string(), 7)
                ));
            }
            found = listing.found;
        } else {
            for revision in &self.revisions {
                let of_commit = match workspace.repository.resolve(revision) {
                    Ok(commit) => store.packages().of(commit, &filter)?,
                    Err(_) => Vec::new(),
                };
                let same = if of_commit.is_empty() { self.with_id(workspace, revision)? } else { of_commit };
                match same.as_slice() {
                    [] => found.push(sharing::find(workspace, revision, &filter)?),
                    _ => found.extend(same),
                }
            }
        }
        let total = found.len();
        // What is only elsewhere is not here to be damaged.
        if self.all {
            found.retain(|found| !sharing::is_elsewhere(workspace, found).unwrap_or(false));
        }
        if found.len() < total {
            ui.progress().note(&format!(
                "{} left out: their content is only on a remote; to fetch it: git slsart fetch --all",
                count(total - found.len(), "package")
            ));
        }
        Ok(found)
    }

    /// The packages with this id, one for each commit that it is recorded for. An id says by itself which service is meant.
    fn with_id(&self, workspace: &Workspace<'_>, id: &str) -> Result<Vec<NotedPackage>> {
        let filter = workspace.listed(&self.target.wanted()?, true)?;
        let mut found = workspace.store().packages().with_id(id)?;
        found.retain(|found| filter.matches(&found.line.target));
        let is_one = found.windows(2).all(|two| two[0].line.package == two[1].line.package);
        Ok(if is_one { found } else { Vec::new() })
    }

    pub(super) fn opened<'a>(&self, workspace: &Workspace<'a>, ui: &Ui) -> Result<Vec<StoredPackage<'a>>> {
        let found = self.selected(workspace, ui)?;
        found.iter().map(|found| workspace.store().open(found.commit, &found.line)).collect()
    }
}
