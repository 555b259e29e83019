//! Keeping and restoring an installation, beside `npm ci` with a warm cache and `cp -a`: times and memory, all in the same run.
//! A step alone runs in a process of its own, which is this very program again: `figures step save REPOSITORY TOP`.

use std::cell::Cell;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use git_slsart::git::directory::DirectoryScan;
use git_slsart::git::{Oid, Repository};
use git_slsart::package::manifest::LockfileEntry;
use git_slsart::package::{Machine, Sha256};
use git_slsart::store::Store;
use git_slsart::store::toolchains::{FORMAT, Toolchain};
use jiff::Timestamp;
use tempfile::TempDir;

const SOURCE: &str = "1111111111111111111111111111111111111111";
const RUNS: usize = 3;

/// One run: seconds, and the most memory in MiB.
type Run = (f64, f64);

/// The step that this process was started for.
pub(crate) fn step(words: &[String]) {
    let [name, repository, top] = words else { return };
    let repository = Repository::open(Path::new(repository), None, None).expect("the repository opens");
    let (store, top) = (Store::new(&repository), Path::new(top));
    if name == "restore" {
        let source = Oid::from_str(SOURCE).expect("an id");
        let stored = store.toolchains().of(source).expect("the toolchains are read").stored;
        store.toolchains().restore(&stored[0], top).expect("the toolchain is restored");
        return;
    }
    let scan =
        DirectoryScan::read_parts(top, &[PathBuf::from("node_modules")]).expect("the directory is read");
    store.toolchains().save(&scan, &describe(&scan)).expect("the toolchain is saved");
}

fn describe(scan: &DirectoryScan) -> Toolchain {
    let word = |text: &str| text.to_owned();
    Toolchain {
        format: FORMAT,
        id: scan.id().to_string(),
        source: word(SOURCE),
        saved: Timestamp::UNIX_EPOCH,
        files: scan.files(),
        size: scan.size(),
        parts: vec![word("node_modules")],
        lockfile: LockfileEntry {
            path: word("package-lock.json"),
            kind: word("npm"),
            sha256: Sha256::of(b""),
        },
        package_manager: None,
        machine: Machine {
            os: word("linux"),
            arch: word("x64"),
            libc: String::new(),
            node: word("22.0.0"),
            modules: word("127"),
        },
    }
}

/// Prints the table: the osls of the test bed, and a large installation.
#[expect(clippy::print_stdout, reason = "a benchmark's table is its result")]
pub(crate) fn print(bed: &Path) {
    println!(
        "\nAn installation kept and restored: median wall seconds of {RUNS} runs, and the most memory (MiB)\n"
    );
    for (name, project) in [("osls", bed.join("flavours/osls4")), ("large", bed.join("growth/modules"))] {
        let scan = DirectoryScan::read_parts(&project, &[PathBuf::from("node_modules")])
            .expect("make setup has installed it");
        println!("{name}: {} files, {} MB", scan.files(), scan.size() / 1_000_000);
        let (rows, pack) = measure(&project, bed);
        let copy = rows.iter().find(|(name, _)| *name == "cp -a").map_or(1.0, |(_, run)| run.0);
        for (name, (seconds, memory)) in rows {
            println!("  {name:28} {seconds:7.2} s {memory:6.0} MiB  {:6.2}x of cp -a", seconds / copy);
        }
        println!("  the first pack: {} MB", pack / 1_000_000);
    }
}

/// The rows, and the size of what was kept, in bytes.
fn measure(project: &Path, bed: &Path) -> (Vec<(&'static str, Run)>, u64) {
    // Beside the bed: the same disk, and no file system in memory.
    let root = TempDir::new_in(bed).expect("a directory is made");
    let at = |name: &str| root.path().join(name);
    let text = |path: &Path| path.to_str().expect("the path is UTF-8").to_owned();
    let shell = |script: &str| run(&["sh", "-c", script]);
    // Each run has a directory of its own, and nothing is removed before the end: ext4 takes seconds to find places for new files
    // for a while after many were removed, whoever makes them.
    let (made, kept) = (Cell::new(0), Cell::new(0));
    let next = |count: &Cell<u32>, name: &str| {
        count.set(count.get() + 1);
        at(&format!("{name}-{}", count.get()))
    };
    let directory = || {
        let path = next(&made, "copy");
        fs::create_dir(&path).expect("a directory is made");
        text(&path)
    };
    let itself = text(&env::current_exe().expect("this program has a path"));
    let from = text(project);
    let step = |name: &str, repository: &str, top: &str| run(&[&itself, "step", name, repository, top]);
    let median = |work: &dyn Fn() -> Run| {
        let mut runs: Vec<Run> = (0..RUNS).map(|_| work()).collect();
        runs.sort_by(|one, other| one.0.total_cmp(&other.0));
        runs[RUNS / 2]
    };
    let modules = format!("{from}/node_modules");
    let install = || {
        let to = directory();
        shell(&format!("cp '{from}/package.json' '{from}/package-lock.json' '{to}'"));
        let environment = text(&bed.join("bed.env"));
        shell(&format!(
            "cd '{to}' && set -- && while IFS= read -r line; do set -- \"$@\" \"$line\"; done <'{environment}' && \
             env \"$@\" npm ci --silent --ignore-scripts --legacy-peer-deps"
        ))
    };
    let first = || {
        let repository = text(&next(&kept, "repository"));
        shell(&format!("git init --quiet --bare '{repository}'"));
        step("save", &repository, &from)
    };
    let mut rows = vec![("cp -a", median(&|| run(&["cp", "-a", &modules, &directory()])))];
    rows.push(("cp -al (hard links)", median(&|| run(&["cp", "-al", &modules, &directory()]))));
    rows.push(("npm ci, warm cache", median(&install)));
    rows.push(("save, first", median(&first)));
    let repository = text(&at("repository-1"));
    let packs = fs::read_dir(at("repository-1").join("objects/pack")).into_iter().flatten().flatten();
    let size: u64 = packs.filter_map(|file| file.metadata().ok()).map(|data| data.len()).sum();
    rows.push(("save, unchanged", median(&|| step("save", &repository, &from))));
    rows.push(("restore", median(&|| step("restore", &repository, &directory()))));
    shell(&format!(
        "diff -r --no-dereference '{modules}' '{}/node_modules'",
        text(&at(&format!("copy-{}", made.get())))
    ));
    shell(&format!("git -C '{repository}' gc --quiet"));
    rows.push(("restore after git gc", median(&|| step("restore", &repository, &directory()))));
    (rows, size)
}

fn run(line: &[&str]) -> Run {
    let measure = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/measure.py");
    #[expect(clippy::disallowed_methods, reason = "a benchmark times processes")]
    let output = Command::new("python3").arg(measure).args(line).output().expect("python3 starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{line:?}: {}", String::from_utf8_lossy(&output.stderr));
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    (numbers[0], numbers[1] / 1024.0)
}
