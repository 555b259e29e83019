//! Hook files: where git looks for them, and a marked block that can be added and removed without a trace.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use super::Repository;
use crate::error::{Error, Result};

const BEGIN: &str = "# >>> git-slsart >>>";
const END: &str = "# <<< git-slsart <<<";
/// The start of a file that holds only our block.
const OWN: &str = "#!/bin/sh\n# Made by git-slsart, which removes it again where nothing else is in it.\n";
/// The same, of earlier versions.
const OWN_BEFORE: &str = "#!/bin/sh\n";

/// The start of the block's line that names the programs.
const PROGRAMS: &str = "for slsart in ";
/// The placeholder in a block's lines for the programs beside the one in `PATH`.
const PLACEHOLDER: &str = "@PROGRAMS@";
/// Where the program may be if it is not in `PATH`, which is often short for graphical clients.
const USUAL: &str =
    "\"${HOME-}/.cargo/bin/git-slsart\" /usr/local/bin/git-slsart /opt/homebrew/bin/git-slsart";

const IN_WORK_TREE: &str =
    "git's hooks are in the working tree, where a hook manager or the repository itself owns the files";
const ELSEWHERE: &str = "git's hooks are outside this repository, where other repositories may share them";
const NO_DIRECTORY: &str = "core.hooksPath is not a directory, so git runs no hooks";
const NOT_SHELL: &str = "it is not a shell script";
const NO_END: &str = "the end marker of git-slsart's block is missing";
const NOT_EXECUTABLE: &str = "it is not executable, so git does not run it";

/// Suffixes that hook managers give to a hook which they replace by their own.
const PUT_ASIDE: &[&str] = &["legacy", "old"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookFileState {
    Absent,
    /// Our block is in it, up to date.
    Installed,
    /// Our block is in it, but an older one, or one whose program is gone.
    Outdated,
    /// Another program's hook, in shell: our block can be added.
    Foreign,
    /// A hook that this program must not change, and why.
    Untouchable(String),
}

#[derive(Debug, Clone)]
pub struct Directory {
    path: PathBuf,
    /// Why nothing may be written to a file there, judged by the place that links lead to.
    repository: Owned,
}

#[derive(Debug, Clone)]
struct Owned {
    common: PathBuf,
    work_tree: Option<PathBuf>,
}

#[derive(Debug, Clone)]
pub struct Hook {
    path: PathBuf,
    lines: String,
    programs: String,
    barred: Option<&'static str>,
}

impl Directory {
    pub fn locate(repository: &Repository) -> Result<Self> {
        let output = repository.command().args(["rev-parse", "--git-path", "hooks"]).read()?;
        let text = String::from_utf8_lossy(&output);
        let top = repository.work_tree_if_any().unwrap_or(repository.git_dir());
        let owned = Owned {
            common: resolved(repository.common_dir()),
            work_tree: repository.work_tree_if_any().map(resolved),
        };
        Ok(Self { path: top.join(text.trim_end_matches('\n')), repository: owned })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The hook `name`, whose block is the shell `lines`, run by the program in `PATH`, else by `program`.
    pub fn hook(&self, name: &str, lines: &str, program: &Path) -> Hook {
        let path = self.path.join(name);
        let barred = self.repository.barred(&resolved(&path));
        let own = shell_word(program).map(|word| word + " ").unwrap_or_default();
        Hook { path, lines: lines.trim().to_owned(), programs: format!("git-slsart {own}{USUAL}"), barred }
    }
}

/// The programs in a shared block, as shell words.
pub fn usual_programs() -> Vec<String> {
    shlex::split(&format!("git-slsart {USUAL}")).unwrap_or_default()
}

/// The block of the shell `lines` for a file that is shared: it has no path of this machine.
pub fn portable(lines: &str) -> String {
    block(lines.trim(), &format!("git-slsart {USUAL}"))
}

impl Hook {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why this program may not write there, even if the block in it is ours.
    pub fn barred(&self) -> Option<&'static str> {
        self.barred
    }

    pub fn text(&self) -> Option<String> {
        fs::read_to_string(&self.path).ok()
    }

    pub fn state(&self) -> Result<HookFileState> {
        let untouchable = |why: &str| Ok(HookFileState::Untouchable(why.to_owned()));
        let text = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotADirectory => return untouchable(NO_DIRECTORY),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return self.barred.map_or(Ok(HookFileState::Absent), untouchable);
            }
            Err(error) => return Err(Error::io("read", &self.path, error)),
        };
        let Ok(text) = String::from_utf8(text) else { return untouchable(NOT_SHELL) };
        let is_executable = self.is_executable();
        match (self.barred, text.contains(BEGIN)) {
            _ if self.is_current(&text) && is_executable => Ok(HookFileState::Installed),
            (Some(why), _) => untouchable(why),
            (None, true) if !text.contains(END) => untouchable(NO_END),
            // Making it executable would also enable again what a user has disabled.
            _ if !is_executable => untouchable(NOT_EXECUTABLE),
            (None, true) => Ok(HookFileState::Outdated),
            _ if !is_shell(&text) => untouchable(NOT_SHELL),
            _ => Ok(HookFileState::Foreign),
        }
    }

    /// The programs that the block in the file tries in order: names and paths, as shell words.
    pub fn programs(&self) -> Vec<String> {
        let text = self.text().unwrap_or_default();
        programs_in(&text).and_then(shlex::split).unwrap_or_default()
    }

    /// Whether the file has more than our block.
    pub fn is_shared(&self) -> bool {
        let rest = self.text().map(|text| without_block(&text)).unwrap_or_default();
        ![OWN, OWN_BEFORE, ""].contains(&rest.as_str())
    }

    /// Whether the block is up to date, whichever program of this machine it falls back to.
    fn is_current(&self, text: &str) -> bool {
        let Some(programs) = programs_in(text) else { return false };
        let is_there =
            |path: &str| !path.starts_with('/') || USUAL.contains(path) || Path::new(path).exists();
        let all_there = shlex::split(programs).is_some_and(|words| words.iter().all(|word| is_there(word)));
        all_there && text.contains(&block(&self.lines, programs))
    }

    /// Adds the block right after the first line, since a script may end with `exit`.
    pub fn install(&self) -> Result<()> {
        let block = block(&self.lines, &self.programs);
        let text = match self.state()? {
            HookFileState::Installed | HookFileState::Untouchable(_) => return Ok(()),
            HookFileState::Absent => format!("{OWN}{block}"),
            HookFileState::Outdated => match without_block(&self.read()?) {
                rest if rest == OWN_BEFORE || rest == OWN => format!("{OWN}{block}"),
                rest => insert(&rest, &block),
            },
            HookFileState::Foreign => insert(&self.read()?, &block),
        };
        write(&self.path, &text)
    }

    /// Removes the block; a file with nothing else is removed. Returns whether there was a block.
    pub fn uninstall(&self) -> Result<bool> {
        self.uninstall_from(&self.path)
    }

    /// The files beside the hook with our block in them: a hook manager renamed our hook.
    pub fn put_aside(&self) -> Vec<PathBuf> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let files = PUT_ASIDE.iter().map(|end| self.path.with_file_name(format!("{name}.{end}")));
        files.filter(|file| fs::read_to_string(file).is_ok_and(|text| text.contains(BEGIN))).collect()
    }

    /// Removes the block from a file beside the hook; a file with nothing else is removed. Returns whether there was a block.
    pub fn uninstall_from(&self, file: &Path) -> Result<bool> {
        if self.barred.is_some() { Ok(false) } else { take_out(file) }
    }

    fn is_executable(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
    }

    fn read(&self) -> Result<String> {
        fs::read_to_string(&self.path).map_err(|error| Error::io("read", &self.path, error))
    }
}

