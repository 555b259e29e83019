//! Each shape that a package can have comes back as it was.

use std::collections::BTreeMap;

use serde_json::json;

use crate::bed::{Bed, LiveFunction};
use crate::call::Outcome;
use crate::project::Project;
use crate::trace::saw;

/// Releases v1, changes it, releases v2, and rolls back to v1.
///
/// # Returns
/// What is live in the end, which is what was live of v1, and what the rollback said.
#[track_caller]
fn there_and_back(
    project: &Project,
    change: impl FnOnce(&Project),
) -> (BTreeMap<String, LiveFunction>, Outcome) {
    project.release("v1");
    let live_v1 = project.live();
    change(project);
    project.release("v2");
    let live_v2 = project.live();
    for (name, function) in &live_v1 {
        assert_ne!(*function, live_v2[name], "v2 should differ in {name}");
    }
    project.take_events();
    let rollback = project.slsart("rollback v1 -s prod --yes").succeeds();
    assert_eq!(project.live(), live_v1);
    assert_eq!(Bed::shared().missing_keys(&project.stack()), json!([]));
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());
    (live_v1, rollback)
}

#[test]
fn serverless_3() {
    let project = Project::new("serverless3/classic", "third-version");
    let (live, _) =
        there_and_back(&project, |project| project.write("src/hello.js", "exports.handler = () => 2;\n"));
    assert_eq!(live["hello"].code_sha256, project.recorded("v1").code_sha256("third-version.zip"));
    let events = project.take_events();
    assert!(saw(&events, "after:deploy:deploy"), "{events:?}");
    assert!(!events.iter().any(|event| event.name.contains("package:")), "{events:?}");
}

#[test]
fn a_layer() {
    let project = Project::new("osls4/layered", "with-layer");
    let (live, rollback) = there_and_back(&project, |project| {
        project.write("layers/money/nodejs/lib/money.js", "exports.format = () => 'nothing';\n");
    });
    let recorded = project.recorded("v1");
    assert_eq!(live["price"].code_sha256, recorded.code_sha256("with-layer.zip"));
    assert_eq!(live["price"].layers, [recorded.code_sha256("money.zip")]);
    let proof = "1 of 1 function runs the recorded code (CodeSha256), 1 layer";
    assert!(rollback.stdout.contains(proof), "{rollback}");
    let live = project.slsart("live -s prod --json").succeeds().json();
    assert_eq!(live["drift"], json!([]), "{live:#}");
}
