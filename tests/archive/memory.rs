//! A store in memory, and a round trip through it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::sync::Mutex;

use git_slsart::archive::{self, Content, Failure, Opened, Place, Sink, Source};

/// Contents by place, and the deflate streams that came with them.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) contents: Mutex<BTreeMap<Place, Vec<u8>>>,
    pub(crate) deflated: Mutex<usize>,
}

impl Sink for Memory {
    fn put(&self, place: &Place, content: &Content<'_>) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        content.reader()?.read_to_end(&mut bytes)?;
        assert_eq!(bytes.len() as u64, content.size(), "{place}");
        if let Some(memory) = content.bytes() {
            assert_eq!(memory, bytes, "{place}");
        }
        if let Some(deflated) = content.deflated() {
            let mut stream = Vec::new();
            deflated.reader().read_to_end(&mut stream)?;
            assert_eq!(stream.len() as u64, deflated.size());
            let mut plain = Vec::new();
            let mut decoder = flate2::bufread::DeflateDecoder::new(&stream[..]);
            decoder.read_to_end(&mut plain)?;
            assert_eq!(plain, bytes, "{place}");
            assert_eq!(decoder.total_in(), deflated.size(), "{place}");
            *self.deflated.lock().unwrap() += 1;
        }
        let before = self.contents.lock().unwrap().insert(place.clone(), bytes);
        assert!(before.is_none(), "{place} was put twice");
        Ok(())
    }
}

impl Source for Memory {
    fn open(&self, place: &Place) -> Result<Opened<'_>, Failure> {
        let contents = self.contents.lock().unwrap();
        let bytes = contents.get(place).ok_or_else(|| format!("{place} was never put"))?.clone();
        if bytes.len() % 2 == 0 {
            return Ok(Opened::Bytes(Cow::Owned(bytes)));
        }
        Ok(Opened::Reader { size: bytes.len() as u64, reader: Box::new(std::io::Cursor::new(bytes)) })
    }
}

pub(crate) fn threads(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

/// The recipe and contents of a file's bytes.
pub(crate) fn encode(bytes: &[u8], count: usize) -> Option<(Vec<u8>, Memory)> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    encode_file(&file, count)
}

pub(crate) fn encode_file(file: &File, count: usize) -> Option<(Vec<u8>, Memory)> {
    let memory = Memory::default();
    let recipe = archive::encode(file, &memory, threads(count), &|| false).unwrap();
    if recipe.is_none() {
        assert!(memory.contents.lock().unwrap().is_empty());
    }
    recipe.map(|recipe| (recipe, memory))
}

pub(crate) fn decode(recipe: &[u8], memory: &Memory, limit: usize, count: usize) -> archive::Result<Vec<u8>> {
    let mut out = Vec::new();
    archive::decode(recipe, memory, &mut out, limit as u64, threads(count))?;
    Ok(out)
}

/// Encodes, decodes and compares; returns recipe and contents.
pub(crate) fn round_trip(bytes: &[u8]) -> Option<(Vec<u8>, Memory)> {
    let (recipe, memory) = encode(bytes, 2)?;
    let again = decode(&recipe, &memory, bytes.len(), 2).unwrap();
    if again != bytes {
        let at = again.iter().zip(bytes).take_while(|(one, other)| one == other).count();
        panic!("{} bytes came back as {}, different from {at} on", bytes.len(), again.len());
    }
    let mut opened = archive::places(&recipe, &memory).unwrap();
    opened.sort();
    let put: Vec<Place> = memory.contents.lock().unwrap().keys().cloned().collect();
    assert_eq!(opened, put, "what is listed (left) and what was put (right)");
    Some((recipe, memory))
}

/// The share of deflated entries that are made again, in percent.
pub(crate) fn share(recipe: &[u8]) -> f64 {
    let deflated: Vec<_> =
        archive::list(recipe).unwrap().into_iter().filter(|entry| entry.method == 8).collect();
    assert!(!deflated.is_empty(), "nothing is deflated");
    let again = deflated.iter().filter(|entry| !entry.raw).count();
    #[allow(clippy::cast_precision_loss, reason = "entries are few")]
    let share = 100.0 * again as f64 / deflated.len() as f64;
    share
}
