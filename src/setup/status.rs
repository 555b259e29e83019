//! What `hooks` does: tells how the hooks stand, puts them in, takes them out, and says what others are to be told.

use std::fmt;

use serde::Serialize;

use super::git_hooks::{FoundManager, HookState, HookStatus, Hooks};
use super::managers::Manager;
use super::report::SetupReport;
use crate::error::Result;
use crate::text::style::{BOLD, DIM, GOOD, WARNING};
use crate::text::words::line;
use crate::workspace::Workspace;

/// How the hooks stand, and what to do about it.
#[derive(Debug, Serialize)]
pub struct HooksStatus {
    /// The directory that git takes them from.
    pub directory: String,
    pub managers: Vec<FoundManager>,
    pub hooks: Vec<HookStatus>,
    pub next: Vec<String>,
}

pub fn hooks_status(workspace: &Workspace<'_>) -> Result<HooksStatus> {
    let hooks = Hooks::locate(workspace)?;
    let status = hooks.status()?;
    let next = hooks.next(&status)?;
    Ok(HooksStatus { directory: hooks.directory(), managers: hooks.managers(), hooks: status, next })
}

/// Puts the hooks in, and nothing else.
pub fn install_hooks(workspace: &Workspace<'_>, dry_run: bool) -> Result<SetupReport> {
    let hooks = Hooks::locate(workspace)?;
    let found = managers_in_words(&hooks);
    Ok(SetupReport { dry_run, found, steps: hooks.install(dry_run)?, next: Vec::new(), kept: None })
}

/// Takes the hooks out, and nothing else.
pub fn uninstall_hooks(workspace: &Workspace<'_>, dry_run: bool) -> Result<SetupReport> {
    let steps = Hooks::locate(workspace)?.uninstall(dry_run);
    Ok(SetupReport { dry_run, found: Vec::new(), steps, next: Vec::new(), kept: None })
}

/// What to write where for the hook manager that is named, or that is found, to run the hooks.
pub fn hooks_snippet(workspace: &Workspace<'_>, manager: Option<Manager>) -> Result<String> {
    let hooks = Hooks::locate(workspace)?;
    let found = || hooks.managers().first().map(|found| found.name);
    let manager = manager.or_else(found).unwrap_or(Manager::Shell);
    let then = manager.then().map(|command| format!("\n# then: {command}\n")).unwrap_or_default();
    Ok(manager.snippet(&|kind| hooks.is_wanted(kind)) + &then)
}

pub(super) fn managers_in_words(hooks: &Hooks<'_, '_>) -> Vec<String> {
    hooks.managers().iter().map(|found| format!("hook manager {}: {}", found.name, found.path)).collect()
}

impl fmt::Display for HooksStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for FoundManager { name, path } in &self.managers {
            writeln!(f, "{DIM}{:10}{DIM:#} {name} ({})", "manager", line(path))?;
        }
        let width = self.hooks.iter().map(|hook| hook.name.len()).max().unwrap_or(0);
        for hook in &self.hooks {
            let (style, word) = match hook.state {
                HookState::Installed => (GOOD, "installed"),
                HookState::Outdated => (WARNING, "outdated"),
                HookState::Absent => (WARNING, "absent"),
                HookState::Managed => (WARNING, "managed"),
                HookState::LeftAlone => (WARNING, "left alone"),
                HookState::NotNeeded => (DIM, "not needed"),
            };
            write!(f, "{style}{word:10}{style:#} {:width$}  {}", hook.name, line(&hook.path))?;
            let manager = hook.manager.map(|manager| manager.to_string());
            let remarks: Vec<_> = manager.into_iter().chain(hook.remark.clone()).collect();
            if !remarks.is_empty() {
                write!(f, " ({})", line(&remarks.join(": ")))?;
            }
            writeln!(f)?;
        }
        let mut programs: Vec<_> = self.hooks.iter().filter_map(|hook| hook.program.as_deref()).collect();
        programs.sort_unstable();
        programs.dedup();
        for program in programs {
            writeln!(f, "{DIM}{:10}{DIM:#} {}", "program", line(program))?;
        }
        for next in &self.next {
            writeln!(f, "{DIM}{:10}{DIM:#} {BOLD}{next}{BOLD:#}", "next")?;
        }
        Ok(())
    }
}
