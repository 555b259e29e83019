//! Imports a package from a file. Everything is first imported into a scratch repository and verified there; then here, refs last. Nothing
//! existing is replaced.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read, Seek as _, Write as _};
use std::path::Path;

use zip::{CompressionMethod, ZipArchive};

use super::index::{Checked, INDEX, Index, LFS, MAX_BYTES, MAX_MEMBERS, Member, PACK, damaged};
use super::part::{RefKind, part_of};
use crate::error::{Error, Result};
use crate::git::scratch::Scratch;
use crate::git::{Oid, Repository};
use crate::package::id::Hasher;
use crate::package::manifest::FileEntry;
use crate::process::interrupt;
use crate::store::{NotedPackage, PackageLine, Store, StoredPackage};
use crate::workspace::Workspace;

#[derive(Debug)]
pub struct Imported {
    pub found: NotedPackage,
    pub new: bool,
    pub toolchains: usize,
    /// Whether its target's history is new; `None` if the file has none, or there is another here, which stays.
    pub history: Option<bool>,
    /// Whether the history here ends at its commit.
    pub shallow: bool,
}

type Archive = ZipArchive<BufReader<File>>;

/// Imports the file at `path`. If any part of it is invalid, nothing is changed: [`crate::error::Kind::Integrity`].
pub fn import(workspace: &Workspace<'_>, path: &Path) -> Result<Imported> {
    let (repository, progress) = (workspace.repository, workspace.progress);
    let file = File::open(path).map_err(|error| Error::io("read", path, error))?;
    let mut archive =
        ZipArchive::new(BufReader::new(file)).map_err(|error| damaged("it is not a zip").because(error))?;
    let index = read_index(&mut archive)?;
    let scratch = Scratch::new(repository)?;
    progress.phase("Reading the file");
    progress.expect_bytes(index.members.iter().map(|member| member.size).sum());
    let pack_place = scratch.path().join(PACK);
    let mut pack = File::create_new(&pack_place).map_err(|error| Error::io("create", &pack_place, error))?;
    let member = index
        .members
        .iter()
        .find(|member| member.name == PACK)
        .ok_or_else(|| damaged("it has no git objects"))?;
    copy(workspace, &mut archive, member, &mut |bytes| {
        pack.write_all(bytes).map_err(|error| Error::io("write", &pack_place, error))
    })?;
    progress.phase("Verifying the file");
    let aside = Repository::init_bare(&scratch.path().join("repository"))?;
    let package = verified(workspace, &aside, &index, &mut archive, &pack_place)?;
    progress.phase("Importing the package");
    take_in(workspace, &package, index, &pack_place)
}

/// Reads the index, and compares it with the members.
fn read_index(archive: &mut Archive) -> Result<Checked> {
    if archive.len() > MAX_MEMBERS {
        return Err(damaged("it has too many members"));
    }
    let mut names: BTreeSet<String> =
        archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    if names.len() != archive.len() || !names.remove(INDEX) {
        return Err(damaged("it has no index"));
    }
    let mut text = Vec::new();
    let member = archive.by_name(INDEX).map_err(|error| damaged("its index").because(error))?;
    if member.compression() != CompressionMethod::Stored || member.size() > MAX_BYTES {
        return Err(damaged("its index is too large, or compressed"));
    }
    member.take(MAX_BYTES).read_to_end(&mut text).map_err(|error| damaged("its index").because(error))?;
    Index::read(&text, &names)
}

/// Passes the bytes of a member to `take`, and compares them with the index.
fn copy(
    workspace: &Workspace<'_>,
    archive: &mut Archive,
    member: &Member,
    take: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let wrong = || damaged(format!("'{}' does not match the file's index", member.name));
    let content = archive.by_name(&member.name).map_err(|error| wrong().because(error))?;
    if content.compression() != CompressionMethod::Stored || content.size() != member.size {
        return Err(wrong());
    }
    let mut content = content.take(member.size);
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        interrupt::check()?;
        match content.read(&mut buffer).map_err(|error| wrong().because(error))? {
            0 => break,
            count => {
                hasher.update(&buffer[..count]);
                take(&buffer[..count])?;
                workspace.progress.advance(count as u64);
            }
        }
    }
    if hasher.finish() == (member.sha256, member.size) { Ok(()) } else { Err(wrong()) }
}

