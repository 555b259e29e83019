//! More releases than the framework keeps in S3.

use serde_json::json;

use crate::bed::Bed;
use crate::project::Project;

/// The framework keeps five: what is older is gone from S3 when a rollback wants it.
#[test]
fn a_rollback_past_what_s3_keeps_leaves_nothing_missing_there() {
    let project = Project::installed("osls4/individually", "seven-releases");
    let release = |number: u8| {
        project.write("src/hello.js", format!("exports.handler = () => {number};\n"));
        project.commit(&format!("v{number}"));
        project.slsart("package -s prod --in-place").succeeds();
        project.slsart("deploy -s prod --yes").succeeds();
    };
    release(1);
    let live_v1 = project.live();
    (2..=7).for_each(release);
    assert_ne!(project.live()["hello"], live_v1["hello"]);

    project.slsart("rollback v1 -s prod --yes").succeeds();

    assert_eq!(project.live(), live_v1);
    assert_eq!(Bed::shared().missing_keys(&project.stack()), json!([]));
}
