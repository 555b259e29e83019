//! Contents that decide what a deflate does: text, code, noise, zeros, the ends of windows and blocks. The same on every run.

/// A small generator of numbers (xorshift64*), the same for ever.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 11) % end
    }
}

/// Text that looks like JavaScript: words that come again, at all distances.
pub(crate) fn code(seed: u64, size: usize) -> Vec<u8> {
    let mut numbers = Numbers::new(seed);
    let words: Vec<String> = (0..400)
        .map(|_| {
            (0..2 + numbers.below(9))
                .map(|_| char::from(b'a' + u8::try_from(numbers.below(26)).unwrap()))
                .collect()
        })
        .collect();
    let marks =
        [" ", " ", ".", "(", ") {\n  ", ";\n", " = ", "();\n\n", ", ", "\n  return ", "const ", "function "];
    let mut text = String::new();
    while text.len() < size {
        let word = numbers.below(400) * numbers.below(400) / 400;
        text.push_str(&words[usize::try_from(word).unwrap()]);
        text.push_str(marks[usize::try_from(numbers.below(12)).unwrap()]);
        if numbers.below(300) == 0 {
            text.push_str(&numbers.next().to_string());
        }
    }
    text.truncate(size);
    text.into_bytes()
}

/// Bytes that don't compress.
pub(crate) fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut numbers = Numbers::new(seed);
    (0..size).map(|_| numbers.next().to_le_bytes()[5]).collect()
}

/// Bytes of few values, so that strings of three come again often and longer ones less so.
pub(crate) fn few(seed: u64, size: usize, values: u64) -> Vec<u8> {
    let mut numbers = Numbers::new(seed);
    (0..size).map(|_| u8::try_from(numbers.below(values)).unwrap()).collect()
}

/// Everything, with a name each.
pub(crate) fn all() -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    for size in [0, 1, 2, 3, 4, 5, 7, 10, 258, 259, 261, 262, 263, 300] {
        all.push((format!("code-{size}"), code(size as u64, size)));
        all.push((format!("zeros-{size}"), vec![0; size]));
        all.push((format!("few-{size}"), few(7, size, 3)));
    }
    for size in
        [1000, 5000, 20_000, 32_767, 32_768, 33_030, 65_273, 65_274, 65_275, 65_535, 65_536, 65_537, 98_304]
    {
        all.push((format!("code-{size}"), code(size as u64, size)));
        all.push((format!("few-{size}"), few(size as u64, size, 4)));
    }
    all.push(("zeros-200000".into(), vec![0; 200_000]));
    all.push(("noise-16383".into(), noise(1, 16_383)));
    all.push(("noise-140000".into(), noise(2, 140_000)));
    all.push(("few-300000".into(), few(3, 300_000, 20)));
    all.push(("code-600000".into(), code(4, 600_000)));
    let mut mixed = code(5, 90_000);
    mixed.extend(noise(5, 70_000));
    mixed.extend(vec![7; 80_000]);
    mixed.extend(code(5, 60_000));
    all.push(("mixed".into(), mixed));
    // Short tails after a slide, where a hash of four bytes reads what was left in the window.
    for tail in 0..12 {
        let mut bytes = code(6, 98_304 - 6 + tail);
        let end = bytes.len();
        bytes.copy_within(40_000..40_003, end - 3);
        all.push((format!("tail-{tail}"), bytes));
    }
    all
}
