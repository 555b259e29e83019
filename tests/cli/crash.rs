//! Many writers at once, kill -9 at any moment, a full disk: all of a package is recorded, or nothing of it.

use std::fs;
use std::process::{Child, Stdio};
use std::time::Duration;

use snapbox::str;

use crate::sandbox::{Outcome, Sandbox};

#[test]
fn sixteen_records_at_once_lose_nothing() {
    let sandbox = Sandbox::new();
    let start = |index: usize| {
        sandbox.build(&format!("dist-{index}"), &format!("stage-{}", index / 2));
        let mut command = sandbox.slsart_command(&format!("record ../dist-{index} -q"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    // Eight packages, each by two at once.
    let children: Vec<Child> = (0..16).map(start).collect();
    for child in children {
        Outcome::of(child, &sandbox).succeeded();
    }
    let packages = sandbox.slsart("log -n 100 --json").json()["packages"].as_array().unwrap().len();
    assert_eq!(packages, 8);
    assert_eq!(sandbox.git("for-each-ref refs/slsart/packages").lines().count(), 8);
    sandbox.slsart("verify --all -q").succeeded();
    sandbox.fsck();
}

#[test]
fn killed_at_any_moment_it_leaves_nothing_half_written() {
    let sandbox = Sandbox::recorded();
    let dist = sandbox.build("dist", "dev");
    fs::write(dist.join("big.bin"), noise(2_000_000)).unwrap();
    let mut ended = 0;
    for step in 0..12 {
        fs::write(dist.join("counter"), step.to_string()).unwrap();
        let mut command = sandbox.slsart_command("record ../dist -q");
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The moment is the point: from before the first byte to after the last.
        std::thread::sleep(Duration::from_millis(4 * step));
        child.kill().unwrap();
        ended += usize::from(child.wait().unwrap().success());
        sandbox.fsck();
        sandbox.slsart("verify --all -q").succeeded();
    }
    assert!(ended < 12, "none was killed in time");
    sandbox.shell("rm -f .git/refs/notes/*.lock $(find .git/refs/slsart -name '*.lock')").succeeded();
    sandbox.slsart("record ../dist -q").succeeded();
    sandbox.slsart("verify --all -q").succeeded();
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing_half_written() {
    let sandbox = Sandbox::recorded();
    let dist = sandbox.build("dist", "dev");
    fs::write(dist.join("big.bin"), noise(3_000_000)).unwrap();
    let repo = sandbox.path("");
    let mounted = sandbox.beside("small");
    fs::create_dir(&mounted).unwrap();
    // In a mount namespace of its own, where only these commands see the small disk.
    let script = format!(
        "mount -t tmpfs -o size=1m none '{small}' && cp -a '{repo}/.' '{small}/' && cd '{small}' || exit 99
         git-slsart record ../dist; echo \"code $?\"
         git fsck --full --strict --no-dangling
         git-slsart verify --all -q
         git-slsart extract HEAD -s prod -o out -q && rm -r out
         rm ../dist/big.bin
         git-slsart record ../dist -q
         git-slsart verify --all -q",
        small = mounted.display(),
        repo = repo.display(),
    );
    let outcome = sandbox.run("unshare", ["--user", "--map-root-user", "--mount", "sh", "-c", &script]);
    if outcome.code == 99 || outcome.stderr.contains("unshare") {
        return by_limit(&sandbox);
    }
    outcome.is(str![[r#"
code 1
✓ intact   12a1bee  be694c54  orders · prod · us-east-1
Extracted  orders · prod · us-east-1  package be694c54 · 3 files · 1.3 kB → out
Recorded  orders · dev · us-east-1  package b0c1c91a · 3 files · 1.3 kB
Commit    12a1bee  Add the service
✓ intact   12a1bee  b0c1c91a  orders · dev · us-east-1
✓ intact   12a1bee  be694c54  orders · prod · us-east-1
── stderr ──
Reading the package
Recording the package
error: cannot write to '[ROOT]/small/.git/objects/pack'
  No space left on device (os error 28)
hint: the disk is full: free some space and run the command again; what was recorded before is untouched

"#]]);
}

/// Where no disk can be mounted: files may not grow beyond a size, which fails a write as a full disk does.
fn by_limit(sandbox: &Sandbox) {
    let outcome = sandbox.shell("trap '' XFSZ; ulimit -f 1000; git-slsart record ../dist || exit $?");
    assert_eq!(outcome.code, 1, "{outcome}");
    sandbox.fsck();
    sandbox.slsart("verify --all -q").succeeded();
    sandbox.slsart("record ../dist -q").succeeded();
}

/// Bytes that do not compress, the same every time.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    };
    (0..count).map(|_| next()).collect()
}
