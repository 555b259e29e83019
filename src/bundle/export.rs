//! Writes a package into a file.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::path::Path;

use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::index::{FORMAT, INDEX, Index, LFS, Member, PACK, Ref};
use crate::error::{ANOTHER_COPY, Error, Result};
use crate::git::Oid;
use crate::package::Sha256;
use crate::process::interrupt;
use crate::store::{NotedPackage, StoredPackage};
use crate::workspace::Workspace;

#[derive(Debug)]
pub struct Exported {
    pub toolchains: usize,
    pub objects: usize,
    pub history: bool,
    pub size: u64,
}

/// Writes a package, its source, its toolchains and, on request, its target's history to `out`, an empty file. Temporary files are in
/// `scratch`. Missing or damaged parts are an error.
pub fn export(
    workspace: &Workspace<'_>,
    found: &NotedPackage,
    with_history: bool,
    (out, scratch): (&File, &Path),
) -> Result<Exported> {
    let (repository, store, progress) = (workspace.repository, workspace.store(), workspace.progress);
    let package = store.open(found.commit, &found.line)?;
    progress.phase("Verifying the package");
    progress.expect_bytes(package.manifest.package.size);
    if let Some(damage) = package.verify(progress)?.damages.first() {
        return Err(Error::integrity(format!("the package is damaged: {}: {}", damage.path, damage.problem))
            .hint(ANOTHER_COPY));
    }
    let boundary = boundary(workspace, &package)?;
    let mut refs = vec![tip(workspace, package.ref_name())?];
    let toolchains = store.toolchains().refs_of(&[package.source].into())?;
    let toolchain_count = toolchains.len();
    refs.extend(toolchains.into_iter().map(|toolchain| (toolchain.name, toolchain.tip)));
    let history = if with_history { store.histories().tip(&found.line.target)? } else { None };
    let has_history = history.is_some();
    refs.extend(history);

    progress.phase("Packing source, package and toolchains");
    let cannot = |error| Error::io("write to", scratch, error);
    let mut pack = tempfile::tempfile_in(scratch).map_err(cannot)?;
    let tips: Vec<Oid> = refs.iter().map(|(_, id)| *id).collect();
    repository.write_pack_of(&tips, &boundary, pack.try_clone().map_err(cannot)?)?;
    pack.rewind().map_err(cannot)?;
    let (sha256, size) = Sha256::of_reader(&mut pack).map_err(cannot)?;
    pack.rewind().map_err(cannot)?;
    let mut members = vec![(Member { name: PACK.to_owned(), size, sha256 }, pack)];
    for (file, path) in package.lfs_objects_here(progress)? {
        let name = format!("{LFS}{}", file.sha256);
        // Two files may have the same content.
        if members.iter().all(|(member, _)| member.name != name) {
            let content = File::open(&path).map_err(|error| Error::io("read", &path, error))?;
            members.push((Member { name, size: file.size, sha256: file.sha256 }, content));
        }
    }
    let objects = members.len() - 1;
    let index = Index {
        format: FORMAT,
        exported: workspace.context.clock.now(),
        slsart: env!("CARGO_PKG_VERSION").to_owned(),
        commit: found.commit.to_string(),
        line: found.line.to_string(),
        shallow: boundary.iter().map(ToString::to_string).collect(),
        refs: refs.into_iter().map(|(name, id)| Ref { name, id: id.to_string() }).collect(),
        members: members.iter().map(|(member, _)| member.clone()).collect(),
    };
    progress.phase("Writing");
    progress.expect_bytes(members.iter().map(|(member, _)| member.size).sum());
    let size = write(workspace, &index, members, out)?;
    Ok(Exported { toolchains: toolchain_count, objects, history: has_history, size })
}

fn tip(workspace: &Workspace<'_>, name: String) -> Result<(String, Oid)> {
    let tip = workspace.repository.ref_target(&name)?;
    tip.map(|tip| (name, tip)).ok_or_else(|| Error::refused("the package was removed meanwhile"))
}

/// Where the history is cut off: at the package's commit, unless it is a root commit.
fn boundary(workspace: &Workspace<'_>, package: &StoredPackage<'_>) -> Result<Vec<Oid>> {
    let commit = workspace
        .repository
        .commit(package.commit)
        .map_err(|error| error.hint("the package's source has to be here: git fetch --unshallow"))?;
    Ok(if commit.parents.is_empty() { Vec::new() } else { vec![commit.id] })
}

fn write(workspace: &Workspace<'_>, index: &Index, members: Vec<(Member, File)>, out: &File) -> Result<u64> {
    let place = Path::new("the file");
    let cannot = |error| Error::io("write", place, error);
    let zipped = |error: zip::result::ZipError| Error::io("write", place, io::Error::other(error));
    let text =
        toml::to_string(index).map_err(|error| Error::bug("an index can't be written").because(error))?;
    let options = |size: u64| {
        SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default())
            .large_file(size >= u64::from(u32::MAX))
    };
    let mut zip = ZipWriter::new(BufWriter::new(out));
    zip.start_file(INDEX, options(text.len() as u64)).map_err(zipped)?;
    zip.write_all(text.as_bytes()).map_err(cannot)?;
    for (member, mut content) in members {
        zip.start_file(member.name.as_str(), options(member.size)).map_err(zipped)?;
        let mut buffer = vec![0; 128 * 1024];
        let mut left = member.size;
        loop {
            interrupt::check()?;
            match content.read(&mut buffer).map_err(|error| Error::io("read", place, error))? {
                0 => break,
                count => {
                    left = left.checked_sub(count as u64).ok_or_else(changed)?;
                    zip.write_all(&buffer[..count]).map_err(cannot)?;
                    workspace.progress.advance(count as u64);
                }
            }
        }
        if left > 0 {
            return Err(changed());
        }
    }
    let mut out = zip.finish().map_err(zipped)?.into_inner().map_err(|error| cannot(error.into_error()))?;
    out.sync_all().map_err(cannot)?;
    out.seek(SeekFrom::End(0)).map_err(cannot)
}

fn changed() -> Error {
    Error::refused("an LFS object was changed while it was read").hint("run the command again")
}
