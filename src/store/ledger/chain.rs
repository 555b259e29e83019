//! A chain of records: commits that hold one file each, the newest at a ref. Records never change; a merge of two machines' chains adds
//! none.

use crate::error::Result;
use crate::git::pack::Replaced;
use crate::git::{MODE_FILE, Oid, Repository, TreeEntry};

pub(super) struct Record<'a> {
    pub(super) name: &'a str,
    pub(super) file: &'static str,
    pub(super) text: &'a str,
    pub(super) message: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    Configured,
    Never,
}

/// Appends a record to its chain.
pub(super) fn append(repository: &Repository, record: &Record<'_>, signing: Signing) -> Result<()> {
    let batch = repository.batch()?;
    let blob = batch.blob(record.text.as_bytes(), None)?;
    let tree = batch.tree(vec![TreeEntry { name: record.file.into(), id: blob, mode: MODE_FILE }], None)?;
    let reason = record.message.lines().next().unwrap_or_default();
    if signing == Signing::Configured && repository.signs_commits()? {
        let replaced = batch.finish()?;
        let appended = append_signed(repository, record, tree, reason);
        replaced.remove();
        return appended;
    }
    let mut replaced = None;
    repository.update_ref(record.name, reason, |tip| {
        let commit = batch.commit(tree, tip.as_slice(), record.message)?;
        replaced = Some(batch.finish()?);
        Ok(Some(commit))
    })?;
    replaced.into_iter().for_each(Replaced::remove);
    Ok(())
}

/// Signing may wait for a user, so the ref is not locked meanwhile; if it has moved, the record is signed again.
fn append_signed(repository: &Repository, record: &Record<'_>, tree: Oid, reason: &str) -> Result<()> {
    loop {
        let tip = repository.ref_target(record.name)?;
        let commit = repository.signed_commit(tree, tip.as_slice(), record.message, "the record")?;
        let mut is_appended = false;
        repository.update_ref(record.name, reason, |now| {
            is_appended = now == tip;
            Ok(is_appended.then_some(commit))
        })?;
        if is_appended {
            return Ok(());
        }
    }
}
