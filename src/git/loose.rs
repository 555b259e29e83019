//! Objects that are files of their own, read in parts. libgit2 is not asked for them: on one that is cut short it never ends.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;

use flate2::read::ZlibDecoder;

use super::Oid;

/// Most bytes of an object's header: its kind, its size and a zero.
const MOST_HEADER_BYTES: u64 = 32;

/// A loose object that was opened.
pub(super) struct Loose {
    /// `blob`, `tree`, `commit` or `tag`.
    pub(super) kind: String,
    /// Its content's bytes, as its header has it.
    pub(super) size: u64,
    /// The content.
    pub(super) reader: Box<dyn Read + Send>,
}

/// Opens an object below `objects`; `None` when it is no file of its own there.
pub(super) fn open(objects: &Path, id: Oid) -> io::Result<Option<Loose>> {
    let name = id.to_string();
    let Ok(file) = File::open(objects.join(&name[..2]).join(&name[2..])) else { return Ok(None) };
    let mut reader = BufReader::new(ZlibDecoder::new(file));
    let mut header = Vec::new();
    (&mut reader).take(MOST_HEADER_BYTES).read_until(0, &mut header)?;
    let parse = || {
        let text = std::str::from_utf8(header.strip_suffix(&[0])?).ok()?;
        let (kind, size) = text.split_once(' ')?;
        Some((kind.to_owned(), size.parse().ok()?))
    };
    let (kind, size) = parse().ok_or_else(|| invalid("it has no header"))?;
    Ok(Some(Loose { kind, size, reader: Box::new(reader) }))
}

impl Loose {
    /// Its whole content.
    pub(super) fn read(self) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.reader.take(self.size.saturating_add(1)).read_to_end(&mut content)?;
        if content.len() as u64 == self.size { Ok(content) } else { Err(invalid("its size is another")) }
    }
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
