//! What a person at a terminal is asked: the program runs in a pseudo-terminal, and keys are typed once what they answer stands
//! there.

use crate::sandbox::{Outcome, Sandbox};

/// Arguments: the terminal's size and the steps as JSON, each what to wait for and what to type then, or nothing for the terminal to go
/// away; then the command line. What the program wrote is written to standard output, and its exit code is passed on.
const DRIVER: &str = r"
import fcntl, json, os, pty, struct, sys, termios
(rows, columns), steps = json.loads(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
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
def end():
    sys.stdout.buffer.write(seen)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
at = 0
for text, keys in steps:
    while seen.find(text.encode(), at) < 0:
        if not more():
            sys.exit('it ended before it said %r: %s' % (text, seen.decode(errors='replace')))
    at = seen.find(text.encode(), at) + len(text.encode())
    if keys is None:
        os.close(terminal)
        open(os.environ['STAND_IN_LOG'] + '.go', 'w')
        end()
    os.write(terminal, keys.encode())
while more():
    pass
end()
";

/// Runs `git slsart` in a terminal.
fn at_terminal(sandbox: &Sandbox, line: &str, steps: &[(&str, &str)]) -> Outcome {
    let steps: Vec<_> = steps.iter().map(|(text, keys)| (*text, Some(*keys))).collect();
    at_terminal_of(sandbox, (40, 160), line, &steps)
}

/// The same, in one of this many rows and columns.
fn at_terminal_of(
    sandbox: &Sandbox,
    size: (u16, u16),
    line: &str,
    steps: &[(&str, Option<&str>)],
) -> Outcome {
    program_at_terminal(sandbox, size, &[env!("CARGO_BIN_EXE_git-slsart")], line, steps)
}

/// The same, of any program.
fn program_at_terminal(
    sandbox: &Sandbox,
    size: (u16, u16),
    program: &[&str],
    line: &str,
    steps: &[(&str, Option<&str>)],
) -> Outcome {
    let json = serde_json::to_string(&(size, steps)).unwrap();
    let driver = ["-c", DRIVER, &json];
    let words = driver.iter().chain(program).map(|word| (*word).to_owned());
    sandbox.run("python3", words.chain(shlex::split(line).unwrap()))
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

/// What a rollback goes to that names no package: by its plan off a terminal, and by the line that the picker stands on.
fn meant(sandbox: &Sandbox) -> [String; 2] {
    let plan = sandbox.slsart("rollback -s prod -n --json").json();
    let planned = plan["restore"]["label"].as_str().unwrap().to_owned();
    let outcome = at_terminal(sandbox, "rollback -s prod -n", &[("Enter to choose", ENTER)]).succeeded();
    let restore = outcome.stdout.lines().find(|line| line.contains("Restore")).unwrap().to_owned();
    let known =
        ["Add the service", "v1", "Rewrite the checkout", "Answer three", "Answer four", "Answer five"];
    let picked = known.iter().find(|label| restore.contains(*label)).unwrap();
    [planned, (*picked).to_owned()]
}

#[test]
fn one_rule_decides_where_a_rollback_goes_to_off_a_terminal_and_on_one() {
    let sandbox = three_deployed();
    assert_eq!(meant(&sandbox), ["Rewrite the checkout", "Rewrite the checkout"]);
    // What was just fled is newer, and is not meant.
    sandbox.slsart("rollback -s prod --yes -q").succeeded();
    assert_eq!(meant(&sandbox), ["v1", "v1"]);
    // A deployment that failed half-way, of a package that never was live.
    sandbox.change("Answer four");
    sandbox.record("prod");
    sandbox.slsart_with("deploy -s prod --yes -q", &[("STAND_IN", "fail")]);
    assert_eq!(meant(&sandbox), ["Rewrite the checkout", "Rewrite the checkout"]);
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    sandbox.slsart("ban HEAD~2 -s prod -m 'loses orders'").succeeded();
    assert_eq!(meant(&sandbox), ["v1", "v1"]);
}

#[test]
fn what_was_fled_is_not_preselected_where_there_is_nothing_to_go_back_to() {
    let sandbox = Sandbox::recorded();
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    sandbox.change("Rewrite the checkout");
    sandbox.record("prod");
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    sandbox.slsart("rollback -s prod --yes -q").succeeded();
    let outcome = at_terminal(&sandbox, "rollback -s prod -n", &[("Enter to choose", ENTER)]).succeeded();
    assert!(outcome.stdout.contains("this package is live already"), "{outcome}");
}

#[test]
fn each_line_of_the_picker_says_how_the_package_stands() {
    let sandbox = three_deployed();
    sandbox.change("Answer four");
    sandbox.record("prod");
    sandbox.slsart_with("deploy -s prod --yes -q", &[("STAND_IN", "fail")]);
    sandbox.change("Answer five");
    sandbox.record("prod");
    sandbox.slsart("deploy -s prod --yes -q").succeeded();
    sandbox.slsart("rollback HEAD~2 -s prod --yes -q").succeeded();
    sandbox.change("Answer six");
    sandbox.record("prod");
    sandbox.slsart("ban v1 -s prod -m 'loses orders'").succeeded();
    let outcome = at_terminal(&sandbox, "rollback -s prod", &[("Enter to choose", ESCAPE)]);
    let line = |label: &str| outcome.stdout.lines().find(|line| line.contains(label)).unwrap().to_owned();
    for (label, standing) in [
        ("Answer six", "never deployed"),
        ("Answer five", "rolled back from"),
        ("Answer four", "failed"),
        ("Answer three", "live"),
        ("Rewrite the checkout", "last good"),
        ("v1", "banned"),
    ] {
        assert!(line(label).contains(standing), "{standing}? {outcome}");
    }
}

#[test]
fn a_banned_package_is_not_the_one_and_says_so() {
    let sandbox = three_deployed();
    sandbox.slsart("ban HEAD~ -s prod -m 'loses orders'").succeeded();
    let steps = [(QUESTION, ""), ("is skipped", ENTER), ("Go on with", "n\r")];
    let outcome = at_terminal(&sandbox, "rollback -s prod", &steps);
    assert_eq!(outcome.code, 1, "{outcome}");
    let restore = outcome.stdout.lines().find(|line| line.contains("Restore")).unwrap();
    assert!(restore.contains("v1"), "{outcome}");
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
    assert!(outcome.stderr.contains("warning: the lock on origin was not released"), "{outcome}");
    sandbox.shell("rm ../origin.git/hooks/update").succeeded();
    let outcome = at_terminal(&sandbox, "unlock -s prod", &[("Remove it?", "n\r")]);
    assert_eq!(outcome.code, 1, "{outcome}");
    at_terminal(&sandbox, "unlock -s prod", &[("Remove it?", "y\r")]).succeeded();
    assert_eq!(sandbox.slsart("unlock -s prod -n").stdout, "the lock is free\n");
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

/// More ways in which the stand-in for the framework behaves: it ignores Ctrl-C; waits for `$STAND_IN_LOG.go`, and then has much to say;
/// asks at the terminal.
const BEHAVIOURS: &str = r#"
if (mode === "stubborn") {
  process.on("SIGINT", () => setTimeout(() => console.log("the framework has heard it"), 300));
  console.log("hanging");
  setTimeout(() => process.exit(1), 60000);
  return;
}
if (mode === "wait") {
  console.log("waiting");
  while (!fs.existsSync(log + ".go")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  for (let line = 0; line < 5000; line++) console.log(`Resource ${line} is up to date`);
}
if (mode === "ask") {
  fs.writeSync(1, "Code? ");
  const answer = Buffer.alloc(80);
  const length = fs.readSync(0, answer);
  console.log(`the code is ${answer.toString("utf8", 0, length).trim()}`);
}
if (mode === "hang")"#;

/// A service with a package for `prod`, whose framework behaves so when it deploys.
fn deploying(behaviour: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    let program = sandbox.read("tools/osls/osls.js");
    sandbox.write_program(
        "tools/osls/osls.js",
        &program.replace("if (mode === \"hang\")", BEHAVIOURS.trim_start()),
    );
    sandbox.commit("A framework with a will of its own");
    sandbox.record("prod");
    sandbox.variables.push(("STAND_IN", behaviour.to_owned()));
    sandbox
}

fn outcome_of_last(sandbox: &Sandbox) -> String {
    let history = sandbox.slsart("history -s prod --json").json();
    history["targets"][0]["deployments"][0]["outcome"].as_str().unwrap().to_owned()
}

#[test]
fn the_first_ctrl_c_is_acknowledged_while_the_framework_runs_and_the_second_kills_it() {
    let sandbox = deploying("stubborn");
    // The framework heeds no Ctrl-C: what stands there after the first is said while it runs.
    let steps = [
        ("hanging", CTRL_C),
        ("stopping osls… press again to kill it", CTRL_C),
        ("killing osls", ""),
        ("Deploying (osls 4.3.1): interrupted", ""),
    ];
    let outcome = at_terminal(&sandbox, "deploy -s prod --yes", &steps);
    assert_eq!(outcome.code, 130, "{outcome}");
    assert!(!outcome.stdout.contains("✓ Deploying"), "{outcome}");
    assert_eq!(outcome_of_last(&sandbox), "interrupted");
    assert_eq!(sandbox.worktrees(), 1);
}

#[test]
fn one_ctrl_c_is_one_though_git_passes_it_on() {
    let sandbox = deploying("stubborn");
    // It answers only if it is not killed by what git passes on.
    let steps =
        [("hanging", Some(CTRL_C)), ("the framework has heard it", Some(CTRL_C)), ("killing osls", Some(""))];
    let outcome =
        program_at_terminal(&sandbox, (40, 160), &["git", "slsart"], "deploy -s prod --yes", &steps);
    assert_eq!(outcome.stdout.matches("killing osls").count(), 1, "{outcome}");
    assert_eq!(outcome_of_last(&sandbox), "interrupted");
}

#[test]
fn a_phase_that_failed_is_not_shown_as_done() {
    let sandbox = deploying("fail");
    let outcome = at_terminal(&sandbox, "deploy -s prod --yes", &[("Deploying (osls 4.3.1): failed", "")]);
    assert!(outcome.code == 3 && !outcome.stdout.contains("✓ Deploying"), "{outcome}");
}

#[test]
fn a_framework_that_asks_at_the_terminal_gets_an_answer() {
    let sandbox = deploying("ask");
    let steps = [("Code? ", "123456\r"), ("the code is 123456", "")];
    at_terminal(&sandbox, "deploy -s prod --yes", &steps).succeeded();
}

#[test]
fn a_terminal_that_goes_away_does_not_stop_the_framework() {
    let sandbox = deploying("wait");
    at_terminal_of(&sandbox, (24, 80), "deploy -s prod --yes", &[("waiting", None)]);
    let history = sandbox.slsart("history -s prod");
    assert!(history.stdout.contains("● live  deploy  succeeded"), "{history}");
}

#[test]
fn output_that_nothing_reads_any_more_does_not_stop_the_framework() {
    let sandbox = deploying("wait");
    for output in ["2>&1", "2>&1 >../stdout"] {
        let script = format!(
            "rm -f ../runs.go
             {{ git-slsart deploy -s prod --yes {output}; echo $? >../code; }} |
             {{ grep -q waiting; exec <&-; touch ../runs.go; }}
             cat ../code"
        );
        assert_eq!(sandbox.shell(&script).succeeded().stdout, "0\n");
        assert_eq!(outcome_of_last(&sandbox), "succeeded");
    }
}

/// A word without what follows it only where something more stands behind it.
fn plain(word: &str) -> &str {
    word.trim_end_matches([';', ',', ':', '.'])
}

/// What a terminal shows at the end, without colours, and without the phases, of which only those are shown that took a while.
fn shown(sandbox: &Sandbox, size: (u16, u16), line: &str) -> Vec<String> {
    let text = at_terminal_of(sandbox, size, line, &[]).stdout;
    let text = anstream::adapter::strip_str(&text).to_string();
    let last = |line: &str| line.rsplit('\r').next().unwrap_or_default().trim_end().to_owned();
    text.lines().map(last).filter(|line| !line.starts_with("✓ ")).collect()
}

#[test]
fn on_a_narrow_terminal_no_line_is_too_long_and_no_word_is_broken() {
    let mut sandbox = three_deployed();
    sandbox.change(
        "A subject that is much longer than there is room for on a narrow terminal, with all its words",
    );
    sandbox.record("prod");
    sandbox
        .slsart("ban v1 -s prod -m 'it loses the orders of everybody who pays with a voucher'")
        .succeeded();
    sandbox.slsart_with(
        "deploy -s prod --yes -q -m 'for the sale that starts on Monday'",
        &[("STAND_IN", "fail")],
    );
    // What was said before says the same now.
    sandbox.variables.push(("SLSART_NOW", "2026-01-05T12:00:00Z".to_owned()));
    let lines = [
        "history -s prod",
        "log",
        "status",
        "prune --keep-last 1 -n",
        "deploy -s prod -n",
        "rollback -s prod -n --yes",
        "rollback --to 99 -s prod",
        "rollback nowhere -s prod",
        "deploy -s nowhere --yes",
        "toolchain list",
        "secrets --all",
        "jobs",
        "show",
    ];
    for line in lines {
        // Also without a terminal: on a busy machine, one may lose the end of what is written right before the program ends.
        let wide = shown(&sandbox, (24, 400), line).join(" ") + " " + &sandbox.slsart(line).to_string();
        let words: Vec<&str> = wide.split_whitespace().map(plain).collect();
        // Two sizes where there are tables: each is a process.
        let sizes: &[u16] = if line.contains("-s prod") { &[60, 80] } else { &[60] };
        for &columns in sizes {
            for shown in shown(&sandbox, (24, columns), line) {
                // A word that is longer than the room beside its line's name can't be helped.
                let longest = shown.split(' ').map(|word| word.chars().count()).max().unwrap_or(0);
                let fits = shown.chars().count() <= usize::from(columns);
                assert!(fits || longest > usize::from(columns) - 12, "{line} in {columns} columns: {shown}");
                let broken = shown
                    .split_whitespace()
                    .find(|word| !words.contains(&plain(word)) && !["…", "\\"].contains(word));
                assert_eq!(broken, None, "{line} in {columns} columns: {shown}");
            }
        }
    }
}

#[test]
fn on_a_narrow_terminal_tables_leave_columns_out() {
    let mut sandbox = three_deployed();
    sandbox.change("A subject that is much longer than there is room for on a narrow terminal");
    sandbox.record("prod");
    sandbox.variables.push(("SLSART_NOW", "2026-01-05T12:00:00Z".to_owned()));
    let log = sandbox.slsart("log -s prod --json").json();
    let package = log["packages"][0]["package"].as_str().unwrap()[..8].to_owned();
    for (line, left_out, kept) in [
        ("history -s prod", "Answer three", "hours ago"),
        ("log -s prod", "1.3 kB", "A subject that is"),
        ("log -s prod", "1.3 kB", &package),
    ] {
        let (wide, narrow) = (shown(&sandbox, (24, 400), line), shown(&sandbox, (24, 60), line));
        assert_eq!(narrow.len(), wide.len(), "{narrow:#?}");
        let has = |lines: &[String], text: &str| lines.iter().any(|line| line.contains(text));
        assert!(has(&wide, left_out) && !has(&narrow, left_out), "{narrow:#?}");
        assert!(has(&wide, kept) && has(&narrow, kept), "{narrow:#?}");
    }
}

#[test]
fn on_a_narrow_terminal_the_pickers_help_is_shorter() {
    let sandbox = three_deployed();
    let steps = [("[type to filter, Enter to choose, Escape to leave]", Some(ESCAPE))];
    assert_eq!(at_terminal_of(&sandbox, (24, 60), "rollback -s prod", &steps).code, 1);
}

#[test]
fn a_commit_without_a_package_is_packaged_and_deployed_by_one_command() {
    let sandbox = Sandbox::new();
    let question = "has no package for . · prod · us-east-1. Package it now?";
    // What may be wrong is said first: the stage may be mistyped.
    let none = at_terminal(&sandbox, "deploy -s prod", &[("hint: ", ""), (question, "n\r")]);
    assert!(none.code == 1 && sandbox.runs().is_empty(), "{none}");
    let steps = [(question, "y\r"), ("Recorded", ""), ("Go on with orders · prod · us-east-1?", "y\r")];
    at_terminal(&sandbox, "deploy -s prod", &steps).succeeded();
    assert_eq!(live(&sandbox), "Add the service");
    // With a package there is nothing to ask.
    at_terminal(&sandbox, "deploy -s prod", &[("Go on with", "y\r")]).succeeded();
}

#[test]
fn elsewhere_an_option_packages_it() {
    let sandbox = Sandbox::new();
    let refused = sandbox.slsart("deploy -s prod --yes");
    assert!(
        refused
            .stderr
            .contains("hint: to package it and deploy it: git slsart deploy HEAD --package -s prod\n"),
        "{refused}"
    );
    assert_eq!(refused.code, 5);
    sandbox.slsart("deploy HEAD --package -s prod --yes -q").succeeded();
    assert_eq!(live(&sandbox), "Add the service");
    // A name that is none is no commit without a package.
    let none = sandbox.slsart("deploy nowhere --package -s prod --yes");
    assert!(none.code != 0 && !none.stderr.contains("--package"), "{none}");
}
