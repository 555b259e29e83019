//! `git slsart export` and `import`.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;

use snapbox::str;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::sandbox::{Outcome, Sandbox};

/// Two deployed packages; the second, with its toolchain, in `../orders.slsart`.
fn exported() -> Sandbox {
    let sandbox = Sandbox::recorded();
    sandbox.change("Answer two");
    sandbox.record("prod");
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    sandbox.slsart("export HEAD ../orders.slsart --history -q").succeeded();
    sandbox
}

/// The same line in an empty repository beside it.
fn empty(sandbox: &Sandbox) -> impl Fn(&str) -> Outcome + '_ {
    sandbox.git("init --quiet --initial-branch=main ../empty");
    move |line| sandbox.slsart(&format!("-C ../empty {line}"))
}

#[test]
fn a_package_goes_into_an_empty_repository_and_is_deployed_there() {
    let sandbox = exported();
    sandbox.slsart("export HEAD ../orders.slsart").is(str![[r#"
── stderr ──
error: '../orders.slsart' exists already
hint: name another file, or overwrite this one with --force
── exit 1 ──

"#]]);
    sandbox.slsart("export HEAD~ ../other.slsart").is(str![[r#"
Exported  12a1bee  Add the service  package be694c54 · orders · prod · us-east-1 · 1.3 kB
To        ../other.slsart · 6.3 kB  with its source, no toolchain: a rollback needs the registry, unless you save one: git slsart toolchain save
── stderr ──
Verifying the package
Packing source, package and toolchains
Writing

"#]]);
    let elsewhere = empty(&sandbox);
    elsewhere("import ../orders.slsart").is(str![[r#"
Imported  c126563  Answer two  package e4ccfcce · orders · prod · us-east-1 · 1.3 kB
With      its source and 1 toolchain, with its target's history
the history before c126563 is not here; to fetch it: git -C ../empty fetch --unshallow
Use       git slsart -C ../empty rollback c126563 --service orders -s prod -r us-east-1
── stderr ──
Reading the file
Verifying the file
Importing the package

"#]]);
    elsewhere("import ../orders.slsart").is(str![[r#"
Known     c126563  Answer two  package e4ccfcce · orders · prod · us-east-1 · 1.3 kB
── stderr ──
Reading the file
Verifying the file
Importing the package

"#]]);
    let id = sandbox.git("rev-parse HEAD");
    elsewhere("history -s prod").is(str![[r#"
orders · prod · us-east-1
1  ● live  deploy  succeeded  c126563  Answer two  8 minutes ago in [N] s by Dana

"#]]);
    elsewhere("verify --all -q").succeeded();
    let plan = elsewhere(&format!("rollback {id} -s prod -n"));
    assert!(plan.stdout.contains("✓ toolchain  the plugins will be restored"), "{plan}");
    elsewhere(&format!("rollback {} -s prod --yes -q", &id[..7])).succeeded();
    assert_eq!(sandbox.git("-C ../empty rev-parse --is-shallow-repository"), "true");
    let checked = sandbox.git("-C ../empty fsck --full --strict --no-dangling");
    assert!(!checked.contains("error"), "{checked}");
    sandbox.git("-C ../empty gc -q --prune=now");
    elsewhere("verify --all -q").succeeded();
    assert_eq!(sandbox.shell("ls ../empty/.git/objects/pack").stdout.matches(".keep").count(), 0);
    // Where the history is, it does not end there.
    sandbox.git("clone --quiet . ../clone");
    let said = sandbox.slsart("-C ../clone import ../orders.slsart").succeeded();
    assert!(!said.stdout.contains("unshallow"), "{said}");
    assert_eq!(sandbox.git("-C ../clone rev-parse --is-shallow-repository"), "false");
    assert_eq!(sandbox.git("-C ../clone rev-list --count HEAD"), "2");
    sandbox.slsart("-C ../clone verify --all -q").succeeded();
    // Through a pipe, and over what is there.
    sandbox
        .shell("git slsart export HEAD - -q >../piped && git -C ../empty slsart import ../piped -q")
        .succeeded();
    sandbox.slsart("export HEAD ../piped --force -q").succeeded();
    assert_eq!(fs::read_dir(sandbox.beside("")).unwrap().flatten().filter(is_scratch).count(), 0);
}

fn is_scratch(entry: &fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with(".slsart-")
}

#[test]
fn a_package_with_uncommitted_changes_brings_its_snapshot() {
    let sandbox = Sandbox::installed();
    sandbox.write("handler.js", "exports.hello = 0;\n");
    sandbox.slsart("package --in-place --allow-dirty -q -s prod").succeeded();
    sandbox.slsart("export HEAD ../dirty.slsart -q").succeeded();
    let elsewhere = empty(&sandbox);
    elsewhere("import ../dirty.slsart -q").succeeded();
    elsewhere("verify --all -q").succeeded();
    sandbox.git("-C ../empty fsck --full --strict --no-dangling");
}

/// Writes a file like `../orders.slsart` with a member changed, renamed or left out.
fn forge(sandbox: &Sandbox, change: impl Fn(&str, Vec<u8>) -> Option<(String, Vec<u8>)>) {
    let mut from = ZipArchive::new(File::open(sandbox.beside("orders.slsart")).unwrap()).unwrap();
    let mut to = ZipWriter::new(File::create(sandbox.beside("forged")).unwrap());
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for number in 0..from.len() {
        let mut member = from.by_index(number).unwrap();
        let name = if number == 0 { "index.toml" } else { "pack" };
        let mut content = Vec::new();
        member.read_to_end(&mut content).unwrap();
        if let Some((name, content)) = change(name, content) {
            to.start_file(name.as_str(), options).unwrap();
            to.write_all(&content).unwrap();
        }
    }
    to.finish().unwrap();
}

#[test]
fn nothing_of_a_file_that_is_not_what_it_says_is_taken_in() {
    let sandbox = exported();
    let elsewhere = empty(&sandbox);
    let refused = |why: &str| {
        let outcome = elsewhere("import ../forged");
        assert_eq!(outcome.code, 4, "{why}: {outcome}");
        assert!(outcome.stderr.contains(why), "{why}: {outcome}");
        assert_eq!(sandbox.git("-C ../empty for-each-ref"), "", "{why}");
        assert_eq!(sandbox.git("-C ../empty count-objects"), "0 objects, 0 kilobytes", "{why}");
        assert!(!Path::new(&sandbox.beside("empty/.git/shallow")).exists(), "{why}");
    };
    let index = |from: &'static str, to: &'static str| {
        forge(&sandbox, move |name, content| {
            let content = if name == "pack" {
                content
            } else {
                let text = String::from_utf8(content).unwrap();
                assert!(text.contains(from), "{text}");
                text.replacen(from, to, 1).into_bytes()
            };
            Some((name.to_owned(), content))
        });
    };
    forge(&sandbox, |name, content| (name != "pack").then(|| (name.to_owned(), content)));
    refused("its members are not those that its index names");
    forge(&sandbox, |name, content| (name == "pack").then(|| (name.to_owned(), content)));
    refused("it has no index");
    forge(&sandbox, |name, content| Some((name.replace("pack", "../../pack"), content)));
    refused("its members are not those that its index names");
    forge(&sandbox, |name, mut content| {
        if name == "pack" {
            let middle = content.len() / 2;
            content[middle] ^= 1;
        }
        Some((name.to_owned(), content))
    });
    refused("'pack' does not match the file's index");
    index("refs/slsart/deployments/", "refs/heads/");
    refused("it has a ref that does not belong to the package: refs/heads/orders/prod/us-east-1");
    index("refs/slsart/deployments/orders", "refs/slsart/deployments/../../heads");
    refused("its refs lead nowhere");
    index("stage=prod", "stage=dev");
    refused("does not match its note");
    index("refs/slsart/toolchains/", "refs/slsart/toolchains/x");
    refused("it has a ref that does not belong to the package");
    index("shallow = [\"", "shallow = [\"0");
    refused("its history ends elsewhere");
    fs::write(sandbox.beside("forged"), "PK").unwrap();
    refused("it is not a zip");
    index("format = 1", "format = 9");
    let later = elsewhere("import ../forged");
    assert_eq!(later.code, 1, "{later}");
    elsewhere("import ../orders.slsart -q").succeeded();
}

#[test]
fn nothing_that_is_here_is_replaced() {
    let sandbox = exported();
    let name = sandbox.git("for-each-ref --format=%(refname) refs/slsart/deployments");
    sandbox.slsart("deploy HEAD~ -s prod --yes -q").succeeded();
    let before = sandbox.git("for-each-ref");
    let history = sandbox.git(&format!("rev-parse {name}"));
    let said = sandbox.slsart("import ../orders.slsart").succeeded();
    assert!(said.stdout.starts_with("Known"), "{said}");
    assert_eq!(sandbox.git("for-each-ref"), before);
    // What was pruned comes back, and the history stays.
    sandbox.slsart("deploy HEAD~ -s prod --yes -q --again").succeeded();
    sandbox.git(&format!("update-ref {name} {history}"));
    let id = sandbox.git("rev-parse HEAD");
    let refs = sandbox.git(&format!("for-each-ref --format=%(refname) refs/slsart/packages/{id}"));
    sandbox.git(&format!("update-ref -d {refs}"));
    sandbox.slsart("import ../orders.slsart").is(str![[r#"
Imported  c126563  Answer two  package e4ccfcce · orders · prod · us-east-1 · 1.3 kB
With      its source
Use       git slsart rollback c126563 --service orders -s prod -r us-east-1
── stderr ──
Reading the file
Verifying the file
Importing the package

"#]]);
    assert_eq!(sandbox.git(&format!("rev-parse {name}")), history);
    sandbox.slsart("verify --all -q").succeeded();
}
