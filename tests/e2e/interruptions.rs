//! Stopped in the middle: by Ctrl-C, and by force.

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::bed::wait_until;
use crate::call::Running;
use crate::project::Project;
use crate::trace::saw;

/// The package is uploaded, and the stack is not touched yet.
const MIDDLE: &str = "aws:deploy:deploy:updateStack";

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
    let (rollback, framework) = rollback_to_the_middle(&project);
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
    let (rollback, framework) = rollback_to_the_middle(&project);
    let checkout = project.leftovers();
    rollback.signal(Signal::KILL);
    assert_eq!(rollback.ends().killed_by(), Some(9));
    assert!(framework.is_alive());
    project.slsart("package v1 -s prod --again").succeeds();
    assert_eq!(project.leftovers(), checkout);
    drop(framework);
    assert_eq!(project.history()[..2], ["rollback v1 started", "rollback v1 interrupted"]);
    assert!(project.slsart("history -s prod").succeeds().stdout.contains("not ended"));

    // The next one sweeps it, and does what the two before were to do.
    project.slsart("rollback v1 -s prod --yes").succeeds();
    assert!(project.leftovers().is_empty(), "{:?}", project.leftovers());
    assert_eq!(project.live(), live_v1);
    assert_eq!(project.history()[..2], ["rollback v1 succeeded (live)", "rollback v1 started"]);
}

/// The framework's process, which ends with the value.
struct Framework(Pid);

/// Starts a rollback to v1, and waits until its framework is in the middle of deploying.
fn rollback_to_the_middle(project: &Project) -> (Running, Framework) {
    project.take_events();
    let rollback = project.slsart_itself("rollback v1 -s prod --yes").with("SLSART_TRACE_PAUSE", MIDDLE);
    let mut rollback = rollback.start();
    rollback.wait_until("the framework deploys", || saw(&project.events(), MIDDLE));
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
