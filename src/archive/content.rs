//! What a sink is handed: an entry's content, and the stream in which it stood in the zip.

use std::io::{self, BufReader, Read};

use flate2::bufread::DeflateDecoder;

use super::bytes::{Bytes, Range};

/// One content's bytes. They can be read again and again.
pub struct Content<'a> {
    pub(super) size: u64,
    pub(super) body: Body<'a>,
    pub(super) deflated: Option<Deflated<'a>>,
}

pub(super) enum Body<'a> {
    Memory(&'a [u8]),
    /// They stand in the archive as they are, from this offset on.
    Stored(&'a dyn Bytes, u64),
    /// They are inflated, as far as they go.
    Deflated(Deflated<'a>),
}

impl Content<'_> {
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The bytes, if they are in memory: at most 8 MiB.
    pub fn bytes(&self) -> Option<&[u8]> {
        if let Body::Memory(bytes) = self.body { Some(bytes) } else { None }
    }

    pub fn reader(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(match &self.body {
            Body::Memory(bytes) => Box::new(*bytes),
            Body::Stored(bytes, at) => Box::new(Range::new(*bytes, *at, self.size)),
            Body::Deflated(deflated) => Box::new(inflate(deflated).take(self.size)),
        })
    }

    /// The raw deflate stream (RFC 1951) of exactly this content as it stands in the zip, proven to inflate to the content
    /// and to end where it ends. None: the content is not of a deflated entry that is reproduced.
    pub fn deflated(&self) -> Option<Deflated<'_>> {
        self.deflated
    }
}

#[derive(Clone, Copy)]
pub struct Deflated<'a> {
    pub(super) memory: Option<&'a [u8]>,
    pub(super) archive: &'a dyn Bytes,
    pub(super) at: u64,
    pub(super) size: u64,
}

impl<'a> Deflated<'a> {
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The bytes, if they are in memory: at most 8 MiB.
    pub fn bytes(&self) -> Option<&'a [u8]> {
        self.memory
    }

    pub fn reader(&self) -> Box<dyn Read + 'a> {
        match self.memory {
            Some(bytes) => Box::new(bytes),
            None => Box::new(Range::new(self.archive, self.at, self.size)),
        }
    }
}

/// Inflates a stream. Whether it ended where it should is for the caller to see.
pub(super) fn inflate<'a>(deflated: &Deflated<'a>) -> DeflateDecoder<BufReader<Box<dyn Read + 'a>>> {
    DeflateDecoder::new(BufReader::with_capacity(1 << 16, deflated.reader()))
}
