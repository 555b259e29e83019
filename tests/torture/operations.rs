//! What is killed. To add one: a line in [`ALL`], and a function that makes a repository in which it can be run again and again.

use std::fs;

use crate::chance::Chance;
use crate::sandbox::Sandbox;

/// A command that is killed.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// A repository that is ready for it.
    pub(crate) ready: fn() -> Sandbox,
    /// Makes that its next run, with this number, has something to do.
    pub(crate) before: fn(&Sandbox, u64),
    /// Its arguments.
    pub(crate) line: &'static str,
    /// How often it is killed in the short form.
    pub(crate) short: u64,
    /// How long it takes at most, in microseconds.
    pub(crate) micros: u64,
    /// Whether what it started may be killed with it.
    pub(crate) group: bool,
    /// Fails unless a run that was not killed has done what it is for.
    pub(crate) after: fn(&Sandbox, u64),
}

/// All of them.
pub(crate) const ALL: &[Operation] = &[
    Operation {
        name: "record",
        ready: recorded,
        before: rebuild,
        line: "record ../dist",
        short: 14,
        micros: 120_000,
        group: true,
        after: is_recorded,
    },
    Operation {
        name: "rollback",
        ready: deployed,
        before: nothing,
        line: "rollback v1 -s prod --yes",
        short: 8,
        micros: 900_000,
        group: true,
        after: is_live,
    },
    Operation {
        name: "in place",
        ready: installed,
        before: edit,
        line: IN_PLACE,
        short: 4,
        micros: 900_000,
        group: true,
        after: is_in_place,
    },
    Operation {
        name: "attach",
        ready: installed,
        before: commit_packaged,
        line: "hook post-commit",
        short: 3,
        micros: 80_000,
        group: true,
        after: is_attached,
    },
    Operation {
        name: "migrate",
        ready: recorded,
        before: in_git,
        line: "migrate --to lfs",
        short: 4,
        micros: 300_000,
        group: true,
        after: is_in_lfs,
    },
    Operation {
        name: "ban",
        ready: recorded,
        before: unban,
        line: "ban HEAD -s prod -m bad",
        short: 3,
        micros: 60_000,
        group: true,
        after: is_banned,
    },
    Operation {
        name: "prune",
        ready: recorded,
        before: record_another,
        line: "prune -s dev --keep-last 1 --yes",
        short: 4,
        micros: 200_000,
        // A git that is killed leaves its lock of packed-refs, which only a person may remove.
        group: false,
        after: is_pruned,
    },
    Operation {
        name: "extract",
        ready: recorded,
        before: remove_extracted,
        line: "extract HEAD -s dev -o ../out/x",
        short: 2,
        micros: 50_000,
        group: true,
        after: is_extracted,
    },
    Operation {
        name: "package",
        ready: Sandbox::recorded,
        before: next_commit,
        line: "package -s prod",
        short: 2,
        micros: 3_000_000,
        group: true,
        after: is_attached,
    },
    Operation {
        name: "toolchain",
        ready: Sandbox::recorded,
        before: next_commit,
        line: "toolchain save",
        short: 2,
        micros: 3_000_000,
        group: true,
        after: is_kept,
    },
    Operation {
        name: "push",
        ready: with_remote,
        before: record_more,
        line: "push",
        short: 5,
        micros: 500_000,
        // A remote's own processes are on another machine, and not killed with this one's.
        group: false,
        after: is_on_remote,
    },
    Operation {
        name: "fetch",
        ready: with_clone,
        before: push_from_clone,
        line: "fetch --all",
        short: 5,
        micros: 300_000,
        group: true,
        after: is_fetched,
    },
];

const IN_PLACE: &str = "package --in-place --allow-dirty -s prod";

fn nothing(_: &Sandbox, _: u64) {}

/// A package of `prod`, and one of `dev` from a directory in which others are built that share most with the one before.
fn recorded() -> Sandbox {
    let sandbox = Sandbox::recorded();
    let dist = sandbox.build("dist", "dev");
    fs::write(dist.join("big.bin"), Chance::of(1).bytes(300_000)).unwrap();
    sandbox.slsart("record -q ../dist").succeeded();
    sandbox
}

fn rebuild(sandbox: &Sandbox, round: u64) {
    fs::write(sandbox.beside("dist/counter"), round.to_string()).unwrap();
}

fn record_another(sandbox: &Sandbox, round: u64) {
    rebuild(sandbox, round);
    sandbox.slsart("record -q ../dist").succeeded();
}

fn is_pruned(sandbox: &Sandbox, _: u64) {
    let log = sandbox.slsart("log --all -s dev --json").succeeded().json();
    assert_eq!(log["packages"].as_array().unwrap().len(), 1, "{log:#}");
    // The one of `prod`, and the one of `dev` that is kept.
    assert_eq!(sandbox.git("for-each-ref refs/slsart/packages").lines().count(), 2);
}

fn is_recorded(sandbox: &Sandbox, _: u64) {
    let again = sandbox.slsart("record ../dist").succeeded();
    assert!(again.stdout.starts_with("Already"), "{again}");
}

/// A tag `v1` and a commit after it, both deployed, so that their plugins are kept, and a remote that holds the locks.
fn deployed() -> Sandbox {
    let sandbox = Sandbox::recorded();
    sandbox.git("tag v1");
    sandbox.git("init --quiet --bare --initial-branch=main ../origin.git");
    sandbox.git("remote add origin ../origin.git");
    sandbox.slsart("deploy -q -s prod --yes").succeeded();
    sandbox.change("Answer two");
    sandbox.record("prod");
    sandbox.slsart("deploy -q -s prod --yes").succeeded();
    sandbox
}

