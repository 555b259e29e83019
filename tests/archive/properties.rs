//! What holds for whatever comes.

use proptest::prelude::*;

use crate::corpus;
use crate::memory::{decode, encode, round_trip};
use crate::odd::{Entry, Zip, crc, stream};
use git_slsart::archive::deflate::Engine;

/// One generated entry.
type Made = (u8, u64, usize, u8, u8, Vec<u8>);

fn zip(entries: &[Made], prefix: &[u8], tail: &[u8]) -> Vec<u8> {
    let mut zip = Zip::default();
    zip.bytes.extend(prefix);
    for (name, seed, size, level, descriptor, extra) in entries {
        let plain = corpus::code(*seed, *size);
        let engine = [Engine::Zlib, Engine::Node, Engine::Node16][usize::try_from(*seed % 3).unwrap()];
        let data = if *level == 0 { plain.clone() } else { stream(&plain, engine, *level) };
        let name = format!("{}{}", ["", "a/", "../", "b/c/"][usize::from(name % 4)], name / 8);
        zip.add(&Entry {
            name: name.as_bytes(),
            method: if *level == 0 { 0 } else { 8 },
            flags: if *descriptor > 0 { 8 } else { 0 },
            data: &data,
            crc: crc(&plain),
            size: u32::try_from(*size).unwrap(),
            extra,
            descriptor: *descriptor,
        });
    }
    let mut bytes = zip.finish();
    bytes.extend(tail);
    bytes
}

fn entries() -> impl Strategy<Value = Vec<Made>> {
    let extra = prop_oneof![Just(vec![]), proptest::collection::vec(any::<u8>(), 0..20)];
    proptest::collection::vec((any::<u8>(), 0..50u64, 0..3000usize, 0..10u8, 0..3u8, extra), 1..12)
}

fn cases() -> ProptestConfig {
    let long = std::env::var_os("SLSART_ARCHIVE_LONG").is_some();
    ProptestConfig {
        cases: if long { 5000 } else { 60 },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_zip_comes_back(entries in entries(), prefix in ".{0,20}", tail in ".{0,20}") {
        let bytes = zip(&entries, prefix.as_bytes(), tail.as_bytes());
        prop_assert!(round_trip(&bytes).is_some());
    }

    #[test]
    fn every_damaged_zip_comes_back_or_is_none(
        entries in entries(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        let mut bytes = zip(&entries, b"", b"");
        for (at, value) in damage {
            // Structure is at the end, and there damage tells most.
            let from = if value % 2 == 0 { bytes.len().saturating_sub(400) } else { 0 };
            let at = from + at.index(bytes.len() - from);
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        round_trip(&bytes);
    }

    #[test]
    fn any_bytes_are_no_recipe_or_a_bounded_one(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), magic: bool) {
        if magic {
            bytes.splice(0..0, *b"slzr\x01");
        }
        let empty = crate::memory::Memory::default();
        if let Ok(out) = decode(&bytes, &empty, 100_000, 2) {
            prop_assert!(out.len() <= 100_000);
        }
    }

    #[test]
    fn a_damaged_recipe_is_an_error_or_bounded(
        entries in entries(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let bytes = zip(&entries, b"", b"");
        let (mut recipe, memory) = encode(&bytes, 1).unwrap();
        for (at, value) in damage {
            let at = at.index(recipe.len());
            recipe[at] = value;
        }
        if let Ok(out) = decode(&recipe, &memory, 100_000, 1) {
            prop_assert!(out.len() <= 100_000);
        }
    }
}
