//! `push` and `fetch` of packages that have files in LFS.

use crate::sandbox::Sandbox;
use crate::server::{Remote, file_remote};
use crate::{links, recorded, store};

/// A clone beside, that reaches the same LFS server.
fn clone(sandbox: &Sandbox) {
    sandbox.git("push --quiet --no-verify origin main");
    let url = sandbox.git("config remote.origin.url");
    sandbox.git(&format!("clone --quiet {url} ../other"));
    let server = sandbox.shell("git config remote.origin.lfsurl || :").stdout;
    if !server.is_empty() {
        sandbox.git(&format!("-C ../other config remote.origin.lfsurl {}", server.trim()));
    }
    sandbox.git("-C ../other config lfs.locksverify false");
}

/// Fails unless the package comes back, as it was built, in the other clone.
fn travels(sandbox: &Sandbox) {
    clone(sandbox);
    assert_eq!(links(sandbox).len(), 1, "only this machine has it");
    let pushed = sandbox.slsart("push").succeeded();
    assert!(pushed.stdout.contains("LFS       1 object\n"), "{pushed}");
    assert!(links(sandbox).is_empty(), "a remote has it");
    sandbox.slsart("-C ../other fetch -q origin HEAD").succeeded();
    // It is all there: the server is not needed any more.
    sandbox.git("-C ../other remote remove origin");
    sandbox.slsart("-C ../other extract HEAD -q -o ../out").succeeded();
    sandbox.shell("diff -r ../dist ../out").succeeded();
}

#[test]
fn objects_travel_with_their_packages_over_http() {
    let sandbox = recorded();
    let remote = Remote::http(&sandbox, "travels");
    travels(&sandbox);
    assert_eq!(remote.objects().len(), 1);
}

#[test]
fn objects_travel_with_their_packages_over_file() {
    let sandbox = recorded();
    file_remote(&sandbox);
    travels(&sandbox);
}

#[test]
fn a_package_is_not_told_of_before_its_objects_are_there() {
    let sandbox = recorded();
    let remote = Remote::http(&sandbox, "objects-first");
    sandbox.git("push --quiet --no-verify origin main");
    remote.trouble("refuse");
    let pushed = sandbox.slsart("push -q");
    assert_eq!(pushed.code, 1, "{pushed}");
    assert!(pushed.stderr.contains("cannot upload to the LFS server of origin"), "{pushed}");
    assert_eq!(sandbox.git("-C ../server.git for-each-ref refs/notes refs/slsart"), "");
    assert_eq!((links(&sandbox).len(), store(&sandbox).len()), (1, 1));
    remote.well_again();
    sandbox.slsart("push -q").succeeded();
}
