//! What a person at a terminal is asked: the program runs in a pseudo-terminal, and keys are typed once what they answer stands
//! there.

use crate::sandbox::{Outcome, Sandbox};

/// Arguments: the steps as JSON, each what to wait for and what to type then; then the command line. What the program wrote is
/// written to standard output, and its exit code is passed on.
const DRIVER: &str = r"
import fcntl, json, os, pty, struct, sys, termios
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 160, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
seen = b''
def more():
    global seen
    try:
        part = os.read(terminal, 4096)
    except OSError:
        part = b''
    seen += part
    return part
at = 0
for text, keys in json.loads(sys.argv[1]):
    while seen.find(text.encode(), at) < 0:
        if not more():
            sys.exit('it ended before it said %r: %s' % (text, seen.decode(errors='replace')))
    at = seen.find(text.encode(), at) + len(text.encode())
    os.write(terminal, keys.encode())
while more():
    pass
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
";

/// Runs `git slsart` in a terminal.
fn at_terminal(sandbox: &Sandbox, line: &str, steps: &[(&str, &str)]) -> Outcome {
    let json = serde_json::to_string(steps).unwrap();
    let arguments = ["-c", DRIVER, &json, env!("CARGO_BIN_EXE_git-slsart")].map(str::to_owned);
    sandbox.run("python3", arguments.into_iter().chain(shlex::split(line).unwrap()))
}

const ENTER: &str = "\r";
const ESCAPE: &str = "\x1b";
const CTRL_C: &str = "\x03";

/// Three packages of `prod`, all deployed; the last is live.
fn three_deployed() -> Sandbox {
    let sandbox = Sandbox::recorded();
    sandbox.git("tag v1");
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    for subject in ["Rewrite the checkout", "Answer three"] {
        sandbox.change(subject);
        sandbox.record("prod");
        sandbox.slsart("deploy -s prod --yes -q").succeeded();
    }
    sandbox
}

fn live(sandbox: &Sandbox) -> String {
    let history = sandbox.slsart("history -s prod --json").json();
    let rows = history["targets"][0]["deployments"].as_array().unwrap().clone();
    rows.iter().find(|row| row["live"] == true).unwrap()["subject"].as_str().unwrap().to_owned()
}

const QUESTION: &str = "Roll orders · prod · us-east-1 back to";

#[test]
fn a_rollback_without_a_name_offers_the_packages_and_starts_at_the_last_good_one() {
    let sandbox = three_deployed();
    let steps =
        [(QUESTION, ""), ("Enter to choose", ENTER), ("Go on with orders · prod · us-east-1?", "y\r")];
    let outcome = at_terminal(&sandbox, "rollback -s prod -m 'checkout 500s'", &steps).succeeded();
    for said in ["live       ", "last good  ", "  v1  ", "Answer three  ", "1.3 kB"] {
        assert!(outcome.stdout.contains(said), "{said}? {outcome}");
    }
    assert_eq!(live(&sandbox), "Rewrite the checkout");
}

#[test]
fn typing_narrows_the_choice_down() {
    let sandbox = three_deployed();
    let steps = [
        (QUESTION, ""),
        ("Enter to choose", "v1"),
        ("v1", ""),
        ("Enter to choose", ENTER),
        ("Go on with", "y\r"),
    ];
    at_terminal(&sandbox, "rollback -s prod", &steps).succeeded();
    assert_eq!(live(&sandbox), "Add the service");
}

#[test]
fn a_banned_package_is_not_offered() {
    let sandbox = three_deployed();
    sandbox.slsart("ban HEAD~ -s prod -m 'loses orders'").succeeded();
    let steps = [(QUESTION, ""), ("1 package left out: banned", ENTER), ("Go on with", "n\r")];
    let outcome = at_terminal(&sandbox, "rollback -s prod", &steps);
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(!outcome.stdout.contains("Rewrite the checkout"), "{outcome}");
    assert!(outcome.stdout.contains("not confirmed: nothing was changed"), "{outcome}");
    assert_eq!(live(&sandbox), "Answer three");
}

#[test]
fn nothing_is_chosen_by_escape_or_ctrl_c() {
    let sandbox = three_deployed();
    let outcome = at_terminal(&sandbox, "rollback -s prod", &[("Enter to choose", ESCAPE)]);
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(outcome.stdout.contains("nothing was chosen: nothing was changed"), "{outcome}");
    let outcome = at_terminal(&sandbox, "rollback -s prod", &[("Enter to choose", CTRL_C)]);
    assert_eq!(outcome.code, 130, "{outcome}");
    assert_eq!(live(&sandbox), "Answer three");
}

#[test]
fn who_says_yes_is_asked_nothing_and_gets_the_previous_one() {
    let sandbox = three_deployed();
    at_terminal(&sandbox, "rollback -s prod --yes", &[]).succeeded();
    assert_eq!(live(&sandbox), "Rewrite the checkout");
}

