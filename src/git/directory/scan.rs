//! Reading a directory: its entries, and the ids that its files and trees have. Writes nothing.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use sha1::{Digest as _, Sha1};

use super::names::escape;
use super::spread::spread;
use crate::error::{Error, Result};
use crate::git::pack::encode_tree;
use crate::git::{MODE_EXECUTABLE, MODE_FILE, MODE_LINK, MODE_TREE, Oid, TreeEntry, failed};

/// Most levels of directories.
pub(super) const MAX_DEPTH: usize = 256;

#[derive(Debug)]
pub struct DirectoryScan {
    /// Parents before children; the first is the directory itself.
    pub(super) directories: Vec<Directory>,
}

#[derive(Debug)]
pub(super) struct Directory {
    pub(super) path: PathBuf,
    depth: usize,
    pub(super) entries: Vec<Entry>,
}

#[derive(Debug)]
pub(super) struct Entry {
    /// Its own name, not escaped.
    pub(super) name: Vec<u8>,
    pub(super) id: Oid,
    pub(super) mode: i32,
    pub(super) size: u64,
    directory: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Relative to the directory; bytes that are not UTF-8 are escaped for reading.
    pub path: String,
    pub id: Oid,
    pub mode: i32,
}

impl DirectoryScan {
    /// Reads `path` and everything below it, except `node_modules/.cache`. Symbolic links are not followed; anything but files, symbolic
    /// links and directories is an error.
    pub fn read(path: &Path) -> Result<Self> {
        Self::hash(walk(path, &Selection::All)?)
    }

    /// Reads `path` without what is at `paths`, which are relative to it.
    pub fn read_without(path: &Path, paths: &[&str]) -> Result<Self> {
        Self::hash(walk(path, &Selection::Without(paths))?)
    }

    /// Reads only what is at `parts`, relative to `path`, and the directories on the way to them.
    pub fn read_parts(path: &Path, parts: &[PathBuf]) -> Result<Self> {
        Self::hash(walk(path, &Selection::Parts(parts))?)
    }

    fn hash(mut scan: Self) -> Result<Self> {
        let mut places = Vec::new();
        for (number, directory) in scan.directories.iter().enumerate() {
            let files = directory.entries.iter().enumerate().filter(|(_, entry)| entry.mode != MODE_TREE);
            places.extend(files.map(|(at, _)| (number, at)));
        }
        let hashed = spread(places.len(), |index| {
            let (number, at) = places[index];
            let directory = &scan.directories[number];
            let entry = &directory.entries[at];
            let path = entry.path(directory);
            let hashed = if entry.mode == MODE_LINK { hash_link(&path) } else { hash_file(&path) };
            hashed.map_err(|error| Error::io("read", &path, error))
        })?;
        for ((number, at), (id, mode, size)) in places.into_iter().zip(hashed) {
            let entry = &mut scan.directories[number].entries[at];
            (entry.id, entry.mode, entry.size) = (id, mode, size);
        }
        for number in (0..scan.directories.len()).rev() {
            for at in 0..scan.directories[number].entries.len() {
                let entry = &scan.directories[number].entries[at];
                if entry.mode == MODE_TREE {
                    let id = hash_tree(&scan.directories[entry.directory])?;
                    scan.directories[number].entries[at].id = id;
                }
            }
        }
        Ok(scan)
    }

    pub fn id(&self) -> Oid {
        hash_tree(&self.directories[0]).unwrap_or(Oid::ZERO_SHA1)
    }

    pub fn files(&self) -> usize {
        let entries = self.directories.iter().flat_map(|directory| &directory.entries);
        entries.filter(|entry| entry.mode != MODE_TREE).count()
    }

    pub fn size(&self) -> u64 {
        self.directories.iter().flat_map(|directory| &directory.entries).map(|entry| entry.size).sum()
    }

    /// The first symbolic link that leads out of the directory or has an absolute target: on another machine, or in another place, it
    /// would lead elsewhere.
    pub fn link_outward(&self) -> Option<PathBuf> {
        let top = &self.directories[0].path;
        for directory in &self.directories {
            let below = directory.path.strip_prefix(top).unwrap_or(&directory.path);
            for entry in directory.entries.iter().filter(|entry| entry.mode == MODE_LINK) {
                let path = entry.path(directory);
                let target = fs::read_link(&path).unwrap_or_default();
                if leads_out(below, &target) {
                    return Some(path.strip_prefix(top).map(Path::to_owned).unwrap_or(path));
                }
            }
        }
        None
    }

    pub fn list(&self) -> Vec<Listed> {
        let top = &self.directories[0].path;
        let mut listed = Vec::with_capacity(self.files());
        for directory in &self.directories {
            for entry in directory.entries.iter().filter(|entry| entry.mode != MODE_TREE) {
                let path = entry.path(directory);
                let path = path.strip_prefix(top).unwrap_or(&path).to_string_lossy().into_owned();
                listed.push(Listed { path, id: entry.id, mode: entry.mode });
            }
        }
        listed.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        listed
    }
}

impl Entry {
    pub(super) fn path(&self, directory: &Directory) -> PathBuf {
        directory.path.join(std::ffi::OsStr::from_bytes(&self.name))
    }
}

