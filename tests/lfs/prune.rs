//! What pruning does to LFS objects: our links go, the store that the project's own files share stays.

use crate::{links, sandbox, store};
use sandbox::Sandbox;

#[test]
fn a_link_goes_with_the_last_package_that_needs_it() {
    let sandbox = Sandbox::new();
    // Two packages of the same code in LFS, and one of other code.
    for (name, stage) in [("one", "prod"), ("two", "dev")] {
        sandbox.build(name, stage);
        sandbox.slsart(&format!("record -q ../{name} --storage lfs")).succeeded();
    }
    sandbox.change("Answer two");
    sandbox.build("three", "prod");
    sandbox.slsart("record -q ../three --storage lfs").succeeded();
    assert_eq!((links(&sandbox).len(), store(&sandbox).len()), (2, 2));
    sandbox.slsart("prune HEAD~ -s dev --yes -q").succeeded();
    assert_eq!((links(&sandbox).len(), store(&sandbox).len()), (2, 2), "another package has the same zip");
    let outcome = sandbox.slsart("prune HEAD~ -s prod --yes");
    assert!(outcome.stdout.contains("hint: 1 LFS object (153 B) stays until"), "{outcome}");
    assert_eq!((links(&sandbox).len(), store(&sandbox).len()), (1, 2));
    sandbox.git("lfs prune");
    assert_eq!((links(&sandbox).len(), store(&sandbox).len()), (1, 0));
    // What is kept comes back from its link.
    sandbox.slsart("verify --all -q").succeeded();
}