#[test]
fn a_protected_stage_has_to_be_typed() {
    let sandbox = three_deployed();
    sandbox.write("slsart.toml", "[deploy]\nprotected = [\"prod\"]\n");
    for answer in ["y\r", "yes\r", "pro\r", ENTER] {
        let outcome = at_terminal(&sandbox, "rollback v1 -s prod", &[("Type prod to go on: ", answer)]);
        assert_eq!(outcome.code, 1, "{outcome}");
        assert!(outcome.stdout.contains("not confirmed"), "{outcome}");
    }
    at_terminal(&sandbox, "rollback v1 -s prod", &[("Type prod to go on: ", "prod\r")]).succeeded();
    assert_eq!(live(&sandbox), "Add the service");
    // Elsewhere, --yes is what it was.
    sandbox.slsart("deploy HEAD -s prod --yes -q").succeeded();
}

#[test]
fn of_several_services_one_answer_is_asked_for() {
    let sandbox = crate::several::two_releases();
    let question = "Go on with 2 services (topics, orders)?";
    at_terminal(&sandbox, "deploy v1 --all -s prod", &[(question, "y\r")]).succeeded();
    let none = at_terminal(&sandbox, "deploy v2 --all -s prod", &[("(orders, topics)?", "n\r")]);
    assert!(none.code == 1 && none.stdout.contains("not confirmed: nothing was changed"), "{none}");
    sandbox.write("slsart.toml", "[deploy]\nprotected = [\"prod\"]\n");
    let steps = [("(orders, topics)? Type prod to go on: ", "prod\r")];
    at_terminal(&sandbox, "deploy v2 --all -s prod", &steps).succeeded();
    // Nothing to do, nothing to ask.
    let outcome = at_terminal(&sandbox, "deploy v2 --all -s prod", &[]).succeeded();
    assert!(outcome.stdout.contains("nothing was done"), "{outcome}");
}

#[test]
fn a_lock_is_removed_once_that_is_confirmed() {
    let sandbox = three_deployed();
    sandbox
        .shell(
            "git init --quiet --bare ../origin.git && git remote add origin ../origin.git
             printf '%s\n' '#!/bin/sh' 'case $2 in 0000*) exit 0;; esac; [ $3 != 0000000000000000000000000000000000000000 ]' >../origin.git/hooks/update
             chmod +x ../origin.git/hooks/update",
        )
        .succeeded();
    let outcome = sandbox.slsart("deploy -s prod --yes -q").succeeded();
    assert!(outcome.stderr.contains("warning: the lock on origin is still there"), "{outcome}");
    sandbox.shell("rm ../origin.git/hooks/update").succeeded();
    let outcome = at_terminal(&sandbox, "unlock -s prod", &[("Remove it?", "n\r")]);
    assert_eq!(outcome.code, 1, "{outcome}");
    at_terminal(&sandbox, "unlock -s prod", &[("Remove it?", "y\r")]).succeeded();
    assert_eq!(sandbox.slsart("unlock -s prod -n").stdout, "nobody holds the lock\n");
}

#[test]
fn outside_any_service_a_rollback_offers_them() {
    let sandbox = crate::several::two_releases();
    for release in ["v1", "v2"] {
        sandbox.slsart(&format!("deploy {release} --all -s prod --yes -q")).succeeded();
    }
    let pick = [("Which service", ""), ("services/topics (topics)", "topics"), ("Enter to choose", ENTER)];
    for (line, question) in [
        ("rollback -s prod", "Roll topics · prod · us-east-1 back to"),
        ("rollback v1 -s prod", "Go on with topics · prod · us-east-1?"),
    ] {
        let last = if question.ends_with('?') { "n\r" } else { ESCAPE };
        let steps: Vec<_> = pick.iter().copied().chain([(question, last)]).collect();
        assert_eq!(at_terminal(&sandbox, line, &steps).code, 1, "{line}");
    }
    // In a service's directory nothing is to be asked.
    let steps = [("Roll orders · prod · us-east-1 back to", ESCAPE)];
    let outcome = at_terminal(&sandbox, "-C services/orders rollback -s prod", &steps);
    assert!(!outcome.stdout.contains("Which service"), "{outcome}");
}

#[test]
fn a_second_stack_is_asked_for() {
    let sandbox = three_deployed();
    let config = sandbox.read("serverless.yml").replace("service: orders", "service: billing");
    sandbox.write("serverless.yml", config);
    sandbox.commit("Rename orders");
    sandbox.build_of("build-billing", "billing", "prod", "us-east-1");
    sandbox.slsart("record -q ../build-billing").succeeded();
    let question = "Create the stack billing-prod beside orders-prod?";
    let outcome = at_terminal(&sandbox, "deploy -s prod", &[(question, "n\r")]);
    assert!(outcome.code == 1 && outcome.stdout.contains("nothing was changed"), "{outcome}");
    at_terminal(&sandbox, "deploy -s prod", &[(question, "y\r")]).succeeded();
    // It exists now.
    at_terminal(&sandbox, "deploy -s prod", &[("Go on with billing · prod · us-east-1?", "y\r")]).succeeded();
}
