//! More releases than the framework keeps in S3, of a service with a zip for each function.

use serde_json::json;

use crate::bed::Bed;
use crate::project::Project;

/// The framework keeps as many as it is told, here one beside the newest: what is older is gone from S3 when a rollback wants it.
#[test]
fn a_rollback_past_what_s3_keeps_leaves_nothing_missing_there() {
    let project = Project::installed("osls4/individually", "many-releases");
    project.edit(
        "serverless.yml",
        "  region: us-east-1\n",
        "  region: us-east-1\n  deploymentBucket:\n    maxPreviousDeploymentArtifacts: 1\n",
    );
    let release = |number: u8| {
        project.write("src/hello.js", format!("exports.handler = () => {number};\n"));
        project.write("src/bye.js", format!("exports.handler = () => -{number};\n"));
        project.commit(&format!("v{number}"));
        project.slsart("package -s prod --in-place").succeeds();
        project.slsart("deploy -s prod --yes").succeeds();
    };
    release(1);
    let live_v1 = project.live();
    let keys_v1 = Bed::shared().keys(&project.stack());
    (2..=3).for_each(release);
    let keys_v3 = Bed::shared().keys(&project.stack());
    let gone = keys_v1.as_array().unwrap().iter().filter(|key| !keys_v3.as_array().unwrap().contains(key));
    assert_ne!(gone.count(), 0, "the framework should have removed the first release: {keys_v3}");
    for name in ["hello", "bye"] {
        assert_ne!(project.live()[name], live_v1[name]);
    }

    project.slsart("rollback v1 -s prod --yes").succeeds();

    assert_eq!(project.live(), live_v1);
    let recorded = project.recorded("v1");
    for name in ["hello", "bye"] {
        assert_eq!(live_v1[name].code_sha256, recorded.code_sha256(&format!("{name}.zip")));
    }
    assert_eq!(Bed::shared().missing_keys(&project.stack()), json!([]));
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());
}
