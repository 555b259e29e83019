//! `make bench`: whole-process times of git slsart beside a peer in the same run, as a table with ratios.
//! Nothing here judges: the figures that are wanted stand in docs/performance.md.

#[path = "../archive/corpus.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "it is a part of the codec's tests"
)]
mod corpus;
#[path = "../archive/memory.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "it is a part of the codec's tests"
)]
mod memory;
#[path = "../archive/producers.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "it is a part of the codec's tests"
)]
mod producers;

mod clock;
mod growth;
mod history;
mod speed;
mod streams;
mod toolchain;

use clock::{Row, print, time};
use history::Recorded;

/// `SLSART_BENCH_MANY` names another number.
const MANY: usize = 10_000;
const FEW: usize = 10;

/// `cargo bench --bench figures -- growth` prints one of the tables.
fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if let Some((first, step)) = asked.split_first()
        && first == "step"
    {
        return toolchain::step(step);
    }
    let wants = |table: &str| asked.is_empty() || asked.iter().any(|word| word == table);
    if asked.iter().any(|word| word == "speed") {
        speed::print();
    }
    if wants("history") {
        histories();
    }
    if wants("streams") {
        streams::print();
    }
    let bed = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bed");
    if wants("growth") {
        growth::print(&bed);
    }
    if wants("toolchain") {
        toolchain::print(&bed);
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark has no context")]
fn many() -> usize {
    std::env::var("SLSART_BENCH_MANY").ok().and_then(|number| number.parse().ok()).unwrap_or(MANY)
}

fn histories() {
    let few = Recorded::make(FEW);
    let count = many();
    let many = Recorded::make(count);
    let rows = [
        compare("log -n 20", &few, &many, &["log"], &["log", "-n20", "--notes=slsart", "--format=%h %s %N"]),
        compare(
            "show HEAD",
            &few,
            &many,
            &["show", "-s", "prod"],
            &["notes", "--ref=slsart", "show", "HEAD"],
        ),
        compare(
            "show, half way back",
            &few,
            &many,
            &["show", "-s", "prod", "middle"],
            &["notes", "--ref=slsart", "show", "middle"],
        ),
        compare(
            "post-commit hook",
            &few,
            &many,
            &["hook", "post-commit"],
            &["notes", "--ref=slsart", "show", "HEAD"],
        ),
        compare(
            "history -s prod",
            &few,
            &many,
            &["history", "-s", "prod"],
            &["log", "-n20", "--format=%h %s"],
        ),
        record(&few, &many),
    ];
    print(
        &format!(
            "git slsart beside git, {count} packages beside {FEW}: median wall milliseconds of a whole process"
        ),
        &rows,
    );
}

/// A command with few and with many packages, beside the stock git command that reads the same.
fn compare(name: &str, few: &Recorded, many: &Recorded, ours: &[&str], gits: &[&str]) -> Row {
    Row {
        name: name.to_owned(),
        few: time(|| few.slsart(ours)),
        many: time(|| many.slsart(ours)),
        peer_name: format!("git {}", gits[..2.min(gits.len())].join(" ")),
        peer: time(|| many.git(gits)),
    }
}

/// Recording one more package, beside `git notes add` and a commit of the same file by stock git.
fn record(few: &Recorded, many: &Recorded) -> Row {
    let next = many.fresh_package();
    Row {
        name: "record one more".to_owned(),
        few: time(record_fresh(few)),
        many: time(record_fresh(many)),
        peer_name: "git hash-object, notes add".to_owned(),
        peer: time(|| {
            let package = next();
            let zip = package.join("orders.zip");
            many.git(&["hash-object", "-w", zip.to_str().expect("the path is UTF-8")]);
            many.git(&["notes", "--ref=peer", "add", "-f", "-m", "x", "HEAD"]);
        }),
    }
}

fn record_fresh(repository: &Recorded) -> impl FnMut() + '_ {
    let next = repository.fresh_package();
    move || repository.slsart(&["record", next().to_str().expect("the path is UTF-8"), "HEAD"])
}
