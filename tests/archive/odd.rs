//! Zips that no ordinary program makes.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};

use git_slsart::archive::deflate::{Engine, Settings, deflate};
use git_slsart::archive::{self, Error};

use crate::corpus;
use crate::memory::{Memory, decode, encode, encode_file, round_trip, threads};

/// A writer of zips that does what it is told.
#[derive(Default)]
pub(crate) struct Zip {
    pub(crate) bytes: Vec<u8>,
    central: Vec<u8>,
    count: u16,
}

/// An entry as it shall stand there.
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) data: &'a [u8],
    pub(crate) crc: u32,
    pub(crate) size: u32,
    pub(crate) extra: &'a [u8],
    /// 0 none, 1 with signature, 2 without.
    pub(crate) descriptor: u8,
}

impl Zip {
    pub(crate) fn add(&mut self, entry: &Entry<'_>) {
        let offset = u32::try_from(self.bytes.len()).unwrap();
        let packed = u32::try_from(entry.data.len()).unwrap();
        let fields = |crc: u32, packed: u32, size: u32| {
            let mut fields = vec![20, 0];
            fields.extend(entry.flags.to_le_bytes());
            fields.extend(entry.method.to_le_bytes());
            fields.extend([0x11, 0x22, 0x33, 0x44]);
            for word in [crc, packed, size] {
                fields.extend(word.to_le_bytes());
            }
            fields.extend(u16::try_from(entry.name.len()).unwrap().to_le_bytes());
            fields.extend(u16::try_from(entry.extra.len()).unwrap().to_le_bytes());
            fields
        };
        self.bytes.extend(b"PK\x03\x04");
        let local =
            if entry.descriptor > 0 { fields(0, 0, 0) } else { fields(entry.crc, packed, entry.size) };
        self.bytes.extend(local);
        self.bytes.extend(entry.name);
        self.bytes.extend(entry.extra);
        self.bytes.extend(entry.data);
        if entry.descriptor == 1 {
            self.bytes.extend(b"PK\x07\x08");
        }
        if entry.descriptor > 0 {
            for word in [entry.crc, packed, entry.size] {
                self.bytes.extend(word.to_le_bytes());
            }
        }
        self.central.extend(b"PK\x01\x02\x14\x03");
        self.central.extend(fields(entry.crc, packed, entry.size));
        self.central.extend([0; 10]);
        self.central.extend(offset.to_le_bytes());
        self.central.extend(entry.name);
        self.central.extend(entry.extra);
        self.count += 1;
    }

    /// An ordinary entry.
    pub(crate) fn file(&mut self, name: &[u8], plain: &[u8], level: u8) {
        let data = if level == 0 { plain.to_vec() } else { stream(plain, Engine::Node, level) };
        let method = if level == 0 { 0 } else { 8 };
        let size = u32::try_from(plain.len()).unwrap();
        self.add(&Entry {
            name,
            method,
            flags: 0,
            data: &data,
            crc: crc(plain),
            size,
            extra: b"",
            descriptor: 0,
        });
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        let at = u32::try_from(self.bytes.len()).unwrap();
        self.bytes.extend(&self.central);
        self.bytes.extend(b"PK\x05\x06\0\0\0\0");
        self.bytes.extend(self.count.to_le_bytes());
        self.bytes.extend(self.count.to_le_bytes());
        self.bytes.extend(u32::try_from(self.central.len()).unwrap().to_le_bytes());
        self.bytes.extend(at.to_le_bytes());
        self.bytes.extend([0, 0]);
        self.bytes
    }
}

pub(crate) fn stream(plain: &[u8], engine: Engine, level: u8) -> Vec<u8> {
    let mut stream = Vec::new();
    deflate(Settings { engine, level, mem_level: 8 }, &mut &plain[..], &mut stream).unwrap();
    stream
}

pub(crate) fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn paths(memory: &Memory) -> Vec<String> {
    memory.contents.lock().unwrap().keys().map(ToString::to_string).collect()
}

#[test]
fn names_that_git_cannot_hold_are_odd() {
    let mut zip = Zip::default();
    let names: [&[u8]; 17] = [
        b"plain.js",
        b"../up",
        b"/absolute",
        b"a//b",
        b"a/./b",
        b".git/config",
        b"x/.GiT/config",
        b"git~1/x",
        b"back\\slash",
        b"bell\x07",
        b"\xff\xfe",
        b"twice",
        b"twice",
        b"folder",
        b"folder/file",
        b"",
        ".g\u{200c}it/x".as_bytes(),
    ];
    for (at, name) in names.iter().enumerate() {
        zip.file(name, format!("content {at}").as_bytes(), 6);
    }
    zip.file(&[b'x'; 256], b"long", 0);
    zip.file(b"folder2/", b"", 0);
    zip.file(&[&b"d/".repeat(128)[..], b"deep"].concat(), b"deep", 0);
    let (_, memory) = round_trip(&zip.finish()).unwrap();
    let odd: Vec<String> = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15, 16, 17, 19]
        .iter()
        .map(|at| format!("odd/{at}"))
        .collect();
    let mut expected: Vec<String> = odd;
    expected.extend(["tree/folder/file", "tree/plain.js", "tree/twice"].map(str::to_owned));
    expected.sort();
    assert_eq!(paths(&memory), expected);
}

