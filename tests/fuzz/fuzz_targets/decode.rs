//! Any recipe, with contents that are always there: an error, or no more bytes than allowed.
#![no_main]

use std::num::NonZeroUsize;

use git_slsart::archive::{self, Failure, Opened, Place, Source};
use libfuzzer_sys::fuzz_target;

struct Same;

impl Source for Same {
    fn open(&self, place: &Place) -> Result<Opened<'_>, Failure> {
        Ok(Opened::Bytes(place.as_str().as_bytes().repeat(20).into()))
    }
}

fuzz_target!(|recipe: &[u8]| {
    let mut out = Vec::new();
    let done = archive::decode(recipe, &Same, &mut out, 1 << 20, NonZeroUsize::MIN);
    assert!(out.len() <= 1 << 20);
    assert!(done.is_err() || archive::list(recipe).is_ok());
});
