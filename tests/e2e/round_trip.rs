//! From commit to live and back, with all that a rollback promises.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::project::Project;
use crate::trace::saw;

const CART: &str = r#"{"body": "{\"items\": [{\"price\": 40, \"quantity\": 2}]}"}"#;

#[test]
fn a_rollback_makes_the_recorded_package_live_and_touches_nothing_else() {
    let project = Project::installed("osls4/orders", "there-and-back");
    project.edit("serverless.yml", "orders-${", "there-and-back-${");
    let token = ["gh", "p_", "1a2B3c4D5e6F7g8H9i0J1k2L3m4N5o6P7q8R"].concat();
    project.write("src/token.js", format!("module.exports = '{token}';\n"));
    project.release("v1");
    assert_eq!(checkout(&project)["body"], json!({ "version": "v1", "total": 80 }).to_string());
    let live_v1 = project.live();

    project.edit("src/cart.js", "(items) => items.reduce", "(cart) => cart.items.reduce");
    project.edit("src/checkout.js", "'v1'", "'v2'");
    project.edit("serverless.yml", "memorySize: 512", "memorySize: 1024");
    project.release("v2");
    assert_eq!(checkout(&project)["errorType"], "TypeError", "v2 is broken");
    let live_v2 = project.live();
    assert_eq!(live_v2["checkout"].memory, 1024);

    // What holds a secret in v1 is encrypted since.
    let key = ["AGE-SECRET", "-KEY-1LE6X57T6RTL9297GEFVN2FSQTK4KHVJWCAK2GR5M2XC0A6Q4PVLQEEAG4E"].concat();
    fs::write(project.beside("key"), key).unwrap();
    project.git(&format!("config slsart.identity '{}'", project.beside("key").display()));
    let recipient = "age1lmt6fqp7w86qxkqysjg8vuhupyjy2amsu8ee90gw7cp9874e43ls8z9gp9";
    fs::write(project.top().join("slsart.toml"), format!("[secrets]\nrecipients = ['{recipient}']\n"))
        .unwrap();
    let encrypted = project.slsart("secrets encrypt v1").succeeds();
    assert!(encrypted.stdout.contains("src/token.js: line 1 (github token)"), "{encrypted}");

    // A rollback comes in the middle of work.
    project.edit("src/cart.js", "cart.items", "cart.lines");
    project.git("add src/cart.js");
    project.edit("src/cart.js", "cart.lines", "cart.contents");
    project.write("src/idea.js", "// not added yet\n");
    let before = work(&project);
    project.take_events();

    let rollback = project.slsart("rollback -s prod --yes -m 'checkout 500s'").succeeds();
    assert!(rollback.stdout.contains("v1 on there-and-back · prod"), "{rollback}");

    let zip = project.recorded("v1").code_sha256("there-and-back.zip");
    assert_eq!(project.live(), live_v1);
    for (name, function) in project.live() {
        assert_eq!(function.code_sha256, zip, "{name} does not run the recorded zip");
    }
    assert_eq!(checkout(&project)["body"], json!({ "version": "v1", "total": 80 }).to_string());
    let domain = &Bed::shared().domains()["there-and-back-prod.example.com"];
    assert_eq!(domain.as_array().unwrap().len(), 1, "the domain plugin's mapping: {domain}");

    let events = project.take_events();
    let built: Vec<_> = events.iter().filter(|event| event.name.contains("package:")).collect();
    assert!(built.is_empty(), "something was built: {built:?}");
    for name in ["before:deploy:deploy", "after:deploy:deploy", "finalize"] {
        assert!(saw(&events, name), "the plugins did not see {name}: {events:?}");
    }
    for event in &events {
        assert!(Path::new(&event.directory).starts_with(project.beside("cache")), "{event:?}");
    }
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());
    assert_eq!(work(&project), before);
    assert_eq!(
        project.history(),
        ["rollback v1 succeeded (live)", "deploy v2 succeeded", "deploy v1 succeeded"]
    );

    // Code that is changed past CloudFormation, which sees a change only because S3 keys are new each time.
    project.framework("deploy function --function list --stage prod");
    assert_ne!(project.live()["list"], live_v1["list"]);
    project.slsart("deploy v1 -s prod --yes").succeeds();
    assert_eq!(project.live(), live_v1);
    assert_eq!(project.history()[..2], ["deploy v1 succeeded (live)", "rollback v1 succeeded"]);
    assert_eq!(Bed::shared().missing_keys(&project.stack()), json!([]));

    // What the functions are configured with, an environment variable among it, is as recorded.
    let live = project.slsart("live -s prod --json").succeeds().json();
    assert_eq!((&live["answer"], &live["drift"]), (&json!("recorded"), &json!([])), "{live:#}");

    assert_eq!(work(&project), before);
    project.slsart("verify --all").succeeds();
}

/// What the checkout answers to a cart of 80.
fn checkout(project: &Project) -> Value {
    Bed::shared().invoke(&format!("{}-checkout", project.stack()), CART)
}

/// All that a developer could lose.
fn work(project: &Project) -> Vec<String> {
    let looks = ["status --porcelain --branch", "diff", "diff --cached", "rev-parse HEAD", "stash list"];
    looks.map(|look| project.git(look)).to_vec()
}
