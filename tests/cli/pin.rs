//! `git slsart pin` and `unpin`.

use snapbox::str;

use crate::sandbox::Sandbox;

#[test]
fn a_pin_is_kept_listed_and_lifted() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("pin").is(str![[r#"
no package is pinned; to pin one: git slsart pin REF

"#]]);
    sandbox.slsart("pin HEAD -m 'the last one without a queue'").is(str![[r#"
Pinned    12a1bee  Add the service  package be694c54 · orders · prod · us-east-1

"#]]);
    sandbox.slsart("pin HEAD").is(str![[r#"
── stderr ──
error: the package be694c54 is pinned already: pinned by Dana on 2026-01-05: the last one without a queue
hint: to pin it for another reason, lift that first: git slsart unpin be694c54 -s prod
── exit 1 ──

"#]]);
    sandbox.slsart("pin").is(str![[r#"
Pinned    12a1bee  Add the service  package be694c54 · orders · prod · us-east-1
          pinned by Dana on 2026-01-05: the last one without a queue

"#]]);
    sandbox.slsart("pin -s dev").is(str![[r#"
── stderr ──
error: nothing was packaged or deployed for the stage 'dev'
hint: stages with packages or deployments: prod
hint: to make a package: git slsart package -s dev
── exit 5 ──

"#]]);
    sandbox.slsart("log").is(str![[r#"
12a1bee  be694c54  orders · prod · us-east-1  1.3 kB  6 minutes ago  Add the service pinned

"#]]);
    assert!(sandbox.slsart("show").stdout.contains("Pinned    pinned by Dana on 2026-01-05: the last one"));
    sandbox.slsart("unpin HEAD -m 'nobody asked'").is(str![[r#"
Lifted    12a1bee  Add the service  package be694c54 · orders · prod · us-east-1

"#]]);
    sandbox.slsart("unpin HEAD").is(str![[r#"
── stderr ──
error: the package be694c54 is not pinned
── exit 1 ──

"#]]);
    let log = sandbox.git("log --format=%s --glob=refs/slsart/pins --not main");
    assert_eq!(
        log,
        "unpin 12a1bee (be694c54) — nobody asked\npin 12a1bee (be694c54) — the last one without a queue"
    );
    sandbox.fsck();
}

#[test]
fn of_two_machines_the_one_that_pins_holds() {
    let sandbox = Sandbox::recorded();
    let id = sandbox.slsart("show --json").json()["package"].as_str().unwrap().to_owned();
    let name = format!("refs/slsart/pins/{}/{id}", sandbox.git("rev-parse HEAD"));
    sandbox.slsart("pin HEAD").succeeded();
    let pinned = sandbox.git(&format!("rev-parse {name}"));
    sandbox.slsart("unpin HEAD").succeeded();
    let lifted = sandbox.git(&format!("rev-parse {name}"));
    // The other machine pinned it again, and did not know that it was lifted.
    sandbox.git(&format!("update-ref {name} {pinned}"));
    sandbox.slsart("unpin HEAD").succeeded();
    sandbox.slsart("pin HEAD -m again").succeeded();
    let merge = |tips: &str| {
        let tree = sandbox.git("mktree");
        let merge = sandbox.git(&format!("commit-tree {tree} {tips} -m merge"));
        sandbox.git(&format!("update-ref {name} {merge}"));
    };
    merge(&format!("-p {name} -p {lifted}"));
    assert!(sandbox.slsart("pin").stdout.contains("again"));
    merge(&format!("-p {lifted} -p {name}"));
    assert!(sandbox.slsart("show").stdout.contains("Pinned "));
    // What can't be read is told, and not taken for a package that is not pinned.
    sandbox.git(&format!("update-ref {name} main"));
    sandbox.shell("git commit-tree $(printf '100644 blob %s\tpin.toml\n' $(echo x | git hash-object -w --stdin) | git mktree) -m x >../odd").succeeded();
    sandbox.shell(&format!("git update-ref {name} $(cat ../odd)")).succeeded();
    let outcome = sandbox.slsart("log");
    assert_eq!(outcome.code, 4, "{outcome}");
    assert!(outcome.stderr.contains("the package may be pinned"), "{outcome}");
}
