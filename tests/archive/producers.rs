//! Zips of real producers.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::corpus;
use crate::memory::{round_trip, share};

/// A folder of files such as a package has.
fn files(folder: &Path) {
    for number in 0..40u64 {
        let size = usize::try_from(corpus::Numbers::new(number).below(30_000)).unwrap();
        let path = folder.join(format!("node_modules/lib{}/src/file{number}.js", number % 7));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, corpus::code(number, size)).unwrap();
    }
    fs::write(folder.join("big.js"), corpus::code(99, 700_000)).unwrap();
    fs::write(folder.join("empty"), "").unwrap();
    fs::write(folder.join("noise.bin"), corpus::noise(1, 50_000)).unwrap();
}

fn run(program: &str, arguments: &[&str], folder: &Path) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

const ZIPFILE: &str = r"
import os, sys, zipfile
with zipfile.ZipFile('../out.zip', 'w', zipfile.ZIP_DEFLATED, compresslevel=int(sys.argv[1])) as out:
    for folder, _, names in sorted(os.walk('.')):
        out.write(folder)
        for name in sorted(names):
            out.write(os.path.join(folder, name))
";

#[test]
fn python_zipfile() {
    for level in ["1", "6", "9"] {
        let work = tempfile::tempdir().unwrap();
        let folder = work.path().join("in");
        files(&folder);
        run("python3", &["-c", ZIPFILE, level], &folder);
        let (recipe, memory) = round_trip(&fs::read(work.path().join("out.zip")).unwrap()).unwrap();
        assert!((share(&recipe) - 100.0).abs() < 0.01, "level {level}: {}", share(&recipe));
        assert!(*memory.deflated.lock().unwrap() > 40);
    }
}

#[test]
fn java_jar() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path().join("in");
    files(&folder);
    run("jar", &["cf", "../out.jar", "."], &folder);
    let bytes = fs::read(work.path().join("out.jar")).unwrap();
    let (recipe, _) = round_trip(&bytes).unwrap();
    assert!((share(&recipe) - 100.0).abs() < 0.01, "{}", share(&recipe));
    assert!(recipe.len() < 3000, "{}", recipe.len());
}

#[test]
fn info_zip() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path().join("in");
    files(&folder);
    run("zip", &["-qr", "../out.zip", "."], &folder);
    round_trip(&fs::read(work.path().join("out.zip")).unwrap()).unwrap();
}
