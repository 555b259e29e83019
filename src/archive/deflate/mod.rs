//! Deflate as other programs do it, bit for bit. The rules are those of zlib 1.3's deflate (deflate.c and trees.c by Jean-loup
//! Gailly and Mark Adler), expressed anew: window of 32 KiB, default strategy, all input at once.
//!
//! An engine's output never changes: stored recipes depend on every bit of it. What is better gets a new number.

mod block;
mod hash;
mod level;
mod trees;
mod window;

use std::fmt;
use std::io::{self, Read, Write};

use block::Blocks;
use hash::{Crc, Product, Rolling, StringHash};
use level::Level;
use window::{MIN_MATCH, Window};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    /// zlib 1.3: Python, Java and most others.
    Zlib = 1,
    /// Node 18 and later, whose zlib is Chromium's.
    Node = 2,
    /// Node 16 on x86.
    Node16 = 3,
}

/// What decides the output: engine, level and `memLevel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Settings {
    pub engine: Engine,
    pub level: u8,
    /// 8, zlib's default, or 9; at level 0 it has no meaning and is 8.
    pub mem_level: u8,
}

impl Settings {
    /// The settings of a recipe's two bytes: engine, then `memLevel` times 16 and level. None: no such settings.
    pub fn from_bytes([engine, rest]: [u8; 2]) -> Option<Self> {
        let engine = match engine {
            1 => Engine::Zlib,
            2 => Engine::Node,
            3 => Engine::Node16,
            _ => return None,
        };
        let (mem_level, level) = (rest >> 4, rest & 15);
        let known = (mem_level == 8 || mem_level == 9 && level > 0) && level <= 9;
        let known = known && (level > 0 || engine == Engine::Zlib);
        known.then_some(Self { engine, level, mem_level })
    }

    pub fn to_bytes(self) -> [u8; 2] {
        [self.engine as u8, self.mem_level << 4 | self.level]
    }

    /// All there are, in the order in which they are tried.
    pub fn all() -> Vec<Self> {
        let levels = [1, 6, 9, 5, 7, 8, 4, 3, 2];
        let engines = [Engine::Node, Engine::Zlib, Engine::Node16];
        let mut all = Vec::new();
        for level in levels {
            for engine in engines {
                all.extend([8, 9].map(|mem_level| Self { engine, level, mem_level }));
            }
        }
        all.push(Self { engine: Engine::Zlib, level: 0, mem_level: 8 });
        all
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = match self.engine {
            Engine::Zlib => "zlib",
            Engine::Node => "node",
            Engine::Node16 => "node16",
        };
        write!(f, "{engine} level {} memLevel {}", self.level, self.mem_level)
    }
}

/// Compresses all of `input` as a raw deflate stream, as [`Deflater::run`] does.
pub fn deflate(settings: Settings, input: &mut dyn Read, out: &mut dyn Write) -> io::Result<()> {
    Deflater::default().run(settings, input, out)
}

const MAX_STORED: usize = 65_535;
/// A match of the shortest length is not worth more distance than this.
const TOO_FAR: usize = 4096;

/// Compresses one input after another in the same memory, which for small ones takes as long to get as they do to compress.
#[derive(Default)]
pub struct Deflater {
    window: Window,
    blocks: Blocks,
}

impl Deflater {
    /// Compresses all of `input` as a raw deflate stream. Earlier inputs don't influence it, however they ended. Memory is bounded: under
    /// 512 KiB. `out` is written block by block.
    pub fn run(&mut self, settings: Settings, input: &mut dyn Read, out: &mut dyn Write) -> io::Result<()> {
        self.blocks.clear(settings.mem_level.into());
        match (settings.level, settings.engine) {
            (0, _) => self.stored(input, out),
            (_, Engine::Zlib) => self.compress::<Rolling>(settings, input, out),
            (_, Engine::Node) => self.compress::<Product>(settings, input, out),
            (_, Engine::Node16) => self.compress::<Crc>(settings, input, out),
        }
    }

