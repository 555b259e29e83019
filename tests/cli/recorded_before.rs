//! A repository that an earlier git-slsart recorded is read as it was then: `tests/fixtures/recorded`, made by the program of
//! commit a628fc0, before its storage code was rearranged.

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/recorded");

/// A clone of the fixture with all its refs, and its signer known.
fn recorded_before() -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.git(&format!("fetch --quiet --update-head-ok {FIXTURE}/before-1.0.bundle refs/*:refs/*"));
    sandbox.git("reset --quiet --hard");
    sandbox.git(&format!("config gpg.ssh.allowedSignersFile {FIXTURE}/signers"));
    sandbox
}

/// These members of each object of an array.
fn columns<const N: usize>(rows: &Value, names: [&str; N]) -> Vec<Value> {
    let row = |row: &Value| Value::Array(names.iter().map(|name| row[name].clone()).collect());
    rows.as_array().unwrap().iter().map(row).collect()
}

fn is_hash(text: &str) -> bool {
    text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The first digits of each package and commit stand for the whole.
fn shortened(mut rows: Vec<Value>) -> Vec<Value> {
    for cell in rows.iter_mut().flat_map(|row| row.as_array_mut().unwrap()) {
        if let Some(text) = cell.as_str().filter(|text| is_hash(text)) {
            *cell = Value::from(&text[..8]);
        }
    }
    rows
}

#[test]
fn packages_pins_bans_and_tombstones_are_listed() {
    let sandbox = recorded_before();
    let log = sandbox.slsart("log --all --json").succeeded().json();
    assert_eq!(
        shortened(columns(&log["packages"], ["commit", "package", "size", "recorded", "dirty"])),
        [
            json!(["f040da13", "805b4577", 1792, "2026-01-05T09:37:00Z", true]),
            json!(["f040da13", "ecce8d37", 1796, "2026-01-05T09:33:00Z", false]),
            json!(["a4f7bce7", "7af54011", 1796, "2026-01-05T09:24:00Z", false]),
            json!(["be6c5240", "1e9a4c5f", 1789, "2026-01-05T09:12:00Z", false]),
            json!(["be6c5240", "ca6f47ed", 1795, "2026-01-05T09:11:00Z", false]),
            json!(["12a1bee1", "d00594d6", 1788, "2026-01-05T09:05:00Z", false]),
        ]
    );
    let pruned = sandbox.slsart("log --all --pruned").succeeded().stdout;
    for (package, word) in [("94b7e4df", "pruned"), ("7af54011", "pinned"), ("ca6f47ed", "banned")] {
        let line = pruned.lines().find(|line| line.contains(package));
        assert!(line.is_some_and(|line| line.ends_with(word)), "{package} is {word}:\n{pruned}");
    }
    let show = sandbox.slsart("show v4 -s prod --json").succeeded().json();
    assert_eq!(show["pinned"]["reason"], "for the audit", "{show:#}");
    let show = sandbox.slsart("show v2 -s prod --json").succeeded().json();
    assert_eq!(show["banned"]["reason"], "loses orders", "{show:#}");
}

#[test]
fn a_package_is_shown_and_extracted_byte_for_byte() {
    let sandbox = recorded_before();
    let show = sandbox.slsart("show v1 -s prod --json").succeeded().json();
    let files = columns(&show["files"], ["path", "size", "sha256", "form"]);
    assert_eq!(
        shortened(files),
        [
            json!(["cloudformation-template-update-stack.json", 493, "f1a85c12", "git"]),
            json!(["orders.zip", 153, "6159d249", "git"]),
            json!(["serverless-state.json", 1142, "34cfd1e7", "git"]),
        ]
    );
    assert_eq!(show["plugins"][0]["tree"], "9195e024832efee04571cf4407990c8e8dc3554b", "{show:#}");
    sandbox.slsart("extract v1 -s prod -o ../out").succeeded();
    let sums = sandbox.shell("cd ../out && sha256sum * | cut -c1-8,65-").succeeded().stdout;
    assert_eq!(
        sums,
        "f1a85c12  cloudformation-template-update-stack.json\n6159d249  orders.zip\n34cfd1e7  serverless-state.json\n"
    );
}

#[test]
fn the_history_is_read_with_its_signatures() {
    let sandbox = recorded_before();
    let history = sandbox.slsart("history -s prod --json").succeeded().json();
    let rows = columns(&history["targets"][0]["deployments"], ["action", "subject", "outcome", "reason"]);
    assert_eq!(
        rows,
        [
            json!(["deploy", "Answer five", "succeeded", null]),
            json!(["rollback", "Add the service", "succeeded", "two loses orders"]),
            json!(["deploy", "Answer two", "succeeded", null]),
            json!(["deploy", "Add the service", "succeeded", null]),
        ]
    );
    let status = sandbox.slsart("status --json").succeeded().json();
    let live = status["targets"].as_array().unwrap().iter().find(|target| !target["live"].is_null());
    assert_eq!(live.unwrap()["live"]["subject"], "Answer five", "{status:#}");
    // One of the packages and the last deployment are signed; all packages are intact.
    let verified = sandbox.slsart("verify --all --signatures --json").json();
    let verdicts = |rows: &Value| -> Vec<String> {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row["verdict"].as_str().unwrap().to_owned()).collect()
    };
    let packages = verified["packages"].as_array().unwrap();
    let signatures = packages.iter().map(|package| package["signature"].clone()).collect::<Vec<_>>();
    assert_eq!(
        verdicts(&Value::from(signatures)),
        ["unsigned", "good", "unsigned", "unsigned", "unsigned", "unsigned"]
    );
    assert!(packages.iter().all(|package| package["damages"] == json!([])));
    assert_eq!(verdicts(&verified["histories"][0]["signatures"])[..3], ["good", "good", "unsigned"]);
    sandbox.slsart("verify --all").succeeded();
}

