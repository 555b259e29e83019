//! Bytes of a stored package that are not what they were: each is found by `verify`, and none is handed on.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::chance::{Chance, runs, tell};
use crate::sandbox::Sandbox;

#[test]
fn a_byte_that_is_not_what_it_was_is_found() {
    let sandbox = Sandbox::new();
    let dist = sandbox.build("dist", "prod");
    fs::write(dist.join("notes.txt"), "what a plugin writes\n".repeat(100)).unwrap();
    sandbox.slsart("record -q ../dist").succeeded();
    // Only the package is damaged: its pack has nothing of the commits in it.
    let files: Vec<PathBuf> = (fs::read_dir(sandbox.path(".git/objects/pack")).unwrap().flatten())
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "pack" || end == "idx"))
        .collect();
    assert_eq!(files.len(), 2, "{files:?}");
    let sizes = files.iter().map(|file| fs::metadata(file).unwrap().len());
    let total: u64 = sizes.sum();
    let mut chance = Chance::new("bytes");
    let count = runs(40, 1500).min(total);
    let (mut found, mut harmless) = (0, 0);
    for index in 0..count {
        let mut place = (index * total + chance.below(total)) / count;
        let bit = 1 << chance.below(8);
        for file in &files {
            let whole = fs::read(file).unwrap();
            if place >= whole.len() as u64 {
                place -= whole.len() as u64;
                continue;
            }
            fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
            let mut bytes = whole.clone();
            bytes[usize::try_from(place).unwrap()] ^= bit;
            fs::write(file, &bytes).unwrap();
            let when = format!("bit {bit} of byte {place} of {}", file.display());
            let verified = sandbox.slsart("verify HEAD -s prod -q");
            let extracted = sandbox.slsart("extract HEAD -s prod -q -o ../out");
            match extracted.code {
                // A flip may be in what nobody reads to get the package back: then all of it did come back, and git finds it.
                0 => {
                    sandbox.shell("diff -r ../dist ../out && rm -r ../out").succeeded();
                    assert!([0, 4].contains(&verified.code), "{when}: {verified}");
                    let git =
                        sandbox.run("git", ["verify-pack", file.with_extension("idx").to_str().unwrap()]);
                    assert_ne!(git.code, 0, "{when}: nobody finds it");
                    harmless += 1;
                }
                code => {
                    assert!([1, 4, 5].contains(&code), "{when}: {extracted}");
                    assert!(!sandbox.beside("out").exists(), "{when}: something was handed on");
                    assert_ne!(verified.code, 0, "{when}: {verified}");
                    found += 1;
                }
            }
            fs::write(file, &whole).unwrap();
            break;
        }
    }
    assert!(found * 2 > harmless, "{found} found, {harmless} harmless");
    sandbox.slsart("verify --all -q").succeeded();
    tell(&format!("bytes: {count} of {total} flipped, {found} found, {harmless} where nothing was lost"));
}
