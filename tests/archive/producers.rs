//! Zips of real producers.

use std::fs;
use std::path::{Path, PathBuf};
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
    let (recipe, _) = round_trip(&fs::read(work.path().join("out.zip")).unwrap()).unwrap();
    let entries = git_slsart::archive::list(&recipe).unwrap();
    assert!(entries.iter().filter(|entry| entry.method == 8).count() > 40, "it deflates");
    // Its deflate is its own: what no engine makes again is kept as it is.
    assert!(entries.iter().any(|entry| entry.raw), "an engine makes it again: then hold it to that");
}

const LIBRARIES: &str = r"
const fs = require('fs'), path = require('path'), { Readable } = require('stream');
const [modules, producer, level, memLevel, out] = process.argv.slice(1);
const need = (name) => require(path.join(modules, 'node_modules', name));
const walk = (folder) => fs.readdirSync(folder, { withFileTypes: true })
  .sort((a, b) => (a.name < b.name ? -1 : 1))
  .flatMap((e) => (e.isDirectory() ? walk(path.join(folder, e.name)) : [path.join(folder, e.name)]));
const files = walk('.'), zlib = { level: +level, memLevel: +memLevel };
const write = (stream) => new Promise((done, fail) => stream.pipe(fs.createWriteStream(out)).on('close', done).on('error', fail));
(async () => {
  if (producer.startsWith('archiver')) {
    const archive = need(producer)('zip', { zlib });
    const written = write(archive);
    for (const file of files) archive.file(file, { name: file, date: new Date(0) });
    await archive.finalize();
    await written;
  } else if (producer === 'yazl') {
    const zip = new (need('yazl').ZipFile)();
    for (const file of files) zip.addFile(file, file, { compressionLevel: +level });
    zip.end();
    await write(zip.outputStream);
  } else if (producer === 'jszip') {
    const zip = new (need('jszip'))();
    for (const file of files) zip.file(file, fs.readFileSync(file));
    const compressionOptions = { level: +level };
    fs.writeFileSync(out, await zip.generateAsync({ type: 'nodebuffer', compression: 'DEFLATE', compressionOptions }));
  } else {
    const zip = new (need('adm-zip'))();
    for (const file of files) zip.addFile(file, fs.readFileSync(file));
    zip.writeZip(out);
  }
})();
";

/// Where `make setup` put the libraries.
pub(crate) fn libraries() -> PathBuf {
    let bed = std::env::var_os("SLSART_BED").map(PathBuf::from);
    // The bench has this file too, in a package that is higher up.
    let mut directories = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let top = directories.find(|directory| directory.join("Cargo.lock").exists()).unwrap();
    let bed = bed.unwrap_or_else(|| top.join("target/bed"));
    let libraries = bed.join("flavours/zips");
    assert!(libraries.join("node_modules/archiver").is_dir(), "no {}: run `make setup`", libraries.display());
    libraries
}

/// What made a zip: its name with its memLevel, and its level.
pub(crate) type Producer = (String, String);

/// The share of streams that are made again, in percent, by producer.
pub(crate) fn shares(levels: &[&str]) -> Vec<(Producer, f64)> {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path().join("in");
    files(&folder);
    let libraries = libraries();
    let out = work.path().join("out.zip");
    let mut shares = Vec::new();
    let mut measure = |name: &str, level: &str| {
        let (recipe, _) =
            round_trip(&fs::read(&out).unwrap()).unwrap_or_else(|| panic!("{name} made no zip"));
        fs::remove_file(&out).unwrap();
        shares.push(((name.to_owned(), level.to_owned()), share(&recipe)));
    };
    for level in levels {
        for producer in ["archiver", "archiver5", "yazl", "jszip", "adm-zip"] {
            for memory in ["8", "9"] {
                let takes_memory = producer.starts_with("archiver");
                let takes_level = producer != "adm-zip";
                if (memory == "8" || takes_memory) && (takes_level || *level == levels[0]) {
                    let [modules, out] = [&libraries, &out].map(|path| path.to_str().unwrap());
                    run("node", &["-e", LIBRARIES, modules, producer, level, memory, out], &folder);
                    let own = if takes_level { level } else { "own" };
                    measure(&format!("node: {producer}, memLevel {memory}"), own);
                }
            }
        }
        run("python3", &["-c", ZIPFILE, level], &folder);
        measure("python: zipfile", level);
        run("zip", &["-qr", &format!("-{level}"), "../out.zip", "."], &folder);
        measure(INFO_ZIP, level);
    }
    run("jar", &["cf", "../out.zip", "."], &folder);
    measure("java: jar", "own");
    shares
}

/// The one that is none of the engines.
pub(crate) const INFO_ZIP: &str = "Info-ZIP";

/// With `SLSART_ARCHIVE_LONG=1` every level; `make bench` prints a table of them.
#[test]
fn libraries_of_node() {
    let long = std::env::var_os("SLSART_ARCHIVE_LONG").is_some();
    let levels = if long { &["1", "2", "3", "4", "5", "6", "7", "8", "9"][..] } else { &["1", "6"] };
    for ((producer, level), share) in shares(levels) {
        assert!(share > 99.99 || producer == INFO_ZIP, "{producer}, level {level}: {share} %");
    }
}
