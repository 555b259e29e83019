//! Background jobs: one at a time, the newest commit first, stopped with all that they started, and nothing left of killed ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use snapbox::str;

use crate::sandbox::{Outcome, Sandbox, wait_until};

/// A service whose commits are packaged in the background.
fn packaging() -> Sandbox {
    let sandbox = Sandbox::installed();
    sandbox.slsart("init -q").succeeded();
    sandbox.write("slsart.toml", "[hooks]\npost-commit = \"package\"\nstages = [\"prod\"]\n");
    sandbox.commit_quietly("Set up");
    sandbox
}

impl Sandbox {
    /// A commit for which the hook does nothing.
    fn commit_quietly(&self, subject: &str) {
        self.git("add --all");
        let none = self.beside("home").display().to_string();
        self.run("git", ["-c", &format!("core.hooksPath={none}"), "commit", "-qm", subject]).succeeded();
    }

    /// A commit of its own content, packaged in an environment with `variables`.
    fn commit_with(&self, subject: &str, variables: &[(&str, &str)]) {
        self.write("handler.js", format!("exports.hello = async () => {subject:?};\n"));
        let mut command = self.command("git");
        self.outcome(command.args(["commit", "-qam", subject]).envs(variables.iter().copied())).is(str![]);
    }

    /// The jobs, newest first.
    fn jobs(&self) -> Vec<Value> {
        self.look("jobs list --json").json()["jobs"].as_array().unwrap().clone()
    }

