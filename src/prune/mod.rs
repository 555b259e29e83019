//! Removes packages that a policy no longer keeps: choosing, protecting, removing. Plan, then apply; in doubt a package is kept.

mod apply;
pub mod plan;
pub mod policy;
mod protection;

pub use apply::apply;
pub use protection::KeepReason;
