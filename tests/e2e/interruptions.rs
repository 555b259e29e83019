//! Stopped in the middle: by Ctrl-C, and by force.

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::bed::wait_until;
use crate::call::Running;
use crate::project::Project;
use crate::trace::saw;

/// The package is uploaded, and the stack is not touched yet.
const MIDDLE: &str = "aws:deploy:deploy:updateStack";
/// The stack is updated.
const LATE: &str = "aws:deploy:finalize:cleanup";

#[test]
fn a_rollback_that_is_stopped_is_written_down_and_cleaned_up() {
    let project = Project::new("osls4/orders", "stopped");
    project.edit("serverless.yml", "  - serverless-domain-manager\n", "");
    project.release("v1");
    let live_v1 = project.live();
    project.write("src/list.js", "exports.handler = () => 2;\n");
    project.release("v2");
    let live_v2 = project.live();

    // Ctrl-C.
    let (rollback, framework) = rollback_until(&project, MIDDLE);
    assert!(!project.leftovers().is_empty(), "it should be at work");
    rollback.signal(Signal::INT);
    let rollback = rollback.ends_with(130);
    assert!(rollback.stderr.contains("interrupted"), "{rollback}");
    assert!(!framework.is_alive(), "the framework outlived it");
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());
    assert_eq!(project.live(), live_v2);
    assert_eq!(
        project.history(),
        ["rollback v1 interrupted", "deploy v2 succeeded (live)", "deploy v1 succeeded"]
    );

    // Kill -9, which the framework doesn't notice: as long as it runs, it keeps its checkout.
    let (rollback, framework) = rollback_until(&project, MIDDLE);
    let checkout = project.leftovers();
    rollback.signal(Signal::KILL);
    assert_eq!(rollback.ends().killed_by(), Some(9));
    assert!(framework.is_alive());
    project.slsart("package v1 -s prod --again").succeeds();
    assert_eq!(project.leftovers(), checkout);
    // It may still change what is live: nothing is written down about that.
    let live = project.slsart("live -s prod").succeeds();
    assert!(live.stderr.contains("a program still works in a checkout of this repository"), "{live}");
    assert_eq!(project.history()[0], "rollback v1 started");
    drop(framework);
    assert_eq!(project.history()[..2], ["rollback v1 started", "rollback v1 interrupted"]);
    assert!(project.slsart("history -s prod").succeeds().stdout.contains("what is live is not certain"));

    // Looking settles what neither of the two could say: nothing of them came as far as the stack.
    let live = project.slsart("live -s prod").succeeds();
    assert!(live.stderr.contains(", did not finish, and changed nothing\n"), "{live}");
    let history = project.slsart("history -s prod").succeeds().stdout;
    assert!(!history.contains("not certain") && !history.contains("not ended"), "{history}");
    assert_eq!(
        project.history()[..3],
        ["rollback v1 interrupted", "rollback v1 interrupted", "deploy v2 succeeded (live)"]
    );

    // One that is killed once the stack is updated has made its package live.
    let (rollback, framework) = rollback_until(&project, LATE);
    rollback.signal(Signal::KILL);
    assert_eq!(rollback.ends().killed_by(), Some(9));
    drop(framework);
    assert_eq!(project.history()[0], "rollback v1 started");
    let live = project.slsart("live -s prod").succeeds();
    assert!(live.stderr.contains(", did not finish, and made its package live\n"), "{live}");
    assert_eq!(project.live(), live_v1);
    assert_eq!(project.history()[..2], ["rollback v1 interrupted (live)", "rollback v1 interrupted"]);

    // The next one sweeps what they left.
    project.slsart("rollback v2 -s prod --yes").succeeds();
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());
    assert_eq!(project.live(), live_v2);
}

#[test]
fn a_deployment_ends_and_is_recorded_though_nothing_reads_its_output() {
    let project = Project::new("osls4/orders", "unread");
    project.edit("serverless.yml", "  - serverless-domain-manager\n", "");
    project.release("v1");
    project.write("src/list.js", "exports.handler = () => 2;\n");
    project.commit("v2");
    let code = project.beside("code");
    let script = "{ git slsart deploy -s prod --package --yes; echo $? >\"$1\"; } 2>&1 | head -n 1";
    project.shell(script, &[code.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(code).unwrap(), "0\n");
    assert_eq!(project.history(), ["deploy v2 succeeded (live)", "deploy v1 succeeded"]);
    let zip = project.recorded("v2").code_sha256("unread.zip");
    for (name, function) in project.live() {
        assert_eq!(function.code_sha256, zip, "{name} does not run the recorded zip");
    }
}

/// The framework's process, which ends with the value.
struct Framework(Pid);

/// Starts a rollback to v1, and waits until its framework is at `event`.
fn rollback_until(project: &Project, event: &str) -> (Running, Framework) {
    project.take_events();
    let rollback = project.slsart_itself("rollback v1 -s prod --yes").with("SLSART_TRACE_PAUSE", event);
    let mut rollback = rollback.start();
    rollback.wait_until("the framework is there", || saw(&project.events(), event));
    let framework = Pid::from_raw(project.events()[0].process).unwrap();
    (rollback, Framework(framework))
}

impl Framework {
    fn is_alive(&self) -> bool {
        test_kill_process(self.0).is_ok()
    }
}

impl Drop for Framework {
    fn drop(&mut self) {
        let _ = kill_process(self.0, Signal::KILL);
        wait_until("the framework ends", || !self.is_alive());
    }
}
