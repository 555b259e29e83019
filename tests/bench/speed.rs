//! How fast the archive codec is by itself: `cargo bench --bench figures -- speed`, over what two variables name.

use std::fs;
use std::time::Instant;

use git_slsart::archive;
use git_slsart::archive::deflate::{Engine, Settings, deflate};

use crate::memory::{decode, encode_file, threads};

/// A sink that keeps nothing.
struct Nothing;

impl archive::Sink for Nothing {
    fn put(&self, _: &archive::Place, _: &archive::Content<'_>) -> Result<(), archive::Failure> {
        Ok(())
    }
}

/// Plain MB/s of each engine and level over the folder of `SLSART_ARCHIVE_FOLDER`, and of taking apart and putting together
/// the zips that are named in `SLSART_ARCHIVE_ZIPS`, separated by colons.
#[expect(clippy::cast_precision_loss, clippy::print_stdout, reason = "figures for people")]
#[expect(clippy::disallowed_methods, reason = "a benchmark has no context")]
pub(crate) fn print() {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let mut plain = Vec::new();
    let files = walkdir::WalkDir::new(variable("SLSART_ARCHIVE_FOLDER")).sort_by_file_name().into_iter();
    for file in files.flatten().filter(|file| file.file_type().is_file()) {
        plain.push(fs::read(file.path()).expect("a measurement that can't go on ends"));
    }
    let size = plain.iter().map(Vec::len).sum::<usize>() as f64 / 1e6;
    for level in [1, 3, 4, 5, 6, 7, 9] {
        for engine in [Engine::Node, Engine::Zlib] {
            let settings = Settings { engine, level, mem_level: 8 };
            let start = Instant::now();
            for plain in &plain {
                deflate(settings, &mut &plain[..], &mut std::io::sink())
                    .expect("a measurement that can't go on ends");
            }
            let time = start.elapsed().as_secs_f64();
            println!("{settings}: {:.0} MB/s of {size:.0} MB in {} files", size / time, plain.len());
        }
    }
    for zip in variable("SLSART_ARCHIVE_ZIPS").split(':').filter(|zip| !zip.is_empty()) {
        let file = fs::File::open(zip).expect("a measurement that can't go on ends");
        let size = file.metadata().expect("a measurement that can't go on ends").len();
        let start = Instant::now();
        archive::encode(&file, &Nothing, threads(2), &|| false).expect("a measurement that can't go on ends");
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
        println!("{zip}: apart, nothing kept, 2 threads: {:.2} s, {peak}", start.elapsed().as_secs_f64());
        if variable("SLSART_ARCHIVE_APART") == "1" {
            continue;
        }
        for count in [1, 2] {
            let start = Instant::now();
            let Some((recipe, memory)) = encode_file(&file, count) else {
                println!("{zip}: none");
                continue;
            };
            let encoded = start.elapsed().as_secs_f64();
            let start = Instant::now();
            let out = decode(&recipe, &memory, 1 << 32, count).expect("a measurement that can't go on ends");
            let decoded = start.elapsed().as_secs_f64();
            assert!(fs::read(zip).expect("a measurement that can't go on ends") == out);
            let mb = size as f64 / 1e6;
            println!(
                "{zip}: {mb:.1} MB, {count} threads: apart {encoded:.2} s ({:.0} MB/s), together {decoded:.2} s ({:.0} MB/s), recipe {} bytes, {:.1} %",
                mb / encoded,
                mb / decoded,
                recipe.len(),
                crate::memory::share(&recipe)
            );
        }
    }
}
