//! Deploying a recorded package: plan, copy, checks, run, history. The package is never rebuilt.

pub mod apply;
pub mod checkup;
pub mod cloud;
mod copy;
mod expected;
pub mod history;
pub mod plan;
mod proof;
