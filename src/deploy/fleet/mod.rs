//! Several services of one commit at once: one plan, one order, one report.

pub(crate) mod order;
pub(crate) mod packages;
pub(crate) mod plan;
mod render;
pub(crate) mod run;
mod stacks;
pub(crate) mod step;
pub(crate) mod unpackaged;
