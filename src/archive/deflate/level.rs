//! What each level means: zlib's table of limits.

#[derive(Clone, Copy)]
pub(super) struct Level {
    /// A match this long before makes the search four times shorter.
    pub(super) good: usize,
    /// No search for a better match after one this long; at levels 1 to 3 the longest match whose strings are all inserted.
    pub(super) lazy: usize,
    /// A match this long ends the search.
    pub(super) nice: usize,
    /// Strings of a chain that are looked at.
    pub(super) chain: usize,
}

impl Level {
    /// The level of this number; above 9 is 9.
    pub(super) fn new(number: u8) -> Self {
        let (good, lazy, nice, chain) = match number {
            0 | 1 => (4, 4, 8, 4),
            2 => (4, 5, 16, 8),
            3 => (4, 6, 32, 32),
            4 => (4, 4, 16, 16),
            5 => (8, 16, 32, 32),
            6 => (8, 16, 128, 128),
            7 => (8, 32, 128, 256),
            8 => (32, 128, 258, 1024),
            _ => (32, 258, 258, 4096),
        };
        Self { good, lazy, nice, chain }
    }
}
