//! Deploying a recorded package: plan, copy, checks, run, history. The package is never rebuilt.

pub mod apply;
pub mod checkup;
pub mod choices;
mod copy;
pub mod goal;
pub mod history;
mod lock;
pub mod plan;
pub mod unlock;
