//! Who may deploy what: two rollbacks at once from two clones, a package that is banned, and a rollback that is undone.

use rustix::process::Signal;

use crate::project::Project;
use crate::trace::saw;

/// The package is uploaded, and the stack is not touched yet.
const MIDDLE: &str = "aws:deploy:deploy:updateStack";

#[test]
fn of_two_rollbacks_at_once_one_is_refused_and_what_was_done_is_undone() {
    let project = Project::new("osls4/orders", "control");
    project.edit("serverless.yml", "  - serverless-domain-manager\n", "");
    project.release("v1");
    let live_v1 = project.live();
    project.write("src/list.js", "exports.handler = () => 2;\n");
    project.release("v2");
    let live_v2 = project.live();
    let [origin, other] = ["origin.git", "other"].map(|name| project.beside(name));
    let [origin, other] = [origin, other].map(|path| path.to_str().unwrap().to_owned());
    project.shell(
        "git init --quiet --bare $1 && git remote add origin $1
         git push --quiet origin main v1 v2 'refs/slsart/*' refs/notes/slsart
         git clone --quiet $1 $2
         git -C $2 fetch --quiet origin '+refs/slsart/*:refs/slsart/*' refs/notes/slsart:refs/notes/slsart",
        &[&origin, &other],
    );

    project.take_events();
    let first = project.slsart_itself("rollback v1 -s prod --yes").with("SLSART_TRACE_PAUSE", MIDDLE);
    let mut first = first.start();
    first.wait_until("the framework deploys", || saw(&project.events(), MIDDLE));
    let second = project.slsart(&format!("-C {other} rollback v1 -s prod --yes")).fails_with(1);
    assert!(second.stderr.contains("holds the lock on origin"), "{second}");
    assert!(second.stderr.contains("rollback to "), "{second}");
    assert_eq!(project.live(), live_v2);
    first.signal(Signal::INT);
    first.ends_with(130);

    // The lock went with the first one.
    project.slsart(&format!("-C {other} rollback v1 -s prod --yes")).succeeds();
    assert_eq!(project.live(), live_v1);
    project.slsart(&format!("-C {other} ban v1 -s prod -m 'loses orders'")).succeeds();
    let undo = project.slsart(&format!("-C {other} rollback --undo -s prod --yes --json")).succeeds().json();
    assert_eq!((&undo["label"], project.live()), (&"v2".into(), live_v2));
    let banned = project.slsart(&format!("-C {other} rollback v1 -s prod --yes")).fails_with(1);
    assert!(banned.stderr.contains("must not be deployed: banned by Dana"), "{banned}");
    let history = project.slsart(&format!("-C {other} history -s prod --json")).succeeds().json();
    let rows = history["targets"][0]["deployments"].as_array().unwrap();
    let actions: Vec<_> = rows.iter().map(|row| row["action"].as_str().unwrap()).collect();
    // The one that was interrupted in the first clone is known in the other.
    assert_eq!(actions, ["undo", "rollback", "rollback", "deploy", "deploy"]);
    assert_eq!(project.git(&format!("-C {origin} for-each-ref refs/slsart-locks")), "");
}
