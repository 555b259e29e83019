//! Huffman codes as zlib 1.3 builds them (`trees.c`): which of the many optimal codes comes out is decided by the order of a
//! heap and by how codes that are too long are shortened, so both are the same here.

/// Literals, the end of a block, and lengths.
pub(super) const LITERALS: usize = 286;
pub(super) const DISTANCES: usize = 30;
/// Codes that code lengths are sent with.
pub(super) const LENGTHS: usize = 19;
/// The symbol that ends a block.
pub(super) const END: usize = 256;
pub(super) const LENGTH_EXTRA: [u8; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
pub(super) const DISTANCE_EXTRA: [u8; 30] =
    [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
/// Extra bits of the codes of code lengths.
pub(super) const LENGTHS_EXTRA: [u8; 19] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 7];
/// The order in which the lengths of those codes are sent.
pub(super) const LENGTHS_ORDER: [usize; 19] =
    [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

const MAX_BITS: usize = 15;
const NODES: usize = 2 * LITERALS + 1;
const MAX_SYMBOLS: usize = 288;

/// What a kind of symbols has in common in every block.
pub(super) struct Kind {
    pub(super) symbols: usize,
    /// Extra bits, from this symbol on.
    pub(super) extra: &'static [u8],
    /// The first symbol with extra bits.
    pub(super) base: usize,
    /// The longest code.
    pub(super) longest: usize,
    /// Lengths of the fixed codes, if there are any.
    pub(super) fixed: Option<&'static [u8]>,
}

pub(super) static LITERAL_KIND: Kind =
    Kind { symbols: LITERALS, extra: &LENGTH_EXTRA, base: 257, longest: 15, fixed: Some(&FIXED_LENGTHS) };
pub(super) static DISTANCE_KIND: Kind =
    Kind { symbols: DISTANCES, extra: &DISTANCE_EXTRA, base: 0, longest: 15, fixed: Some(&[5; 30]) };
pub(super) static LENGTHS_KIND: Kind =
    Kind { symbols: LENGTHS, extra: &LENGTHS_EXTRA, base: 0, longest: 7, fixed: None };

/// Lengths of the fixed literal codes, the two that never occur included.
pub(super) static FIXED_LENGTHS: [u8; MAX_SYMBOLS] = {
    let mut lengths = [8; MAX_SYMBOLS];
    let mut symbol = 144;
    while symbol < 280 {
        lengths[symbol] = if symbol < 256 { 9 } else { 7 };
        symbol += 1;
    }
    lengths
};

/// A code: for each symbol its bits, already reversed for sending, and how many.
#[derive(Clone)]
pub(super) struct Code {
    pub(super) bits: [u16; MAX_SYMBOLS],
    /// Lengths; none: the symbol does not occur.
    pub(super) lengths: [u8; MAX_SYMBOLS],
    /// The last symbol that has a code.
    pub(super) last: usize,
}

#[derive(Default)]
pub(super) struct Cost {
    pub(super) own: i64,
    pub(super) fixed: i64,
}

impl Code {
    pub(super) fn fixed(lengths: &[u8]) -> Self {
        Self::from_lengths(lengths, lengths.len() - 1)
    }

    fn from_lengths(from: &[u8], last: usize) -> Self {
        let mut lengths = [0; MAX_SYMBOLS];
        lengths[..from.len()].copy_from_slice(from);
        let mut counts = [0u16; MAX_BITS + 1];
        for &length in &lengths[..=last] {
            counts[usize::from(length)] += 1;
        }
        counts[0] = 0;
        let mut next = [0u16; MAX_BITS + 1];
        for bits in 1..=MAX_BITS {
            next[bits] = (next[bits - 1] + counts[bits - 1]) << 1;
        }
        let mut bits = [0; MAX_SYMBOLS];
        for (code, &length) in bits.iter_mut().zip(&lengths[..=last]).filter(|(_, length)| **length != 0) {
            let number = &mut next[usize::from(length)];
            *code = number.reverse_bits() >> (16 - u16::from(length));
            *number = number.wrapping_add(1);
        }
        Self { bits, lengths, last }
    }

    /// The code for these frequencies, and its cost added to what the block takes.
    pub(super) fn build(kind: &Kind, frequencies: &[u16], cost: &mut Cost) -> Self {
        let mut heap = Heap::new(&frequencies[..kind.symbols]);
        let mut last = heap.fill(kind.symbols);
        while heap.count < 2 {
            let forced = if last.is_none_or(|last| last < 2) { last.map_or(0, |last| last + 1) } else { 0 };
            if last.is_none_or(|last| last < 2) {
                last = Some(forced);
            }
            heap.force(forced);
            cost.own -= 1;
            if let Some(fixed) = kind.fixed {
                cost.fixed -= i64::from(fixed[forced]);
            }
        }
        let last = last.unwrap_or(0);
        heap.join(kind.symbols);
        heap.limit(kind, last, cost);
        Self::from_lengths(&heap.lengths[..kind.symbols], last)
    }
}

/// A node of the tree in one number: frequency, depth in 6 bits and its own number in 10. A tree of the symbols of a block,
/// fewer than 1 << 15, is not 30 deep.
#[derive(Clone, Copy, Default)]
struct Node(u32);

impl Node {
    #[allow(clippy::cast_possible_truncation, reason = "nodes are fewer than 600")]
    fn new(number: usize, frequency: u32, depth: u32) -> Self {
        Self(frequency << 16 | depth << 10 | number as u32)
    }

    fn number(self) -> usize {
        (self.0 & 0x3ff) as usize
    }

    /// The node above this one and another.
    fn join(self, other: Self, number: usize) -> Self {
        let depth = |node: Self| node.0 >> 10 & 0x3f;
        Self::new(number, (self.0 >> 16) + (other.0 >> 16), depth(self).max(depth(other)) + 1)
    }

    /// Whether it is as rare as another, and as deep, or more so.
    fn before(self, other: Self) -> bool {
        self.0 >> 10 <= other.0 >> 10
    }
}

/// The heap that the tree is built with; its upper end collects the nodes by falling frequency.
struct Heap {
    nodes: [Node; NODES],
    count: usize,
    sorted: usize,
    frequencies: [u16; LITERALS],
    parents: [u16; NODES],
    lengths: [u8; NODES],
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "nodes are fewer than 600, depths and lengths below 256"
)]
impl Heap {
    fn new(frequencies: &[u16]) -> Self {
        let mut heap = Self {
            nodes: [Node::default(); NODES],
            count: 0,
            sorted: NODES,
            frequencies: [0; LITERALS],
            parents: [0; NODES],
            lengths: [0; NODES],
        };
        heap.frequencies[..frequencies.len()].copy_from_slice(frequencies);
        heap
    }

    /// Takes in every symbol that occurs; returns the last of them.
    fn fill(&mut self, symbols: usize) -> Option<usize> {
        let mut last = None;
        for symbol in 0..symbols {
            let frequency = self.frequencies[symbol];
            if frequency != 0 {
                self.count += 1;
                self.nodes[self.count] = Node::new(symbol, frequency.into(), 0);
                last = Some(symbol);
            }
        }
        last
    }

    /// A symbol that does not occur, since a code has two at least.
    fn force(&mut self, symbol: usize) {
        self.count += 1;
        self.nodes[self.count] = Node::new(symbol, 1, 0);
        self.frequencies[symbol] = 1;
    }

    fn sift(&mut self, mut at: usize) {
        let nodes = &mut self.nodes[..=self.count];
        let Some(&node) = nodes.get(at) else { return };
        let mut below = at * 2;
        while below < nodes.len() {
            if below + 1 < nodes.len() && nodes[below + 1].before(nodes[below]) {
                below += 1;
            }
            if node.before(nodes[below]) {
                break;
            }
            nodes[at] = nodes[below];
            at = below;
            below *= 2;
        }
        nodes[at] = node;
    }

    fn sort(&mut self, node: Node) {
        self.sorted -= 1;
        self.nodes[self.sorted] = node;
    }

    /// Joins the two rarest nodes until one is left.
    fn join(&mut self, symbols: usize) {
        for at in (1..=self.count / 2).rev() {
            self.sift(at);
        }
        let mut new = symbols;
        loop {
            let rarest = self.nodes[1];
            self.nodes[1] = self.nodes[self.count];
            self.count -= 1;
            self.sift(1);
            let second = self.nodes[1];
            self.sort(rarest);
            self.sort(second);
            self.parents[rarest.number()] = new as u16;
            self.parents[second.number()] = new as u16;
            self.nodes[1] = rarest.join(second, new);
            new += 1;
            self.sift(1);
            if self.count < 2 {
                break;
            }
        }
        let root = self.nodes[1];
        self.sort(root);
    }

    /// Lengths of the codes, none above the longest allowed.
    fn limit(&mut self, kind: &Kind, last: usize, cost: &mut Cost) {
        let mut counts = [0i32; MAX_BITS + 1];
        let mut too_long = 0;
        self.lengths[self.nodes[self.sorted].number()] = 0;
        for at in self.sorted + 1..NODES {
            let node = self.nodes[at].number();
            let mut bits = usize::from(self.lengths[usize::from(self.parents[node])]) + 1;
            if bits > kind.longest {
                bits = kind.longest;
                too_long += 1;
            }
            self.lengths[node] = bits as u8;
            if node > last {
                continue;
            }
            counts[bits] += 1;
            let extra = if node >= kind.base { i64::from(kind.extra[node - kind.base]) } else { 0 };
            let frequency = i64::from(self.frequencies[node]);
            cost.own += frequency * (bits as i64 + extra);
            if let Some(fixed) = kind.fixed {
                cost.fixed += frequency * (i64::from(fixed[node]) + extra);
            }
        }
        if too_long > 0 {
            self.shorten(kind, last, &mut counts, too_long, cost);
        }
    }

    fn shorten(
        &mut self,
        kind: &Kind,
        last: usize,
        counts: &mut [i32; MAX_BITS + 1],
        mut too_long: i32,
        cost: &mut Cost,
    ) {
        while too_long > 0 {
            let mut bits = kind.longest - 1;
            while counts[bits] == 0 {
                bits -= 1;
            }
            counts[bits] -= 1;
            counts[bits + 1] += 2;
            counts[kind.longest] -= 1;
            too_long -= 2;
        }
        let mut at = NODES;
        for bits in (1..=kind.longest).rev() {
            let mut left = counts[bits];
            while left != 0 {
                at -= 1;
                let node = self.nodes[at].number();
                if node > last {
                    continue;
                }
                if usize::from(self.lengths[node]) != bits {
                    let change = bits as i64 - i64::from(self.lengths[node]);
                    cost.own += change * i64::from(self.frequencies[node]);
                    self.lengths[node] = bits as u8;
                }
                left -= 1;
            }
        }
    }
}
