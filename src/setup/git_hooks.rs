//! The hooks of this program: what is where, putting them in and taking them out. What another tool owns is reported, and left
//! alone.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::hook_kinds::{HOOKS, HookKind};
use super::managers::Manager;
use super::report::{SetupAction, SetupStep, failed, step};
use crate::error::Result;
use crate::git::hook_file::{Directory, Hook, HookFileState, usual_programs};
use crate::text::command::slsart;
use crate::workspace::Workspace;

/// The hooks that git-lfs has its own line in.
const LFS: &[&str] = &["post-checkout", "post-commit", "post-merge", "pre-push"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookState {
    Installed,
    /// It runs this program as an earlier version had it, or by a path where nothing is any more.
    Outdated,
    /// It does not run this program.
    Absent,
    /// A hook manager owns the file, and was not told to run this program.
    Managed,
    /// The file must not be written to, for the reason that the remark gives.
    LeftAlone,
    /// Nothing is to be done in it, as `slsart.toml` has it.
    NotNeeded,
}

/// A hook, as `hooks status` shows it.
#[derive(Debug, Clone, Serialize)]
pub struct HookStatus {
    pub name: &'static str,
    pub state: HookState,
    pub path: String,
    pub manager: Option<Manager>,
    /// The program that it runs; `None` where it runs none, or finds none.
    pub program: Option<String>,
    pub remark: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct FoundManager {
    pub name: Manager,
    /// The file or directory that says so.
    pub path: String,
}

pub(super) struct Hooks<'w, 'a> {
    workspace: &'w Workspace<'a>,
    directory: Directory,
    managers: Vec<(Manager, String)>,
}

struct Looked {
    kind: &'static HookKind,
    hook: Hook,
    state: HookFileState,
    manager: Option<Manager>,
    /// The file in which that was told to run this program.
    told: Option<String>,
    /// Files with our block that a manager put aside.
    aside: Vec<PathBuf>,
}

impl<'w, 'a> Hooks<'w, 'a> {
    pub(super) fn locate(workspace: &'w Workspace<'a>) -> Result<Self> {
        let directory = Directory::locate(workspace.repository)?;
        let managers = Manager::detect(workspace.repository, &directory);
        Ok(Self { workspace, directory, managers })
    }

    pub(super) fn managers(&self) -> Vec<FoundManager> {
        self.managers.iter().map(|(name, path)| FoundManager { name: *name, path: path.clone() }).collect()
    }

    /// The directory that git takes them from.
    pub(super) fn directory(&self) -> String {
        self.shown(self.directory.path())
    }

    pub(super) fn status(&self) -> Result<Vec<HookStatus>> {
        HOOKS.iter().map(|kind| Ok(self.status_of(&self.look(kind)?))).collect()
    }

    pub(super) fn install(&self, dry_run: bool) -> Result<Vec<SetupStep>> {
        let mut steps = Vec::new();
        for kind in HOOKS.iter().filter(|kind| self.is_wanted(kind)) {
            let looked = self.look(kind)?;
            let (action, remark) = looked.plan();
            if !dry_run && matches!(action, SetupAction::Create | SetupAction::Add) {
                looked.hook.install()?;
            }
            steps.push(SetupStep { remark, ..step(&subject(kind), action) });
        }
        Ok(steps)
    }

    /// Takes them out, all that there are, and goes on where one can't be.
    pub(super) fn uninstall(&self, dry_run: bool) -> Vec<SetupStep> {
        HOOKS
            .iter()
            .flat_map(|kind| self.remove(kind, dry_run).unwrap_or_else(|e| vec![failed(&subject(kind), &e)]))
            .collect()
    }

    /// Whether a hook is to be there, as `slsart.toml` has it.
    pub(super) fn is_wanted(&self, kind: &HookKind) -> bool {
        !kind.for_fetching || self.workspace.config.fetch.hooks
    }

    fn look(&self, kind: &'static HookKind) -> Result<Looked> {
        let hook = self.directory.hook(kind.name, kind.lines, &self.workspace.context.program);
        let state = hook.state()?;
        let by_file = hook.text().as_deref().and_then(Manager::of_file);
        let husky = self.managers.iter().map(|(name, _)| *name).find(|name| *name == Manager::Husky);
        let manager = by_file.or(husky.filter(|_| hook.barred().is_some()));
        let told = manager.and_then(|name| name.runs(self.workspace.repository, &self.directory, kind.name));
        let aside = hook.put_aside();
        Ok(Looked { kind, hook, state, manager, told, aside })
    }

    fn status_of(&self, looked: &Looked) -> HookStatus {
        let Looked { kind, hook, manager, told, aside, .. } = looked;
        let is_chained = *manager == Some(Manager::PreCommit) && !aside.is_empty();
        let (state, mut remark) = match &looked.state {
            HookFileState::Installed => (HookState::Installed, self.neighbour(looked)),
            _ if told.is_some() => {
                (HookState::Installed, told.as_ref().map(|file| format!("set up in {file}")))
            }
            _ if is_chained => (HookState::Installed, aside.first().map(|file| self.shown(file))),
            HookFileState::Outdated => (HookState::Outdated, None),
            _ if !self.is_wanted(kind) => {
                (HookState::NotNeeded, Some("[fetch] hooks is not set in slsart.toml".to_owned()))
            }
            _ if manager.is_some() => (HookState::Managed, None),
            HookFileState::Absent | HookFileState::Foreign => (HookState::Absent, None),
            HookFileState::Untouchable(why) => (HookState::LeftAlone, Some(why.clone())),
        };
        let runs = matches!(state, HookState::Installed | HookState::Outdated);
        let program = runs.then(|| self.program(hook)).flatten();
        if let Some(file) = aside.first().filter(|_| !runs) {
            remark = Some(format!("its block is in {}, which git does not run", self.shown(file)));
        }
        if runs && program.is_none() {
            remark = Some("git-slsart is not found: the hook does nothing".to_owned());
        }
        let path = self.shown(hook.path());
        HookStatus { name: kind.name, state, path, manager: *manager, program, remark }
    }

    /// What our block is beside; and what should be, where files are in LFS, and is not.
    fn neighbour(&self, looked: &Looked) -> Option<String> {
        let text = looked.hook.text().unwrap_or_default();
        if text.contains("git lfs ") {
            return Some("beside git-lfs".to_owned());
        }
        if looked.hook.is_shared() {
            return Some("beside the lines that are in it".to_owned());
        }
        self.lacks_lfs(looked)
            .then(|| "git-lfs's line is missing: git-lfs does not overwrite a hook".to_owned())
    }

    fn lacks_lfs(&self, looked: &Looked) -> bool {
        let attributes = self.workspace.repository.work_tree_if_any().map(|top| top.join(".gitattributes"));
        let uses_lfs = || {
            attributes
                .and_then(|file| std::fs::read_to_string(file).ok())
                .is_some_and(|text| text.contains("filter=lfs"))
        };
        LFS.contains(&looked.kind.name)
            && looked.state == HookFileState::Installed
            && looked.hook.barred().is_none()
            && !looked.hook.text().is_some_and(|text| text.contains("git lfs "))
            && uses_lfs()
    }

    /// What to do about hooks that do not stand well: commands to paste.
    pub(super) fn next(&self, hooks: &[HookStatus]) -> Result<Vec<String>> {
        let mut next = Vec::new();
        let any = |wanted: &dyn Fn(&HookStatus) -> bool| hooks.iter().any(wanted);
        let is_owned = |hook: &HookStatus| {
            hook.state == HookState::Managed || hook.state == HookState::Outdated && hook.manager.is_some()
        };
        if any(&|hook| [HookState::Absent, HookState::Outdated].contains(&hook.state) && !is_owned(hook)) {
            next.push("git slsart hooks install".to_owned());
        }
        next.extend(by_hand(hooks.iter().filter(|hook| is_owned(hook))));
        if any(&|hook| hook.state == HookState::LeftAlone) && !any(&is_owned) {
            next.push("git slsart hooks install --print".to_owned());
        }
        for kind in HOOKS {
            if self.lacks_lfs(&self.look(kind)?) {
                next.push(
                    "git slsart hooks uninstall && git lfs update && git slsart hooks install".to_owned(),
                );
                break;
            }
        }
        Ok(next)
    }

    /// The first of the programs that a hook names which is there.
    fn program(&self, hook: &Hook) -> Option<String> {
        let environment = &self.workspace.context.environment;
        let home = environment.text("HOME").unwrap_or_default();
        let path = environment.value("PATH").unwrap_or_default();
        let mut names = hook.programs();
        if names.is_empty() {
            names = usual_programs();
        }
        names.iter().find_map(|name| {
            let name = name.replace("${HOME-}", home);
            let places: Vec<PathBuf> = if name.contains('/') {
                vec![PathBuf::from(name)]
            } else {
                std::env::split_paths(path).map(|directory| directory.join(&name)).collect()
            };
            places.into_iter().find(|place| is_program(place)).map(|place| place.display().to_string())
        })
    }

    fn remove(&self, kind: &'static HookKind, dry_run: bool) -> Result<Vec<SetupStep>> {
        let looked = self.look(kind)?;
        let mut steps = Vec::new();
        if matches!(looked.state, HookFileState::Installed | HookFileState::Outdated) {
            let action = match looked.hook.barred() {
                Some(why) => {
                    let remark =
                        format!("{why}: take the lines out of {} by hand", looked.hook.path().display());
                    SetupStep { remark: Some(remark), ..step(&subject(kind), SetupAction::Skip) }
                }
                None => step(&subject(kind), SetupAction::Remove),
            };
            if !dry_run {
                looked.hook.uninstall()?;
            }
            steps.push(action);
        } else if let Some(file) = &looked.told {
            let remark = format!("take the lines out of {file} by hand");
            steps.push(SetupStep { remark: Some(remark), ..step(&subject(kind), SetupAction::Skip) });
        }
        for file in &looked.aside {
            if !dry_run {
                looked.hook.uninstall_from(file)?;
            }
            let remark = Some(format!("from {}", self.shown(file)));
            steps.push(SetupStep { remark, ..step(&subject(kind), SetupAction::Remove) });
        }
        if steps.is_empty() && self.is_wanted(kind) {
            steps.push(step(&subject(kind), SetupAction::Unchanged));
        }
        Ok(steps)
    }

    /// A path, from the working tree's top where it is below it.
    fn shown(&self, path: &Path) -> String {
        let top = self.workspace.repository.work_tree_if_any();
        top.and_then(|top| path.strip_prefix(top).ok()).unwrap_or(path).display().to_string()
    }
}

impl Looked {
    fn plan(&self) -> (SetupAction, Option<String>) {
        let name = self.kind.name;
        match (&self.state, self.manager) {
            (HookFileState::Installed, _) => (SetupAction::Unchanged, None),
            (_, Some(manager)) if self.told.is_some() => {
                (SetupAction::Unchanged, Some(format!("run by {manager}")))
            }
            (_, Some(Manager::PreCommit)) if !self.aside.is_empty() => {
                (SetupAction::Unchanged, Some("run by pre-commit".to_owned()))
            }
            (_, Some(manager)) => {
                let remark = format!("{manager} owns it; the lines for it: {}", print_line(manager));
                (SetupAction::Skip, Some(remark))
            }
            (HookFileState::Absent, None) => (SetupAction::Create, None),
            (HookFileState::Outdated, None) => {
                (SetupAction::Add, Some("instead of an earlier version's".to_owned()))
            }
            (HookFileState::Foreign, None) => {
                (SetupAction::Add, Some("beside the lines that are in it".to_owned()))
            }
            (HookFileState::Untouchable(why), None) => {
                let how = match self.hook.barred() {
                    Some(reason) if reason == why => {
                        format!("the lines for it: {}", print_line(Manager::Shell))
                    }
                    _ => format!("to run it all the same, add this line to the hook: git-slsart hook {name}"),
                };
                (SetupAction::Skip, Some(format!("{why}; {how}")))
            }
        }
    }
}

/// The commands that print what managers are to be told.
fn by_hand<'h>(hooks: impl Iterator<Item = &'h HookStatus>) -> Vec<String> {
    let mut lines: Vec<String> = hooks.filter_map(|hook| hook.manager).map(print_line).collect();
    lines.dedup();
    lines
}

fn subject(kind: &HookKind) -> String {
    format!("hook {}", kind.name)
}

fn print_line(manager: Manager) -> String {
    slsart(["hooks", "install", "--print", manager.key()])
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
