//! kill -9 at moments all over a command's run: at a step of it (a change of a file, the start of a child), which is the same
//! moment every time, and at a time. Half of them hit what it started too.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::chance::{Chance, is_long, runs, tell};
use crate::intact::{Before, age, counts, is_pruned_by_git, litter};
use crate::operations::{ALL, Operation};
use crate::sandbox::{Sandbox, wait_until};
use crate::tracer::{self, End, Victims};

#[test]
fn a_record_that_is_killed_loses_nothing() {
    torture("record", runs(14, 100));
}

#[test]
fn a_rollback_that_is_killed_loses_nothing() {
    torture("rollback", runs(8, 100));
}

#[test]
fn whatever_else_is_killed_loses_nothing() {
    for operation in ALL.iter().filter(|operation| !OF_THEIR_OWN.contains(&operation.name)) {
        torture(operation.name, runs(operation.short, 30));
    }
}

#[test]
fn a_push_that_is_killed_loses_nothing() {
    torture("push", runs(5, 100));
}

#[test]
fn a_fetch_that_is_killed_loses_nothing() {
    torture("fetch", runs(5, 100));
}

#[test]
fn a_prune_that_is_killed_loses_only_what_was_to_go() {
    torture("prune", runs(4, 100));
}

/// Operations that have a test of their own, so that they run beside the others.
const OF_THEIR_OWN: &[&str] = &["record", "rollback", "push", "fetch", "prune"];

/// More rounds than there are.
const MANY: u64 = 1_000_000;

/// What came of the kills of one operation.
#[derive(Default)]
struct Figures {
    kills: u64,
    ended: u64,
    /// What the program said last before it was killed, and how often.
    phases: BTreeMap<String, u64>,
    litter: usize,
}

/// Kills an operation `kills` times, and looks at the repository after each.
fn torture(name: &str, kills: u64) {
    let operation = ALL.iter().find(|operation| operation.name == name).unwrap();
    let start = Instant::now();
    let mut chance = Chance::new(name);
    let sandbox = (operation.ready)();
    fs::create_dir_all(sandbox.beside("tmp")).unwrap();
    // Once as a whole: how many steps it has, and how long it takes.
    (operation.before)(&sandbox, 0);
    let (end, steps) = traced(&sandbox, operation, None, Victims::Program);
    assert_eq!(end, End::Exit(0), "{name}: {}", said(&sandbox));
    (operation.after)(&sandbox, 0);
    assert_eq!(litter(&sandbox), Vec::<std::path::PathBuf>::new(), "{name}, without a kill");
    let mut figures = Figures::default();
    for round in 1..=kills {
        (operation.before)(&sandbox, round);
        let before = Before::of(&sandbox);
        let whole = operation.group && chance.below(2) == 0;
        let victims = if whole { Victims::Group } else { Victims::Program };
        // Spread over the whole run, and in each part somewhere.
        let at = ((round - 1) * steps + chance.below(steps)) / kills + 1;
        let (end, when) = if round % 5 == 0 {
            let after = Duration::from_micros(chance.below(operation.micros));
            (
                timed(&sandbox, operation, after, victims),
                format!("{name} killed after {after:?} ({victims:?})"),
            )
        } else {
            let (end, _) = traced(&sandbox, operation, Some(at), victims);
            (end, format!("{name} killed at step {at} of {steps} ({victims:?})"))
        };
        match end {
            End::Killed => figures.kills += 1,
            End::Exit(_) => figures.ended += 1,
        }
        if end == End::Killed {
            *figures.phases.entry(phase(&sandbox)).or_default() += 1;
        }
        before.is_kept(&sandbox, &when);
        figures.litter = figures.litter.max(litter(&sandbox).len());
        age(&sandbox);
        again(&sandbox, operation, &when);
        (operation.after)(&sandbox, round);
        before.is_kept(&sandbox, &when);
        if !litter(&sandbox).is_empty() {
            // What was done when it was killed is not done again, and what it left goes with the next that is.
            age(&sandbox);
            (operation.before)(&sandbox, round + MANY);
            again(&sandbox, operation, &when);
        }
        // Of a push only the program was killed: what it had started may still be at it on the other side.
        wait_until(&format!("nothing is left behind: {when}"), || litter(&sandbox).is_empty());
    }
    assert!(figures.kills * 2 >= kills, "{name}: only {} of {kills} were killed in time", figures.kills);
    let (packs, loose) = counts(&sandbox);
    is_pruned_by_git(&sandbox);
    assert!(packs < 40, "{packs} packs");
    let seconds = start.elapsed().as_secs_f64();
    let Figures { kills, ended, phases, litter } = figures;
    tell(&format!(
        "{name}: {kills} kills, {ended} ended before, {steps} steps, {packs} packs, {loose} loose objects, at most {litter} files left by one kill, {seconds:.1} s"
    ));
    if is_long() {
        for (phase, count) in phases {
            tell(&format!("  {count:>4}  {phase}"));
        }
    }
}

