//! `git slsart migrate`: from one form to the other and back, the package staying the same.

use std::fs;

use git_slsart::git::Repository;
use git_slsart::package::storage::{Placement, Size, Storage};
use git_slsart::progress::Silent;
use git_slsart::store::{Filter, Store};
use snapbox::str;

use crate::read::interrupted;
use crate::sandbox::Sandbox;
use crate::server::{Remote, file_remote, push};
use crate::{comes_back, forget, links, package, recorded, store, without_lfs};

#[test]
fn there_and_back_is_the_same_package() {
    let sandbox = recorded();
    let (name, before) = (package(&sandbox), sandbox.git("for-each-ref"));
    let state = sandbox.fingerprint();
    sandbox.slsart("migrate --to git --dry-run").is(str![[r#"
Convert    12a1bee  be694c54  orders · prod · us-east-1
           orders.zip  153 B  lfs → git

"#]]);
    sandbox.is_as_before(&state);
    sandbox.slsart("migrate --to git").is(str![[r#"
Converted  12a1bee  be694c54  orders · prod · us-east-1
           orders.zip  153 B  lfs → git
── stderr ──
Convert    12a1bee  be694c54  orders · prod · us-east-1
           orders.zip  153 B  lfs → git
Converting 1 package

"#]]);
    assert!(links(&sandbox).is_empty(), "nothing needs it any more");
    let in_git = Sandbox::new();
    in_git.build("dist", "prod");
    in_git.slsart("record -q ../dist").succeeded();
    let tree = format!("rev-parse {name}^{{tree}}:files {name}^{{tree}}:");
    let files = |sandbox: &Sandbox| sandbox.git(&tree).lines().next().unwrap().to_owned();
    assert_eq!(files(&sandbox), files(&in_git), "as if it had been recorded so");
    forget(&sandbox);
    comes_back(&sandbox);
    sandbox.slsart("migrate --to git").prints("1 package kept in git already\n");
    sandbox.slsart("migrate --to lfs -q").succeeded();
    assert_eq!(sandbox.git("for-each-ref"), before, "the very commit of the beginning");
    assert_eq!(links(&sandbox).len(), 1);
    comes_back(&sandbox);
    sandbox.fsck();
    assert_eq!(sandbox.git(&format!("lfs fsck {name}")), "Git LFS fsck OK");
    sandbox.slsart("migrate --to lfs").prints("1 package kept in lfs already\n");
}

#[test]
fn who_records_again_in_another_form_is_told_of_it() {
    let sandbox = recorded();
    let outcome = sandbox.slsart("record ../dist --storage git").succeeded();
    let said = "nothing was done; to keep it in git objects: git slsart migrate --to git\n";
    assert!(outcome.stdout.starts_with("Already") && outcome.stdout.ends_with(said), "{outcome}");
    let outcome = sandbox.slsart("record ../dist").succeeded();
    assert!(outcome.stdout.ends_with("nothing was done\n"), "{outcome}");
}

#[test]
fn all_packages_are_converted_in_one_go_and_json_says_which() {
    let sandbox = Sandbox::recorded();
    sandbox.record("dev");
    sandbox.change("Answer two");
    sandbox.record("prod");
    let outcome = sandbox.slsart("migrate --all --to lfs --json").succeeded();
    let report: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(report["packages"].as_array().unwrap().len(), 3);
    assert_eq!((&report["to"], &report["dry_run"]), (&"lfs".into(), &false.into()));
    assert_eq!(report["packages"][0]["files"][0]["path"], "orders.zip");
    // Two of the three have the same zip.
    assert_eq!(store(&sandbox).len(), 2);
    // Of two packages with one zip, one is converted back: the other still needs the link.
    sandbox.slsart("migrate HEAD~ -s dev --to git -q").succeeded();
    assert_eq!(links(&sandbox).len(), 2);
    sandbox.slsart("migrate HEAD~ --to git -q").succeeded();
    assert_eq!(links(&sandbox).len(), 1);
    sandbox.slsart("verify --all -q").succeeded();
}

#[test]
fn an_object_on_a_remote_is_fetched_to_be_converted() {
    let sandbox = recorded();
    file_remote(&sandbox);
    push(&sandbox);
    forget(&sandbox);
    sandbox.slsart("migrate --to git -q").succeeded();
    forget(&sandbox);
    comes_back(&sandbox);
}

#[test]
fn what_cannot_be_had_is_left_as_it_is() {
    let sandbox = recorded();
    let before = sandbox.git("for-each-ref");
    forget(&sandbox);
    let outcome = sandbox.slsart("migrate --to git -q");
    assert_eq!(outcome.code, 4, "{outcome}");
    assert_eq!(outcome.stdout, "");
    assert_eq!(sandbox.git("for-each-ref"), before);
}

#[test]
fn an_interrupted_conversion_has_changed_nothing() {
    let sandbox = recorded();
    let remote = Remote::http(&sandbox, "migrating");
    push(&sandbox);
    forget(&sandbox);
    let before = sandbox.git("for-each-ref");
    remote.trouble("hang");
    let outcome = interrupted(&sandbox, &remote, "migrate --to git -q");
    assert_eq!(outcome.code, 130, "{outcome}");
    assert_eq!(sandbox.git("for-each-ref"), before);
    remote.well_again();
    sandbox.slsart("migrate --to git -q").succeeded();
    forget(&sandbox);
    comes_back(&sandbox);
}

#[test]
fn a_package_that_another_process_changed_meanwhile_is_left_to_it() {
    let sandbox = recorded();
    let name = package(&sandbox);
    let repository = Repository::open(&sandbox.path(""), None, None).unwrap();
    let found = Store::new(&repository).packages().all(&Filter::default()).unwrap().found.remove(0);
    let opened = Store::new(&repository).open(found.commit, &found.line).unwrap();
    let to_git = Placement { storage: Storage::Git, lfs_above: Size::default(), lfs_is_here: true };
    let changes = opened.changes(&to_git).unwrap();
    assert_eq!(changes.len(), 1);
    sandbox.slsart("migrate --to git -q").succeeded();
    let theirs = sandbox.git(&format!("rev-parse {name}"));
    let error = opened.migrate(&changes, &Silent).unwrap_err();
    assert!(error.message.contains("was changed by another process"), "{error}");
    assert_eq!(sandbox.git(&format!("rev-parse {name}")), theirs);
}

#[test]
fn without_git_lfs_nothing_is_converted_to_it() {
    let sandbox = Sandbox::recorded();
    let before = sandbox.fingerprint();
    let outcome = sandbox.slsart_with("migrate --to lfs", &[("PATH", &without_lfs(&sandbox))]);
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(
        outcome.stderr.starts_with("error: git-lfs is not installed\nhint: to install git-lfs: "),
        "{outcome}"
    );
    sandbox.is_as_before(&before);
}

#[test]
fn a_damaged_package_is_not_converted() {
    let sandbox = Sandbox::recorded();
    sandbox.unpack();
    let blob = sandbox.git(&format!("rev-parse {}:files/orders.zip", package(&sandbox)));
    fs::remove_file(sandbox.path(&format!(".git/objects/{}/{}", &blob[..2], &blob[2..]))).unwrap();
    let before = sandbox.git("for-each-ref");
    assert_eq!(sandbox.slsart("migrate --to lfs -q").code, 4);
    assert_eq!(sandbox.git("for-each-ref"), before);
    assert!(store(&sandbox).is_empty() && links(&sandbox).is_empty());
}