#[test]
fn what_is_around_the_entries_comes_back() {
    let mut zip = Zip::default();
    zip.bytes.extend(b"#!/bin/sh\n"); // offsets count it
    zip.file(b"a.js", &corpus::code(1, 5000), 6);
    zip.bytes.extend(b"between");
    let plain = corpus::code(2, 5000);
    let data = stream(&plain, Engine::Node, 9);
    for descriptor in [1, 2] {
        let name = [b'b', descriptor];
        let entry = Entry {
            name: &name,
            method: 8,
            flags: 8,
            data: &data,
            crc: crc(&plain),
            size: 5000,
            extra: b"\x01\x02\x01\x00z",
            descriptor,
        };
        zip.add(&entry);
    }
    let bytes = zip.finish();
    let (_, memory) = round_trip(&bytes).unwrap();
    assert_eq!(paths(&memory), ["odd/1", "odd/2", "tree/a.js"]);
    for (before, after) in
        [(&b"prefix"[..], &b""[..]), (b"", b"trailing bytes"), (b"PK\x03\x04", b"PK\x05\x06")]
    {
        let around = [before, &bytes, after].concat();
        round_trip(&around).unwrap();
    }
    for cut in [1, 10, 21, 22, 40, 100, 1000] {
        assert!(round_trip(&bytes[..bytes.len() - cut]).is_none(), "cut by {cut}");
    }
}

#[test]
fn what_no_engine_gives_is_raw() {
    let plain = corpus::code(3, 20_000);
    let mut zip = Zip::default();
    zip.file(b"ours", &plain, 6);
    let theirs = {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(1));
        encoder.write_all(&plain).unwrap();
        encoder.finish().unwrap()
    };
    let good = stream(&plain, Engine::Node, 6);
    let long = [&good[..], b"more"].concat();
    let add = |zip: &mut Zip, name: &str, method, flags, data: &[u8], crc, size| {
        zip.add(&Entry { name: name.as_bytes(), method, flags, data, crc, size, extra: b"", descriptor: 0 });
    };
    let crc = crc(&plain);
    add(&mut zip, "theirs", 8, 0, &theirs, crc, 20_000);
    add(&mut zip, "encrypted", 8, 1, &good, crc, 20_000);
    add(&mut zip, "encrypted-stored", 0, 1, &plain, crc, 20_000);
    for method in [9, 12, 14, 93] {
        add(&mut zip, &format!("method-{method}"), method, 0, b"whatever", crc, 20_000);
    }
    add(&mut zip, "longer", 8, 0, &long, crc, 20_000);
    add(&mut zip, "cut", 8, 0, &good[..good.len() - 1], crc, 20_000);
    add(&mut zip, "larger than it says", 8, 0, &good, crc, 19_999);
    add(&mut zip, "smaller than it says", 8, 0, &good, crc, 2_000_000_000);
    add(&mut zip, "noise", 8, 0, &corpus::noise(9, 400), crc, 20_000);
    let (_, memory) = round_trip(&zip.finish()).unwrap();
    let raw = paths(&memory).iter().filter(|path| path.starts_with("raw/")).count();
    assert_eq!(raw, 12);

    let mut zip = Zip::default();
    zip.file(b"ours", &plain, 6);
    add(&mut zip, "wrong crc", 8, 0, &good, 1, 20_000);
    let (_, memory) = round_trip(&zip.finish()).unwrap();
    assert_eq!(paths(&memory), ["tree/ours", "tree/wrong crc"]);
}

#[test]
fn zips_in_zips_are_taken_apart_one_level_deep() {
    let mut inmost = Zip::default();
    inmost.file(b"deep.js", &corpus::code(1, 3000), 6);
    let inmost = inmost.finish();
    let mut inner = Zip::default();
    inner.file(b"a/b.js", &corpus::code(2, 3000), 9);
    inner.file(b"inmost.zip", &inmost, 0);
    let inner = inner.finish();
    let mut zip = Zip::default();
    zip.file(b"lib/inner.jar", &inner, 0);
    zip.file(b"packed.zip", &inner, 6);
    zip.file(b"../odd.zip", &inner, 6);
    let (_, memory) = round_trip(&zip.finish()).unwrap();
    let parts = ["recipe", "tree/a/b.js", "tree/inmost.zip"];
    let expected: Vec<String> = ["odd/2", "tree/lib/inner.jar", "tree/packed.zip"]
        .iter()
        .flat_map(|place| parts.map(|part| format!("{place}/{part}")))
        .collect();
    assert_eq!(paths(&memory), expected);
}

