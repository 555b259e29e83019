//! `git slsart verify` on what is whole; what is damaged is in `damage`.

use snapbox::str;

use crate::sandbox::Sandbox;

#[test]
fn packages_are_read_back_and_compared() {
    let sandbox = Sandbox::recorded();
    sandbox.record("dev");
    sandbox.change("Answer two");
    sandbox.record("prod");
    sandbox.slsart("verify").is(str![[r#"
✓ intact   35040f8  e4ccfcce  orders · prod · us-east-1
── stderr ──
Verifying 1 package

"#]]);
    sandbox.slsart("verify HEAD HEAD~ -q").is(str![[r#"
✓ intact   35040f8  e4ccfcce  orders · prod · us-east-1
✓ intact   12a1bee  be694c54  orders · prod · us-east-1
✓ intact   12a1bee  b0c1c91a  orders · dev · us-east-1

"#]]);
    sandbox.slsart("verify --all -s prod -q").is(str![[r#"
✓ intact   35040f8  e4ccfcce  orders · prod · us-east-1
✓ intact   12a1bee  be694c54  orders · prod · us-east-1

"#]]);
    sandbox.slsart("verify --json").is(str![[r#"
{
  "packages": [
    {
      "commit": "35040f885b4af1ed9d3f260f469eb65a08387061",
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
    sandbox.slsart("verify").is(str![[r#"
── stderr ──
error: commit 12a1bee has no package
hint: to make a package: git slsart package
── exit 5 ──

"#]]);
    sandbox.slsart("verify --all").is(str![[r#"
no packages here
── stderr ──
Verifying 0 packages

"#]]);
    sandbox.slsart("verify nowhere").is(str![[r#"
── stderr ──
error: there is no commit, tag, branch or package 'nowhere' here
hint: `git slsart log --all` lists what is recorded
── exit 5 ──

"#]]);
    sandbox.slsart("verify HEAD --all").is(str![[r#"
── stderr ──
error: the argument '[REF]...' cannot be used with '--all'

Usage: git slsart verify <REF>...

For more information, try '-h'.
── exit 2 ──

"#]]);
}
