//! What a remote may send that no clone of this program writes: it is fetched by git, and every command that reads it ends in time, within
//! a limit of memory, and says what is wrong.

use std::fmt::Write as _;

use crate::sandbox::{Outcome, Sandbox};

const HISTORY: &str = "refs/slsart/deployments/orders/prod/us-east-1";

/// A repository with two deployments, and how somebody's clone of it is asked.
struct Hostile {
    sandbox: Sandbox,
}

impl Hostile {
    fn new() -> Self {
        let sandbox = Sandbox::recorded();
        sandbox.slsart("deploy -s prod --yes -q").succeeded();
        Self { sandbox }
    }

    /// Clones it, with all that is git slsart's, by git alone.
    fn fetched(&self) {
        self.sandbox
            .shell(
                "rm -rf ../victim && git clone --quiet . ../victim
                 git -C ../victim fetch --quiet origin '+refs/slsart/*:refs/slsart/*' '+refs/notes/*:refs/notes/*'",
            )
            .succeeded();
    }

    /// Asks the clone, in a time that only a command without an end takes, and 3 GB of addresses.
    fn ask(&self, line: &str) -> Outcome {
        let script = format!("ulimit -v 3000000; exec timeout 600 git-slsart -C ../victim {line}");
        let outcome = self.sandbox.shell(&script);
        assert!([0, 1, 4, 5].contains(&outcome.code), "{line}: {outcome}");
        outcome
    }
}

#[test]
fn notes_without_an_end_are_refused() {
    let hostile = Hostile::new();
    // 256 directories in each of 19 levels, all the same.
    hostile
        .sandbox
        .shell(
            "tree=$(git mktree </dev/null)
             for level in $(seq 19); do
                 tree=$(for name in $(seq 0 255); do printf '040000 tree %s\\t%02x\\n' $tree $name; done | git mktree)
             done
             git update-ref refs/notes/slsart $(git commit-tree -m bomb $tree)",
        )
        .succeeded();
    hostile.fetched();
    for line in ["log --all", "verify --all"] {
        let outcome = hostile.ask(line);
        assert_eq!(outcome.code, 4, "{line}: {outcome}");
        assert!(outcome.stderr.contains("are larger than any that this program writes"), "{outcome}");
    }
    for line in ["log", "show", "extract HEAD -o ../out", "history", "rollback HEAD -s prod -n"] {
        hostile.ask(line);
    }
}

#[test]
fn a_history_without_an_end_is_read_as_far_as_it_may_be() {
    let hostile = Hostile::new();
    let tip = hostile.sandbox.git(&format!("rev-parse {HISTORY}"));
    // Commits that say nothing, newer than the records: a merge of ten thousand, and thirty thousand in a row.
    let mut stream = String::new();
    let mut commit = |mark: u32, name: &str, parents: &str| {
        // Of another second each, or they would be one.
        let time = 1_900_000_000 + mark;
        write!(
            stream,
            "commit refs/{name}\nmark :{mark}\ncommitter M <m@example.org> {time} +0000\ndata 0\n{parents}deleteall\n\n"
        )
        .unwrap();
    };
    for mark in 1..=10_000 {
        commit(mark, &format!("made/{mark}"), "");
    }
    let parents: String = (1..=10_000)
        .flat_map(|mark: u32| ["merge :".to_owned(), mark.to_string(), "\n".to_owned()])
        .collect();
    commit(10_001, "wide", &format!("from {tip}\n{parents}"));
    commit(10_002, "long", &format!("from {tip}\n"));
    for mark in 10_003..=40_000 {
        commit(mark, "long", "");
    }
    std::fs::write(hostile.sandbox.beside("stream"), stream).unwrap();
    hostile
        .sandbox
        .shell(&format!(
            "git fast-import --quiet --force <../stream
             git for-each-ref --format='delete %(refname)' refs/made/ | git update-ref --stdin
             git update-ref {HISTORY} refs/wide"
        ))
        .succeeded();
    hostile.fetched();
    let wide = hostile.ask("history -s prod");
    assert!(wide.code == 0 && wide.stdout.contains("● live"), "{wide}");
    let ban = hostile.sandbox.git("for-each-ref --format=%(refname:lstrip=3) refs/slsart/packages");
    hostile
        .sandbox
        .shell(&format!(
            "git update-ref {HISTORY} refs/long; git update-ref refs/slsart/bans/{ban} refs/wide"
        ))
        .succeeded();
    hostile.fetched();
    let banned = hostile.ask("rollback HEAD -s prod -n");
    assert_eq!(banned.code, 4, "{banned}");
    assert!(banned.stderr.contains("the package may be banned"), "{banned}");
    hostile.sandbox.git(&format!("update-ref -d refs/slsart/bans/{ban}"));
    hostile.fetched();
    let long = hostile.ask("rollback HEAD -s prod -n");
    assert!(long.stdout.contains("1 records of the history can't be read"), "{long}");
}

#[test]
fn records_that_are_too_large_of_elsewhere_or_for_the_terminal_do_no_harm() {
    let hostile = Hostile::new();
    let sandbox = &hostile.sandbox;
    // A commit that is larger than any, on top of the records.
    sandbox
        .shell(&format!(
            "git cat-file commit {HISTORY} >../commit
             yes | head -c 20000000 >>../commit
             git branch --quiet keep {HISTORY}
             git update-ref {HISTORY} $(git hash-object -t commit -w --stdin <../commit)"
        ))
        .succeeded();
    hostile.fetched();
    let large = hostile.ask("rollback HEAD -s prod -n");
    assert!(large.stdout.contains("records of the history can't be read"), "{large}");
    hostile.ask("history --verify");

    // The records of one stage, as those of another.
    sandbox.git(&format!("update-ref {HISTORY} keep"));
    sandbox.git("update-ref refs/slsart/deployments/orders/live/us-east-1 keep");
    hostile.fetched();
    let history = hostile.ask("history --json").json();
    let targets = history["targets"].as_array().unwrap();
    assert_eq!(targets.len(), 1, "{history}");
    assert_eq!(targets[0]["target"]["stage"], "prod");

    // What would act on the terminal.
    sandbox
        .shell("git commit --quiet --allow-empty -m \"$(printf '\\033]0;pwned\\007 \\033[2J')\"")
        .succeeded();
    sandbox.record("prod");
    sandbox.slsart_with("deploy -s prod --yes -q", &[("GIT_COMMITTER_NAME", "\x1b[2Jpwned\x07")]).succeeded();
    sandbox
        .slsart_with("ban HEAD -m '\x1b]0;pwned\x07'", &[("GIT_COMMITTER_NAME", "\x1b[2Jpwned")])
        .succeeded();
    hostile.fetched();
    for line in ["log", "show", "verify", "history", "rollback HEAD -s prod -n", "rollback HEAD~ -s prod -n"]
    {
        let outcome = hostile.ask(line);
        let printed = outcome.stdout + &outcome.stderr;
        assert!(printed.contains("pwned") || line == "verify", "{line}: {printed}");
        assert!(!printed.contains(['\x1b', '\x07']), "{line}: {printed:?}");
    }
}
