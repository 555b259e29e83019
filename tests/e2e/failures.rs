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
    assert!(deploy.stderr.contains("git slsart rollback"), "the way back: {deploy}");
    assert_eq!(deploy.stdout, "");
    assert_eq!(project.history(), ["deploy v2 failed", "deploy v1 succeeded (live)"]);
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());
    assert_eq!((project.live(), Bed::shared().keys(&project.stack())), (live, keys));

    // The way back from a failure is to what last succeeded, not to what was before it.
    let plan = project.slsart("rollback -s prod --dry-run --json").succeeds().json();
    assert_eq!(plan["restore"]["label"], "v1", "{plan:#}");
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

    for said in ["npm failed", "is the registry reachable", "nothing was changed in AWS"] {
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
    assert!(package.stderr.contains("is the version still there"), "{package}");
    project.slsart("show v2 -s prod").fails_with(5);
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());
}

/// The service with a local plugin that can be told to fail, and no other.
fn without_domain(name: &str) -> Project {
    let project = Project::new("osls4/orders", name);
    project.edit("serverless.yml", "  - serverless-domain-manager\n", "");
    project
}
