//! `git slsart record`.

use std::fs;

use snapbox::str;

use crate::sandbox::{Sandbox, zip_of};

#[test]
fn a_package_made_elsewhere_is_recorded_for_head() {
    let sandbox = Sandbox::new();
    sandbox.build("dist", "prod");
    sandbox.slsart("record ../dist").is(str![[r"
Recorded  orders · prod · us-east-1  package be694c54 · 3 files · 1.3 kB
Commit    12a1bee  Add the service
── stderr ──
Reading the package
Recording the package

"]]);
    sandbox.slsart("record ../dist").is(str![[r"
Already   orders · prod · us-east-1  package be694c54 · 3 files · 1.3 kB
Commit    12a1bee  Add the service
nothing was done
── stderr ──
Reading the package
Recording the package

"]]);
}

#[test]
fn an_earlier_commit_can_be_named_and_json_says_the_same() {
    let sandbox = Sandbox::new();
    sandbox.build("dist", "prod");
    sandbox.change("Answer two");
    sandbox.slsart("record ../dist HEAD~ --json").is(str![[r#"
{
  "packages": [
    {
      "commit": "12a1bee131fc490e459a58c4a125a830181e8d22",
      "subject": "Add the service",
      "target": {
        "service": "orders",
        "path": ".",
        "stage": "prod",
        "region": "us-east-1"
      },
      "package": "be694c5446a50f647a5e4126100515600eb4b75078d1c4461cddda49bde26609",
      "size": 1298,
      "file_count": 3,
      "recorded": "2026-01-05T09:08:00Z",
      "dirty": false,
      "already": false,
      "left_out": []
    }
  ]
}

"#]]);
}

#[test]
fn options_only_say_what_is_expected() {
    let sandbox = Sandbox::new();
    sandbox.build("dist", "prod");
    sandbox.slsart("record ../dist -s prod -r us-east-1 --service orders").prints(str![[r"
Recorded  orders · prod · us-east-1  package be694c54 · 3 files · 1.3 kB
Commit    12a1bee  Add the service

"]]);
    sandbox.slsart("record ../dist -s dev").is(str![[r"
── stderr ──
Reading the package
error: the package is for the stage prod, not dev
hint: variables are resolved when packaging: package the commit again for another stage or region
── exit 1 ──

"]]);
    sandbox.slsart("record ../dist -r eu-west-1").is(str![[r"
── stderr ──
Reading the package
error: the package is for the region us-east-1, not eu-west-1
hint: variables are resolved when packaging: package the commit again for another stage or region
── exit 1 ──

"]]);
    sandbox.slsart("record ../dist --service billing").is(str![[r#"
── stderr ──
Reading the package
error: there is no service 'billing' in this commit
hint: this commit has: . (orders)
── exit 1 ──

"#]]);
}

#[test]
fn a_package_of_another_service_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.build_of("dist", "billing", "prod", "us-east-1");
    sandbox.slsart("record ../dist").is(str![[r#"
── stderr ──
Reading the package
error: the package belongs to the service 'billing', and this commit does not have that service
hint: name the commit and service that the package was made from: git slsart record DIR COMMIT --service PATH
── exit 1 ──

"#]]);
}

#[test]
fn what_is_no_package_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.slsart("record ../nowhere").is(str![[r"
── stderr ──
Reading the package
error: '[ROOT]/repo/../nowhere' is not a directory
hint: name the directory that `serverless package --package DIR` wrote
── exit 1 ──

"]]);
    sandbox.slsart("record handler.js").is(str![[r"
── stderr ──
Reading the package
error: '[ROOT]/repo/handler.js' is not a directory
hint: name the directory that `serverless package --package DIR` wrote
── exit 1 ──

"]]);
    sandbox.slsart("record .").is(str![[r"
── stderr ──
Reading the package
error: '[ROOT]/repo/.' is not a package: it has no serverless-state.json
hint: to make a package: serverless package --package DIR --stage STAGE --region REGION
── exit 1 ──

"]]);
    let dist = sandbox.build("dist", "prod");
    fs::write(dist.join("serverless-state.json"), "{").unwrap();
    sandbox.slsart("record ../dist").is(str![[r"
── stderr ──
Reading the package
error: serverless-state.json is not JSON: EOF while parsing an object at line 1 column 1
hint: give the directory that `serverless package` made (usually `.serverless`)
── exit 1 ──

"]]);
    fs::write(dist.join("serverless-state.json"), "{}").unwrap();
    sandbox.slsart("record ../dist").is(str![[r"
── stderr ──
Reading the package
error: serverless-state.json has no `service`: it is not the state of a packaged service
hint: give the directory that `serverless package` made (usually `.serverless`)
── exit 1 ──

"]]);
    fs::write(dist.join("serverless-state.json"), r#"{"service": {"service": "orders"}, "package": {}}"#)
        .unwrap();
    sandbox.slsart("record ../dist").is(str![[r#"
── stderr ──
Reading the package
error: the package does not name its stage
── exit 1 ──

"#]]);
    assert_eq!(sandbox.git("for-each-ref refs/slsart refs/notes"), "");
}

#[test]
fn a_zip_that_is_cut_short_or_missing_is_refused() {
    let sandbox = Sandbox::new();
    let dist = sandbox.build("dist", "prod");
    let zip = zip_of(&[("handler.js", b"exports.hello = 1")]);
    fs::write(dist.join("orders.zip"), &zip[..zip.len() - 10]).unwrap();
    sandbox.slsart("record ../dist").is(str![[r"
── stderr ──
Reading the package
error: '[ROOT]/repo/../dist/orders.zip' is not a complete zip
  invalid Zip archive: Unexpected end of zip::format::blocks::Zip32CDEBlock
hint: package the service again: the archive is truncated or not a zip
── exit 1 ──

"]]);
    fs::remove_file(dist.join("orders.zip")).unwrap();
    sandbox.slsart("record ../dist").is(str![[r#"
── stderr ──
Reading the package
error: the code of the service is not in the package: serverless-state.json says "/home/ci/build/.serverless/orders.zip"
hint: package again, with the archive that the config names (`package.artifact`) present when the package is recorded
── exit 1 ──

"#]]);
    assert_eq!(sandbox.git("for-each-ref refs/slsart refs/notes"), "");
}

#[test]
fn leftovers_of_plugins_are_no_part_of_the_package() {
    let sandbox = Sandbox::new();
    let dist = sandbox.build("dist", "prod");
    fs::create_dir(dist.join("requirements")).unwrap();
    fs::write(dist.join("requirements/six.py"), "").unwrap();
    fs::write(dist.join("meta.json"), "{}").unwrap();
    sandbox.slsart("record ../dist").is(str![[r#"
Recorded  orders · prod · us-east-1  package be694c54 · 3 files · 1.3 kB
Commit    12a1bee  Add the service
left out, since they are not part of a package: meta.json, requirements
── stderr ──
Reading the package
Recording the package

"#]]);
}

#[test]
fn a_name_that_git_cannot_hold_is_refused() {
    let sandbox = Sandbox::new();
    let dist = sandbox.build("dist", "prod");
    fs::create_dir(dist.join(".git")).unwrap();
    fs::write(dist.join(".git/config"), "").unwrap();
    sandbox.slsart("record ../dist").is(str![[r#"
── stderr ──
Reading the package
error: git can't store the name '.git'
hint: rename or remove it: a package's files have plain UTF-8 names, none of them `.git`
── exit 1 ──

"#]]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_is_read_once_to_know_the_package_and_once_to_write_it() {
    use std::collections::BTreeMap;

    use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

    let sandbox = Sandbox::new();
    let dist = sandbox.build("dist", "prod");
    fs::write(dist.join("big.bin"), vec![7; 9 * 1024 * 1024]).unwrap();
    let inotify = Inotify::init(InitFlags::IN_NONBLOCK).unwrap();
    // Between two openings stands an end: events that are the same one after the other would be one.
    inotify.add_watch(&dist, AddWatchFlags::IN_OPEN | AddWatchFlags::IN_CLOSE_NOWRITE).unwrap();
    sandbox.slsart("record ../dist -q").succeeded();
    let mut opened = BTreeMap::new();
    while let Ok(events) = inotify.read_events() {
        for event in events.iter().filter(|event| event.mask == AddWatchFlags::IN_OPEN) {
            let name = event.name.clone().unwrap_or_default();
            *opened.entry(name.to_string_lossy().into_owned()).or_insert(0) += 1;
        }
    }
    let told: Vec<_> = opened.iter().map(|(name, times)| format!("{name} {times}")).collect();
    // A zip is opened once more for its directory. A large file is never held: it is searched, hashed and compressed as it streams.
    let expected = [
        "big.bin 5",
        "cloudformation-template-update-stack.json 2",
        "orders.zip 3",
        "serverless-state.json 2",
    ];
    assert_eq!(told, expected);
}
