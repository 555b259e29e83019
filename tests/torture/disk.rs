//! A disk that is full at some point of a command, and a repository that can't be written to.

use std::fs;

use crate::chance::{Chance, runs, tell};
use crate::intact::litter;
use crate::sandbox::Sandbox;

/// Runs the command of `$LINE` on a disk with ever more room, in a mount namespace of its own. A line for each: the room in KiB, the
/// code, what is left behind, and whether the repository is whole.
const SCRIPT: &str = r#"
mount -t tmpfs -o size=64m none "$SMALL" && cp -a "$REPO/." "$SMALL/" && cd "$SMALL" || exit 99
mkdir -p "$SMALL/.git/test"
export XDG_CACHE_HOME="$SMALL/.git/test/cache" TMPDIR="$SMALL/.git/test"
git-slsart verify --all -q >/dev/null || exit 98
for room in $ROOMS; do
  used=$(df -k --output=used "$SMALL" | tail -n 1)
  echo $room > "$DIST/counter"
  mount -o remount,size=$((used + room))k "$SMALL" || exit 97
  code=0; git-slsart $LINE -q >/dev/null 2>"$SAID" || code=$?
  mount -o remount,size=64m "$SMALL" || exit 97
  hint=$(grep -c 'the disk is full' "$SAID")
  whole=yes
  git fsck --full --strict --no-dangling >/dev/null 2>"$SAID.git" || whole=no
  git-slsart verify --all -q >"$SAID.verify" 2>&1 || whole=no
  left=$(find .git \( -name '*.lock' -o -name 'slsart-unfinished-*' -o -name '*.keep' -o -name 'claim-*' -o -name 'scratch-*' \) \
    ! -name package.lock | tr '\n' ,)
  again=0; git-slsart $LINE -q >/dev/null 2>"$SAID.again" || again=$?
  echo "$room $code $hint $whole ${left:-0} $again"
  [ $whole = yes ] && [ $again = 0 ] || { cat "$SAID" "$SAID.git" "$SAID.verify" "$SAID.again"; exit 96; }
done
"#;

#[test]
fn a_disk_that_is_full_at_any_point_is_told_and_loses_nothing() {
    let sandbox = Sandbox::recorded();
    let dist = sandbox.build("dist", "dev");
    fs::write(dist.join("big.bin"), Chance::of(1).bytes(60_000)).unwrap();
    fill(&sandbox, "record ../dist", &rooms(runs(12, 60), 600));
    sandbox.git("tag v1");
    sandbox.slsart("deploy -q -s prod --yes").succeeded();
    fill(&sandbox, "rollback v1 -s prod --yes", &rooms(runs(4, 40), 800));
}

/// So many amounts of room, in KiB, evenly from none to `most`.
fn rooms(count: u64, most: u64) -> Vec<u64> {
    (0..count).map(|index| index * most / (count - 1)).collect()
}

fn fill(sandbox: &Sandbox, line: &str, rooms: &[u64]) {
    let small = sandbox.beside("small");
    fs::create_dir_all(&small).unwrap();
    let mut command = sandbox.command("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT]);
    command.envs([
        ("SMALL", small.as_os_str()),
        ("REPO", sandbox.path("").as_os_str()),
        ("DIST", sandbox.beside("dist").as_os_str()),
        ("SAID", sandbox.beside("said").as_os_str()),
        ("LINE", line.as_ref()),
        ("ROOMS", rooms.iter().map(u64::to_string).collect::<Vec<_>>().join(" ").as_ref()),
    ]);
    let outcome = sandbox.outcome(&mut command);
    if outcome.code == 99 || outcome.stderr.contains("unshare") {
        return by_limit(sandbox);
    }
    assert_eq!(outcome.code, 0, "{line}: {outcome}");
    let (mut full, mut fits) = (0, 0);
    for result in outcome.stdout.lines() {
        let fields: Vec<&str> = result.split(' ').collect();
        let [_, code, hint, _, left, _] = fields[..] else { panic!("{outcome}") };
        // An interrupted or failed command of git's, or of npm's, is a failed child.
        assert!(
            code == "0" || code == "3" || hint != "0",
            "{line}: it is not said that the disk is full: {outcome}"
        );
        assert_eq!(left, "0", "{line}: left behind: {outcome}");
        if code == "0" { fits += 1 } else { full += 1 }
    }
    assert!(full > 0, "{line}: there was room: {outcome}");
    tell(&format!("full disk: {line}: {full} times full, {fits} times not"));
}

/// Where no disk can be mounted: files may not grow beyond a size, which fails a write as a full disk does.
fn by_limit(sandbox: &Sandbox) {
    fs::write(sandbox.beside("dist/big.bin"), Chance::of(2).bytes(3_000_000)).unwrap();
    let outcome = sandbox.shell("trap '' XFSZ; ulimit -f 1000; git-slsart record ../dist || exit $?");
    assert_eq!(outcome.code, 1, "{outcome}");
    sandbox.fsck();
    sandbox.slsart("verify --all -q").succeeded();
    sandbox.slsart("record ../dist -q").succeeded();
}

#[test]
fn a_repository_that_can_only_be_read_is_read() {
    let sandbox = Sandbox::recorded();
    sandbox.build("dist", "dev");
    sandbox.slsart("deploy -q -s prod --yes").succeeded();
    let before = sandbox.fingerprint();
    let script = r#"
mount --bind "$REPO" "$REPO" && mount -o remount,bind,ro,nosuid,nodev "$REPO" || exit 99
cd "$REPO"
for line in 'log' 'show' 'history' 'verify --all' 'extract HEAD -s prod -o ../out' 'check -s prod' 'diff HEAD' 'rollback -s prod -n' \
  'record ../dist' 'ban HEAD -s prod -m bad' 'deploy -s prod --yes' 'toolchain save'; do
  code=0; git-slsart $line -q >/dev/null 2>"$SAID" || code=$?
  echo "$code $line: $(grep -m 1 '^error' "$SAID" | sed "s/ '.*//")"
done
"#;
    let mut command = sandbox.command("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
    command.env("REPO", sandbox.path("")).env("SAID", sandbox.beside("said"));
    let outcome = sandbox.outcome(&mut command);
    assert_ne!(
        outcome.code, 99,
        "this needs a kernel that lets users mount in a namespace of their own: {outcome}"
    );
    outcome.is(snapbox::str![[r#"
0 log: 
0 show: 
0 history: 
0 verify --all: 
0 extract HEAD -s prod -o ../out: 
0 check -s prod: 
0 diff HEAD: 
5 rollback -s prod -n: error: there is no other release of orders · prod · us-east-1 to go back to
1 record ../dist: error: cannot write to
1 ban HEAD -s prod -m bad: error: cannot write to
1 deploy -s prod --yes: error: cannot write
0 toolchain save: 

"#]]);
    sandbox.is_as_before(&before);
    assert_eq!(litter(&sandbox), Vec::<std::path::PathBuf>::new());
}
