//! Deploying a recorded package: plan, guard, copy, checks, run, history. The package is never rebuilt.

pub mod apply;
pub mod checks;
mod copy;
pub mod guard;
pub mod history;
pub mod plan;
