//! A clock that goes backwards: nothing hangs on it but what is printed.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use crate::intact::{Before, litter};
use crate::sandbox::Sandbox;

/// What a machine shows whose clock was never set.
const THEN: &[(&str, &str)] = &[
    ("SLSART_NOW", "2001-01-01T00:00:00Z"),
    ("GIT_AUTHOR_DATE", "@978307200 +0000"),
    ("GIT_COMMITTER_DATE", "@978307200 +0000"),
];

#[test]
fn what_was_done_last_is_the_last_also_when_the_clock_says_otherwise() {
    let sandbox = Sandbox::recorded();
    sandbox.git("tag v1");
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    sandbox.change("Answer two");
    sandbox.record("prod");
    let before = Before::of(&sandbox);
    sandbox.slsart_with("deploy -s prod --yes -q", THEN).succeeded();
    sandbox.build("dist", "dev");
    sandbox.slsart_with("record -q ../dist", THEN).succeeded();
    sandbox.slsart_with("ban v1 -s prod -m bad -q", THEN).succeeded();
    sandbox.slsart_with("unban v1 -s prod -q", THEN).succeeded();
    before.is_kept(&sandbox, "with the clock backwards");
    // What is live is the last that was deployed, and a rollback goes to the one before.
    let history = sandbox.slsart("history -s prod --json").json();
    let deployments = &history["targets"][0]["deployments"];
    assert_eq!(deployments[0]["commit"], sandbox.git("rev-parse HEAD"), "{history:#}");
    assert_eq!(deployments[0]["live"], true, "{history:#}");
    let plan = sandbox.slsart_with("rollback -s prod -n --json", THEN).succeeded().json();
    assert_eq!(plan["restore"]["commit"], sandbox.git("rev-parse v1"), "{plan:#}");
    sandbox.slsart_with("rollback -s prod --yes -q", THEN).succeeded();
    let undo = sandbox.slsart_with("rollback --undo -s prod -n --json", THEN).succeeded().json();
    assert_eq!(undo["restore"]["commit"], sandbox.git("rev-parse HEAD"), "{undo:#}");
    for line in ["log", "log --json", "show", "history", "verify --all", "check -s prod"] {
        let outcome = sandbox.slsart_with(line, THEN);
        assert!([0, 1].contains(&outcome.code), "{line}: {outcome}");
    }
}

#[test]
fn what_a_killed_process_left_in_the_future_is_swept_too() {
    let sandbox = Sandbox::recorded();
    let directory = sandbox.path(".git/objects/pack");
    let left = ["slsart-unfinished-pack", "pack-0123456789012345678901234567890123456789.keep"];
    for name in left {
        let file = File::create(directory.join(name)).unwrap();
        fs::write(directory.join(name), "git slsart: until its refs are written\n").unwrap();
        file.set_modified(SystemTime::now() + Duration::from_hours(24 * 365)).unwrap();
    }
    assert_eq!(litter(&sandbox).len(), 2);
    sandbox.record("dev");
    assert_eq!(litter(&sandbox), Vec::<std::path::PathBuf>::new());
}
