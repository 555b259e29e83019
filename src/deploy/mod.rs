//! Deploying a recorded package: plan, copy, checks, run, history. The package is never rebuilt.

pub mod apply;
mod causes;
pub mod checkup;
pub mod cloud;
mod copy;
pub mod drift;
mod expected;
pub mod failure;
pub mod history;
pub mod live;
pub mod plan;
mod proof;
