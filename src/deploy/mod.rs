//! Deploying a recorded package: plan, copy, checks, run, history. The package is never rebuilt.

pub mod apply;
pub mod checks;
mod copy;
pub mod history;
pub mod plan;
