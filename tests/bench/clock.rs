//! Timing whole processes, and the table.

use std::time::{Duration, Instant};

const RUNS: usize = 11;

/// A command's times.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) few: Duration,
    pub(crate) many: Duration,
    pub(crate) peer_name: String,
    pub(crate) peer: Duration,
}

/// The median of eleven runs, after one that warms caches.
pub(crate) fn time(mut run: impl FnMut()) -> Duration {
    run();
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[RUNS / 2]
}

/// Prints the rows.
#[expect(clippy::print_stdout, reason = "a benchmark's table is its result")]
pub(crate) fn print(title: &str, rows: &[Row]) {
    println!("\n{title}\n");
    println!(
        "{:24} {:>8} {:>8} {:>10}  {:30} {:>8} {:>10}",
        "", "few", "many", "many/few", "peer", "many", "ours/peer"
    );
    for Row { name, few, many, peer_name, peer } in rows {
        let ratio = |one: &Duration, other: &Duration| one.as_secs_f64() / other.as_secs_f64();
        let milliseconds = |time: &Duration| time.as_secs_f64() * 1000.0;
        println!(
            "{name:24} {:8.1} {:8.1} {:9.2}x  {peer_name:30} {:8.1} {:9.2}x",
            milliseconds(few),
            milliseconds(many),
            ratio(many, few),
            milliseconds(peer),
            ratio(many, peer),
        );
    }
}
