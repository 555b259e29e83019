//! How things stand, at a glance and offline.

use snapbox::str;

use crate::sandbox::Sandbox;

#[test]
fn what_is_live_packaged_shared_and_only_here() {
    let sandbox = Sandbox::new();
    sandbox.slsart("status").is(str![[r#"
HEAD      12a1bee  Add the service
no packages and no deployments here; to make one: git slsart package

"#]]);
    sandbox.record("prod");
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    sandbox.slsart("status").is(str![[r#"
HEAD      12a1bee  Add the service
orders · prod · us-east-1
  ● live  12a1bee  Add the service  deployed 1 minute ago by Dana; it is HEAD
  ✓ HEAD  package be694c54 · 1.3 kB

"#]]);
    sandbox.git("init --quiet --bare ../origin.git");
    sandbox.git("remote add origin ../origin.git");
    sandbox.change("Rewrite the checkout");
    sandbox.slsart("status").is(str![[r#"
HEAD      64d9012  Rewrite the checkout
orders · prod · us-east-1
  ● live  12a1bee  Add the service  deployed 7 minutes ago by Dana; HEAD is 1 commit ahead
  - HEAD  not packaged: git slsart package -s prod -r us-east-1
origin    its packages are not known here; to ask: git slsart fetch origin

"#]]);
    sandbox.slsart("push -q").succeeded();
    sandbox.slsart("status").is(str![[r#"
HEAD      64d9012  Rewrite the checkout
orders · prod · us-east-1
  ● live  12a1bee  Add the service  deployed 9 minutes ago by Dana; HEAD is 1 commit ahead
  - HEAD  not packaged: git slsart package -s prod -r us-east-1
origin    up to date, as of 1 minute ago

"#]]);

    sandbox.record("dev");
    sandbox.record("prod");
    sandbox.slsart("ban HEAD -s prod -m 'loses orders' -q").succeeded();
    let mut child = sandbox.hanging("deploy HEAD -s dev --yes --no-lock");
    child.kill().unwrap();
    child.wait().unwrap();
    sandbox.write(".git/slsart/lfs/ab/cd/abcd", "x".repeat(2_000));
    sandbox.slsart("status").is(str![[r#"
HEAD      64d9012  Rewrite the checkout
orders · dev · us-east-1
  ○ live  no deployment recorded
  ! deploy of 64d9012 by Dana, begun 1 minute ago, has not finished and may still run
  ✓ HEAD  package 71119333 · 1.3 kB
orders · prod · us-east-1
  ● live  12a1bee  Add the service  deployed 14 minutes ago by Dana; HEAD is 1 commit ahead
  ! HEAD  package 8160d640 · 1.3 kB  banned
origin    lacks 2 packages, 1 history, 1 ban, as of 6 minutes ago; to push: git slsart push origin
          64d9012  8160d640  orders · prod · us-east-1
          64d9012  71119333  orders · dev · us-east-1
LFS       1 object, 2.0 kB, that no remote is known to have

"#]]);
    sandbox.slsart("status -s prod --json").succeeded();

    sandbox.git("checkout --quiet -b side HEAD~1");
    sandbox.change("Take vouchers");
    sandbox.record("prod");
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    sandbox.git("checkout --quiet main");
    sandbox.slsart("status -s prod").is(str![[r#"
HEAD      64d9012  Rewrite the checkout
orders · prod · us-east-1
  ● live  395ed48  Take vouchers  deployed 2 minutes ago by Dana; HEAD is 1 commit ahead and 1 commit behind
  ! HEAD  package 8160d640 · 1.3 kB  banned
origin    lacks 3 packages, 1 history, 1 ban, as of 15 minutes ago; to push: git slsart push origin
          395ed48  fa012501  orders · prod · us-east-1
          64d9012  8160d640  orders · prod · us-east-1
          64d9012  71119333  orders · dev · us-east-1
LFS       1 object, 2.0 kB, that no remote is known to have

"#]]);
    sandbox.slsart("push -q").succeeded();
    sandbox.write("slsart.toml", "nonsense");
    sandbox.slsart("status").is(str![[r#"
HEAD      64d9012  Rewrite the checkout
orders · dev · us-east-1
  ○ live  no deployment recorded
  ! deploy of 64d9012 by Dana, begun 12 minutes ago, has not finished and may still run
  ✓ HEAD  package 71119333 · 1.3 kB
orders · prod · us-east-1
  ● live  395ed48  Take vouchers  deployed 4 minutes ago by Dana; HEAD is 1 commit ahead and 1 commit behind
  ! HEAD  package 8160d640 · 1.3 kB  banned
origin    up to date, as of 1 minute ago
LFS       1 object, 2.0 kB, that no remote is known to have
── stderr ──
warning: slsart.toml:1 can't be read; key with no value, expected `=`; `git slsart init --print` shows the default file with every key explained

"#]]);
}

#[test]
fn in_an_empty_and_in_a_bare_repository() {
    let sandbox = Sandbox::empty();
    sandbox.slsart("status").is(str![[r#"
no packages and no deployments here; to set up the repository, for its first commit: git slsart init

"#]]);
    sandbox.slsart("status --json").succeeded();
    let sandbox = Sandbox::recorded();
    sandbox.git("clone --quiet --mirror . ../bare.git");
    sandbox.slsart("-C ../bare.git status").is(str![[r#"
HEAD      12a1bee  Add the service
orders · prod · us-east-1
  ○ live  no deployment recorded
  ✓ HEAD  package be694c54 · 1.3 kB
origin    its packages are not known here; to ask: git slsart -C ../bare.git fetch origin

"#]]);
}

#[test]
fn what_another_clone_did_is_told_once_it_is_fetched() {
    let sandbox = Sandbox::recorded();
    sandbox.git("init --quiet --bare ../origin.git");
    sandbox.git("remote add origin ../origin.git");
    sandbox.git("push --quiet origin main");
    sandbox.slsart("push -q").succeeded();
    sandbox.git("clone --quiet --branch main ../origin.git ../other");
    sandbox.slsart("-C ../other fetch --all -q").succeeded();
    sandbox.slsart("-C ../other deploy -s prod --yes -q --no-lock").succeeded();
    sandbox.slsart("-C ../other status").is(str![[r#"
HEAD      12a1bee  Add the service
orders · prod · us-east-1
  ● live  12a1bee  Add the service  deployed 1 minute ago by Dana; it is HEAD
  ✓ HEAD  package be694c54 · 1.3 kB
origin    lacks 1 history, as of 2 minutes ago; to push: git slsart -C ../other push origin

"#]]);
    sandbox.slsart("-C ../other push -q").succeeded();
    sandbox.slsart("fetch -q").succeeded();
    sandbox.slsart("status").is(str![[r#"
HEAD      12a1bee  Add the service
orders · prod · us-east-1
  ● live  12a1bee  Add the service  deployed 4 minutes ago by Dana; it is HEAD
  ✓ HEAD  package be694c54 · 1.3 kB
origin    up to date, as of 1 minute ago

"#]]);
}
