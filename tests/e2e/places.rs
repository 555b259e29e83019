//! A service that is not at the repository's top, with npm itself and a file that git ignores.

use std::fs;

use serde_json::Value;

use crate::project::Project;

const SECRET: &str = "postgres://dana:hunter2@db";

#[test]
fn a_directory_with_a_space_and_a_secret() {
    let project = Project::within("services/my orders", "osls4/orders", "with-a-space");
    project.edit("serverless.yml", "frameworkVersion: '4'", "frameworkVersion: '4'\nuseDotenv: true");
    // Without a default: packaging and deploying both fail when it is not there.
    project.edit("serverless.yml", "${env:DB_URL, 'none'}", "${env:DB_URL}");
    project.edit("serverless.yml", "  - serverless-domain-manager\n", "");
    fs::write(project.top().join("README.md"), "Two levels down.\n").unwrap();
    project.commit("v1");
    let without = project.slsart("package -s prod").fails_with(3);
    assert!(without.stderr.contains("DB_URL"), "{without}");

    project.write(".env", format!("DB_URL={SECRET}\n"));
    let mut said = String::new();
    let mut run = |project: &Project, line: &str| {
        let outcome = project.slsart(line).succeeds();
        said += &outcome.to_string();
        outcome
    };
    run(&project, "package -s prod");
    run(&project, "deploy -s prod --yes");
    project.write("src/list.js", "exports.handler = () => 2;\n");
    project.commit("v2");
    run(&project, "package -s prod");
    run(&project, "deploy -s prod --yes --service with-a-space");
    let project = project.with_real_npm();
    run(&project, "rollback -s prod --yes --service 'services/my orders'");

    let v1 = project.recorded("v1");
    let zip = v1.code_sha256("with-a-space.zip");
    assert!(project.live().values().all(|function| function.code_sha256 == zip), "{:?}", project.live());
    let state: Value = serde_json::from_slice(&v1.read("serverless-state.json")).unwrap();
    assert_eq!(state["service"]["provider"]["environment"]["DB_URL"], SECRET);
    let shown = run(&project, "show v1 -s prod --json").json();
    assert_eq!(shown["target"]["path"], "services/my orders", "{shown:#}");
    assert_eq!(shown["variables"], serde_json::json!(["DB_URL"]), "{shown:#}");
    run(&project, "log");
    run(&project, "history -s prod");
    said += &project.git("log --all --notes=slsart");
    assert!(!said.contains("hunter2"), "the secret was told: {said}");
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());
}
