//! The archive codec: every byte of a zip comes back. Engines are held against the programs that they stand for, zips of real
//! producers against the bytes that they had, and damage against an error.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on fails")]
#![allow(clippy::disallowed_methods, reason = "producers are programs, and are found by the environment")]
#![allow(clippy::print_stdout, reason = "tables for people")]

extern crate self as git_slsart;

#[path = "../../src/archive/mod.rs"]
#[allow(dead_code, reason = "the program uses what the tests do not")]
pub mod archive;

mod corpus;
mod engines;
mod fixtures;
mod memory;
mod odd;
mod producers;
mod properties;