impl Directory {
    pub(super) fn tree(&self) -> Result<Vec<TreeEntry>> {
        if self.entries.is_empty() {
            return Ok(vec![TreeEntry {
                name: escape(b"").into_owned(),
                id: hash(git2::ObjectType::Blob, b"")?,
                mode: MODE_FILE,
            }]);
        }
        let entry = |entry: &Entry| TreeEntry {
            name: escape(&entry.name).into_owned(),
            id: entry.id,
            mode: entry.mode,
        };
        Ok(self.entries.iter().map(entry).collect())
    }
}

/// Whether a link in the directory `below` the top leads out of the top, by its text.
fn leads_out(below: &Path, target: &Path) -> bool {
    let mut depth = below.components().count();
    target.components().any(|component| match component {
        Component::Normal(_) => {
            depth += 1;
            false
        }
        Component::CurDir => false,
        Component::ParentDir => match depth.checked_sub(1) {
            Some(up) => {
                depth = up;
                false
            }
            None => true,
        },
        Component::RootDir | Component::Prefix(_) => true,
    })
}

enum Selection<'a> {
    All,
    Without(&'a [&'a str]),
    Parts(&'a [PathBuf]),
}

impl Selection<'_> {
    fn has(&self, below: &Path, is_directory: bool) -> bool {
        match self {
            Self::All => true,
            Self::Without(paths) => paths.iter().all(|path| below != Path::new(path)),
            Self::Parts(parts) => {
                parts.iter().any(|part| below.starts_with(part) || (is_directory && part.starts_with(below)))
            }
        }
    }
}

fn walk(top: &Path, selection: &Selection<'_>) -> Result<DirectoryScan> {
    let mut directories = vec![Directory { path: top.to_owned(), depth: 0, entries: Vec::new() }];
    let mut number = 0;
    while number < directories.len() {
        let Directory { path, depth, .. } = &directories[number];
        let (path, depth) = (path.clone(), depth + 1);
        let in_modules = path.file_name().is_some_and(|name| name == "node_modules");
        let unreadable = |error| Error::io("read", &path, error);
        let mut entries = Vec::new();
        for found in fs::read_dir(&path).map_err(unreadable)? {
            let found = found.map_err(unreadable)?;
            let kind = found.file_type().map_err(unreadable)?;
            if !matches!(selection, Selection::All)
                && !selection.has(found.path().strip_prefix(top).unwrap_or(&path), kind.is_dir())
            {
                continue;
            }
            let name = found.file_name().into_vec();
            let mut entry = Entry { name, id: Oid::ZERO_SHA1, mode: MODE_FILE, size: 0, directory: 0 };
            if kind.is_dir() {
                if in_modules && entry.name == b".cache" {
                    continue;
                }
                if depth > MAX_DEPTH {
                    return Err(Error::refused(format!("'{}' is too deep", found.path().display())));
                }
                (entry.mode, entry.directory) = (MODE_TREE, directories.len());
                directories.push(Directory { path: found.path(), depth, entries: Vec::new() });
            } else if kind.is_symlink() {
                entry.mode = MODE_LINK;
            } else if !kind.is_file() {
                return Err(Error::refused(format!(
                    "'{}' is neither a file, a link nor a directory",
                    found.path().display()
                ))
                .hint("sockets, pipes and devices can't be recorded: stop the program that made it, and remove it"));
            }
            entries.push(entry);
        }
        // The file system's order is arbitrary.
        entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        directories[number].entries = entries;
        number += 1;
    }
    Ok(DirectoryScan { directories })
}

fn hash_tree(directory: &Directory) -> Result<Oid> {
    hash(git2::ObjectType::Tree, &encode_tree(directory.tree()?))
}

fn hash_link(path: &Path) -> io::Result<(Oid, i32, u64)> {
    let target = fs::read_link(path)?.into_os_string().into_vec();
    let id = Oid::hash_object(git2::ObjectType::Blob, &target).map_err(io::Error::other)?;
    Ok((id, MODE_LINK, target.len() as u64))
}

fn hash_file(path: &Path) -> io::Result<(Oid, i32, u64)> {
    let mut file = open(path)?;
    let metadata = file.metadata()?;
    let mut hasher = Sha1::new_with_prefix(format!("blob {}\0", metadata.len()));
    let mut buffer = [0; 16 * 1024];
    let mut left = metadata.len();
    loop {
        let count = file.read(&mut buffer)?;
        hasher.update(&buffer[..count]);
        left = left.checked_sub(count as u64).ok_or_else(|| io::Error::other("it grew while it was read"))?;
        // The size is known: reading on would be one more call for every file.
        if count == 0 || left == 0 {
            break;
        }
    }
    if left > 0 {
        return Err(io::Error::other("it shrank while it was read"));
    }
    let id = Oid::from_bytes(&hasher.finalize()).map_err(io::Error::other)?;
    // As git does: executable if its owner may execute it.
    let mode = if metadata.mode() & 0o100 == 0 { MODE_FILE } else { MODE_EXECUTABLE };
    Ok((id, mode, metadata.len()))
}

/// Opens a file, but not a link that replaced it meanwhile.
pub(super) fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

fn hash(kind: git2::ObjectType, bytes: &[u8]) -> Result<Oid> {
    Oid::hash_object(kind, bytes).map_err(|error| failed("cannot make an object id", error))
}
