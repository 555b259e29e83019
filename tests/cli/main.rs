//! The commands as a user meets them: the real program in a clean environment, everything it prints held as a snapshot in
//! the test. The framework is a stand-in; the end-to-end tests run the real one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on fails")]
#![allow(clippy::needless_raw_string_hashes, reason = "snapbox writes the snapshots so")]

#[path = "../support/room.rs"]
mod room;
#[path = "../support/sandbox.rs"]
mod sandbox;
#[path = "../support/schemas.rs"]
mod schemas;

#[cfg(feature = "aws")]
#[path = "../support/server.rs"]
mod server;

#[cfg(feature = "aws")]
mod aws;
mod ban;
mod bundle;
mod carry;
mod check;
mod checks;
mod ci;
mod config;
mod damage;
mod deploy;
mod diff;
mod elsewhere;
mod extract;
mod hints;
mod history;
mod hooks;
mod hostile;
mod init;
mod interface;
mod jobs;
mod json;
mod live;
mod lock;
mod log;
mod names;
mod notes;
#[cfg(feature = "aws")]
mod observe;
mod package;
mod packs;
#[cfg(feature = "aws")]
mod permissions;
mod pin;
mod place;
mod post_commit;
mod post_rewrite;
mod pre_push;
mod prune;
mod quiet;
mod ranges;
mod record;
mod recorded_before;
mod scope;
mod secrets;
mod several;
mod sharing;
mod show;
mod sources;
mod status;
mod terminal;
mod toolchain;
mod trust;
mod verify;