    fn states(&self) -> Vec<String> {
        self.jobs().iter().map(|job| job["state"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until the newest job is in a phase whose name starts so.
    fn wait_for_phase(&self, start: &str) {
        let is_there = || {
            let job = self.jobs().swap_remove(0);
            assert!(["waiting", "running"].contains(&job["state"].as_str().unwrap()), "{job:#}");
            job["phase"].as_str().is_some_and(|phase| phase.starts_with(start))
        };
        wait_until(start, is_there);
    }

    /// A pipe that whoever writes to it waits at until it is read.
    fn gate(&self) -> PathBuf {
        let path = self.beside("gate");
        self.run("mkfifo", [&path]).succeeded();
        path
    }

    /// The process of a job that goes on.
    fn process(&self, commit: &str) -> Pid {
        let text = self.read(&format!(".git/slsart/jobs/{}.toml", &commit[..12]));
        let line = text.lines().find_map(|line| line.strip_prefix("process = ")).unwrap();
        Pid::from_raw(line.parse().unwrap()).unwrap()
    }

    /// Whether the framework that hangs is still there.
    fn hangs(&self) -> bool {
        let process = fs::read_to_string(self.beside("runs.hanging")).unwrap();
        let state = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        !state.is_empty() && !state.contains(") Z ")
    }

    /// Fails unless all is gone that a job's checkout consists of.
    #[track_caller]
    fn has_no_checkout(&self) {
        assert_eq!(self.worktrees(), 1);
        let left = self.shell("find ../home/cache/git-slsart/worktrees -mindepth 2 ! -name sweeping");
        assert_eq!(left.stdout, "");
    }
}

#[test]
fn of_ten_commits_in_a_row_the_first_and_the_last_are_packaged() {
    let sandbox = packaging();
    let gate = sandbox.gate();
    sandbox.commit_with("Answer 1", &[("STAND_IN_LOG", gate.to_str().unwrap())]);
    sandbox.wait_for_phase("Packaging");
    for number in 2..=10 {
        sandbox.commit_with(&format!("Answer {number}"), &[]);
    }
    let settled = ["waiting"].into_iter().chain(["superseded"; 8]).chain(["running"]);
    let settled: Vec<String> = settled.map(str::to_owned).collect();
    wait_until("all but the newest give way", || sandbox.states() == settled);
    sandbox.slsart("jobs").is(str![[r#"
waiting     7df18ee  Answer 10  committed 1 minute ago
superseded  3699d2e  Answer 9  2 minutes ago: a newer commit was packaged instead
superseded  39156cc  Answer 8  3 minutes ago: a newer commit was packaged instead
superseded  a7e4386  Answer 7  4 minutes ago: a newer commit was packaged instead
superseded  43f8567  Answer 6  5 minutes ago: a newer commit was packaged instead
superseded  e96aa56  Answer 5  6 minutes ago: a newer commit was packaged instead
superseded  e37b46b  Answer 4  7 minutes ago: a newer commit was packaged instead
superseded  8e9824d  Answer 3  8 minutes ago: a newer commit was packaged instead
superseded  0514d5d  Answer 2  9 minutes ago: a newer commit was packaged instead
running     f653d64  Answer 1  Packaging (osls 4.3.1), began 10 minutes ago

"#]]);
    sandbox.look("status").is(str![[r#"
HEAD      7df18ee  Answer 10
no packages and no deployments here; to make one: git slsart package
Job       7df18ee  Answer 10  waiting: committed 2 minutes ago
Job       f653d64  Answer 1  running: Packaging (osls 4.3.1), began 11 minutes ago

"#]]);
    fs::read(&gate).unwrap();
    wait_until("the last is packaged", || sandbox.states()[0] == "done");
    sandbox.slsart("jobs list -v").is(str![[r#"
done        7df18ee  Answer 10  2 minutes ago in [N] s: 1 package
            [ROOT]/repo/.git/slsart/jobs/7df18ee3c939.log
superseded  3699d2e  Answer 9  3 minutes ago: a newer commit was packaged instead
            [ROOT]/repo/.git/slsart/jobs/3699d2eed514.log
superseded  39156cc  Answer 8  4 minutes ago: a newer commit was packaged instead
            [ROOT]/repo/.git/slsart/jobs/39156ccedbeb.log
superseded  a7e4386  Answer 7  5 minutes ago: a newer commit was packaged instead
            [ROOT]/repo/.git/slsart/jobs/a7e438619e49.log
superseded  43f8567  Answer 6  6 minutes ago: a newer commit was packaged instead
            [ROOT]/repo/.git/slsart/jobs/43f8567797e8.log
superseded  e96aa56  Answer 5  7 minutes ago: a newer commit was packaged instead
            [ROOT]/repo/.git/slsart/jobs/e96aa56b8618.log
superseded  e37b46b  Answer 4  8 minutes ago: a newer commit was packaged instead
            [ROOT]/repo/.git/slsart/jobs/e37b46b46e89.log
superseded  8e9824d  Answer 3  9 minutes ago: a newer commit was packaged instead
            [ROOT]/repo/.git/slsart/jobs/8e9824d28ada.log
superseded  0514d5d  Answer 2  10 minutes ago: a newer commit was packaged instead
            [ROOT]/repo/.git/slsart/jobs/0514d5d7108e.log
done        f653d64  Answer 1  11 minutes ago in [N] s: 1 package
            [ROOT]/repo/.git/slsart/jobs/f653d64cd70c.log

"#]]);
    sandbox.slsart("log").is(str![[r#"
7df18ee  2928a687  orders · prod · us-east-1  1.8 kB  3 minutes ago   Answer 10
f653d64  64d62de5  orders · prod · us-east-1  1.8 kB  12 minutes ago  Answer 1

"#]]);
    sandbox.has_no_checkout();
}

#[test]
fn a_job_gives_way_until_its_framework_has_started() {
    let sandbox = packaging();
    let gate = sandbox.gate();
    let npm = sandbox.shell("command -v npm").stdout;
    let path = sandbox.beside("bin");
    let shim = format!("#!/bin/sh\ntest -z \"$GATE\" || echo >\"$GATE\"\nexec '{}' \"$@\"\n", npm.trim());
    sandbox.write_program("../bin/npm", &shim);
    let path = format!("{}:{}", path.display(), sandbox.shell("printf %s \"$PATH\"").stdout);
    let program = Path::new(env!("CARGO_BIN_EXE_git-slsart")).parent().unwrap().display().to_string();
    let path = format!("{program}:{path}");
    sandbox.commit_with("Answer 1", &[("GATE", gate.to_str().unwrap()), ("PATH", &path)]);
    sandbox.wait_for_phase("Installing");
    sandbox.commit_with("Answer 2", &[]);
    wait_until("the second waits", || sandbox.states() == ["waiting", "running"]);
    fs::read(&gate).unwrap();
    wait_until("the second is packaged", || sandbox.states() == ["done", "superseded"]);
    assert_eq!(sandbox.runs().lines().count(), 1, "{}", sandbox.runs());
    sandbox.has_no_checkout();
}

#[test]
fn a_killed_job_leaves_nothing_once_the_next_has_run() {
    let sandbox = packaging();
    sandbox.commit_with("Answer 1", &[("STAND_IN", "hang")]);
    sandbox.wait_until_hanging();
    let process = sandbox.process(&sandbox.git("rev-parse HEAD"));
    // It leads a session of its own, out of reach of any terminal, and others come first.
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    assert_eq!((fields[3], fields[16]), (process.as_raw_nonzero().to_string().as_str(), "10"), "{stat}");

    kill_process(process, Signal::KILL).unwrap();
    wait_until("it is gone", || sandbox.states() == ["stopped"]);
    assert!(sandbox.hangs());
    sandbox.slsart("jobs").is(str![[r#"
stopped     47316a0  Answer 1  2 minutes ago: its process was killed
            ! its child processes still run; to stop them: git slsart jobs stop

"#]]);
    sandbox.look("status").is(str![[r#"
HEAD      47316a0  Answer 1
no packages and no deployments here; to make one: git slsart package
Job       47316a0  Answer 1  stopped: 3 minutes ago: its process was killed
          ! its child processes still run; to stop them: git slsart jobs stop

"#]]);
    sandbox.commit_with("Answer 2", &[]);
    wait_until("the next is packaged", || sandbox.states() == ["done", "stopped"]);
    assert!(!sandbox.hangs());
    sandbox.slsart("jobs").is(str![[r#"
done        b8d2ab9  Answer 2  1 minute ago in [N] s: 1 package
stopped     47316a0  Answer 1  1 minute ago: its process was killed

"#]]);
    sandbox.has_no_checkout();
    sandbox.fsck();
}

#[test]
fn jobs_are_stopped_with_all_that_they_started() {
    let sandbox = packaging();
    sandbox.slsart("jobs stop").is(str![[r#"
no job is running

"#]]);
    sandbox.commit_with("Answer 1", &[("STAND_IN", "hang")]);
    sandbox.wait_until_hanging();
    sandbox.commit_with("Answer 2", &[]);
    wait_until("the second waits", || sandbox.states() == ["waiting", "running"]);
    sandbox.slsart("jobs stop").is(str![[r#"
Stopped   0514d5d  Answer 2  before it started
Stopped   f653d64  Answer 1  while it was running

"#]]);
    assert!(!sandbox.hangs());
    sandbox.has_no_checkout();
    sandbox.slsart("jobs").is(str![[r#"
stopped     0514d5d  Answer 2  4 minutes ago
stopped     f653d64  Answer 1  5 minutes ago in [N] s

"#]]);

    // What a killed one has left is ended too.
    fs::remove_file(sandbox.beside("runs.hanging")).unwrap();
    sandbox.commit_with("Answer 3", &[("STAND_IN", "hang")]);
    sandbox.wait_until_hanging();
    kill_process(sandbox.process(&sandbox.git("rev-parse HEAD")), Signal::KILL).unwrap();
    wait_until("it is gone", || sandbox.states()[0] == "stopped");
    let stopped = sandbox.slsart("jobs stop --json").json();
    assert_eq!(stopped["stopped"][0]["killed"], true, "{stopped:#}");
    assert!(!sandbox.hangs());
    sandbox.has_no_checkout();
}

#[test]
fn the_log_of_a_job_is_shown_and_followed() {
    let sandbox = packaging();
    sandbox.slsart("jobs").is(str![[r#"
no commit was packaged in the background here; to turn it on: `post-commit` in [hooks] of slsart.toml

"#]]);
    sandbox.slsart("jobs log").is(str![[r#"
── stderr ──
error: no commit was packaged in the background here
hint: to list the jobs: git slsart jobs
── exit 5 ──

"#]]);
    sandbox.commit_with("Answer 1", &[("STAND_IN", "fail")]);
    wait_until("it fails", || sandbox.states() == ["failed"]);
    sandbox.slsart("jobs").is(str![[r#"
failed      b8cc110  Answer 1  1 minute ago in [N] s: osls failed with exit code 9

"#]]);
    sandbox.look("status").is(str![[r#"
HEAD      b8cc110  Answer 1
no packages and no deployments here; to make one: git slsart package
Job       b8cc110  Answer 1  failed: 2 minutes ago in [N] s: osls failed with exit code 9
          why: git slsart jobs log b8cc110

"#]]);
    let log = sandbox.slsart("jobs log").succeeded();
    for text in ["Packaging (osls 4.3.1)\n", "✖ Error: Handler is bad\n", "error: osls failed"] {
        assert!(log.stdout.contains(text), "{log}");
    }
    let gate = sandbox.gate();
    sandbox.commit_with("Answer 2", &[("STAND_IN_LOG", gate.to_str().unwrap())]);
    sandbox.wait_for_phase("Packaging");
    let mut command: Command = sandbox.slsart_command("jobs log HEAD --follow");
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    fs::read(&gate).unwrap();
    let followed = Outcome::of(child, &sandbox).succeeded();
    assert!(followed.stdout.contains("\nrecorded "), "{followed}");
    let whole = sandbox.slsart("jobs log HEAD --json").json();
    assert_eq!(whole["text"].as_str().unwrap(), followed.stdout);
    assert_eq!(whole["state"], "done");
    sandbox.slsart("jobs log HEAD~2").is(str![[r#"
── stderr ──
error: no job packaged 'HEAD~2'
hint: to list the jobs: git slsart jobs
── exit 5 ──

"#]]);
}

#[test]
fn the_jobs_of_long_ago_are_forgotten() {
    let sandbox = packaging();
    let head = sandbox.git("rev-parse HEAD");
    for number in 1..=25 {
        let commit = format!("{number:040x}").chars().rev().collect::<String>();
        let record = format!(
            "number = {number}\ncommit = {commit:?}\nstate = \"done\"\nqueued = \"2026-01-05T09:00:00Z\"\n"
        );
        let name = &commit[..12];
        sandbox.write(&format!(".git/slsart/jobs/{name}.toml"), record);
        sandbox.write(&format!(".git/slsart/jobs/{name}.log"), "old\n");
    }
    sandbox.slsart(&format!("hook package {head}")).succeeded();
    assert_eq!(sandbox.jobs().len(), 21);
    assert_eq!(sandbox.shell("ls .git/slsart/jobs/*.log | wc -l").stdout.trim(), "21");
}

#[test]
fn what_a_job_packages_is_not_packaged_twice_and_its_locks_stay() {
    let sandbox = packaging();
    let gate = sandbox.gate();
    sandbox.commit_with("Answer 1", &[("STAND_IN_LOG", gate.to_str().unwrap())]);
    sandbox.wait_for_phase("Packaging");
    let wait = format!("git slsart jobs log {} --follow\n", sandbox.git("rev-parse --short HEAD"));
    for line in ["package -s prod", "deploy -s prod --package --yes", "uninstall"] {
        let refused = sandbox.slsart(line);
        let error = "error: a background job packages ";
        let hint = format!("hint: to wait for it: {wait}hint: to stop it: git slsart jobs stop\n");
        assert!(refused.code == 1 && refused.stderr.contains(error), "{refused}");
        assert!(refused.stderr.contains(&hint), "{refused}");
    }
    for line in ["check -s prod", "deploy -s prod -n"] {
        let missing = sandbox.slsart(line);
        let text = format!("{}{}", missing.stdout, missing.stderr);
        assert!(missing.code != 0 && text.contains(&wait), "{missing}");
        assert!(!text.contains("slsart package") && !text.contains("--package"), "{missing}");
    }
    fs::read(&gate).unwrap();
    wait_until("it is packaged", || sandbox.states() == ["done"]);
    sandbox.slsart("uninstall -q").succeeded();
    assert!(!sandbox.path(".git/slsart").exists());
}