fn verified<'r>(
    workspace: &Workspace<'_>,
    aside: &'r Repository,
    index: &Checked,
    archive: &mut Archive,
    pack: &Path,
) -> Result<StoredPackage<'r>> {
    let open = || File::open(pack).map_err(|error| Error::io("read", pack, error));
    if !index.shallow.is_empty() {
        aside.end_history_at(&index.shallow)?;
    }
    drop(aside.import_pack(open()?)?);
    let store = Store::new(aside);
    aside.create_refs(&index.refs).map_err(|error| damaged("its refs lead nowhere").because(error))?;
    if !aside.is_connected()? {
        return Err(damaged("objects are missing"));
    }
    let package = store.open(index.commit, &index.line)?;
    let part = |name: &str| part_of(name, index.commit, &index.line, package.source);
    if let Some((name, _)) = index.refs.iter().find(|(name, _)| part(name).is_none()) {
        return Err(damaged(format!("it has a ref that does not belong to the package: {name}")));
    }
    let toolchains = store.toolchains().of(package.source)?;
    if let Some(name) = toolchains.unread.first() {
        return Err(damaged(format!("a toolchain can't be read: {name}")));
    }
    if store.histories().of(&index.line.target)?.unread > 0 {
        return Err(damaged("a record of the history can't be read"));
    }
    let needed: Vec<FileEntry> = package.lfs_files()?.into_iter().cloned().collect();
    for member in index.members.iter().filter(|member| member.name.starts_with(LFS)) {
        let Some(file) = needed.iter().find(|file| file.sha256 == member.sha256 && file.size == member.size)
        else {
            return Err(damaged(format!("no file of the package needs '{}'", member.name)));
        };
        let mut content = tempfile::tempfile_in(pack.parent().unwrap_or(pack))
            .map_err(|error| Error::io("write to", pack, error))?;
        copy(workspace, archive, member, &mut |bytes| {
            content.write_all(bytes).map_err(|error| Error::io("write", pack, error))
        })?;
        content.rewind().map_err(|error| Error::io("read", pack, error))?;
        if !store.lfs_objects().take_in(file, &mut content, pack)? {
            return Err(damaged(format!("'{}' does not match its name", member.name)));
        }
    }
    if let Some(damage) = package.verify(workspace.progress)?.damages.first() {
        return Err(damaged(format!("{}: {}", damage.path, damage.problem)));
    }
    Ok(package)
}

/// Imports what was verified, in the order of recording: objects, refs, the line.
fn take_in(
    workspace: &Workspace<'_>,
    package: &StoredPackage<'_>,
    index: Checked,
    pack: &Path,
) -> Result<Imported> {
    let (repository, store) = (workspace.repository, workspace.store());
    let Checked { commit, line, shallow, refs, .. } = index;
    let part = |name: &str| part_of(name, commit, &line, package.source);
    let mut missing = Vec::new();
    let mut history = None;
    for (name, id) in refs {
        let known = repository.ref_target(&name)?;
        if part(&name) == Some(RefKind::History) {
            history = match known {
                None => Some(true),
                Some(known) if known == id => Some(false),
                Some(_) => None,
            };
        }
        // An existing ref stays: either is the package, and merging histories is not this command's task.
        if known.is_none() {
            missing.push((name, id));
        }
    }
    let is_noted = |line: &PackageLine| line.package == package.manifest.package.id;
    let noted = store.notes().of(commit)?.packages.iter().any(is_noted);
    let files: Vec<FileEntry> = package.lfs_files()?.into_iter().cloned().collect();
    let mut new = !missing.is_empty() || !noted;
    for file in &files {
        if !store.lfs_objects().has(file)? {
            new = true;
            store.lfs_objects().take_over(file, package.repository())?;
        }
    }
    let mut is_cut = false;
    if !missing.is_empty() {
        let taken =
            repository.import_pack(File::open(pack).map_err(|error| Error::io("read", pack, error))?)?;
        let cuts = cuts(repository, &shallow)?;
        if !cuts.is_empty() {
            is_cut = true;
            repository.end_history_at(&cuts)?;
        }
        repository.create_refs(&missing).map_err(|error| {
            Error::refused("another process created one of the refs")
                .hint("run the command again")
                .because(error)
        })?;
        drop(taken);
    }
    store.notes().write_line(commit, &line)?;
    let toolchains = missing.iter().filter(|(name, _)| part(name) == Some(RefKind::Toolchain)).count();
    Ok(Imported { found: NotedPackage { commit, line }, new, toolchains, history, shallow: is_cut })
}

/// The commits at which the file's history ends, and whose parents are not here either.
fn cuts(repository: &Repository, shallow: &[Oid]) -> Result<Vec<Oid>> {
    let mut cuts = Vec::new();
    for commit in shallow {
        if !repository.parents_as_written(*commit)?.iter().all(|parent| repository.has(*parent)) {
            cuts.push(*commit);
        }
    }
    Ok(cuts)
}
