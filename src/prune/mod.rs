//! Letting go of packages that a policy no longer keeps: what is chosen, what is kept whatever is chosen, and doing it. Plan, then
//! apply; what is uncertain is kept.

mod apply;
pub mod plan;
pub mod policy;
mod protection;

pub use apply::apply;
pub use protection::KeepReason;
