//! Many writers at once: what each records is there afterwards.

use std::process::{Child, Stdio};

use crate::chance::runs;
use crate::intact::litter;
use crate::sandbox::{Outcome, Sandbox};

#[test]
fn sixteen_at_once_lose_nothing() {
    let sandbox = Sandbox::recorded();
    let mut expected = 1;
    for round in 0..runs(1, 10) {
        // Eight packages, each by two at once.
        let lines = (0..16).map(|index| {
            let stage = format!("stage-{round}-{}", index / 2);
            let directory = format!("dist-{round}-{index}");
            sandbox.build(&directory, &stage);
            format!("record ../{directory} -q")
        });
        at_once(&sandbox, &lines.collect::<Vec<_>>());
        expected += 8;
        let log = sandbox.slsart("log -n 1000 --json").json();
        assert_eq!(log["packages"].as_array().unwrap().len(), expected);
        assert_eq!(sandbox.git("for-each-ref refs/slsart/packages").lines().count(), expected);
        sandbox.slsart("verify --all -q").succeeded();
        sandbox.fsck();
        assert_eq!(litter(&sandbox), Vec::<std::path::PathBuf>::new());
    }
}

/// Runs all of them at the same time; each must succeed.
fn at_once(sandbox: &Sandbox, lines: &[String]) {
    let start = |line: &String| {
        let mut command = sandbox.slsart_command(line);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<Child> = lines.iter().map(start).collect();
    for child in children {
        Outcome::of(child, sandbox).succeeded();
    }
}