impl Owned {
    /// Why the hook at `path`, links resolved, is not this repository's alone.
    fn barred(&self, path: &Path) -> Option<&'static str> {
        if path.starts_with(&self.common) {
            return None;
        }
        let in_work_tree = self.work_tree.as_ref().is_some_and(|top| path.starts_with(top));
        Some(if in_work_tree { IN_WORK_TREE } else { ELSEWHERE })
    }
}

fn block(lines: &str, programs: &str) -> String {
    format!("{BEGIN}\n{}\n{END}\n", lines.replace(PLACEHOLDER, programs.trim_start_matches("git-slsart ")))
}

fn programs_in(text: &str) -> Option<&str> {
    let (_, block) = text.split_once(BEGIN)?;
    let (block, _) = block.split_once(END)?;
    let line = block.lines().find_map(|line| line.trim_start().strip_prefix(PROGRAMS))?;
    line.strip_suffix("; do")
}

/// A path as a word of a shell script; `None` where it can't be one line of text.
fn shell_word(path: &Path) -> Option<String> {
    let text = path.to_str().filter(|text| path.is_absolute() && !text.contains(char::is_control))?;
    Some(format!("'{}'", text.replace('\'', r"'\''")))
}

fn take_out(path: &Path) -> Result<bool> {
    let Ok(text) = fs::read_to_string(path) else { return Ok(false) };
    if !text.contains(BEGIN) || !text.contains(END) {
        return Ok(false);
    }
    let rest = without_block(&text);
    if rest == OWN || (rest == OWN_BEFORE && programs_in(&text).is_none()) {
        fs::remove_file(path).map_err(|error| Error::io("remove", path, error))?;
    } else {
        // A user may have added to our file.
        let theirs = rest.strip_prefix(OWN).map(|theirs| format!("#!/bin/sh\n{theirs}"));
        write(path, &theirs.unwrap_or(rest))?;
    }
    Ok(true)
}

