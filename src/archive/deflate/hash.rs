//! The hash of a string, the one thing in which the engines differ.

/// How a position of the window becomes an index of the hash table. Implementations read at most four bytes.
pub(super) trait StringHash {
    /// Bits of the hash table for a `memLevel`.
    fn bits(mem_level: u32) -> u32;
    /// The hash of a string that begins with these four bytes, the first in the lowest bits.
    fn hash(&self, next: u32) -> u32;
    /// The hash for tables of so many bits and for a level.
    fn new(bits: u32, level: u8) -> Self;
}

/// zlib 1.3: three bytes, shifted so that the fourth pushes the first out. zlib rolls it; the value is the same.
pub(super) struct Rolling {
    shift: u32,
    mask: u32,
}

impl StringHash for Rolling {
    fn bits(mem_level: u32) -> u32 {
        mem_level + 7
    }

    fn new(bits: u32, _level: u8) -> Self {
        Self { shift: bits.div_ceil(3), mask: (1 << bits) - 1 }
    }

    #[inline]
    fn hash(&self, next: u32) -> u32 {
        let (first, second, third) = (next & 0xff, (next >> 8) & 0xff, (next >> 16) & 0xff);
        ((first << (2 * self.shift)) ^ (second << self.shift) ^ third) & self.mask
    }
}

/// Node 18 and later (Chromium's zlib): a product of four bytes.
pub(super) struct Product {
    mask: u32,
}

impl StringHash for Product {
    fn bits(mem_level: u32) -> u32 {
        (mem_level + 7).max(15)
    }

    fn new(bits: u32, _level: u8) -> Self {
        Self { mask: (1 << bits) - 1 }
    }

    #[inline]
    fn hash(&self, next: u32) -> u32 {
        (next.wrapping_mul(66_521).wrapping_add(66_521) >> 16) & self.mask
    }
}

/// Node 16 on x86: CRC-32C of four bytes, from level 6 on of three.
pub(super) struct Crc {
    bytes: u32,
}

impl StringHash for Crc {
    fn bits(_mem_level: u32) -> u32 {
        15
    }

    fn new(_bits: u32, level: u8) -> Self {
        Self { bytes: if level >= 6 { 0x00ff_ffff } else { u32::MAX } }
    }

    #[inline]
    fn hash(&self, next: u32) -> u32 {
        let [a, b, c, d] = (next & self.bytes).to_le_bytes().map(usize::from);
        (CRC32C[3][a] ^ CRC32C[2][b] ^ CRC32C[1][c] ^ CRC32C[0][d]) & 0x7fff
    }
}

/// CRC-32C (Castagnoli, reflected 0x82f63b78) of a byte followed by no, one, two and three zero bytes.
static CRC32C: [[u32; 256]; 4] = crc32c_tables();

const fn crc32c_tables() -> [[u32; 256]; 4] {
    let mut tables = [[0u32; 256]; 4];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation, reason = "below 256")]
        let mut value = byte as u32;
        let mut table = 0;
        while table < 4 {
            let mut bit = 0;
            while bit < 8 {
                value = (value >> 1) ^ (0x82f6_3b78 & (value & 1).wrapping_neg());
                bit += 1;
            }
            tables[table][byte] = value;
            table += 1;
        }
        byte += 1;
    }
    tables
}
