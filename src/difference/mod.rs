//! What differs between two packages, or between a package and what is live, and which of it would destroy something. Decides and
//! describes; changes nothing and prints nothing.

pub mod judge;
pub mod tables;
pub mod template;
