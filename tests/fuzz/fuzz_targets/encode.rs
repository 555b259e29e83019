//! Any file: taken apart, it comes back.
#![no_main]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::num::NonZeroUsize;
use std::sync::Mutex;

use git_slsart::archive::{self, Content, Failure, Opened, Place, Sink, Source};
use libfuzzer_sys::fuzz_target;

#[derive(Default)]
struct Memory(Mutex<BTreeMap<Place, Vec<u8>>>);

impl Sink for Memory {
    fn put(&self, place: &Place, content: &Content<'_>) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        content.reader()?.read_to_end(&mut bytes)?;
        assert!(self.0.lock().unwrap().insert(place.clone(), bytes).is_none());
        Ok(())
    }
}

impl Source for Memory {
    fn open(&self, place: &Place) -> Result<Opened<'_>, Failure> {
        Ok(Opened::Bytes(self.0.lock().unwrap().get(place).ok_or("it was never put")?.clone().into()))
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let (one, memory) = (NonZeroUsize::MIN, Memory::default());
    if let Some(recipe) = archive::encode(&file, &memory, one, &|| false).unwrap() {
        let mut out = Vec::new();
        archive::decode(&recipe, &memory, &mut out, bytes.len() as u64, one).unwrap();
        assert!(out == bytes);
    }
});