#[test]
fn large_entries_are_streamed() {
    let mut plain = corpus::code(1, 3_000_000);
    plain.extend_from_within(..);
    let mut inner = Zip::default();
    inner.file(b"large.js", &plain, 1);
    inner.file(b"stored", &plain, 0);
    let inner = inner.finish();
    let mut zip = Zip::default();
    zip.file(b"small.js", &plain[..10_000], 1);
    zip.file(b"large.js", &plain, 1);
    zip.file(b"inner.zip", &inner, 0);
    let (_, memory) = round_trip(&zip.finish()).unwrap();
    assert_eq!(
        paths(&memory),
        [
            "tree/inner.zip/recipe",
            "tree/inner.zip/tree/large.js",
            "tree/inner.zip/tree/stored",
            "tree/large.js",
            "tree/small.js"
        ]
    );
}

/// Reads what it is put, and keeps nothing.
struct Count;
impl archive::Sink for Count {
    fn put(&self, _: &archive::Place, content: &archive::Content<'_>) -> Result<(), archive::Failure> {
        assert!(content.bytes().is_none(), "100 MB are in memory");
        assert_eq!(std::io::copy(&mut content.reader()?, &mut std::io::sink())?, 30_000_000);
        Ok(())
    }
}

#[test]
fn bombs_take_little_work_and_can_be_cancelled() {
    // 30 MB of zeros, as Node would pack them, and an entry that claims 10 GB.
    let mut packed = Vec::new();
    let settings = Settings { engine: Engine::Node, level: 6, mem_level: 8 };
    deflate(settings, &mut std::io::repeat(0).take(30_000_000), &mut packed).unwrap();
    let mut zip = Zip::default();
    let crc = {
        let mut crc = flate2::Crc::new();
        (0..30).for_each(|_| crc.update(&vec![0; 1_000_000]));
        crc.sum()
    };
    zip.add(&Entry {
        name: b"zeros",
        method: 8,
        flags: 0,
        data: &packed,
        crc,
        size: 30_000_000,
        extra: b"",
        descriptor: 0,
    });
    let bytes = zip.finish();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    // It is asked before each piece of plain bytes, half a window or so.
    let asked = AtomicUsize::new(0);
    let encode_until = |end: usize| {
        asked.store(0, Ordering::SeqCst);
        let cancelled = || asked.fetch_add(1, Ordering::SeqCst) >= end;
        archive::encode(&file, &Count, threads(1), &cancelled)
    };
    assert!(encode_until(usize::MAX).unwrap().is_some());
    let pieces = asked.load(Ordering::SeqCst);
    assert!(
        pieces < 5_000,
        "asked {pieces} times: an entry's beginning is tried with all settings, the whole with a few"
    );
    let cancelled = encode_until(pieces / 2);
    assert!(matches!(cancelled, Err(Error::Cancelled)), "{cancelled:?}");
    let mut zip = Zip::default();
    let long: Vec<u8> = [&[1, 0, 8, 0][..], &10_000_000_000u64.to_le_bytes()].concat();
    zip.add(&Entry {
        name: b"claim",
        method: 8,
        flags: 0,
        data: &packed,
        crc,
        size: u32::MAX,
        extra: &long,
        descriptor: 0,
    });
    assert!(encode(&zip.finish(), 1).is_none());
}

#[test]
fn cancelling_ends_it_and_threads_change_nothing() {
    let mut zip = Zip::default();
    for at in 0..200u64 {
        zip.file(format!("file{at}").as_bytes(), &corpus::code(at, 4000), if at % 9 == 0 { 9 } else { 1 });
    }
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&zip.finish()).unwrap();
    let cancelled = archive::encode(&file, &Memory::default(), threads(2), &|| true);
    assert!(matches!(cancelled, Err(Error::Cancelled)), "{cancelled:?}");
    let (one, _) = encode_file(&file, 1).unwrap();
    let (four, memory) = encode_file(&file, 4).unwrap();
    assert_eq!(one, four);
    let whole = decode(&one, &memory, 1 << 30, 4).unwrap();
    let short = decode(&one, &memory, whole.len() - 1, 4);
    assert!(matches!(short, Err(Error::TooLarge(_))));
    assert_eq!(decode(&one, &memory, whole.len(), 1).unwrap(), whole);
}

#[test]
fn other_contents_are_an_error_or_other_bytes() {
    let mut zip = Zip::default();
    zip.file(b"large", &vec![1; 5 << 20], 1);
    let (recipe, memory) = round_trip(&zip.finish()).unwrap();
    memory.contents.lock().unwrap().values_mut().for_each(|content| content[1000] ^= 1);
    assert!(matches!(decode(&recipe, &memory, 1 << 30, 1), Err(Error::Changed { .. })));
    memory.contents.lock().unwrap().clear();
    assert!(matches!(decode(&recipe, &memory, 1 << 30, 1), Err(Error::Content { .. })));
}
