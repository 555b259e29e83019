//! `git slsart extract`.

use std::fs;
use std::path::Path;

use snapbox::str;
use walkdir::WalkDir;

use crate::sandbox::Sandbox;

/// Every file below a directory, with its content.
fn content(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let files = WalkDir::new(directory).sort_by_file_name().into_iter().map(Result::unwrap);
    files
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(directory).unwrap().to_str().unwrap().to_owned();
            (path, fs::read(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn the_directory_comes_back_byte_for_byte() {
    let sandbox = Sandbox::new();
    let dist = sandbox.build("dist", "prod");
    fs::create_dir(dist.join("layers")).unwrap();
    fs::write(dist.join("layers/odd name.bin"), [0, 255, 13, 10]).unwrap();
    fs::write(dist.join("empty"), "").unwrap();
    sandbox.slsart("record ../dist -q").succeeded();
    sandbox.slsart("extract HEAD -o ../out").is(str![[r"
Extracted  orders · prod · us-east-1  package de7242bf · 5 files · 1.3 kB → ../out
── stderr ──
Extracting

"]]);
    assert_eq!(content(&dist), content(&sandbox.beside("out")));
    sandbox.slsart("extract HEAD -o ../deep/er/out --json").is(str![[r#"
{
  "directory": "../deep/er/out",
  "package": "de7242bf9484bd064f3e6b99f80a348d230062462cbadb9ac29edae8625a8ef8",
  "target": {
    "service": "orders",
    "path": ".",
    "stage": "prod",
    "region": "us-east-1"
  },
  "file_count": 5,
  "size": 1302
}

"#]]);
    assert_eq!(content(&dist), content(&sandbox.beside("deep/er/out")));
}

#[test]
fn what_is_there_is_never_overwritten() {
    let sandbox = Sandbox::recorded();
    fs::create_dir(sandbox.beside("empty")).unwrap();
    sandbox.slsart("extract HEAD -o ../empty -q").succeeded();
    sandbox.slsart("extract HEAD -o ../empty").is(str![[r"
── stderr ──
Extracting
error: '[ROOT]/repo/../empty' exists and is not empty
hint: name a directory that does not exist yet
── exit 1 ──

"]]);
    sandbox.slsart("extract HEAD -o handler.js").is(str![[r"
── stderr ──
Extracting
error: '[ROOT]/repo/handler.js' exists and is not empty
hint: name a directory that does not exist yet
── exit 1 ──

"]]);
    sandbox.slsart("extract HEAD -o handler.js/below").is(str![[r"
── stderr ──
Extracting
error: cannot create '[ROOT]/repo/handler.js'
  File exists (os error 17)
── exit 1 ──

"]]);
    assert!(sandbox.read("handler.js").contains("one"));
}

#[test]
fn a_directory_must_be_named() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("extract HEAD").is(str![[r"
── stderr ──
error: the following required arguments were not provided:
  --output <DIR>

Usage: git slsart extract --output <DIR> <REF>

For more information, try '-h'.
── exit 2 ──

"]]);
    sandbox.slsart("extract nowhere -o ../out").is(str![[r#"
── stderr ──
error: there is no commit, tag, branch or package 'nowhere' here
hint: `git slsart log --all` lists what is recorded
── exit 5 ──

"#]]);
    assert!(!sandbox.beside("out").exists());
}
