//! Several revisions and ranges, as git's own commands take them.

use serde_json::Value;

use crate::sandbox::{Outcome, Sandbox};

/// Commits `v1` to `v4`, with packages for dev of all but the last; `v3` is on a branch that parts from `v2`.
fn four_commits() -> Sandbox {
    let sandbox = Sandbox::new();
    for tag in ["v1", "v2", "v3", "v4"] {
        if tag == "v3" {
            sandbox.git("checkout -qb side");
        }
        if tag == "v4" {
            sandbox.git("checkout -q main");
        }
        sandbox.change(tag);
        sandbox.git(&format!("tag {tag}"));
        if tag != "v4" {
            sandbox.record("dev");
        }
    }
    sandbox
}

fn subjects(outcome: &Outcome) -> Vec<String> {
    let packages = outcome.json()["packages"].as_array().unwrap().clone();
    packages.iter().map(|package: &Value| package["subject"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn log_takes_revisions_and_ranges() {
    let sandbox = four_commits();
    let log = |words: &str| subjects(&sandbox.slsart(&format!("log --json {words}")));
    assert_eq!(log("v3"), ["v3", "v2", "v1"]);
    assert_eq!(log("v1..v3"), ["v3", "v2"]);
    assert_eq!(log("v3 ^v1"), ["v3", "v2"]);
    assert_eq!(log("main...side"), ["v3"]);
    assert_eq!(log("v1 v3"), ["v3", "v2", "v1"]);
    assert_eq!(log("v2.."), [""; 0]);
    for missing in ["v1..v9", "v9..v1", "v1 v9"] {
        let outcome = sandbox.slsart(&format!("log {missing}"));
        assert_eq!(outcome.code, 5, "{outcome}");
        assert!(outcome.stderr.starts_with("error: 'v9' is not a commit here\n"), "{outcome}");
    }
}

#[test]
fn package_takes_several_commits_and_ranges_the_oldest_first() {
    let sandbox = four_commits();
    let package =
        |words: &str| subjects(&sandbox.slsart(&format!("package -q --json -s dev {words}")).succeeded());
    assert_eq!(package("v1..v4"), ["v2", "v4"]);
    assert_eq!(package("v3 v1"), ["v3", "v1"]);
    assert_eq!(sandbox.runs().lines().count(), 1, "only what had no package is made");
    let none = sandbox.slsart("package v2..v2");
    assert!(none.code == 1 && none.stderr.contains("error: 'v2..v2' has no commits\n"), "{none}");
}

#[test]
fn a_commit_that_cannot_be_packaged_does_not_hide_the_others() {
    let sandbox = Sandbox::new();
    std::fs::rename(sandbox.path("serverless.yml"), sandbox.path("away")).unwrap();
    sandbox.commit("Away");
    std::fs::rename(sandbox.path("away"), sandbox.path("serverless.yml")).unwrap();
    sandbox.commit("Back");
    let outcome = sandbox.slsart("package -s dev HEAD~1 HEAD");
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(outcome.stdout.contains("  Back\n"), "{outcome}");
    assert!(outcome.stderr.contains("\nerror: 1 of 2 packages were not packaged\n"), "{outcome}");
}
