//! What must not lose anything: kill -9 at any moment, sixteen writers, a full disk, a repository that can't be written, a clock that
//! goes backwards, any byte that is not what it was. `make torture` is the long form, which prints figures; `make test` runs a
//! short one. `TORTURE_SEED` gives the random points of an earlier run again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on fails")]
#![allow(clippy::needless_raw_string_hashes, reason = "snapbox writes the snapshots so")]
#![allow(dead_code, reason = "the sandbox is shared with the tests of the commands")]

#[path = "../support/room.rs"]
mod room;
#[path = "../support/sandbox.rs"]
mod sandbox;
#[path = "../support/schemas.rs"]
mod schemas;

mod bytes;
mod chance;
mod clock;
mod disk;
mod intact;
#[cfg(target_os = "linux")]
mod kills;
#[cfg(target_os = "linux")]
mod operations;
#[cfg(target_os = "linux")]
mod tracer;
mod writers;
