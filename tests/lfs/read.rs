//! Reading packages back out of LFS: from the store, from our link, from a remote; and never anything else than was recorded.

use std::fs;
use std::path::Path;

use crate::sandbox::{Outcome, Sandbox, wait_until};
use crate::server::{Remote, file_remote, push};
use crate::{comes_back, extracts, forget, is_refused, links, package, recorded, store};

#[test]
fn what_no_remote_has_survives_git_lfs_prune() {
    let sandbox = recorded();
    file_remote(&sandbox);
    sandbox.git("push --quiet --no-verify origin main");
    let pruned = sandbox.git("lfs prune --verbose");
    assert!(store(&sandbox).is_empty(), "prune left it: {pruned}");
    comes_back(&sandbox);
    assert_eq!(store(&sandbox).len(), 1, "the store has it again");
}

/// Damages an object and our link to it, which are one file.
fn damage(sandbox: &Sandbox, how: fn(Vec<u8>) -> Vec<u8>) {
    let object = store(sandbox).remove(0);
    fs::write(&object, how(fs::read(&object).unwrap())).unwrap();
}

fn truncate(mut content: Vec<u8>) -> Vec<u8> {
    content.truncate(100);
    content
}

fn flip(mut content: Vec<u8>) -> Vec<u8> {
    content[50] ^= 1;
    content
}

#[test]
fn a_truncated_or_changed_object_is_refused() {
    for how in [truncate, flip] {
        let sandbox = recorded();
        damage(&sandbox, how);
        let outcome = is_refused(&sandbox, 4);
        assert!(outcome.stderr.contains("'orders.zip' is in Git LFS"), "{outcome}");
        assert!(outcome.stderr.contains("there is no remote"), "{outcome}");
        let verified = sandbox.slsart("verify -q");
        assert_eq!(verified.code, 4, "{verified}");
        assert!(verified.stdout.starts_with("✗ damaged"), "{verified}");
    }
}

#[test]
fn a_pointer_in_the_place_of_an_object_is_refused() {
    // As a filter that is set not to smudge leaves it.
    let sandbox = recorded();
    let pointer = sandbox.git(&format!("cat-file blob {}:files/orders.zip", package(&sandbox)));
    fs::write(store(&sandbox).remove(0), pointer).unwrap();
    is_refused(&sandbox, 4);
}

#[test]
fn nothing_damaged_is_deployed() {
    let sandbox = recorded();
    damage(&sandbox, flip);
    let outcome = sandbox.slsart("deploy -s prod --yes -q");
    assert_eq!(outcome.code, 4, "{outcome}");
    assert!(!sandbox.runs().contains("deploy"), "{}", sandbox.runs());
}

#[test]
fn a_damaged_object_is_fetched_again() {
    // Over HTTP: a `file://` remote is given a hard link, and would be damaged with it.
    for (name, how) in [("truncated", truncate as fn(Vec<u8>) -> Vec<u8>), ("flipped", flip)] {
        let sandbox = recorded();
        let _remote = Remote::http(&sandbox, name);
        push(&sandbox);
        damage(&sandbox, how);
        comes_back(&sandbox);
    }
}

#[test]
fn a_clone_fetches_whatever_the_filters_say() {
    let sandbox = recorded();
    let _remote = Remote::http(&sandbox, "filters");
    push(&sandbox);
    forget(&sandbox);
    sandbox.git("config lfs.fetchexclude '*'");
    sandbox.git("config lfs.fetchinclude nothing");
    let outcome = sandbox.slsart_with("extract HEAD -q -o ../out", &[("GIT_LFS_SKIP_SMUDGE", "1")]);
    outcome.succeeded();
    sandbox.shell("diff -r ../dist ../out").succeeded();
    assert!(links(&sandbox).is_empty(), "a remote has it");
    let hooks = sandbox.shell("ls .git/hooks | grep -v sample || true").stdout;
    assert_eq!(hooks, "", "git-lfs put no hooks there");
}

#[test]
fn another_remote_has_what_origin_lost() {
    let sandbox = recorded();
    let remote = Remote::http(&sandbox, "another");
    push(&sandbox);
    sandbox.git("init --quiet --bare ../other.git");
    sandbox.git(&format!("remote add other file://{}", sandbox.beside("other.git").display()));
    sandbox.git(&format!("lfs push other {}", package(&sandbox)));
    remote.lose();
    forget(&sandbox);
    comes_back(&sandbox);
}

#[test]
fn an_object_that_is_nowhere_is_missing() {
    let sandbox = recorded();
    let remote = Remote::http(&sandbox, "nowhere");
    push(&sandbox);
    remote.lose();
    forget(&sandbox);
    let outcome = is_refused(&sandbox, 4);
    assert!(outcome.stderr.contains("neither here nor on a remote: not on origin"), "{outcome}");
}

