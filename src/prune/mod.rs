//! Letting go of packages that a policy no longer keeps: what is chosen, what is kept whatever is chosen, and doing it. Plan, then
//! apply; what can't be told is kept.

mod apply;
mod keep;
pub mod plan;
pub mod policy;

pub use apply::{Freed, apply};
pub use keep::Why;
