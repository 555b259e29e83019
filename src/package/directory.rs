//! Reads a package directory as `serverless package` leaves it: the package's files and their hashes. Never writes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;

use walkdir::WalkDir;

use super::files::{FileEntry, MAX_FILES, is_safe_path};
use super::id::{PackageId, Sha256};
use crate::error::{Error, Result};
use crate::service::STATE_FILE;

/// In a package directory, but no part of the package: leftovers of plugins and of version 4 of the framework. `meta.json` is keyed by
/// absolute paths and holds options and outputs of past runs.
const LEFTOVERS: &[&str] = &["meta.json", "build", "requirements", "requirements.txt", ".DS_Store"];

#[derive(Debug, Clone)]
pub struct PackageDirectory {
    root: PathBuf,
    /// Files of the package that are outside the directory, by their path in the package.
    elsewhere: BTreeMap<String, PathBuf>,
    pub files: Vec<FileEntry>,
    /// Names at its top that were left out: leftovers of plugins, links to directories.
    pub left_out: Vec<String>,
    pub state: Vec<u8>,
}

impl PackageDirectory {
    /// Reads and hashes the files below `root`, over several threads. Fails if it is no package directory: no `serverless-state.json`, an
    /// unusable name, too many files.
    pub fn read(root: &Path) -> Result<Self> {
        if !root.is_dir() {
            return Err(Error::refused(format!("'{}' is not a directory", root.display()))
                .hint("name the directory that `serverless package --package DIR` wrote"));
        }
        let state_path = root.join(STATE_FILE);
        let state = fs::read(&state_path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::refused(format!("'{}' is not a package: it has no {STATE_FILE}", root.display()))
                    .hint("to make a package: serverless package --package DIR --stage STAGE --region REGION")
            }
            _ => Error::io("read", &state_path, error),
        })?;
        let (mut paths, left_out) = list(root)?;
        paths.retain(|path| path != STATE_FILE);
        let mut files = hash_all(root, &paths)?;
        let (size, sha256) = (state.len() as u64, Sha256::of(&state));
        files.push(FileEntry { path: STATE_FILE.to_owned(), size, sha256 });
        files.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        Ok(Self { root: root.to_owned(), elsewhere: BTreeMap::new(), files, left_out, state })
    }

    /// Adds an outside file to the package as `path`: packaging leaves an archive that the configuration names where it is.
    pub fn add(&mut self, path: &str, source: PathBuf) -> Result<()> {
        if !is_safe_path(path) || self.files.iter().any(|file| file.path == path) {
            return Err(Error::refused(format!(
                "the archive '{}' can't be taken into the package as '{path}'",
                source.display()
            ))
            .hint("give it a name of its own"));
        }
        let (size, sha256) = hash(&source)?;
        self.files.push(FileEntry { path: path.to_owned(), size, sha256 });
        self.files.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        self.elsewhere.insert(path.to_owned(), source);
        Ok(())
    }

    pub fn place_of(&self, path: &str) -> PathBuf {
        self.elsewhere.get(path).cloned().unwrap_or_else(|| self.root.join(path))
    }

    pub fn id(&self) -> PackageId {
        PackageId::of(self.files.iter().map(|file| (file.path.as_str(), file.size, file.sha256)))
    }

    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Compares with earlier recorded files. Returns the paths that differ, are missing or are new.
    pub fn differences(&self, recorded: &[FileEntry]) -> Vec<String> {
        let changed = recorded.iter().filter(|file| !self.files.contains(file)).map(|file| file.path.clone());
        let new = self.files.iter().filter(|file| recorded.iter().all(|other| other.path != file.path));
        let mut paths: Vec<String> = changed.chain(new.map(|file| file.path.clone())).collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }
}

/// Checks that a zip in a package directory can be opened. Returns how many entries its central directory has.
pub fn count_entries(path: &Path) -> Result<usize> {
    let file = File::open(path).map_err(|error| Error::io("read", path, error))?;
    let archive = zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(|error| {
        Error::refused(format!("'{}' is not a complete zip", path.display()))
            .hint("package the service again: the archive is truncated or not a zip")
            .because(error)
    })?;
    Ok(archive.len())
}