#[test]
fn a_transfer_that_is_cut_fails_cleanly_and_goes_on_later() {
    let sandbox = recorded();
    let remote = Remote::http(&sandbox, "cut");
    push(&sandbox);
    forget(&sandbox);
    remote.trouble("cut");
    let outcome = is_refused(&sandbox, 3);
    assert!(outcome.stderr.contains("run the command again"), "{outcome}");
    remote.well_again();
    comes_back(&sandbox);
}

#[test]
fn other_bytes_of_a_server_are_refused() {
    let sandbox = recorded();
    let remote = Remote::http(&sandbox, "other");
    push(&sandbox);
    forget(&sandbox);
    remote.trouble("other");
    is_refused(&sandbox, 4);
    remote.well_again();
    comes_back(&sandbox);
}

#[test]
fn a_server_that_is_down_is_said_to_be() {
    let sandbox = recorded();
    let _remote = Remote::http(&sandbox, "down");
    push(&sandbox);
    forget(&sandbox);
    // Nothing listens on the discard port.
    let url = sandbox.git("config remote.origin.lfsurl");
    sandbox.git("config remote.origin.lfsurl http://127.0.0.1:9/x/y");
    let outcome = is_refused(&sandbox, 3);
    assert!(outcome.stderr.contains("connection refused") && outcome.stderr.contains("origin"), "{outcome}");
    sandbox.git(&format!("config remote.origin.lfsurl {url}"));
    comes_back(&sandbox);
}

#[test]
fn ctrl_c_during_a_transfer_leaves_nothing_half() {
    let sandbox = recorded();
    let remote = Remote::http(&sandbox, "interrupted");
    push(&sandbox);
    forget(&sandbox);
    remote.trouble("hang");
    let outcome = interrupted(&sandbox, &remote, "extract HEAD -q -o ../out");
    assert_eq!(outcome.code, 130, "{outcome}");
    assert!(!sandbox.beside("out").exists() && store(&sandbox).is_empty());
    let top = sandbox.path("");
    wait_until("git-lfs has ended, too", || working_directories().all(|directory| directory != top));
    remote.well_again();
    comes_back(&sandbox);
}

/// Runs a command, and interrupts it once a transfer hangs.
pub(crate) fn interrupted(sandbox: &Sandbox, remote: &Remote, line: &str) -> Outcome {
    use std::process::Stdio;
    let mut command = sandbox.slsart_command(line);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    wait_until("the transfer hangs", || remote.hangs());
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
        .unwrap();
    Outcome::of(child, sandbox)
}

/// The working directories of all processes whose program is git-lfs; none where there is no `/proc`.
fn working_directories() -> impl Iterator<Item = std::path::PathBuf> {
    let processes = fs::read_dir(Path::new("/proc")).into_iter().flatten().flatten();
    processes.filter_map(|process| {
        let name = fs::read_to_string(process.path().join("comm")).ok()?;
        (name.trim() == "git-lfs").then(|| fs::read_link(process.path().join("cwd")).ok())?
    })
}

#[test]
fn a_package_in_git_needs_no_git_lfs() {
    let sandbox = recorded();
    // Nor does one whose objects are here.
    let path = crate::without_lfs(&sandbox);
    sandbox.slsart_with("extract HEAD -q -o ../out", &[("PATH", &path)]).succeeded();
    fs::remove_dir_all(sandbox.beside("out")).unwrap();
    file_remote(&sandbox);
    push(&sandbox);
    forget(&sandbox);
    let outcome = sandbox.slsart_with("extract HEAD -q -o ../out", &[("PATH", &path)]);
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(outcome.stderr.starts_with("error: git-lfs is not installed"), "{outcome}");
    extracts(&sandbox).succeeded();
}

#[test]
fn a_zip_in_lfs_is_compared_with_another_as_if_both_were_taken_apart() {
    let sandbox = recorded();
    sandbox.git("tag v1");
    sandbox.change("Answer two");
    sandbox.build("second", "prod");
    sandbox.slsart("record -q ../second --storage git").succeeded();
    let archives = || sandbox.slsart("diff v1 --code --json").json()["archives"].clone();
    let mixed = archives();
    assert_eq!(mixed[0]["files"][0]["path"], "handler.js");
    assert_eq!(mixed[0]["files"].as_array().unwrap().len(), 1);
    sandbox.slsart("migrate --to git -q").succeeded();
    assert_eq!(archives(), mixed);
    sandbox.slsart("migrate --to lfs -q").succeeded();
    assert_eq!(archives(), mixed);
}
