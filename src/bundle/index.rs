//! A file's `index.toml`. Every statement in it is compared with the rest of the file.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::git::Oid;
use crate::package::Sha256;
use crate::store::PackageLine;

pub(super) const FORMAT: u32 = 1;
/// The first member: this index.
pub(super) const INDEX: &str = "index.toml";
pub(super) const PACK: &str = "pack";
pub(super) const LFS: &str = "lfs/";
pub(super) const MAX_BYTES: u64 = 16 * 1024 * 1024;
pub(super) const MAX_MEMBERS: usize = 20_000;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Index {
    pub(super) format: u32,
    pub(super) exported: Timestamp,
    pub(super) slsart: String,
    pub(super) commit: String,
    pub(super) line: String,
    pub(super) shallow: Vec<String>,
    #[serde(rename = "ref")]
    pub(super) refs: Vec<Ref>,
    #[serde(rename = "member")]
    pub(super) members: Vec<Member>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ref {
    pub(super) name: String,
    pub(super) id: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) sha256: Sha256,
}

/// An index with valid values.
pub(super) struct Checked {
    pub(super) commit: Oid,
    pub(super) line: PackageLine,
    pub(super) shallow: Vec<Oid>,
    pub(super) refs: Vec<(String, Oid)>,
    pub(super) members: Vec<Member>,
}

/// The error for an invalid file.
pub(super) fn damaged(what: impl std::fmt::Display) -> Error {
    Error::integrity(format!("the file is damaged, or not one of `git slsart export`: {what}"))
        .hint("export it again where the package is")
}

/// The part that every version's index has.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Index {
    /// Reads an index and compares it with the members' names.
    pub(super) fn read(text: &[u8], there: &BTreeSet<String>) -> Result<Checked> {
        let text =
            std::str::from_utf8(text).map_err(|error| damaged("its index is no text").because(error))?;
        let wrong = |error| damaged("its index can't be read").because(error);
        let Format { format } = toml::from_str(text).map_err(wrong)?;
        if format > FORMAT {
            return Err(Error::refused(format!(
                "the file is of format {format}, which this git-slsart can't read"
            ))
            .hint("import it with the version that made it, or a later one"));
        }
        let index: Self = toml::from_str(text).map_err(wrong)?;
        let id = |text: &str| Oid::from_str(text).ok().filter(|_| text.len() == 40);
        let commit = id(&index.commit).ok_or_else(|| damaged("its commit is not an object id"))?;
        let line: PackageLine = index
            .line
            .parse()
            .map_err(|error: crate::store::note_line::LineError| damaged("its line").because(error))?;
        if line.pruned.is_some() {
            return Err(damaged("its line is of a package that was pruned"));
        }
        let shallow: Vec<Oid> = index.shallow.iter().filter_map(|text| id(text)).collect();
        if shallow.iter().any(|cut| *cut != commit) || shallow.len() != index.shallow.len() {
            return Err(damaged("its history ends elsewhere than at the package's commit"));
        }
        let refs = index.refs.into_iter().map(|Ref { name, id: target }| Some((name, id(&target)?)));
        let refs: Vec<_> = refs.collect::<Option<_>>().ok_or_else(|| damaged("a ref has no object id"))?;
        let names: BTreeSet<&str> = refs.iter().map(|(name, _)| name.as_str()).collect();
        if names.len() != refs.len() || refs.len() > MAX_MEMBERS {
            return Err(damaged("its refs"));
        }
        let members: BTreeSet<String> = index.members.iter().map(|member| member.name.clone()).collect();
        let is_known = |member: &Member| {
            let object = member.name.strip_prefix(LFS);
            member.name == PACK || object.is_some_and(|object| object == member.sha256.to_string())
        };
        if members != *there || index.members.len() != members.len() || !index.members.iter().all(is_known) {
            return Err(damaged("its members are not those that its index names"));
        }
        if !members.contains(PACK) {
            return Err(damaged("it has no git objects"));
        }
        Ok(Checked { commit, line, shallow, refs, members: index.members })
    }
}
