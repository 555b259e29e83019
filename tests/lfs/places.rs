//! LFS in repositories of every kind: linked worktrees, bare ones, with a store elsewhere, shared by a group.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::sandbox::Sandbox;
use crate::server::{Remote, push};
use crate::{comes_back, links, objects, package, recorded, store};

#[test]
fn a_linked_worktree_shares_the_store() {
    let sandbox = Sandbox::new();
    sandbox.build("dist", "prod");
    sandbox.git("worktree add --quiet -b linked '../a linked one'");
    let linked = sandbox.beside("a linked one");
    let linked = linked.to_str().unwrap();
    sandbox
        .slsart(&format!("-C '{linked}' record -q '{}' --storage lfs", sandbox.beside("dist").display()))
        .succeeded();
    assert_eq!((store(&sandbox).len(), links(&sandbox).len()), (1, 1));
    comes_back(&sandbox);
    // What it fetches and asks for is the same, too.
    let _remote = Remote::http(&sandbox, "linked");
    push(&sandbox);
    sandbox.slsart(&format!("-C '{linked}' verify --remote -q")).succeeded();
    crate::forget(&sandbox);
    sandbox.slsart(&format!("-C '{linked}' verify -q")).succeeded();
    assert_eq!(store(&sandbox).len(), 1);
}

#[test]
fn a_bare_repository_fetches_verifies_and_converts() {
    let sandbox = recorded();
    let _remote = Remote::http(&sandbox, "bare");
    push(&sandbox);
    let url = sandbox.git("config remote.origin.lfsurl");
    sandbox.git("clone --quiet --mirror ../server.git ../bare.git");
    for (name, value) in [("remote.origin.lfsurl", url.as_str()), ("lfs.transfer.maxretries", "1")] {
        sandbox.git(&format!("-C ../bare.git config {name} {value}"));
    }
    for line in [
        "verify --remote",
        "extract HEAD -o ../out",
        "migrate --to git",
        "migrate --to lfs",
        "verify --remote",
    ] {
        sandbox.slsart(&format!("-C ../bare.git {line} -q")).succeeded();
    }
    sandbox.shell("diff -r ../dist ../out").succeeded();
    assert_eq!(objects(&sandbox.beside("bare.git/lfs/objects")).len(), 1);
}

#[test]
fn a_store_elsewhere_is_used_as_git_lfs_uses_it() {
    for (storage, place) in [("elsewhere", ".git/elsewhere"), ("[ROOT]/a store", "../a store")] {
        let sandbox = Sandbox::new();
        let storage = storage.replace("[ROOT]", sandbox.beside("").to_str().unwrap().trim_end_matches('/'));
        sandbox.git(&format!("config lfs.storage '{storage}'"));
        sandbox.build("dist", "prod");
        sandbox.slsart("record -q ../dist --storage lfs").succeeded();
        assert_eq!(objects(&sandbox.path(place)).len(), 1);
        assert!(!sandbox.path(".git/lfs").exists());
        assert_eq!(sandbox.git(&format!("lfs fsck {}", package(&sandbox))), "Git LFS fsck OK");
        comes_back(&sandbox);
    }
}

#[test]
fn a_link_that_cannot_be_hard_is_a_copy() {
    // As across file systems: here, a store that has more than one name may not be linked to.
    let sandbox = recorded();
    let object = store(&sandbox).remove(0);
    fs::remove_file(&object).unwrap();
    fs::create_dir(&object).unwrap();
    // Neither link nor copy can take its place; the link itself is read.
    comes_back(&sandbox);
}

#[test]
fn a_shared_repository_stays_shared() {
    let sandbox = Sandbox::new();
    sandbox.git("config core.sharedRepository group");
    sandbox.build("dist", "prod");
    let mut command = sandbox.command("sh");
    let program = env!("CARGO_BIN_EXE_git-slsart");
    command.args(["-c", &format!("umask 077; exec '{program}' record -q ../dist --storage lfs")]);
    sandbox.outcome(&mut command).succeeded();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    for object in store(&sandbox).into_iter().chain(links(&sandbox)) {
        assert_eq!(mode(&object), 0o660, "{}", object.display());
        let directory = object.parent().unwrap();
        assert_eq!(mode(directory), 0o2770, "{}", directory.display());
    }
}
