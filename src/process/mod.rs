//! The only place that starts a child process, and the only one that listens for signals. Knows nothing of the programs' purposes.
//!
//! An [`Invocation`] is built first; one of its methods then runs it: `read`, `probe`, `run`, `stream_stderr`, `end_within` or `detach`.

pub mod background;
pub mod interrupt;
mod invocation;
mod limit;
mod relay;
mod run;
mod stream;

pub use interrupt::Group;
pub use invocation::Invocation;
pub use limit::{Ended, Patience};
pub use run::Output;

pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