fn write(path: &Path, text: &str) -> Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mode = fs::metadata(path).map_or(0o755, |metadata| metadata.permissions().mode());
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(directory)?;
        // A hook that is a symlink stays one: its target is changed.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let directory = target.parent().unwrap_or(directory);
        let mut file =
            tempfile::Builder::new().permissions(fs::Permissions::from_mode(mode)).tempfile_in(directory)?;
        file.write_all(text.as_bytes())?;
        file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
        file.as_file().sync_all()?;
        file.persist(target)?;
        Ok(())
    };
    write().map_err(|error| Error::io("write", path, error))
}

/// `path` without links, `.` and `..`, as far as it exists; the rest stays as it is.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    match (path.parent(), path.components().next_back()) {
        (Some(parent), Some(Component::Normal(name))) => resolved(parent).join(name),
        (Some(parent), Some(Component::ParentDir)) => {
            resolved(parent).parent().map(Path::to_owned).unwrap_or_default()
        }
        (Some(parent), _) => resolved(parent),
        (None, _) => path.to_owned(),
    }
}

/// Adds no end of line to a text without one, so that removing the block gives the same text.
fn insert(text: &str, block: &str) -> String {
    match text.split_once('\n') {
        Some((first, rest)) => format!("{first}\n{block}{rest}"),
        None => format!("{text}\n{}", block.trim_end_matches('\n')),
    }
}

fn without_block(text: &str) -> String {
    let Some((before, rest)) = text.split_once(BEGIN) else { return text.to_owned() };
    match rest.split_once(END) {
        Some((_, "")) => before.trim_end_matches('\n').to_owned(),
        Some((_, after)) => format!("{before}{}", after.strip_prefix('\n').unwrap_or(after)),
        None => text.to_owned(),
    }
}

fn is_shell(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let words = || first.trim_start_matches("#!").split([' ', '/', '\t']);
    first.starts_with("#!") && words().any(|word| ["sh", "bash", "dash", "zsh", "ksh", "ash"].contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "for slsart in git-slsart @PROGRAMS@; do\n  run\ndone";

    #[test]
    fn a_block_goes_in_and_comes_out_without_a_trace() {
        let block = portable(LINES);
        for text in ["#!/bin/sh\n", "#!/usr/bin/env bash\necho hi\nexit 3\n", "#!/bin/sh", "#!/bin/sh\necho"]
        {
            let with = insert(text, &block);
            assert!(with.contains(block.trim_end()));
            assert_eq!(without_block(&with), text);
        }
    }

    #[test]
    fn a_path_in_a_block_is_one_word_again() {
        let directory = tempfile::Builder::new().prefix("it's $HOME \"").tempdir().unwrap();
        let program = directory.path().join("git-slsart");
        let owned = Owned { common: directory.path().to_owned(), work_tree: None };
        let hooks = Directory { path: directory.path().join("hooks"), repository: owned };
        let hook = hooks.hook("post-commit", LINES, &program);
        hook.install().unwrap();
        assert_eq!(hook.programs()[..2], ["git-slsart", program.to_str().unwrap()]);
        // Another program of this machine finds the block good as long as the one that it falls back to is there.
        let other = hooks.hook("post-commit", LINES, Path::new("/elsewhere/git-slsart"));
        assert_eq!(
            [&hook, &other].map(|hook| hook.state().unwrap()),
            [HookFileState::Outdated, HookFileState::Outdated]
        );
        fs::write(&program, "").unwrap();
        assert_eq!(
            [&hook, &other].map(|hook| hook.state().unwrap()),
            [HookFileState::Installed, HookFileState::Installed]
        );
        assert!(hook.uninstall().unwrap() && !hook.path().exists());
    }

    #[test]
    fn a_hook_of_an_earlier_version_is_ours_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let owned = Owned { common: directory.path().to_owned(), work_tree: None };
        let hooks = Directory { path: directory.path().join("hooks"), repository: owned };
        let hook = hooks.hook("post-commit", LINES, Path::new("/usr/bin/env"));
        let before = format!("#!/bin/sh\n{BEGIN}\nif true; then run || :; fi\n{END}\n");
        write(hook.path(), &before).unwrap();
        assert_eq!(hook.state().unwrap(), HookFileState::Outdated);
        hook.install().unwrap();
        assert!(hook.text().unwrap().starts_with(OWN));
        write(hook.path(), &before).unwrap();
        assert!(hook.uninstall().unwrap() && !hook.path().exists());
    }

    #[test]
    fn only_shell_scripts_take_a_block() {
        assert!(is_shell("#!/bin/sh\n") && is_shell("#!/usr/bin/env bash\n") && is_shell("#!/bin/sh -e\n"));
        assert!(
            !is_shell("#!/usr/bin/env python3\n") && !is_shell("echo\n") && !is_shell("#!/usr/bin/fish\n")
        );
    }
}
