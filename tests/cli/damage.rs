//! Bytes that are not what was recorded: missing objects, flipped bytes, foreign and future notes, future manifests.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use snapbox::str;

use crate::sandbox::{Sandbox, matches};

/// What the zip has in it.
const ENTRY: &str = "files/orders.zip/tree/handler.js";

/// Two packages of two commits, and the loose object of what is in the second's zip.
fn two_packages() -> (Sandbox, std::path::PathBuf) {
    let sandbox = Sandbox::recorded();
    sandbox.change("Answer two");
    sandbox.record("prod");
    sandbox.unpack();
    let id = object_of(&sandbox, ENTRY);
    let path = sandbox.path(&format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    (sandbox, path)
}

/// The object at a path in HEAD's package.
fn object_of(sandbox: &Sandbox, path: &str) -> String {
    let name = sandbox
        .shell("git for-each-ref --format='%(refname)' refs/slsart/packages/$(git rev-parse HEAD)")
        .stdout;
    sandbox.git(&format!("rev-parse {}:{path}", name.trim()))
}

/// Everything that reads a package refuses it with exit 4, and leaves nothing behind.
fn nothing_takes_it(sandbox: &Sandbox) {
    for line in ["verify", "extract HEAD -o ../out", "deploy -s prod --yes -q"] {
        let outcome = sandbox.slsart(line);
        assert_eq!(outcome.code, 4, "{line}: {outcome}");
        assert!(outcome.stderr.contains("hint: "), "{line}: {outcome}");
    }
    assert!(!sandbox.beside("out").exists());
    assert_eq!(
        fs::read_dir(sandbox.beside(""))
            .unwrap()
            .filter(|entry| { entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with(".slsart") })
            .count(),
        0
    );
    assert_eq!(sandbox.worktrees(), 1);
    assert_eq!(sandbox.runs(), "");
    sandbox.slsart("verify HEAD~ -q").succeeded();
    sandbox.slsart("log").succeeded();
}

#[test]
fn a_missing_object() {
    let (sandbox, object) = two_packages();
    fs::remove_file(object).unwrap();
    sandbox.slsart("verify --all").is(str![[r#"
✗ damaged  c126563  e4ccfcce  orders · prod · us-east-1
           the object [ID] is missing from the object store
✓ intact   12a1bee  be694c54  orders · prod · us-east-1
── stderr ──
Verifying 2 packages
error: 1 of 2 packages is damaged
hint: another copy of this repository may have it whole: compare with `git slsart verify --all` there
── exit 4 ──

"#]]);
    sandbox.slsart("extract HEAD -o ../out").is(str![[r#"
── stderr ──
Extracting
error: the object [ID] is missing from the object store
hint: `git fsck` shows everything that is missing; to get it from a remote: git fetch
── exit 4 ──

"#]]);
    nothing_takes_it(&sandbox);
}

#[test]
fn a_flipped_byte() {
    let (sandbox, object) = two_packages();
    let mut bytes = fs::read(&object).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(&object).unwrap();
    fs::write(&object, bytes).unwrap();
    sandbox.slsart("verify --json -q").is(str![[r#"
{
  "packages": [
    {
      "commit": "c126563471fe1945ad526072881ee6466d0d53fe",
      "package": "e4ccfcce19ad6fe7ee1c45255f4662a1053be80e268daf9fef19a6abc80e7f64",
      "target": {
        "service": "orders",
        "path": ".",
        "stage": "prod",
        "region": "us-east-1"
      },
      "damages": [
        {
          "path": "orders.zip",
          "problem": "the object [ID] can't be read"
        }
      ]
    }
  ],
  "intact": 0,
  "damaged": 1
}
── stderr ──
{
  "error": {
    "kind": "integrity",
    "message": "1 of 1 package is damaged",
    "causes": [],
    "hints": [
      "another copy of this repository may have it whole: compare with `git slsart verify --all` there"
    ],
    "exit_code": 4
  }
}
── exit 4 ──

"#]]);
    nothing_takes_it(&sandbox);
}

#[test]
fn an_object_cut_short() {
    let (sandbox, object) = two_packages();
    let bytes = fs::read(&object).unwrap();
    fs::remove_file(&object).unwrap();
    fs::write(&object, &bytes[..bytes.len() / 2]).unwrap();
    nothing_takes_it(&sandbox);
    fs::write(&object, "").unwrap();
    nothing_takes_it(&sandbox);

    let (sandbox, _) = two_packages();
    let id = object_of(&sandbox, "manifest.toml");
    let object = sandbox.path(&format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    let bytes = fs::read(&object).unwrap();
    fs::remove_file(&object).unwrap();
    fs::write(&object, &bytes[..bytes.len() / 2]).unwrap();
    nothing_takes_it(&sandbox);
}

#[test]
fn an_object_that_is_another() {
    let (sandbox, object) = two_packages();
    let other = sandbox.git("rev-parse HEAD:package.json");
    fs::remove_file(&object).unwrap();
    fs::copy(sandbox.path(&format!(".git/objects/{}/{}", &other[..2], &other[2..])), object).unwrap();
    sandbox.slsart("verify -q").is(str![[r#"
✗ damaged  c126563  e4ccfcce  orders · prod · us-east-1
           an archive can't be rebuilt
── stderr ──
error: 1 of 1 package is damaged
hint: another copy of this repository may have it whole: compare with `git slsart verify --all` there
── exit 4 ──

"#]]);
    nothing_takes_it(&sandbox);
}

#[test]
fn a_flipped_byte_in_a_pack() {
    let (sandbox, _) = two_packages();
    sandbox.git("repack --quiet -a -d --window=0");
    let id = object_of(&sandbox, ENTRY);
    let list = sandbox.shell("git verify-pack -v .git/objects/pack/*.idx").stdout;
    let line = list.lines().find(|line| line.starts_with(&id)).unwrap();
    let numbers: Vec<u64> = line.split_whitespace().skip(2).map(|word| word.parse().unwrap()).collect();
    let mut pack =
        fs::read_dir(sandbox.path(".git/objects/pack")).unwrap().map(|entry| entry.unwrap().path());
    let pack = pack.find(|path| path.extension().is_some_and(|name| name == "pack")).unwrap();
    let mut bytes = fs::read(&pack).unwrap();
    bytes[usize::try_from(numbers[2] + numbers[1] / 2).unwrap()] ^= 0x10;
    fs::remove_file(&pack).unwrap();
    fs::write(&pack, bytes).unwrap();
    let outcome = sandbox.slsart("verify");
    assert_eq!(outcome.code, 4, "{outcome}");
    let outcome = sandbox.slsart("extract HEAD -o ../out");
    assert_eq!(outcome.code, 4, "{outcome}");
    assert!(!sandbox.beside("out").exists());
}

#[test]
fn a_missing_manifest_or_ref() {
    let (sandbox, _) = two_packages();
    let id = object_of(&sandbox, "manifest.toml");
    fs::remove_file(sandbox.path(&format!(".git/objects/{}/{}", &id[..2], &id[2..]))).unwrap();
    sandbox.slsart("verify --all").is(str![[r#"
✗ damaged  c126563  e4ccfcce  orders · prod · us-east-1
           the object [ID] is missing from the object store
✓ intact   12a1bee  be694c54  orders · prod · us-east-1
── stderr ──
Verifying 2 packages
error: 1 of 2 packages is damaged
hint: another copy of this repository may have it whole: compare with `git slsart verify --all` there
── exit 4 ──

"#]]);
    sandbox.slsart("show").is(str![[r#"
── stderr ──
error: the object [ID] is missing from the object store
hint: `git fsck` shows everything that is missing; to get it from a remote: git fetch
── exit 4 ──

"#]]);
    nothing_takes_it(&sandbox);

    let (sandbox, _) = two_packages();
    sandbox.shell("git for-each-ref --format='delete %(refname)' refs/slsart/packages/$(git rev-parse HEAD) | git update-ref --stdin").succeeded();
    sandbox.slsart("verify --all").is(str![[r#"
✗ damaged  c126563  e4ccfcce  orders · prod · us-east-1
           package e4ccfcce is noted, but its ref is missing
✓ intact   12a1bee  be694c54  orders · prod · us-east-1
── stderr ──
Verifying 2 packages
error: 1 of 2 packages is damaged
hint: another copy of this repository may have it whole: compare with `git slsart verify --all` there
── exit 4 ──

"#]]);
    nothing_takes_it(&sandbox);
    // Recording it again mends it.
    sandbox.record("prod");
    sandbox.slsart("verify --all").is(str![[r#"
✓ intact   c126563  e4ccfcce  orders · prod · us-east-1
✓ intact   12a1bee  be694c54  orders · prod · us-east-1
── stderr ──
Verifying 2 packages

"#]]);
}

/// Puts `manifest.toml` with a change in place of the one of HEAD's package.
fn rewrite_manifest(sandbox: &Sandbox, change: impl Fn(&str) -> String) {
    let name = sandbox
        .shell("git for-each-ref --format='%(refname)' refs/slsart/packages/$(git rev-parse HEAD)")
        .stdout;
    let name = name.trim();
    let manifest = sandbox.git(&format!("show {name}:manifest.toml"));
    let mut hash = sandbox.command("git");
    hash.args(["hash-object", "-w", "--stdin"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = hash.spawn().unwrap();
    child.stdin.take().unwrap().write_all(change(&format!("{manifest}\n")).as_bytes()).unwrap();
    let blob = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    sandbox
        .shell(&format!(
            "tree=$({{ git ls-tree {name} | grep -v manifest; printf '100644 blob {}\\tmanifest.toml\\n'; }} | git mktree)
             git update-ref {name} $(git commit-tree $tree -p HEAD -m changed)",
            blob.trim()
        ))
        .succeeded();
}

#[test]
fn a_manifest_of_a_later_version() {
    let (sandbox, _) = two_packages();
    rewrite_manifest(&sandbox, |text| text.replace("format = 1", "format = 2\nnew = true"));
    sandbox.slsart("show").is(str![[r#"
── stderr ──
error: the package was recorded in format 2, and this git-slsart knows formats up to 1
hint: install a newer git-slsart: cargo install git-slsart
── exit 1 ──

"#]]);
    sandbox.slsart("verify --all").is(str![[r#"
? unread   c126563  e4ccfcce  orders · prod · us-east-1
           the package was recorded in format 2, and this git-slsart knows formats up to 1
✓ intact   12a1bee  be694c54  orders · prod · us-east-1
── stderr ──
Verifying 2 packages
error: this git-slsart can't read 1 package
hint: install a newer git-slsart: cargo install git-slsart
── exit 1 ──

"#]]);
    sandbox.slsart("extract HEAD -o ../out").is(str![[r#"
── stderr ──
error: the package was recorded in format 2, and this git-slsart knows formats up to 1
hint: install a newer git-slsart: cargo install git-slsart
── exit 1 ──

"#]]);
    sandbox.slsart("extract HEAD~ -o ../out -q").succeeded();
}

#[test]
fn a_manifest_that_lies() {
    let (sandbox, _) = two_packages();
    rewrite_manifest(&sandbox, |text| text.replace("orders.zip", "../../x.zip"));
    sandbox.slsart("show").is(str![[r#"
── stderr ──
error: the package's manifest is damaged: the path "../../x.zip" is not allowed in a package
hint: another copy of this repository may have it whole: compare with `git slsart verify --all` there
── exit 4 ──

"#]]);
    nothing_takes_it(&sandbox);
    let (sandbox, _) = two_packages();
    rewrite_manifest(&sandbox, |text| text.replace("stage = \"prod\"", "stage = \"dev\""));
    sandbox.slsart("show").is(str![[r#"
── stderr ──
error: package e4ccfcce does not match its note
hint: another copy of this repository may have it whole: compare with `git slsart verify --all` there
── exit 4 ──

"#]]);
    nothing_takes_it(&sandbox);
    let (sandbox, _) = two_packages();
    rewrite_manifest(&sandbox, |_| "\u{1}".to_owned());
    sandbox.slsart("show").is(str![[r#"
── stderr ──
error: the package's manifest is damaged: it does not name its format
  TOML parse error at line 1, column 2
    |
  1 | 
    |  ^
  key with no value, expected `=`
hint: another copy of this repository may have it whole: compare with `git slsart verify --all` there
── exit 4 ──

"#]]);
    nothing_takes_it(&sandbox);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one object is shown whole")]
fn foreign_future_and_corrupt_note_lines_leave_the_others_alone() {
    let sandbox = Sandbox::recorded();
    for line in [
        "Reviewed-by: Eve",
        "slsart/2 service=orders everything=new",
        "slsart/1 service=orders path=. stage=prod",
        "slsart/1 service=../x path=/etc stage=-s region=us-east-1 package=zz size=-1 recorded=never",
    ] {
        sandbox.run("git", ["notes", "--ref=slsart", "append", "-m", line, "HEAD"]).succeeded();
    }
    sandbox.slsart("log").is(str![[r#"
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  5 minutes ago  Add the service
── stderr ──
warning: the note of 12a1bee has a line that this git-slsart can't read: Reviewed-by: Eve
warning: the note of 12a1bee has a line that this git-slsart can't read: slsart/2 service=orders everything=new
warning: the note of 12a1bee has a line that this git-slsart can't read: slsart/1 service=orders path=. stage=prod
warning: the note of 12a1bee has a line that this git-slsart can't read: slsart/1 service=../x path=/etc stage=-s region=us-east-1 package=zz size=-1 recorded=never

"#]]);
    sandbox.slsart("log --json").is(str![[r#"
{
  "packages": [
    {
      "commit": "12a1bee131fc490e459a58c4a125a830181e8d22",
      "subject": "Add the service",
      "package": "be694c5446a50f647a5e4126100515600eb4b75078d1c4461cddda49bde26609",
      "target": {
        "service": "orders",
        "path": ".",
        "stage": "prod",
        "region": "us-east-1"
      },
      "size": 1298,
      "recorded": "2026-01-05T09:05:00Z",
      "dirty": false,
      "framework": {
        "name": "osls",
        "version": "4.3.1"
      }
    }
  ],
  "more": false,
  "unread": [
    {
      "commit": "12a1bee131fc490e459a58c4a125a830181e8d22",
      "line": "Reviewed-by: Eve"
    },
    {
      "commit": "12a1bee131fc490e459a58c4a125a830181e8d22",
      "line": "slsart/2 service=orders everything=new"
    },
    {
      "commit": "12a1bee131fc490e459a58c4a125a830181e8d22",
      "line": "slsart/1 service=orders path=. stage=prod"
    },
    {
      "commit": "12a1bee131fc490e459a58c4a125a830181e8d22",
      "line": "slsart/1 service=../x path=/etc stage=-s region=us-east-1 package=zz size=-1 recorded=never"
    }
  ]
}
── stderr ──
{
  "warning": {
    "message": "the note of 12a1bee has a line that this git-slsart can't read: Reviewed-by: Eve"
  }
}
{
  "warning": {
    "message": "the note of 12a1bee has a line that this git-slsart can't read: slsart/2 service=orders everything=new"
  }
}
{
  "warning": {
    "message": "the note of 12a1bee has a line that this git-slsart can't read: slsart/1 service=orders path=. stage=prod"
  }
}
{
  "warning": {
    "message": "the note of 12a1bee has a line that this git-slsart can't read: slsart/1 service=../x path=/etc stage=-s region=us-east-1 package=zz size=-1 recorded=never"
  }
}

"#]]);
    sandbox.slsart("show --json").succeeded();
    sandbox.slsart("verify --all").is(str![[r#"
✓ intact   12a1bee  be694c54  orders · prod · us-east-1
── stderr ──
warning: the note of 12a1bee has a line that this git-slsart can't read: Reviewed-by: Eve
warning: the note of 12a1bee has a line that this git-slsart can't read: slsart/2 service=orders everything=new
warning: the note of 12a1bee has a line that this git-slsart can't read: slsart/1 service=orders path=. stage=prod
warning: the note of 12a1bee has a line that this git-slsart can't read: slsart/1 service=../x path=/etc stage=-s region=us-east-1 package=zz size=-1 recorded=never
Verifying 1 package

"#]]);
    // What is not ours is kept when a line is added.
    sandbox.record("dev");
    matches(
        sandbox.git("notes --ref=slsart show"),
        str![[r#"
slsart/1 service=orders path=. stage=prod region=us-east-1 package=be694c5446a50f647a5e4126100515600eb4b75078d1c4461cddda49bde26609 size=1298 framework=osls@4.3.1 recorded=2026-01-05T09:05:00Z

Reviewed-by: Eve

slsart/2 service=orders everything=new

slsart/1 service=orders path=. stage=prod

slsart/1 service=../x path=/etc stage=-s region=us-east-1 package=zz size=-1 recorded=never
slsart/1 service=orders path=. stage=dev region=us-east-1 package=b0c1c91a89602cebd643d2281b97c74bf34b384714b031468856fe178c374376 size=1294 framework=osls@4.3.1 recorded=2026-01-05T09:14:00Z
"#]],
    );
}

#[test]
fn a_note_that_is_not_text() {
    let sandbox = Sandbox::recorded();
    sandbox.change("Answer two");
    sandbox.shell("printf '\\377\\000\\001' > ../odd && git notes --ref=slsart add -C $(git hash-object -w ../odd) HEAD").succeeded();
    let outcome = sandbox.slsart("log");
    assert_eq!(outcome.code, 0, "{outcome}");
    assert!(outcome.stdout.contains("be694c54"), "{outcome}");
}

#[test]
fn a_history_that_is_damaged_is_an_integrity_error() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    sandbox.unpack();
    let name = sandbox.git("for-each-ref --format=%(refname) refs/slsart/deployments");
    let blob = sandbox.git(&format!("rev-parse {name}:deployment.toml"));
    let object = sandbox.path(&format!(".git/objects/{}/{}", &blob[..2], &blob[2..]));
    fs::remove_file(object).unwrap();
    sandbox.slsart("history").is(str![[r#"
orders · prod · us-east-1
1  deploy  not finished  12a1bee  Add the service  4 minutes ago by Dana
! 1 record can't be read: damaged, or written by a newer git-slsart

"#]]);
    sandbox.slsart("rollback -s prod --yes").is(str![[r#"
── stderr ──
error: there is no other release of orders · prod · us-east-1 to go back to
hint: packages that can be deployed: git slsart log -s prod
── exit 5 ──

"#]]);
}
