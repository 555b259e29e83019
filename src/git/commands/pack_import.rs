//! Objects in a file: writing a pack of some commits with a history that is cut off, and importing it.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::git::pack::KEPT;
use crate::git::{Oid, Repository};
use crate::process::{Invocation, Output};

/// An imported pack, kept from `git gc` until the value is dropped, since no ref leads to it yet.
#[must_use = "it is kept only as long as this lives"]
pub struct PackImport {
    keep: Option<PathBuf>,
}

impl Drop for PackImport {
    fn drop(&mut self) {
        if let Some(keep) = &self.keep {
            let _ = fs::remove_file(keep);
        }
    }
}

impl Repository {
    /// Makes a bare repository at `directory`, without the user's templates.
    pub fn init_bare(directory: &Path) -> Result<Self> {
        let init =
            Invocation::new("git").args(["init", "--quiet", "--bare", "--object-format=sha1", "--template="]);
        init.arg(directory).run(Output::OnFailure)?;
        Self::open(directory, Some(directory), None)
    }

    /// Writes a pack of all that `tips` lead to into `file`; the parents of `boundary`, and what is before them, are left out.
    pub fn write_pack_of(&self, tips: &[Oid], boundary: &[Oid], file: File) -> Result<()> {
        let cuts = boundary.iter().map(|id| format!("--shallow {id}\n"));
        let lines: String = cuts.chain(tips.iter().map(|id| format!("{id}\n"))).collect();
        self.command()
            .args(["pack-objects", "--quiet", "--revs", "--stdout", "--delta-base-offset"])
            .input(lines)
            .output_file(file)
            .run(Output::OnFailure)
    }

    /// Imports a pack: every object is hashed, and no object here is replaced.
    pub fn import_pack(&self, pack: File) -> Result<PackImport> {
        let directory = self.common_dir().join("objects/pack");
        let keeps = || -> Vec<PathBuf> {
            let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
            let ends = |path: &PathBuf| path.extension().is_some_and(|end| end == "keep");
            entries.map(|entry| entry.path()).filter(ends).collect()
        };
        let before = keeps();
        let keep = format!("--keep={}", KEPT.trim_end());
        let index = self.command().args(["index-pack", "--stdin", &keep]);
        index.input_file(pack).run(Output::OnFailure).map_err(|error| match error.kind {
            Kind::Child(_) => Error::integrity("the pack can't be read")
                .because(std::io::Error::other(error.causes().join("\n"))),
            _ => error,
        })?;
        let is_ours = |path: &PathBuf| {
            !before.contains(path) && fs::read(path).is_ok_and(|text| text == KEPT.as_bytes())
        };
        Ok(PackImport { keep: keeps().into_iter().find(is_ours) })
    }

    /// The parents named in a commit, even where the history here is cut off.
    pub fn parents_as_written(&self, commit: Oid) -> Result<Vec<Oid>> {
        let text = self.command().args(["cat-file", "commit", &commit.to_string()]).read()?;
        let text = String::from_utf8_lossy(&text);
        let head = text.lines().take_while(|line| !line.is_empty());
        Ok(head.filter_map(|line| Oid::from_str(line.strip_prefix("parent ")?).ok()).collect())
    }

    /// Whether everything reachable from the refs is here.
    pub fn is_connected(&self) -> Result<bool> {
        let check = self.command().args(["rev-list", "--objects", "--quiet", "--all"]);
        Ok(check.probe()?.0)
    }

    /// Creates refs, all of them or none; fails if one exists.
    pub fn create_refs(&self, refs: &[(String, Oid)]) -> Result<()> {
        let lines: String =
            refs.iter().map(|(name, id)| ["create ", name, " ", &id.to_string(), "\n"].concat()).collect();
        if lines.is_empty() {
            return Ok(());
        }
        self.command().args(["update-ref", "--stdin"]).input(lines).read().map(drop)
    }

    /// Ends the history here at `commits`, whose parents are missing, as a shallow clone does: in `$GIT_DIR/shallow`
    /// (`gitrepository-layout`), under git's own lock.
    pub fn end_history_at(&self, commits: &[Oid]) -> Result<()> {
        let path = self.common_dir().join("shallow");
        let locked = self.common_dir().join("shallow.lock");
        let io = |action: &'static str, path: &Path| {
            let path = path.to_owned();
            move |error| Error::io(action, &path, error)
        };
        let mut lock = File::create_new(&locked).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Error::refused(
                "another process is changing the boundary of this shallow clone",
            )
            .hint(format!(
                "if no git command is running, a killed one left this lock: rm '{}'",
                locked.display()
            )),
            _ => Error::io("create", &locked, error),
        })?;
        let mut write = || -> Result<()> {
            let text = match fs::read_to_string(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
                text => text.map_err(io("read", &path))?,
            };
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            for commit in commits.iter().map(ToString::to_string) {
                if !lines.contains(&commit) {
                    lines.push(commit);
                }
            }
            lock.write_all((lines.join("\n") + "\n").as_bytes()).map_err(io("write", &locked))?;
            lock.sync_all().map_err(io("write", &locked))?;
            fs::rename(&locked, &path).map_err(io("write", &path))
        };
        write().inspect_err(|_| drop(fs::remove_file(&locked)))
    }
}