#[test]
fn toolchains_are_listed_with_the_commits_they_serve() {
    let sandbox = recorded_before();
    let list = sandbox.slsart("toolchain list --json").succeeded().json();
    assert_eq!(
        shortened(columns(&list["toolchains"], ["id", "saved", "file_count", "size"])),
        [json!(["74f4e3c3", "2026-01-05T09:34:00Z", 4, 611])]
    );
    assert_eq!(list["toolchains"][0]["commits"].as_array().unwrap().len(), 3, "{list:#}");
    assert_eq!(list["unread"], json!([]));
}

/// Recording goes on where the earlier program left off, and rewrites nothing of what it wrote.
#[test]
fn recording_goes_on_and_leaves_what_was_there() {
    let sandbox = recorded_before();
    let refs = "for-each-ref --format='%(objectname) %(refname)' refs/slsart";
    let before = sandbox.git(refs);
    let note = sandbox.git("notes --ref=slsart show v5");
    sandbox.git("tag -a -m again v6");
    sandbox.record("dev");
    let after = sandbox.git(refs);
    assert!(before.lines().all(|line| after.contains(line)), "{before}\n→\n{after}");
    assert!(sandbox.git("notes --ref=slsart show v5").starts_with(&note));
    sandbox.fsck();
}

#[test]
fn the_samples_of_the_format_are_real() {
    let document = include_str!("../../docs/format.md");
    let samples: Vec<&str> =
        document.split("```sample\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(samples.len(), 5, "each sample of docs/format.md has its line below");
    let sandbox = recorded_before();
    let [files, commit, tree, note, ban] = samples[..] else { unreachable!() };
    let source = "12a1bee131fc490e459a58c4a125a830181e8d22";
    let package = git_slsart::package::Sha256::of(files.as_bytes());
    let package = format!("refs/slsart/packages/{source}/{package}");
    let same =
        |sample: &str, line: &str| assert_eq!(sample.trim_end(), sandbox.git(line).trim_end(), "{line}");
    same(commit, &format!("cat-file commit {package}"));
    same(tree, &format!("ls-tree -r {package}"));
    same(note, "cat-file blob refs/notes/slsart:1f/03135aa5f18833e6364e17286e51baf07a37a9");
    let bans = sandbox.git("for-each-ref --format=%(refname) refs/slsart/bans");
    assert!(document.contains(bans.trim()), "{bans}");
    same(ban, &format!("cat-file blob {}:ban.toml", bans.trim()));
}
