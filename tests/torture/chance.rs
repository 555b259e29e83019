//! Which form runs, and chance that can be had again.

use std::time::{SystemTime, UNIX_EPOCH};

/// Whether this is the long form (`make torture`).
pub(crate) fn is_long() -> bool {
    variable("TORTURE").is_some_and(|form| form == "long")
}

/// One number in the short form, another in the long one; `TORTURE_RUNS` overrides the latter.
pub(crate) fn runs(short: u64, long: u64) -> u64 {
    let wanted = || variable("TORTURE_RUNS").and_then(|text| text.parse().ok());
    if is_long() { wanted().unwrap_or(long) } else { short }
}

/// Pseudo-random numbers (xorshift64), the same ones for the same seed.
pub(crate) struct Chance(u64);

impl Chance {
    /// From `TORTURE_SEED`, else from the clock in the long form, and from the test's name in the short one, which is the same
    /// every time. Says which, for when the test fails.
    pub(crate) fn new(test: &str) -> Self {
        let now = || u64::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos());
        let of_name = || test.bytes().fold(0, |seed, byte| seed * 31 % 1_000_000_007 + u64::from(byte));
        let other = || if is_long() { now() } else { of_name() };
        let seed = variable("TORTURE_SEED").map_or_else(other, |text| text.parse().unwrap());
        tell(&format!("{test}: TORTURE_SEED={seed}"));
        Self::of(seed)
    }

    /// From a seed that is always the same.
    pub(crate) fn of(seed: u64) -> Self {
        let mut this = Self(seed | 1 << 40);
        // The first ones are as small as the seed.
        for _ in 0..8 {
            this.next();
        }
        this
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// Bytes that do not compress.
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}

/// Prints a line of figures.
#[expect(clippy::print_stdout, reason = "`make torture` prints figures")]
pub(crate) fn tell(line: &str) {
    println!("{line}");
}

#[expect(clippy::disallowed_methods, reason = "a test has no context")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
