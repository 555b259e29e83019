//! How many streams of real zips are made again of their contents, by what made them.

use std::collections::BTreeMap;

use crate::producers::shares;

const LEVELS: [&str; 10] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "own"];

/// Prints a table, a row a producer and a column a level.
#[expect(clippy::print_stdout, reason = "a benchmark's table is its result")]
pub(crate) fn print() {
    let mut rows: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for ((producer, level), share) in shares(&LEVELS[..9]) {
        rows.entry(producer).or_default().insert(level, share);
    }
    println!("\nStreams kept as plain content and made again bit for bit, in percent, by level\n");
    println!("{:28}{}", "", LEVELS.map(|level| format!("{level:>6}")).concat());
    for (producer, shares) in rows {
        let cells =
            LEVELS.map(|level| shares.get(level).map_or(" ".repeat(6), |share| format!("{share:6.0}")));
        println!("{producer:28}{}", cells.concat());
    }
}
