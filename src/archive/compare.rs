//! Whether a deflate stream is made again as it was.

use std::io::{self, Read, Write};

/// Compares what is written with what is expected, and fails at the first difference.
pub(super) struct Compare<'a> {
    expected: Box<dyn Read + 'a>,
    buffer: Vec<u8>,
    pub(super) differs: bool,
    pub(super) any: bool,
}

impl<'a> Compare<'a> {
    pub(super) fn new(expected: Box<dyn Read + 'a>) -> Self {
        Self { expected, buffer: Vec::new(), differs: false, any: false }
    }

    /// Whether all that was expected was written.
    pub(super) fn whole(&mut self) -> io::Result<bool> {
        Ok(!self.differs && self.expected.read(&mut [0])? == 0)
    }
}

impl Write for Compare<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.any |= !bytes.is_empty();
        self.buffer.resize(bytes.len(), 0);
        let read = self.expected.read_exact(&mut self.buffer);
        if read.is_err() || self.buffer != bytes {
            self.differs = true;
            return Err(io::Error::other("differs"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
