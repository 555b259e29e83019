//! Loose objects, read in parts. libgit2 never ends on a truncated one.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::ZlibDecoder;

use crate::git::Oid;

/// Most bytes of an object's header: its kind, its size and a zero.
const MAX_HEADER_BYTES: u64 = 32;

pub(in crate::git) struct Loose {
    /// `blob`, `tree`, `commit` or `tag`.
    pub(in crate::git) kind: String,
    pub(in crate::git) size: u64,
    pub(in crate::git) reader: Box<dyn Read + Send>,
}

/// How many levels of alternates are followed, as git does.
const MAX_BORROWED: usize = 5;

/// The directory `objects`, and those of its alternates (`objects/info/alternates`).
pub(in crate::git) fn directories(objects: &Path) -> Vec<PathBuf> {
    let mut found = vec![objects.to_owned()];
    let mut level = found.clone();
    for _ in 0..MAX_BORROWED {
        let borrowed = level.iter().flat_map(|objects| {
            let text = fs::read_to_string(objects.join("info/alternates")).unwrap_or_default();
            let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
            lines.map(|line| objects.join(line)).collect::<Vec<_>>()
        });
        level = borrowed.filter(|directory| !found.contains(directory)).collect();
        found.extend(level.iter().cloned());
    }
    found
}

/// Opens a loose object in one of the directories; `None` if it is in none.
pub(in crate::git) fn open(directories: &[PathBuf], id: Oid) -> io::Result<Option<Loose>> {
    let name = id.to_string();
    let open = |objects: &PathBuf| File::open(objects.join(&name[..2]).join(&name[2..])).ok();
    let Some(file) = directories.iter().find_map(open) else { return Ok(None) };
    let mut reader = BufReader::new(ZlibDecoder::new(file));
    let mut header = Vec::new();
    (&mut reader).take(MAX_HEADER_BYTES).read_until(0, &mut header)?;
    let parse = || {
        let text = std::str::from_utf8(header.strip_suffix(&[0])?).ok()?;
        let (kind, size) = text.split_once(' ')?;
        Some((kind.to_owned(), size.parse().ok()?))
    };
    let (kind, size) = parse().ok_or_else(|| invalid("it has no header"))?;
    Ok(Some(Loose { kind, size, reader: Box::new(reader) }))
}

impl Loose {
    pub(in crate::git) fn read(self) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.reader.take(self.size.saturating_add(1)).read_to_end(&mut content)?;
        if content.len() as u64 == self.size { Ok(content) } else { Err(invalid("its size is wrong")) }
    }
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
