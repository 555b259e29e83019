//! The real framework, real plugins and real npm on a local AWS. Needs what `make setup` makes, and fails without it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "that is how a test fails")]
#![allow(
    clippy::disallowed_methods,
    reason = "a test has no context: it makes the environment that one is read from"
)]

#[path = "../support/bed.rs"]
mod bed;
#[path = "../support/call.rs"]
mod call;
#[path = "../support/project.rs"]
mod project;
#[path = "../support/recorded.rs"]
mod recorded;
#[path = "../support/room.rs"]
mod room;
#[path = "../support/sandbox.rs"]
#[allow(dead_code, reason = "it is shared with the tests of the commands")]
mod sandbox;
#[path = "../support/schemas.rs"]
mod schemas;
#[path = "../support/trace.rs"]
mod trace;

mod bundle;
mod checks;
mod control;
mod failures;
mod guard;
mod hook_managers;
mod hooks;
mod interruptions;
mod live;
mod managers;
mod packages;
mod places;
mod registry;
mod releases;
mod round_trip;
mod several;
mod tutorial;
