//! `git slsart verify` on what is whole; what is damaged is in `damage`.

use snapbox::str;

use crate::sandbox::Sandbox;

#[test]
fn packages_are_read_back_and_compared() {
    let sandbox = Sandbox::recorded();
    sandbox.record("dev");
    sandbox.change("Answer two");
    sandbox.record("prod");
    sandbox.slsart("verify").is(str![[r"
✓ intact   62ee771  e4ccfcce  orders · prod · us-east-1
── stderr ──
Verifying 1 package

"]]);
    sandbox.slsart("verify HEAD HEAD~ -q").is(str![[r"
✓ intact   62ee771  e4ccfcce  orders · prod · us-east-1
✓ intact   ded51dc  be694c54  orders · prod · us-east-1
✓ intact   ded51dc  b0c1c91a  orders · dev · us-east-1

"]]);
    sandbox.slsart("verify --all -s prod -q").is(str![[r"
✓ intact   62ee771  e4ccfcce  orders · prod · us-east-1
✓ intact   ded51dc  be694c54  orders · prod · us-east-1

"]]);
    sandbox.slsart("verify --json").is(str![[r#"
{
  "packages": [
    {
      "commit": "62ee7711f22043f320f23af1cdc690b75d302f13",
      "package": "e4ccfcce19ad6fe7ee1c45255f4662a1053be80e268daf9fef19a6abc80e7f64",
      "target": {
        "service": "orders",
        "path": ".",
        "stage": "prod",
        "region": "us-east-1"
      },
      "damages": []
    }
  ],
  "intact": 1,
  "damaged": 0
}

"#]]);
}

#[test]
fn what_is_not_recorded_is_not_verified() {
    let sandbox = Sandbox::new();
    sandbox.slsart("verify").is(str![[r"
── stderr ──
error: commit ded51dc has no package
hint: make it now: git slsart package ded51dc
── exit 5 ──

"]]);
    sandbox.slsart("verify --all").is(str![[r"
no packages here
── stderr ──
Verifying 0 packages

"]]);
    sandbox.slsart("verify nowhere").is(str![[r"
── stderr ──
error: 'nowhere' is not a commit here
hint: `git slsart log` lists what is recorded; a shallow clone lacks older commits: git fetch --unshallow
── exit 5 ──

"]]);
    sandbox.slsart("verify HEAD --all").is(str![[r"
── stderr ──
error: the argument '[REF]...' cannot be used with '--all'

Usage: git slsart verify <REF>...

For more information, try '--help'.
── exit 2 ──

"]]);
}