fn list(root: &Path) -> Result<(Vec<String>, Vec<String>)> {
    let mut paths = Vec::new();
    let mut left_out = Vec::new();
    let mut walk = WalkDir::new(root).min_depth(1).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(root).to_owned();
            Error::io("read", &path, error.into())
        })?;
        let relative = relative_name(root, entry.path())?;
        if entry.depth() == 1 && LEFTOVERS.contains(&relative.as_str()) {
            left_out.push(relative);
            if entry.file_type().is_dir() {
                walk.skip_current_dir();
            }
            continue;
        }
        // A link to a file becomes the file: other machines need the content.
        let kind = fs::metadata(entry.path()).map_err(|error| Error::io("read", entry.path(), error))?;
        if kind.is_file() {
            paths.push(relative);
        } else if entry.path_is_symlink() || !kind.is_dir() {
            left_out.push(relative);
        }
        if paths.len() > MAX_FILES {
            return Err(Error::refused(format!("'{}' holds more than {MAX_FILES} files", root.display()))
                .hint("is it a package directory, or the service itself?"));
        }
    }
    paths.sort_unstable();
    Ok((paths, left_out))
}

fn relative_name(root: &Path, path: &Path) -> Result<String> {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let name = relative.to_str().filter(|name| is_safe_path(name));
    name.map(str::to_owned).ok_or_else(|| {
        Error::refused(format!("git can't store the name '{}'", relative.display()))
            .hint("rename or remove it: a package's files have plain UTF-8 names, none of them `.git`")
    })
}

fn hash_all(root: &Path, paths: &[String]) -> Result<Vec<FileEntry>> {
    let workers = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(paths.len().max(1));
    let next = std::sync::atomic::AtomicUsize::new(0);
    thread::scope(|scope| {
        let next = &next;
        let work = move || {
            let mut done = Vec::new();
            while let Some(path) = paths.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                done.push(hash_one(root, path)?);
            }
            Ok::<_, Error>(done)
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_fold(Vec::new(), |mut files, thread| {
            files.extend(thread.join().map_err(|_| Error::bug("a hashing thread panicked"))??);
            Ok(files)
        })
    })
}

fn hash_one(root: &Path, relative: &str) -> Result<FileEntry> {
    let (size, sha256) = hash(&root.join(relative))?;
    Ok(FileEntry { path: relative.to_owned(), size, sha256 })
}

fn hash(path: &Path) -> Result<(u64, Sha256)> {
    let mut file = File::open(path).map_err(|error| Error::io("read", path, error))?;
    let (sha256, size) = Sha256::of_reader(&mut file).map_err(|error| Error::io("read", path, error))?;
    Ok((size, sha256))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, content: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    #[test]
    fn leftovers_are_left_out_and_named() {
        let root = tempfile::tempdir().unwrap();
        for path in
            [STATE_FILE, "orders.zip", "meta.json", "build/x.js", "requirements/six.py", "layers/one.zip"]
        {
            write(root.path(), path, path);
        }
        let read = PackageDirectory::read(root.path()).unwrap();
        let paths: Vec<_> = read.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["layers/one.zip", "orders.zip", STATE_FILE]);
        assert_eq!(read.left_out, ["build", "meta.json", "requirements"]);
    }

    #[test]
    fn a_link_to_a_file_is_the_file_and_a_link_to_a_directory_is_left_out() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), STATE_FILE, "{}");
        let elsewhere = tempfile::tempdir().unwrap();
        write(elsewhere.path(), "code.zip", "zip");
        std::os::unix::fs::symlink(elsewhere.path().join("code.zip"), root.path().join("code.zip")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), root.path().join("cache")).unwrap();
        let read = PackageDirectory::read(root.path()).unwrap();
        assert_eq!(read.files[0].path, "code.zip");
        assert_eq!(read.left_out, ["cache"]);
    }

    #[test]
    fn a_directory_without_a_state_file_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let error = PackageDirectory::read(root.path()).unwrap_err();
        assert!(error.message.contains("is not a package"), "{error}");
    }
}
