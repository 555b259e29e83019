//! What fails is written down, cleaned up, and leaves AWS as it was.

use crate::bed::Bed;
use crate::project::Project;

/// Nothing answers there: port 9 is `discard`'s, which nobody runs.
const DEAD_REGISTRY: &str = "http://127.0.0.1:9";

#[test]
fn a_framework_that_fails_at_a_deploy() {
    let project = without_domain("fails-to-deploy");
    project.release("v1");
    let (live, keys) = (project.live(), Bed::shared().keys(&project.stack()));
    project.write("src/list.js", "exports.handler = () => 2;\n");
    project.commit("v2");

    // Packaging first: then there is nothing to record.
    let event = "package:finalize";
    let package = project.slsart("package -s prod").with("SLSART_TRACE_FAIL", event).fails_with(3);
    assert!(package.stderr.contains(&format!("asked to fail at {event}")), "{package}");
    project.slsart("show v2 -s prod").fails_with(5);
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());

    project.slsart("package -s prod").succeeds();
    let event = "before:deploy:deploy";
    let deploy = project.slsart("deploy -s prod --yes --json").with("SLSART_TRACE_FAIL", event).fails_with(3);
    assert!(deploy.stderr.contains(&format!("asked to fail at {event}")), "its own words: {deploy}");
    let nothing = format!("nothing was changed in AWS: no update of the stack {} began", project.stack());
    assert!(deploy.stderr.contains(&nothing), "{deploy}");
    assert_eq!(deploy.stdout, "");
    assert_eq!(project.history(), ["deploy v2 failed", "deploy v1 succeeded (live)"]);
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());
    assert_eq!((project.live(), Bed::shared().keys(&project.stack())), (live, keys));

    // v1 is live, and nothing was live before it.
    let plan = project.slsart("deploy v2 -s prod --dry-run --json").succeeds().json();
    assert_eq!(
        (&plan["live"]["label"], &plan["warnings"]),
        (&"v1".into(), &serde_json::json!([])),
        "{plan:#}"
    );
    project.slsart("rollback -s prod --dry-run").fails_with(5);
}

/// A plugin that throws once the framework has deployed, where it is asked to.
const LATE: &str = r"'use strict';
module.exports = class Late {
  constructor() {
    this.hooks = { 'after:deploy:deploy': () => { if (process.env.FAIL_LATE) throw new Error('too late'); } };
  }
};
";

#[test]
fn a_plugin_that_fails_after_the_update_leaves_the_new_code_live() {
    let project = Project::installed("osls4/individually", "fails-late");
    project.write("plugins/late/index.js", LATE);
    let version = "frameworkVersion: '4'\n";
    project.edit("serverless.yml", version, &format!("{version}plugins: [./plugins/late]\n"));
    let release = |tag: &str| {
        project.write("src/hello.js", format!("exports.handler = () => {tag:?};\n"));
        project.commit(tag);
        project.slsart("package -s prod --in-place").succeeds();
    };
    release("v1");
    project.slsart("deploy -s prod --yes").succeeds();
    let before = project.live();
    release("v2");

    let deploy = project.slsart("deploy -s prod --yes").with("FAIL_LATE", "1").fails_with(3);

    for said in [
        "error: v2 is live on fails-late · prod · us-east-1; ./plugins/late failed after the update (",
        "hint: 2 of 2 functions run the recorded code (CodeSha256)\n",
        "hint: to go back: git slsart rollback ",
    ] {
        assert!(deploy.stderr.contains(said), "{said}? {deploy}");
    }
    assert_ne!(project.live(), before);
    assert_eq!(project.history(), ["deploy v2 failed (live)", "deploy v1 succeeded"]);
    let history = project.slsart("history -s prod --json").succeeds().json();
    let (section, newest) = (&history["targets"][0], &history["targets"][0]["deployments"][0]);
    assert_eq!((&newest["effect"], &newest["proof"]["verdict"]), (&"live".into(), &"proven".into()));
    assert_eq!(section["uncertain"], false, "{section:#}");
    let live = project.slsart("live -s prod --json").succeeds().json();
    assert_eq!((&live["history"]["label"], &live["answer"]), (&"v2".into(), &"recorded".into()));
    // The way back is to what was live before it.
    let plan = project.slsart("rollback -s prod --dry-run --json").succeeds().json();
    assert_eq!((&plan["live"]["label"], &plan["restore"]["label"]), (&"v2".into(), &"v1".into()));
    assert_eq!(plan["warnings"], serde_json::json!([]), "{plan:#}");
}

