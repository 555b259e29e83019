//! What is known before anything starts stops it then: the framework never runs.

use crate::project::Project;

/// The checks of a dry run that are not as they should be, as `name: message`.
fn told(plan: &serde_json::Value) -> Vec<String> {
    let checks = plan["checks"].as_array().unwrap().iter();
    let off = checks.filter(|check| check["verdict"] != "ok");
    off.map(|check| format!("{}: {}", check["name"].as_str().unwrap(), check["message"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_runtime_that_is_over_and_a_variable_that_changed() {
    let project = Project::new("osls4/orders", "checks");
    project.edit("serverless.yml", "  - serverless-domain-manager\n", "");
    // The framework warns of it, and packages.
    project.edit("serverless.yml", "  runtime: nodejs22.x\n", "  runtime: nodejs12.x\n");
    project.edit("serverless.yml", "configValidationMode: error", "configValidationMode: warn");
    project.commit("v1");
    project.slsart("package -s prod").with("DB_URL", "postgres://one-secret").succeeds();
    project.take_events();

    let refused =
        project.slsart("deploy v1 -s prod --yes").with("DB_URL", "postgres://other-secret").fails_with(1);
    for said in [
        "Lambda no longer updates functions with nodejs12.x, since 2023-04-30",
        "CheckoutLambdaFunction",
        "--allow-runtime nodejs12.x",
        "! variables  DB_URL changed since packaging",
        "✓ intact",
    ] {
        assert!(refused.stderr.contains(said), "{said}? {refused}");
    }
    assert!(!refused.stderr.contains("secret"), "{refused}");
    assert!(project.take_events().is_empty(), "the framework ran");
    assert!(project.live().is_empty());
    let history = project.slsart("history -s prod --json").succeeds().json();
    assert_eq!(history["targets"].as_array().unwrap().len(), 0, "{history:#}");

    // The same variables, and a runtime that is taken.
    project.edit("serverless.yml", "  runtime: nodejs12.x\n", "  runtime: nodejs22.x\n");
    project.commit("v2");
    project.slsart("package -s prod").with("DB_URL", "postgres://one-secret").succeeds();
    let plan = project.slsart("deploy v2 -s prod -n --json").with("DB_URL", "postgres://one-secret");
    assert_eq!(told(&plan.succeeds().json()), [""; 0]);
    let plan = project.slsart("deploy v2 -s prod -n --json").succeeds().json();
    assert_eq!(told(&plan), ["variables: DB_URL set when packaging and not here"]);
}
