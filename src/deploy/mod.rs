//! Deploying a recorded package: plan, guard, copy, checks, run, proof, history; and what is live. The package is never rebuilt.

pub mod answers;
pub mod apply;
mod causes;
pub mod checks;
pub mod choices;
pub mod cloud;
mod copy;
pub mod drift;
mod expected;
pub mod failure;
pub mod goal;
pub mod guard;
pub mod history;
pub mod live;
pub mod lock;
mod observe;
pub mod order;
pub mod plan;
mod proof;
pub mod second_stack;
pub mod settle;
pub mod several;
pub mod shared;
pub mod side;
pub mod unlock;
pub mod unpackaged;