#[test]
fn a_framework_that_cannot_read_its_configuration_changes_nothing() {
    let project = Project::installed("osls4/individually", "unreadable");
    let version = "frameworkVersion: '4'\n";
    project.edit("serverless.yml", version, &format!("{version}custom: {{ needed: '${{env:NEEDED}}' }}\n"));
    project.commit("v1");
    let with_it = |line: &str| project.slsart(line).with("NEEDED", "x");
    with_it("package -s prod --in-place").succeeds();
    with_it("deploy -s prod --yes").succeeds();
    project.write("src/hello.js", "exports.handler = () => 2;\n");
    project.commit("v2");
    with_it("package -s prod --in-place").succeeds();
    let before = project.live();

    let deploy = project.slsart("deploy -s prod --yes").fails_with(3);

    let nothing = "hint: nothing was changed in AWS: no update of the stack unreadable-prod began\n";
    assert!(deploy.stderr.contains(nothing), "{deploy}");
    assert!(!deploy.stderr.contains("git slsart rollback"), "nothing to go back from: {deploy}");
    assert_eq!(project.live(), before);
    let history = project.slsart("history -s prod --json").succeeds().json();
    let (section, newest) = (&history["targets"][0], &history["targets"][0]["deployments"][0]);
    assert_eq!((&newest["outcome"], &newest["effect"]), (&"failed".into(), &"none".into()), "{newest:#}");
    assert_eq!(section["uncertain"], false, "{section:#}");
}

#[test]
fn plugins_that_are_out_of_reach() {
    let project = without_domain("plugins-away");
    project.release("v1");
    let (live, keys) = (project.live(), Bed::shared().keys(&project.stack()));
    let project = project.with_real_npm().with("npm_config_fetch_retries", "0");
    project.shell(
        "git for-each-ref --format='delete %(refname)' refs/slsart/toolchains | git update-ref --stdin",
        &[],
    );
    let cache = project.beside("empty-cache");

    let rollback = project
        .slsart("rollback v1 -s prod --yes")
        .with("npm_config_registry", DEAD_REGISTRY)
        .with("npm_config_cache", cache.to_str().unwrap())
        .fails_with(3);

    for said in ["npm failed", "check that the registry can be reached", "nothing was changed in AWS"] {
        assert!(rollback.stderr.contains(said), "{said}? {rollback}");
    }
    assert_eq!(project.history(), ["rollback v1 failed", "deploy v1 succeeded (live)"]);
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());
    assert_eq!((project.live(), Bed::shared().keys(&project.stack())), (live, keys));

    // All but one of them are in the cache.
    for file in ["package.json", "package-lock.json"] {
        project.edit(
            file,
            "\"serverless-domain-manager\": \"10.3.1\"",
            "\"serverless-domain-manager\": \"99.9.9\"",
        );
    }
    project.edit("package-lock.json", "\"version\": \"10.3.1\"", "\"version\": \"99.9.9\"");
    project.commit("v2");
    let package = project.slsart("package -s prod").with("npm_config_registry", DEAD_REGISTRY).fails_with(3);
    assert!(package.stderr.contains("and still has that version"), "{package}");
    project.slsart("show v2 -s prod").fails_with(5);
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());
}

/// The service with a local plugin that can be told to fail, and no other.
fn without_domain(name: &str) -> Project {
    let project = Project::new("osls4/orders", name);
    project.edit("serverless.yml", "  - serverless-domain-manager\n", "");
    project
}