/// The next command, which must work; what a lock on a remote asks for is done as the hint has it.
#[track_caller]
fn again(sandbox: &Sandbox, operation: &Operation, when: &str) {
    let mut outcome =
        sandbox.outcome(sandbox.slsart_command(operation.line).env("TMPDIR", sandbox.beside("tmp")));
    if outcome.code == 1 && outcome.stderr.contains(": git slsart unlock -s prod") {
        sandbox.slsart("unlock -s prod --yes").succeeded();
        outcome =
            sandbox.outcome(sandbox.slsart_command(operation.line).env("TMPDIR", sandbox.beside("tmp")));
    }
    // It was done, all but the end of the program.
    if outcome.code == 1 && outcome.stderr.contains("is banned already") {
        return;
    }
    assert_eq!(outcome.code, 0, "{when}, then: {outcome}");
}

fn traced(sandbox: &Sandbox, operation: &Operation, at: Option<u64>, victims: Victims) -> (End, u64) {
    let mut command = sandbox.command("sh");
    command.args(["-c", tracer::GATE, "sh", env!("CARGO_BIN_EXE_git-slsart")]);
    command.args(shlex::split(operation.line).unwrap()).env("TMPDIR", sandbox.beside("tmp"));
    let (end, steps, group) =
        tracer::run(&mut command, File::create(sandbox.beside("said")).unwrap(), at, victims);
    wait_for_group(group);
    (end, steps)
}

fn timed(sandbox: &Sandbox, operation: &Operation, after: Duration, victims: Victims) -> End {
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    let mut command = sandbox.slsart_command(operation.line);
    command.env("TMPDIR", sandbox.beside("tmp")).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(sandbox.beside("said")).unwrap());
    let mut child = command.spawn().unwrap();
    let id = Pid::from_child(&child);
    // The moment is the point.
    std::thread::sleep(after);
    let _ = match victims {
        Victims::Program => kill_process(id, Signal::KILL),
        Victims::Group => kill_process_group(id, Signal::KILL),
    };
    let status = child.wait().unwrap();
    wait_for_group(id.as_raw_pid());
    if status.signal().is_some() { End::Killed } else { End::Exit(status.code().unwrap()) }
}

/// Waits until nothing of a process group runs any more: what outlives the program may still write.
fn wait_for_group(group: i32) {
    wait_until("what it started has ended", || {
        let runs = |stat: &str| {
            // `pid (name) state parent group …`; the name may hold anything.
            let mut fields = stat.rsplit_once(") ")?.1.split(' ');
            let state = fields.next()?;
            Some(fields.nth(1)? == group.to_string() && !["Z", "X"].contains(&state))
        };
        let processes = fs::read_dir("/proc").unwrap().flatten();
        !processes
            .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
            .any(|stat| runs(&stat) == Some(true))
    });
}

/// The last phase that the program told of.
fn phase(sandbox: &Sandbox) -> String {
    const PHASES: &[&str] = &[
        "Asking",
        "Attaching",
        "Checking",
        "Deploying",
        "Fetching",
        "Packaging",
        "Reading",
        "Recording",
        "Removing",
        "Restoring",
        "Sending",
        "Taking",
        "Installing",
        "Keeping",
    ];
    let said = said(sandbox);
    let phase = said.lines().rfind(|line| PHASES.iter().any(|phase| line.starts_with(phase)));
    phase.unwrap_or("before the first phase").to_owned()
}

fn said(sandbox: &Sandbox) -> String {
    sandbox.taken_out(&fs::read_to_string(sandbox.beside("said")).unwrap_or_default())
}
