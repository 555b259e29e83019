//! What was recorded once opens for ever: zips with their recipes, and what the engines made of a corpus.

use std::fs;
use std::path::{Path, PathBuf};

use git_slsart::archive::deflate::{Settings, deflate};
use sha2::{Digest, Sha256};

use crate::corpus;
use crate::memory::{decode, encode};
use crate::odd::{Entry, Zip, crc};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/archive/v1")
}

/// To be set once, when something new is frozen: what is there already must not change.
fn writing() -> bool {
    std::env::var_os("SLSART_ARCHIVE_FREEZE").is_some()
}

/// Holds bytes against a fixture.
fn hold(name: &str, bytes: &[u8]) {
    let path = folder().join(name);
    if writing() && !path.exists() {
        fs::create_dir_all(folder()).unwrap();
        fs::write(&path, bytes).unwrap();
    }
    let frozen = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(frozen == bytes, "{name} is not what was frozen");
}

/// A zip of one engine and level: a plain entry, one that is larger, one with a descriptor, a stored one, a folder.
fn sample(settings: Settings) -> Vec<u8> {
    let mut zip = Zip::default();
    for (at, size) in [700, 9000, 40].into_iter().enumerate() {
        let plain = corpus::few(at as u64, size, 9);
        let mut data = Vec::new();
        deflate(settings, &mut &plain[..], &mut data).unwrap();
        let name = format!("src/{at}.js");
        let descriptor = u8::from(at == 1);
        zip.add(&Entry {
            name: name.as_bytes(),
            method: 8,
            flags: u16::from(descriptor) * 8,
            data: &data,
            crc: crc(&plain),
            size: u32::try_from(size).unwrap(),
            extra: if at == 2 { b"\x55\x54\x01\x00\x01" } else { b"" },
            descriptor,
        });
    }
    zip.file(b"src/", b"", 0);
    zip.file(b"../stored", b"as it is\n", 0);
    zip.finish()
}

#[test]
fn zips_and_recipes_are_as_ever() {
    for settings in Settings::all().into_iter().filter(|settings| [0, 1, 6, 9].contains(&settings.level)) {
        let name = settings.to_string().replace(' ', "-");
        let zip = sample(settings);
        hold(&format!("{name}.zip"), &zip);
        let frozen = fs::read(folder().join(format!("{name}.zip"))).unwrap();
        let (recipe, memory) = encode(&frozen, 2).unwrap();
        hold(&format!("{name}.recipe"), &recipe);
        let recipe = fs::read(folder().join(format!("{name}.recipe"))).unwrap();
        assert!(decode(&recipe, &memory, frozen.len(), 2).unwrap() == frozen, "{name}");
    }
}

#[test]
fn engines_are_as_ever() {
    let corpus = corpus::all();
    let line = |settings: Settings| {
        let mut hash = Sha256::new();
        for (_, plain) in &corpus {
            let mut stream = Vec::new();
            deflate(settings, &mut &plain[..], &mut stream).unwrap();
            hash.update(&stream);
        }
        let hash: Vec<String> = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}  {settings}\n", hash.concat())
    };
    // The longest of these tests: on both cores.
    let all = Settings::all();
    let (first, second) = all.split_at(all.len() / 2);
    let lines = |of: &[Settings]| of.iter().copied().map(line).collect::<String>();
    let lines = std::thread::scope(|scope| {
        let first = scope.spawn(|| lines(first));
        let second = lines(second);
        first.join().unwrap() + &second
    });
    hold("engines.sha256", lines.as_bytes());
}

/// The sample of `docs/format.md`: a zip of one stored entry, its recipe in full.
#[test]
fn the_sample_of_the_format() {
    let mut zip = Zip::default();
    zip.file(b"a.txt", b"hello\n", 0);
    let (recipe, _) = encode(&zip.finish(), 1).unwrap();
    let hex: Vec<String> = recipe.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex.join(" "), SAMPLE);
}

const SAMPLE: &str = "73 6c 7a 72 01 01 00 01 04 01 00 01 00 01 00 01 00 01 a8 0c 01 28 01 00 \
    01 00 01 a2 88 99 c3 08 01 00 01 00 01 00 01 00 01 00 01 00 01 00 01 00 \
    01 00 01 00 01 00 02 00 00 05 61 2e 74 78 74 00 00 00 01 02 00 00";