    fn compress<H: StringHash>(
        &mut self,
        settings: Settings,
        input: &mut dyn Read,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let level = Level::new(settings.level);
        let bits = H::bits(settings.mem_level.into());
        let hash = H::new(bits, settings.level);
        self.window.clear(bits);
        if settings.level < 4 {
            self.fast(&hash, level, input, out)
        } else {
            self.lazy(&hash, level, input, out)
        }
    }

    /// Level 0: blocks as long as they may be, the last one marked.
    fn stored(&mut self, input: &mut dyn Read, out: &mut dyn Write) -> io::Result<()> {
        let mut block = Vec::with_capacity(MAX_STORED + 1);
        loop {
            let room = (MAX_STORED + 1 - block.len()) as u64;
            input.take(room).read_to_end(&mut block)?;
            let size = block.len().min(MAX_STORED);
            let last = block.len() <= MAX_STORED;
            self.blocks.stored(&block[..size], last);
            self.blocks.hand_over(out)?;
            if last {
                return Ok(());
            }
            block.drain(..size);
        }
    }

    /// Levels 1 to 3 (`deflate_fast`): the first match that is found is taken.
    fn fast(
        &mut self,
        hash: &impl StringHash,
        level: Level,
        input: &mut dyn Read,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        while self.window.fill(input)? {
            let window = &mut self.window;
            let candidate = if window.ahead >= MIN_MATCH { window.insert(hash, window.at) } else { 0 };
            let length =
                if window.near(candidate) { window.longest(level, candidate, MIN_MATCH - 1) } else { 0 };
            let full = if length >= MIN_MATCH {
                let full = self.blocks.copy(window.at - window.found, length);
                window.ahead -= length;
                if length <= level.lazy && window.ahead >= MIN_MATCH {
                    for at in window.at + 1..window.at + length {
                        window.insert(hash, at);
                    }
                }
                window.at += length;
                full
            } else {
                let full = self.blocks.literal(window.byte(window.at));
                window.at += 1;
                window.ahead -= 1;
                full
            };
            if full {
                self.flush(false, out)?;
            }
        }
        self.flush(true, out)
    }

    /// Levels 4 to 9 (`deflate_slow`): a match is taken unless the next position has a longer one.
    fn lazy(
        &mut self,
        hash: &impl StringHash,
        level: Level,
        input: &mut dyn Read,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut length = MIN_MATCH - 1;
        let mut waiting = false;
        while self.window.fill(input)? {
            let window = &mut self.window;
            let candidate = if window.ahead >= MIN_MATCH { window.insert(hash, window.at) } else { 0 };
            let (before, before_at) = (length, window.found);
            length = MIN_MATCH - 1;
            if before < level.lazy && window.near(candidate) {
                length = window.longest(level, candidate, before);
                if length == MIN_MATCH && window.at.wrapping_sub(window.found) > TOO_FAR {
                    length = MIN_MATCH - 1;
                }
            }
            if before >= MIN_MATCH && length <= before {
                let last = window.at + window.ahead - MIN_MATCH;
                let full = self.blocks.copy((window.at - 1).wrapping_sub(before_at), before);
                window.ahead -= before - 1;
                let end = window.at + before - 1;
                for at in window.at + 1..end.min(last + 1) {
                    window.insert(hash, at);
                }
                window.at = end;
                waiting = false;
                length = MIN_MATCH - 1;
                if full {
                    self.flush(false, out)?;
                }
                continue;
            }
            // When a flush is due, the block ends before the present position.
            if waiting {
                let literal = window.byte(window.at - 1);
                if self.blocks.literal(literal) {
                    self.flush(false, out)?;
                }
            }
            waiting = true;
            self.window.at += 1;
            self.window.ahead -= 1;
        }
        if waiting {
            self.blocks.literal(self.window.byte(self.window.at - 1));
        }
        self.flush(true, out)
    }

    fn flush(&mut self, last: bool, out: &mut dyn Write) -> io::Result<()> {
        self.blocks.flush(self.window.plain(), self.window.block_size(), last, out)?;
        self.window.block = self.window.at.cast_signed();
        Ok(())
    }
}