fn is_live(sandbox: &Sandbox, _: u64) {
    let history = sandbox.slsart("history -s prod --json").succeeded().json();
    let last = &history["targets"][0]["deployments"][0];
    assert_eq!(last["outcome"], "succeeded", "{history:#}");
    assert_eq!(last["commit"], sandbox.git("rev-parse v1"), "{history:#}");
}

/// A service with its packages in the working tree, and nothing that git runs by itself.
fn installed() -> Sandbox {
    let sandbox = Sandbox::installed();
    sandbox.write("slsart.toml", "[hooks]\npost-commit = \"attach\"\n");
    sandbox.write(".gitignore", "node_modules\n.serverless\n");
    sandbox.commit("Set up");
    sandbox.slsart("package --in-place -q -s prod").succeeded();
    sandbox
}

fn edit(sandbox: &Sandbox, round: u64) {
    sandbox.write("handler.js", format!("exports.hello = async () => {round};\n"));
}

fn is_in_place(sandbox: &Sandbox, _: u64) {
    let log = sandbox.slsart("log -n 1").succeeded();
    assert!(log.stdout.contains(" dirty"), "{log}");
}

fn commit_packaged(sandbox: &Sandbox, round: u64) {
    edit(sandbox, round);
    sandbox.slsart(&format!("{IN_PLACE} -q")).succeeded();
    sandbox.commit(&format!("Answer {round}"));
}

fn next_commit(sandbox: &Sandbox, round: u64) {
    sandbox.change(&format!("Answer {round}"));
}

fn is_attached(sandbox: &Sandbox, _: u64) {
    sandbox.slsart("show HEAD -s prod").succeeded();
}

fn in_git(sandbox: &Sandbox, round: u64) {
    next_commit(sandbox, round);
    sandbox.build("dist", "dev");
    sandbox.slsart("record -q ../dist --storage git").succeeded();
}

fn is_in_lfs(sandbox: &Sandbox, _: u64) {
    let head = sandbox.git("rev-parse HEAD");
    let name = sandbox.git(&format!("for-each-ref --format='%(refname)' refs/slsart/packages/{head}"));
    sandbox.git(&format!("cat-file -e {name}:.gitattributes"));
}

fn unban(sandbox: &Sandbox, _: u64) {
    // A kill may have come before it was banned.
    sandbox.slsart("unban HEAD -s prod -q");
}

fn is_banned(sandbox: &Sandbox, _: u64) {
    let refused = sandbox.slsart("rollback HEAD -s prod --yes");
    assert!(refused.code == 1 && refused.stderr.contains("banned"), "{refused}");
}

fn remove_extracted(sandbox: &Sandbox, _: u64) {
    let _ = fs::remove_dir_all(sandbox.beside("out/x"));
}

fn is_extracted(sandbox: &Sandbox, _: u64) {
    sandbox.shell("diff -r ../dist ../out/x").succeeded();
}

fn is_kept(sandbox: &Sandbox, _: u64) {
    let again = sandbox.slsart("toolchain save").succeeded();
    assert!(again.stdout.starts_with("saved already"), "{again}");
}

/// The same as [`recorded`], with a remote that has it.
fn with_remote() -> Sandbox {
    let sandbox = recorded();
    sandbox.git("init --quiet --bare --initial-branch=main ../origin.git");
    sandbox.git("remote add origin ../origin.git");
    sandbox.git("push --quiet origin main");
    sandbox.slsart("push -q").succeeded();
    sandbox
}

/// The same, with another clone of the remote.
fn with_clone() -> Sandbox {
    let sandbox = with_remote();
    sandbox.git("clone --quiet ../origin.git ../other");
    sandbox.slsart("-C ../other fetch -q --all").succeeded();
    sandbox
}

fn record_more(sandbox: &Sandbox, round: u64) {
    rebuild(sandbox, round);
    sandbox.slsart("record -q ../dist").succeeded();
    sandbox.slsart("ban HEAD -q -s dev -m bad").succeeded();
    sandbox.slsart("unban HEAD -q -s dev").succeeded();
}

fn push_from_clone(sandbox: &Sandbox, round: u64) {
    rebuild(sandbox, round);
    sandbox.slsart("-C ../other record -q ../dist").succeeded();
    sandbox.slsart("-C ../other push -q").succeeded();
    // Both sides have something of their own, so that notes are merged.
    sandbox.slsart("ban HEAD -q -s prod -m bad").succeeded();
    sandbox.slsart("unban HEAD -q -s prod").succeeded();
    sandbox.record(&format!("own-{round}"));
}

/// The packages of a repository.
fn packages(sandbox: &Sandbox, directory: &str) -> Vec<String> {
    let refs =
        sandbox.git(&format!("-C {directory} for-each-ref --format='%(refname)' refs/slsart/packages"));
    refs.lines().map(str::to_owned).collect()
}

fn is_on_remote(sandbox: &Sandbox, _: u64) {
    sandbox.git("-C ../origin.git fsck --full --strict --no-dangling");
    assert_eq!(packages(sandbox, "../origin.git"), packages(sandbox, "."));
    let notes = "log -1 --format=%T refs/notes/slsart";
    assert_eq!(sandbox.git(&format!("-C ../origin.git {notes}")), sandbox.git(notes));
}

fn is_fetched(sandbox: &Sandbox, _: u64) {
    let here = packages(sandbox, ".");
    let lacking: Vec<_> =
        packages(sandbox, "../other").into_iter().filter(|name| !here.contains(name)).collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}
